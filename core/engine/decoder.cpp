#include "core/engine/decoder.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "core/engine/batch.h"
#include "core/model/recurrent_pass.h"
#include "core/model/rotation.h"

namespace moelab::engine {
namespace {

std::int64_t length_of(const Feed& feed) { return static_cast<std::int64_t>(feed.tokens.size()); }

// Tokens that the row is known to get, this pass included.
std::int64_t total_of(const Feed& feed) {
  return std::max(feed.row->kv.tokens + length_of(feed), feed.length);
}

// The packed tokens of a pass, the plan of each, and the rows of hidden states that end a feed.
struct PackedFeeds {
  at::Tensor tokens, plans, ends;
};

PackedFeeds pack(std::span<const Feed> feeds, const model::Model& model) {
  std::vector<Tokens> fed;
  std::vector<std::int64_t> plans, ends;
  for (const Feed& feed : feeds) {
    fed.emplace_back(feed.tokens.begin(), feed.tokens.end());
    plans.insert(plans.end(), feed.tokens.size(), feed.row->plan);
    ends.push_back(static_cast<std::int64_t>(plans.size()) - 1);
  }
  std::vector<const Tokens*> sequences;
  for (const Tokens& tokens : fed) sequences.push_back(&tokens);
  const at::Device device = model.device();
  return {pack_tokens(sequences, model.spec().vocab_size, device), at::tensor(plans, at::kLong).to(device),
          at::tensor(ends, at::kLong).to(device)};
}

// The first row of [rows, width] that is not finite throughout.
std::optional<std::int64_t> first_bad_row(const at::Tensor& rows) {
  const at::Tensor bad = at::isfinite(rows).all(-1).logical_not().nonzero().cpu();
  if (bad.size(0) == 0) return std::nullopt;
  return bad[0][0].item<std::int64_t>();
}

}  // namespace

Decoder::Decoder(const Engine& engine, std::span<const steering::Plan> plans,
                 const model::KvCacheOptions& options)
    : engine_(engine),
      compiled_(steering::compile(plans, engine.spec(), engine.model().device())),
      cache_(engine.spec(), options, engine.model().device(), engine.model().dtype()),
      effects_(at::zeros({engine.spec().layers, compiled_.plans, model::kEffectColumns},
                         at::TensorOptions().dtype(at::kDouble).device(engine.model().device()))),
      plan_tokens_(static_cast<std::size_t>(compiled_.plans), 0) {}

at::Tensor Decoder::feed(std::span<const Feed> feeds) {
  const at::NoGradGuard no_grad;
  const model::Model& model = engine_.model();
  std::vector<model::KvAppend> rows;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const Feed& feed = feeds[i];
    if (feed.row->plan < 0 || feed.row->plan >= compiled_.plans)
      throw Error("row {} asks for plan {}; there are {}, the original included", i, feed.row->plan,
                  compiled_.plans);
    if (feed.row->kv.tokens + length_of(feed) > model.spec().max_positions)
      throw Error("row {} would have {} tokens, the model reads {}", i, feed.row->kv.tokens + length_of(feed),
                  model.spec().max_positions);
    if (must_read_anew(*feed.row, total_of(feed)))
      throw Error(
          "row {} grows past {} tokens, where this model's rotary frequencies change for the whole sequence: "
          "read it anew from its first token",
          i, model.spec().attention.rope_scaling->original_positions);
    rows.push_back({&feed.row->kv, length_of(feed), total_of(feed)});
  }
  const model::Layout layout = cache_.layout(rows);
  const PackedFeeds packed = pack(feeds, model);
  model::PassOptions pass;
  pass.cache = &cache_;
  std::optional<model::RecurrentPass> recurrent;
  if (model.spec().delta_net) pass.recurrent = &recurrent.emplace(model.spec(), rows);
  if (compiled_.plans > 1) {
    pass.steering = &compiled_.layers;
    pass.plan_of_token = packed.plans;
    // Added below: a pass that fails half way must not be counted.
    pass.effects = at::zeros_like(effects_);
  }
  const at::Tensor hidden =
      model.run_layers(model.embed(packed.tokens), layout, {0, model.spec().layers}, pass);
  at::Tensor logits = model.logits(hidden.index_select(0, packed.ends)).to(at::kFloat).cpu().contiguous();
  if (pass.effects.defined()) effects_ += pass.effects;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const Feed& feed = feeds[i];
    if (recurrent) recurrent->commit(i, feed.row->kv);
    feed.row->kv.length = total_of(feed);
    feed.row->kv.tokens += length_of(feed);
    plan_tokens_[static_cast<std::size_t>(feed.row->plan)] += length_of(feed);
    forward_tokens_ += length_of(feed);
  }
  return logits;
}

bool Decoder::must_read_anew(const DecodeRow& row, std::int64_t length) const {
  return row.kv.tokens > 0 &&
         model::rotation_changes(engine_.model().spec().attention, row.kv.length, length);
}

std::optional<NonFinite> Decoder::first_non_finite(std::span<const std::int32_t> tokens,
                                                   std::int64_t plan) const {
  const at::NoGradGuard no_grad;
  const model::Model& model = engine_.model();
  const std::int64_t count = static_cast<std::int64_t>(tokens.size()), layers = model.spec().layers;
  const Tokens all(tokens.begin(), tokens.end());
  const Tokens* const sequence = &all;
  const at::Tensor packed = pack_tokens({&sequence, 1}, model.spec().vocab_size, model.device());
  const model::Layout layout = model::make_layout({&count, 1}, model.device());
  model::PassOptions pass;
  if (compiled_.plans > 1) {
    pass.steering = &compiled_.layers;
    pass.plan_of_token = at::full({count}, plan, packed.options());
  }
  at::Tensor hidden = model.embed(packed);
  for (std::int64_t layer = -1; layer < layers; ++layer) {
    if (layer >= 0) hidden = model.run_layers(hidden, layout, {layer, layer + 1}, pass);
    if (const auto position = first_bad_row(hidden)) return NonFinite{layer, *position};
  }
  if (!first_bad_row(model.logits(hidden.narrow(0, count - 1, 1)))) return std::nullopt;
  return NonFinite{layers, count - 1};
}

std::vector<steering::Effect> Decoder::effects() const {
  const at::Tensor seen = effects_.cpu();
  std::vector<steering::Effect> all(1);
  for (std::int64_t plan = 1; plan < compiled_.plans; ++plan) {
    const std::int64_t tokens = plan_tokens_[static_cast<std::size_t>(plan)];
    all.push_back(steering::read_effect(seen, compiled_, plan, tokens, engine_.spec()));
    if (all.back().state == steering::EffectState::not_applied)
      throw Error("plan {} was not applied to every token: this is a fault of the engine, please report it",
                  plan);
  }
  return all;
}

}  // namespace moelab::engine
