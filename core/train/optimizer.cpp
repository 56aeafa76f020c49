#include "core/train/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moelab::train {

double learning_rate_at(std::int64_t step, std::int64_t steps, const OptimizerOptions& options) {
  if (step < options.warmup)
    return options.learning_rate * static_cast<double>(step + 1) / static_cast<double>(options.warmup);
  const double length = static_cast<double>(std::max<std::int64_t>(1, steps - options.warmup));
  const double progress = std::min(1.0, static_cast<double>(step - options.warmup) / length);
  const bool is_linear = options.schedule == "linear";
  const double left = is_linear ? 1.0 - progress : 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return options.learning_rate * (options.floor + (1.0 - options.floor) * left);
}

AdamW::AdamW(const std::vector<FlatGroup>& groups, const OptimizerOptions& options) : options_(options) {
  for (const FlatGroup& group : groups) {
    first_.push_back(at::zeros_like(group.weight));
    second_.push_back(at::zeros_like(group.weight));
  }
}

StepMeasure AdamW::measure(std::vector<FlatGroup>& groups, std::int64_t step,
                           const std::function<double()>& backward) const {
  zero_gradients(groups);
  StepMeasure measure;
  measure.loss = backward();
  if (!std::isfinite(measure.loss)) throw Exploded("step {}: the loss is {}", step + 1, measure.loss);
  measure.gradient_norm = gradient_norm(groups);
  if (!std::isfinite(measure.gradient_norm))
    throw Exploded("step {}: the gradient norm is {}", step + 1, measure.gradient_norm);
  if (options_.clip > 0 && measure.gradient_norm > options_.clip)
    for (FlatGroup& group : groups) group.gradient.mul_(options_.clip / (measure.gradient_norm + 1e-6));
  return measure;
}

double AdamW::update(std::vector<FlatGroup>& groups, std::int64_t step, std::int64_t steps) {
  const double learning_rate = learning_rate_at(step, steps, options_);
  const at::NoGradGuard no_grad;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].weight.numel() == 0) continue;
    const at::Tensor count = at::full({}, static_cast<double>(step + 1), groups[g].weight.options());
    at::_fused_adamw_({groups[g].weight}, {groups[g].gradient}, {first_[g]}, {second_[g]}, {}, {count},
                      learning_rate, options_.beta1, options_.beta2, g == 0 ? options_.weight_decay : 0.0,
                      options_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
  return learning_rate;
}

}  // namespace moelab::train
