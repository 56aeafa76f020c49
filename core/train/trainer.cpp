#include "core/train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include "core/base/stopwatch.h"
#include "core/train/checkpoint.h"

namespace moelab::train {
namespace {

// The number of steps done is a part of the state.
TrainingState full_state(Parameters& parameters, AdamW& optimizer, const at::Tensor& step) {
  TrainingState state = state_of(parameters.groups(), optimizer);
  state.emplace_back("step", step);
  return state;
}

}  // namespace

Trainer::Trainer(Parameters parameters, StepOptions options, const std::vector<std::string>& domains)
    : parameters_(std::move(parameters)),
      options_(std::move(options)),
      tables_(make_planting_tables(options_.planting, domains, parameters_.spec())),
      model_(parameters_.model()),
      optimizer_(parameters_.groups(), options_.optimizer) {}

StepReport Trainer::step(const Batch& batch) {
  const auto start = Clock::now();
  StepReport report;
  report.step = done_ + 1;
  report.tokens = batch.layout.tokens;
  const auto backward = [&] {
    const at::AutoGradMode with_grad(true);
    const Losses losses = total_loss(model_, batch, options_.loss, options_.planting, tables_);
    report.language = losses.language.item<double>();
    report.answer = losses.answer.item<double>();
    report.balance = losses.balance.item<double>();
    report.planting = losses.planting.item<double>();
    report.z = losses.z.item<double>();
    if (options_.loss.similarity.coefficient > 0) report.similarity = losses.similarity.item<double>();
    losses.total.backward();
    return losses.total.item<double>();
  };
  try {
    const StepMeasure measure = optimizer_.measure(parameters_.groups(), done_, backward);
    report.loss = measure.loss;
    report.gradient_norm = measure.gradient_norm;
  } catch (const Exploded& problem) {
    throw Error(
        "{}; training stopped before this step changed a weight. Lower optimizer.learning_rate, or look at "
        "the last documents of the corpus",
        problem.what());
  }
  report.learning_rate = optimizer_.update(parameters_.groups(), done_, options_.steps);
  ++done_;
  report.seconds = seconds_since(start);
  return report;
}

void Trainer::save_checkpoint(const std::filesystem::path& path, const std::string& run) {
  write_checkpoint(path, full_state(parameters_, optimizer_, at::tensor({done_}, at::kLong)), run);
}

void Trainer::load_checkpoint(const std::filesystem::path& path, const std::string& run) {
  const at::Tensor step = at::tensor({done_}, at::kLong);
  read_checkpoint(path, full_state(parameters_, optimizer_, step), run);
  done_ = step.item<std::int64_t>();
}

}  // namespace moelab::train
