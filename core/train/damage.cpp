#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/random.h"
#include "core/base/stopwatch.h"
#include "core/train/evaluate.h"
#include "core/train/save.h"
#include "core/train/train.h"

namespace moelab::train {
namespace {

using Step = std::function<StepReport()>;

struct Gate {
  std::string name;
  at::Tensor weight;  // [experts, hidden]
};

std::vector<Gate> gates_of(const Parameters& parameters, const DamageOptions& options) {
  std::vector<Gate> gates;
  for (const std::int64_t layer : options.layers) {
    const std::string name = fmt::format("model.layers.{}.mlp.gate.weight", layer);
    for (const auto& [other, leaf] : parameters.named())
      if (other == name) gates.push_back({name, leaf.detach()});
    if (gates.empty() || gates.back().name != name)
      throw ConfigError("layers: the model has no router in layer {}", layer);
  }
  return gates;
}

// After n steps a gate row is its own + n * noise * its norm / sqrt(hidden) * (standard normal draw): every
// expert's logit is off by a part that depends on the token.
Step noise_step(const Parameters& parameters, const DamageOptions& options) {
  struct NoisyGate {
    at::Tensor weight, start, direction;
  };
  std::vector<NoisyGate> parts;
  for (const Gate& gate : gates_of(parameters, options)) {
    RandomStream random(options.seed, "noise/" + gate.name);
    const at::Tensor draw = at::empty_like(gate.weight);
    auto* value = draw.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < draw.numel(); ++i) value[i] = static_cast<float>(random.normal());
    const at::Tensor norm = gate.weight.square().sum(1, true).sqrt();
    const double hidden = static_cast<double>(gate.weight.size(1));
    parts.push_back({gate.weight, gate.weight.clone(), draw * norm / std::sqrt(hidden)});
  }
  return [parts = std::move(parts), noise = options.noise, step = std::int64_t{0}]() mutable {
    const at::NoGradGuard no_grad;
    ++step;
    for (const NoisyGate& part : parts)
      part.weight.copy_(part.start + part.direction * (noise * static_cast<double>(step)));
    StepReport report;
    report.step = step;
    return report;
  };
}

// Trains the gates on the sequence-level balance loss alone. The trainer shares the tensors of `parameters`.
Step balance_step(Parameters& parameters, const DamageOptions& options, const text::Tokenizer& tokenizer) {
  const auto gates = gates_of(parameters, options);
  parameters.train_only([&](const std::string& name) {
    return std::any_of(gates.begin(), gates.end(), [&](const Gate& gate) { return gate.name == name; });
  });
  StepOptions step;
  step.loss = {.language_weight = 0.0, .balance = 1.0, .balance_over = "sequence"};
  step.optimizer = {.learning_rate = options.learning_rate,
                    .warmup = 0,
                    .floor = 1.0,
                    .beta2 = 0.999,
                    .weight_decay = 0.0,
                    .clip = 0.0};
  step.steps = options.max_steps;
  auto sampler = std::make_shared<const Sampler>(
      read_corpus(options.corpus, tokenizer),
      SamplerOptions{options.seed, options.batch_rows, options.sequence_length});
  auto trainer = std::make_shared<Trainer>(parameters, step, sampler->corpus().domains);
  return [sampler, trainer] { return trainer->step(sampler->batch(trainer->steps_done())); };
}

}  // namespace

DamageResult damage(const DamageOptions& options, const StepCallback& report) {
  validate(options);
  const auto start = Clock::now();
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const auto tokenizer_path = options.source / "tokenizer.json";
  const text::Tokenizer tokenizer = text::Tokenizer::load(tokenizer_path);
  Parameters parameters = Parameters::load(options.source);
  const auto questions = read_questions(options.evaluation, tokenizer);
  const engine::Engine engine(parameters.model(), {});
  const bool is_noise = options.noise > 0;
  Step step = is_noise ? noise_step(parameters, options) : balance_step(parameters, options, tokenizer);
  DamageResult result;
  result.accuracy_before = result.accuracy_after = mean_accuracy(engine, questions);
  while (result.accuracy_before - result.accuracy_after < options.drop / 100) {
    if (result.steps >= options.max_steps)
      throw Error(
          "after {} steps the accuracy has dropped by {:.1f} of the {:.1f} points wanted: raise max_steps, "
          "learning_rate or noise",
          options.max_steps, 100 * (result.accuracy_before - result.accuracy_after), options.drop);
    StepReport done = step();
    result.steps = done.step;
    if (is_noise || done.step % options.measure_every == 0)
      done.accuracy = result.accuracy_after = mean_accuracy(engine, questions);
    if (report) report(done);
  }
  save_model(options.output, parameters, read_json(options.source / "config.json"), tokenizer_path,
             options.save_dtype);
  copy_truth(options.source, options.output, options.verdict);
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace moelab::train
