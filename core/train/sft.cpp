#include "core/train/sft.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/base/random.h"
#include "core/base/stopwatch.h"
#include "core/train/checkpoint.h"

namespace moelab::train {
namespace {

constexpr double kFirstLosses = 5;  // whose mean an explosion is measured by
constexpr double kNone = -1;        // no tuning loss yet; a loss is never negative

void require_usable(const SftOptions& options) {
  require_option(options.steps > 0, "steps", "must be positive");
  require_option(options.batch_rows > 0, "batch_rows", "must be positive");
  require_option(options.accumulation > 0, "accumulation", "must be positive");
  require_option(options.evaluate_every > 0, "evaluate_every", "must be positive");
  require_option(options.patience >= 0, "patience", "must not be negative");
  require_option(options.explosion > 1, "explosion", "must be above 1");
  require_option(options.checkpoint_every > 0, "checkpoint_every", "must be positive");
  validate(options.optimizer);
}

// Examples picked by index as passes of at most `rows`.
std::vector<Batch> pack_examples(std::span<const SftExample> examples, std::span<const std::size_t> picked,
                                 std::int64_t rows, at::Device device) {
  std::vector<Batch> batches;
  for (std::size_t start = 0; start < picked.size(); start += static_cast<std::size_t>(rows)) {
    std::vector<Row> chosen;
    for (std::size_t i = start; i < std::min(picked.size(), start + static_cast<std::size_t>(rows)); ++i)
      chosen.push_back({&examples[picked[i]].document});
    batches.push_back(pack(chosen, device));
  }
  return batches;
}

double count_targets(std::span<const Batch> batches) {
  double targets = 0;
  for (const Batch& batch : batches) targets += static_cast<double>(batch.target.size(0));
  return targets;
}

double mean_loss(const TunedModel& tuned, std::span<const Batch> batches) {
  return loss_sum(tuned, batches) / count_targets(batches);
}

// Loss and clipped gradient of a step, whose weights stay as they are.
SftStep measure_step(TunedModel& tuned, const AdamW& optimizer, std::span<const Batch> batches,
                     std::int64_t step, const SftOptions& options) {
  SftStep report;
  report.step = step + 1;
  const double targets = count_targets(batches);
  const StepMeasure measure = optimizer.measure(tuned.leaves().groups, step, [&] {
    double sum = 0;
    for (const Batch& batch : batches) sum += add_gradient(tuned, batch, targets, options.recompute);
    return sum / targets;
  });
  for (const Batch& batch : batches) report.tokens += batch.layout.tokens;
  report.loss = measure.loss;
  report.gradient_norm = measure.gradient_norm;
  return report;
}

// Everything that decides the weights after a step, so that a checkpoint is never continued by another run.
std::string run_text(const SftOptions& options, std::span<const SftExample> examples) {
  return fmt::format("{}|{}|{} {} {} {} {} {} {} {}|{}", options.run, examples.size(), options.steps,
                     options.batch_rows, options.accumulation, options.recompute, options.evaluate_every,
                     options.patience, options.explosion, options.seed, text_of(options.optimizer));
}

// A run's numbers beside its weights; one tensor of a checkpoint.
struct Progress {
  double done = 0, kept = 0, tokens = 0, last_loss = 0;
  double best = kNone, looks = 0;  // tuning loss of the kept state, and looks since
  double first_sum = 0, first_count = 0;

  std::array<double*, 8> all() {
    return {&done, &kept, &tokens, &last_loss, &best, &looks, &first_sum, &first_count};
  }
};

class Run {
 public:
  Run(TunedModel& tuned, std::span<const SftExample> examples, std::span<const SftExample> tuning,
      const SftOptions& options)
      : tuned_(tuned),
        examples_(examples),
        tuning_(tuning),
        options_(options),
        optimizer_(tuned.leaves().groups, options.optimizer) {
    for (const FlatGroup& group : tuned.leaves().groups) good_.push_back(group.weight.clone());
  }

  SftResult go(const SftCallback& report);

 private:
  void train(const SftCallback& report);
  SftStep step();
  std::vector<Batch> batches_of(std::int64_t step) const;
  double tuning_loss() const;
  void look(SftStep& done);
  void settle();
  void keep_state();
  void require_no_explosion(double loss, std::int64_t step) const;
  SftResult explode(const std::string& what);
  SftResult result(SftEnd end) const;
  void save();
  void resume();
  TrainingState state(const at::Tensor& numbers);
  bool wants_stop() const {
    return options_.patience > 0 && progress_.looks >= static_cast<double>(options_.patience);
  }
  bool has_checkpoint() const { return !options_.checkpoint.empty(); }
  std::int64_t done() const { return static_cast<std::int64_t>(progress_.done); }

  TunedModel& tuned_;
  std::span<const SftExample> examples_, tuning_;
  const SftOptions& options_;
  AdamW optimizer_;
  std::vector<at::Tensor> good_;  // weights of the kept state, [groups]
  std::int64_t first_ = 0;        // steps done before this call
  Progress progress_;
};

TrainingState Run::state(const at::Tensor& numbers) {
  TrainingState state = state_of(tuned_.leaves().groups, optimizer_);
  for (std::size_t g = 0; g < good_.size(); ++g) state.emplace_back(fmt::format("good.{}", g), good_[g]);
  state.emplace_back("progress", numbers);
  return state;
}

void Run::save() {
  std::vector<double> numbers;
  for (const double* number : progress_.all()) numbers.push_back(*number);
  write_checkpoint(options_.checkpoint, state(at::tensor(numbers, at::kDouble)),
                   run_text(options_, examples_));
}

void Run::resume() {
  const auto all = progress_.all();
  const at::Tensor numbers = at::tensor(std::vector<double>(all.size(), 0.0), at::kDouble);
  read_checkpoint(options_.checkpoint, state(numbers), run_text(options_, examples_));
  for (std::size_t i = 0; i < all.size(); ++i) *all[i] = numbers[static_cast<std::int64_t>(i)].item<double>();
}

void Run::keep_state() {
  for (std::size_t g = 0; g < good_.size(); ++g) good_[g].copy_(tuned_.leaves().groups[g].weight);
  progress_.kept = progress_.done;
  progress_.looks = 0;
}

// `loss` is of the weights after `step` steps.
void Run::require_no_explosion(double loss, std::int64_t step) const {
  const double mean = progress_.first_sum / progress_.first_count;
  const bool is_far_up = progress_.first_count >= kFirstLosses && loss > options_.explosion * mean;
  if (!std::isfinite(loss) || is_far_up)
    throw Exploded("step {}: the loss is {:.4g}, {:.4g} at first", step, loss, mean);
}

std::vector<Batch> Run::batches_of(std::int64_t step) const {
  return pack_examples(examples_, examples_of_step(step, examples_.size(), options_), options_.batch_rows,
                       tuned_.device());
}

double Run::tuning_loss() const {
  std::vector<std::size_t> all(tuning_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return mean_loss(tuned_, pack_examples(tuning_, all, options_.batch_rows, tuned_.device()));
}

// A look at the tuning examples.
void Run::look(SftStep& done) {
  done.tuning_loss = tuning_loss();
  require_no_explosion(done.tuning_loss, done.step);
  ++progress_.looks;
  if (progress_.best == kNone || done.tuning_loss < progress_.best) {
    progress_.best = done.tuning_loss;
    keep_state();
  }
}

// Without tuning examples the last state is kept, and no step follows whose loss would show that it is good.
void Run::settle() {
  require_no_explosion(mean_loss(tuned_, batches_of(done() - 1)), done());
  keep_state();
}

// A step's loss is that of the weights before its update: once it has passed, they may be kept.
SftStep Run::step() {
  SftStep report = measure_step(tuned_, optimizer_, batches_of(done()), done(), options_);
  if (progress_.first_count < kFirstLosses) {
    progress_.first_sum += report.loss;
    progress_.first_count += 1;
  }
  require_no_explosion(report.loss, done());
  if (tuning_.empty() && done() % options_.evaluate_every == 0) keep_state();
  report.learning_rate = optimizer_.update(tuned_.leaves().groups, done(), options_.steps);
  progress_.done += 1;
  progress_.tokens += static_cast<double>(report.tokens);
  progress_.last_loss = report.loss;
  return report;
}

SftResult Run::result(SftEnd end) const {
  for (std::size_t g = 0; g < good_.size(); ++g) tuned_.leaves().groups[g].weight.copy_(good_[g]);
  SftResult result;
  result.end = end;
  result.steps = done();
  result.first_step = first_;
  result.kept_step = static_cast<std::int64_t>(progress_.kept);
  result.tokens = static_cast<std::int64_t>(progress_.tokens);
  result.loss = progress_.last_loss;
  if (progress_.best != kNone) result.tuning_loss = progress_.best;
  return result;
}

SftResult Run::explode(const std::string& what) {
  SftResult ended = result(SftEnd::exploded);
  ended.message =
      fmt::format("{}; training stopped, and the weights are those after step {}, the last good ones. {}",
                  what, ended.kept_step,
                  ended.steps > 0 ? "Lower optimizer.learning_rate" : "Check the model and the examples");
  return ended;
}

// Steps until the last or an early end. Throws Exploded.
void Run::train(const SftCallback& report) {
  while (done() < options_.steps && !wants_stop()) {
    const auto start = Clock::now();
    SftStep now = step();
    const bool is_last = done() == options_.steps;
    if (!tuning_.empty() && (is_last || done() % options_.evaluate_every == 0)) look(now);
    if (tuning_.empty() && is_last) settle();
    now.seconds = seconds_since(start);
    // Before the checkpoint: a step that is reported twice does no harm, one that never is would be lost.
    if (report) report(now);
    if (has_checkpoint() && (is_last || wants_stop() || done() % options_.checkpoint_every == 0)) save();
  }
}

SftResult Run::go(const SftCallback& report) {
  if (has_checkpoint() && std::filesystem::exists(options_.checkpoint)) resume();
  first_ = done();
  if (first_ == 0 && !tuning_.empty()) {
    const double loss = tuning_loss();
    if (!std::isfinite(loss)) return explode(fmt::format("before training the tuning loss is {}", loss));
    progress_.best = loss;
  }
  try {
    train(report);
  } catch (const Exploded& problem) {
    return explode(problem.what());
  }
  return result(wants_stop() ? SftEnd::early : SftEnd::all_steps);
}

}  // namespace

void require_room(std::span<const SftExample> examples, const model::ModelSpec& spec) {
  for (const SftExample& example : examples)
    if (static_cast<std::int64_t>(example.document.tokens.size()) > spec.max_positions)
      throw ConfigError("the example '{}' has {} tokens, the model takes {}: leave it out", example.name,
                        example.document.tokens.size(), spec.max_positions);
}

SftExample make_example(const std::string& name, const std::vector<std::int32_t>& prompt,
                        const std::vector<std::int32_t>& answer) {
  if (prompt.empty() || answer.empty())
    throw Error("the example '{}': its {} has no token", name, prompt.empty() ? "prompt" : "answer");
  SftExample example{name, {}};
  Document& document = example.document;
  document.tokens = prompt;
  document.tokens.insert(document.tokens.end(), answer.begin(), answer.end());
  document.weight.assign(document.tokens.size(), 1.0f);
  std::fill_n(document.weight.begin(), prompt.size(), 0.0f);
  document.content.assign(document.tokens.size(), 0);
  return example;
}

std::vector<std::size_t> examples_of_step(std::int64_t step, std::size_t examples,
                                          const SftOptions& options) {
  std::vector<std::size_t> picked, order(examples);
  std::size_t epoch_made = SIZE_MAX;
  const auto rows = static_cast<std::size_t>(options.batch_rows * options.accumulation);
  for (std::size_t n = static_cast<std::size_t>(step) * rows; picked.size() < rows; ++n) {
    const std::size_t epoch = n / examples;
    if (epoch != epoch_made) {
      std::iota(order.begin(), order.end(), std::size_t{0});
      RandomStream(options.seed, fmt::format("sft/epoch/{}", epoch)).shuffle(std::span(order));
      epoch_made = epoch;
    }
    picked.push_back(order[n % examples]);
  }
  return picked;
}

SftStep sft_step(TunedModel& tuned, AdamW& optimizer, std::span<const Batch> batches, std::int64_t step,
                 const SftOptions& options) {
  const auto start = Clock::now();
  SftStep report = measure_step(tuned, optimizer, batches, step, options);
  report.learning_rate = optimizer.update(tuned.leaves().groups, step, options.steps);
  report.seconds = seconds_since(start);
  return report;
}

SftResult fine_tune(TunedModel& tuned, std::span<const SftExample> examples,
                    std::span<const SftExample> tuning, const SftOptions& options,
                    const SftCallback& report) {
  require_usable(options);
  if (examples.empty()) throw ConfigError("there is no example to train on");
  require_room(examples, tuned.spec());
  require_room(tuning, tuned.spec());
  const auto start = Clock::now();
  SftResult result = Run(tuned, examples, tuning, options).go(report);
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace moelab::train
