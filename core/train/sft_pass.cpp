#include "core/train/sft_pass.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace moelab::train {
namespace {

// A model with one of the layers alone: the others are not looked at.
model::Model one_layer(const TunedModel& tuned, std::int64_t layer) {
  model::ModelWeights weights;
  weights.layers.resize(static_cast<std::size_t>(tuned.spec().layers));
  weights.layers[static_cast<std::size_t>(layer)] = tuned.layer(layer);
  return model::Model(tuned.spec(), std::move(weights));
}

at::Tensor run_layer(const TunedModel& tuned, std::int64_t layer, const at::Tensor& hidden,
                     const Batch& batch) {
  return one_layer(tuned, layer).run_layers(hidden, batch.layout, {layer, layer + 1});
}

// Logits are made, and the loss taken, in float32 whatever the model's type.
at::Tensor summed_loss(const model::Model& ends, const at::Tensor& hidden, const Batch& batch) {
  const at::Tensor logits = ends.logits(hidden.index_select(0, batch.predicting)).to(at::kFloat);
  return at::cross_entropy_loss(logits, batch.target, {}, /*reduction=*/2);
}

double gradient_by_layers(TunedModel& tuned, const Batch& batch, double divisor) {
  std::vector<at::Tensor> inputs;  // [layers + 1]
  {
    const at::NoGradGuard no_grad;
    inputs.push_back(model::Model(tuned.spec(), tuned.ends()).embed(batch.tokens));
    for (std::int64_t layer = 0; layer < tuned.spec().layers; ++layer)
      inputs.push_back(run_layer(tuned, layer, inputs.back(), batch));
  }
  const at::AutoGradMode with_grad(true);
  const model::Model ends(tuned.spec(), tuned.ends());
  at::Tensor last = inputs.back().detach().requires_grad_(true);
  const at::Tensor loss = summed_loss(ends, last, batch);
  (loss / divisor).backward();
  at::Tensor gradient = last.grad();
  for (std::int64_t layer = tuned.spec().layers - 1; layer >= 0; --layer) {
    const at::Tensor input = inputs[static_cast<std::size_t>(layer)].detach().requires_grad_(true);
    run_layer(tuned, layer, input, batch).backward(gradient);
    gradient = input.grad();
  }
  const at::Tensor embedded = model::Model(tuned.spec(), tuned.ends()).embed(batch.tokens);
  if (embedded.requires_grad()) embedded.backward(gradient);
  return loss.item<double>();
}

at::Tensor whole_loss(const TunedModel& tuned, const Batch& batch) {
  const model::Model model = tuned.model();
  const at::Tensor hidden =
      model.run_layers(model.embed(batch.tokens), batch.layout, {0, tuned.spec().layers});
  return summed_loss(model, hidden, batch);
}

}  // namespace

double loss_sum(const TunedModel& tuned, std::span<const Batch> batches) {
  const at::NoGradGuard no_grad;
  const model::Model ends(tuned.spec(), tuned.ends());
  std::vector<at::Tensor> hidden;  // [batches]
  for (const Batch& batch : batches) hidden.push_back(ends.embed(batch.tokens));
  for (std::int64_t layer = 0; layer < tuned.spec().layers; ++layer) {
    const model::Model one = one_layer(tuned, layer);
    for (std::size_t b = 0; b < batches.size(); ++b)
      hidden[b] = one.run_layers(hidden[b], batches[b].layout, {layer, layer + 1});
  }
  double sum = 0;
  for (std::size_t b = 0; b < batches.size(); ++b)
    sum += summed_loss(ends, hidden[b], batches[b]).item<double>();
  return sum;
}

double add_gradient(TunedModel& tuned, const Batch& batch, double divisor, bool recompute) {
  if (recompute) return gradient_by_layers(tuned, batch, divisor);
  const at::AutoGradMode with_grad(true);
  const at::Tensor loss = whole_loss(tuned, batch);
  (loss / divisor).backward();
  return loss.item<double>();
}

}  // namespace moelab::train
