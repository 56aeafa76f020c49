#include "core/engine/engine.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <map>

#include "core/engine/batch.h"

namespace moelab::engine {
namespace {

// The sequences of one batch as packed rows.
struct PackedBatch {
  model::Layout layout;
  at::Tensor tokens;
};

PackedBatch pack(std::span<const Tokens> sequences, const std::vector<std::size_t>& chosen,
                 const model::Model& model) {
  std::vector<std::int64_t> lengths;
  std::vector<const Tokens*> rows;
  for (const std::size_t i : chosen) {
    lengths.push_back(static_cast<std::int64_t>(sequences[i].size()));
    rows.push_back(&sequences[i]);
  }
  return {model::make_layout(lengths, model.device()),
          pack_tokens(rows, model.spec().vocab_size, model.device())};
}

std::vector<std::int64_t> lengths_of(std::span<const Tokens> sequences) {
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (sequences[i].empty()) throw Error("sequence {} has no token", i);
    lengths.push_back(static_cast<std::int64_t>(sequences[i].size()));
  }
  return lengths;
}

// Runs `sequences` batch by batch under one plan and hands each batch's final hidden states and captures on.
// `prepare` is given a batch's indices, and the pass to change it.
template <typename Prepare, typename Consume>
void run_batches(const Engine& engine, std::span<const Tokens> sequences, const steering::Plan& plan,
                 const Prepare& prepare, const Consume& consume) {
  const at::NoGradGuard no_grad;
  const model::Model& model = engine.model();
  const steering::CompiledPlans compiled = steering::compile({&plan, 1}, model.spec(), model.device());
  const auto lengths = lengths_of(sequences);
  for (const auto& batch : make_batches(lengths, 1, engine.options().batch_tokens)) {
    const PackedBatch packed = pack(sequences, batch, model);
    std::vector<model::LayerCapture> captures;
    model::PassOptions pass;
    pass.captures = &captures;
    if (!plan.entries.empty()) {
      pass.steering = &compiled.layers;
      pass.plan_of_token = at::ones({packed.layout.tokens}, packed.tokens.options());
    }
    prepare(batch, pass);
    const at::Tensor hidden =
        model.run_layers(model.embed(packed.tokens), packed.layout, {0, model.spec().layers}, pass);
    std::int64_t start = 0;
    for (const std::size_t i : batch) {
      consume(i, start, lengths[i], hidden, captures);
      start += lengths[i];
    }
  }
}

constexpr auto kAsItIs = [](const std::vector<std::size_t>&, model::PassOptions&) {};

// The places in each sequence that has some, as indices into the list of places.
std::map<std::size_t, std::vector<std::size_t>> by_sequence(std::span<const Tokens> sequences,
                                                            std::span<const TokenPlace> places) {
  std::map<std::size_t, std::vector<std::size_t>> grouped;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto [sequence, position] = places[i];
    if (sequence >= sequences.size() || position < 0 || position >= std::ssize(sequences[sequence]))
      throw Error("place {}: there is no token {} of sequence {}", i, position, sequence);
    grouped[sequence].push_back(i);
  }
  return grouped;
}

}  // namespace

at::Device parse_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name != "cuda" && !name.starts_with("cuda:"))
    throw ConfigError("engine.device: '{}' is unknown; valid: cpu, cuda, cuda:N", name);
#ifdef MOELAB_CUDA
  if (!at::hasCUDA())
    throw ConfigError("engine.device: this machine has no usable GPU; use engine.device=cpu");
  return at::Device(name);
#else
  throw ConfigError("engine.device: this binary was built without CUDA; build the preset 'cuda'");
#endif
}

std::optional<at::ScalarType> parse_dtype(const std::string& name) {
  if (name == "auto") return std::nullopt;
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  throw ConfigError("engine.dtype: '{}' is unknown; valid: auto, float32, bfloat16, float16", name);
}

Engine Engine::load(const std::filesystem::path& model_dir, const EngineOptions& options) {
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  model::LoadOptions load;
  load.device = parse_device(options.device);
  load.dtype = parse_dtype(options.dtype);
  load.check_finite = options.check_weights;
  return Engine(model::Model::load(model_dir, load), options);
}

Engine::Engine(model::Model model, EngineOptions options)
    : model_(std::move(model)), options_(std::move(options)) {}

std::vector<SequenceTrace> Engine::trace(std::span<const Tokens> sequences,
                                         const steering::Plan& plan) const {
  std::vector<SequenceTrace> traces(sequences.size());
  run_batches(*this, sequences, plan, kAsItIs,
              [&](std::size_t i, std::int64_t start, std::int64_t length, const at::Tensor&,
                  const std::vector<model::LayerCapture>& captures) {
                for (const model::LayerCapture& seen : captures) {
                  const model::Routing& all = seen.routing;
                  traces[i].layers.push_back({seen.layer,
                                              {all.logits.narrow(0, start, length).to(at::kFloat).cpu(),
                                               all.ids.narrow(0, start, length).cpu(),
                                               all.weights.narrow(0, start, length).to(at::kFloat).cpu()}});
                }
              });
  return traces;
}

std::vector<at::Tensor> Engine::logits(std::span<const Tokens> sequences, const steering::Plan& plan) const {
  std::vector<at::Tensor> all(sequences.size());
  run_batches(*this, sequences, plan, kAsItIs,
              [&](std::size_t i, std::int64_t start, std::int64_t length, const at::Tensor& hidden,
                  const std::vector<model::LayerCapture>&) {
                all[i] = model_.logits(hidden.narrow(0, start, length)).to(at::kFloat).cpu();
              });
  return all;
}

std::vector<MoeInput> Engine::moe_inputs(std::span<const Tokens> sequences,
                                         std::span<const TokenPlace> places) const {
  std::vector<Tokens> read;
  std::vector<std::vector<std::size_t>> places_of;  // as read
  for (auto& [sequence, indices] : by_sequence(sequences, places)) {
    read.push_back(sequences[sequence]);
    places_of.push_back(indices);
  }
  std::map<std::int64_t, at::Tensor> inputs;  // by layer
  const auto prepare = [&](const std::vector<std::size_t>& batch, model::PassOptions& pass) {
    std::vector<std::int64_t> rows, slots;
    std::int64_t start = 0;
    for (const std::size_t i : batch) {
      for (const std::size_t place : places_of[i]) {
        rows.push_back(start + places[place].position);
        slots.push_back(static_cast<std::int64_t>(place));
      }
      start += std::ssize(read[i]);
    }
    const at::Tensor from = at::tensor(rows, at::kLong).to(model_.device());
    const at::Tensor to = at::tensor(slots, at::kLong).to(model_.device());
    pass.moe_input = [&, from, to](std::int64_t layer, const at::Tensor& input) {
      at::Tensor& found = inputs[layer];
      if (!found.defined()) found = at::empty({std::ssize(places), input.size(-1)}, input.options());
      found.index_copy_(0, to, input.index_select(0, from));
    };
  };
  run_batches(*this, read, {}, prepare, [](auto&&...) {});
  std::vector<MoeInput> result;
  for (auto& [layer, rows] : inputs) result.push_back({layer, std::move(rows)});
  return result;
}

}  // namespace moelab::engine
