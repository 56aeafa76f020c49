#include "core/train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <chrono>
#include <cmath>

#include "core/train/checkpoint.h"

namespace moelab::train {
namespace {

void require_usable(double value, const char* what, std::int64_t step) {
  if (!std::isfinite(value))
    throw Error("step {}: the {} is {}; training stopped before this step changed a weight. Lower "
                "optimizer.learning_rate, or look at the last documents of the corpus", step, what, value);
}

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
  const auto start = std::chrono::steady_clock::now();
  for (FlatGroup& group : parameters_.groups()) group.gradient.zero_();
  StepReport report;
  report.step = done_ + 1;
  report.tokens = batch.layout.tokens;
  {
    const at::AutoGradMode with_grad(true);
    const Losses losses = total_loss(model_, batch, options_.loss, options_.planting, tables_);
    report.loss = losses.total.item<double>();
    report.language = losses.language.item<double>();
    report.answer = losses.answer.item<double>();
    report.balance = losses.balance.item<double>();
    report.planting = losses.planting.item<double>();
    report.z = losses.z.item<double>();
    if (options_.loss.similarity.coefficient > 0) report.similarity = losses.similarity.item<double>();
    require_usable(report.loss, "loss", report.step);
    losses.total.backward();
  }
  report.gradient_norm = optimizer_.clip(parameters_.groups());
  require_usable(report.gradient_norm, "gradient norm", report.step);
  report.learning_rate = learning_rate_at(done_, options_.steps, options_.optimizer);
  optimizer_.update(parameters_.groups(), report.learning_rate, done_);
  ++done_;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
