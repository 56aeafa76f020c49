// Engine::score: log-probabilities of continuations under many plans in one batch.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

#include "core/engine/batch.h"
#include "core/engine/engine.h"

namespace moelab::engine {
namespace {

// One option token to read: the packed row that predicts it, the token, and whose sum it adds to.
struct Reading {
  std::int64_t row, token;
  std::size_t item, option;
};

// A batch of items as packed rows: each prompt, then every option without its last token.
struct ScoreBatch {
  model::Layout layout;
  at::Tensor tokens;
  std::vector<Reading> readings;
  std::vector<std::int64_t> rows;           // distinct rows whose logits are needed
  std::vector<std::size_t> row_of_reading;  // index into rows
};

model::SequenceShape shape_of(const ScoreItem& item) {
  model::SequenceShape shape{static_cast<std::int64_t>(item.prompt.size()), {}};
  for (const Tokens& option : item.options)
    if (option.size() > 1) shape.branches.push_back(static_cast<std::int64_t>(option.size()) - 1);
  return shape;
}

std::int64_t fed_tokens(const ScoreItem& item) {
  const model::SequenceShape shape = shape_of(item);
  return std::accumulate(shape.branches.begin(), shape.branches.end(), shape.trunk);
}

void require_in_vocabulary(const Tokens& option, std::size_t item, std::size_t index,
                           std::int64_t vocab_size) {
  for (const std::int32_t id : option)
    if (id < 0 || id >= vocab_size)
      throw Error("item {}: option {} has the token id {}, outside the model's vocabulary of {}", item, index,
                  id, vocab_size);
}

void require_scorable(std::span<const ScoreItem> items, const model::ModelSpec& spec) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].prompt.empty()) throw Error("item {}: the prompt has no token", i);
    if (items[i].options.empty()) throw Error("item {}: there are no options to score", i);
    for (std::size_t o = 0; o < items[i].options.size(); ++o) {
      if (items[i].options[o].empty()) throw Error("item {}: option {} has no token", i, o);
      require_in_vocabulary(items[i].options[o], i, o, spec.vocab_size);
      const std::size_t length = items[i].prompt.size() + items[i].options[o].size();
      if (static_cast<std::int64_t>(length) > spec.max_positions)
        throw Error("item {}: prompt and option {} have {} tokens, the model reads {}", i, o, length,
                    spec.max_positions);
    }
  }
}

// Appends the readings of one item whose rows start at `start`.
void add_readings(const ScoreItem& item, std::size_t index, std::int64_t start,
                  std::vector<Reading>& readings) {
  const auto prompt = static_cast<std::int64_t>(item.prompt.size());
  std::int64_t branch = start + prompt;
  for (std::size_t o = 0; o < item.options.size(); ++o) {
    const Tokens& option = item.options[o];
    readings.push_back({start + prompt - 1, option[0], index, o});
    for (std::size_t t = 1; t < option.size(); ++t)
      readings.push_back({branch + static_cast<std::int64_t>(t) - 1, option[t], index, o});
    branch += static_cast<std::int64_t>(option.size()) - 1;
  }
}

ScoreBatch make_batch(std::span<const ScoreItem> items, const std::vector<std::size_t>& chosen,
                      const model::Model& model) {
  ScoreBatch batch;
  std::vector<model::SequenceShape> shapes;
  std::vector<Tokens> fed;
  std::int64_t start = 0;
  for (const std::size_t i : chosen) {
    shapes.push_back(shape_of(items[i]));
    fed.push_back(items[i].prompt);
    for (const Tokens& option : items[i].options)
      fed.back().insert(fed.back().end(), option.begin(), option.end() - 1);
    add_readings(items[i], i, start, batch.readings);
    start += static_cast<std::int64_t>(fed.back().size());
  }
  std::vector<const Tokens*> rows;
  for (const Tokens& tokens : fed) rows.push_back(&tokens);
  batch.layout = model::make_layout(shapes, model.device());
  batch.tokens = pack_tokens(rows, model.spec().vocab_size, model.device());
  for (const Reading& reading : batch.readings) batch.rows.push_back(reading.row);
  std::sort(batch.rows.begin(), batch.rows.end());
  batch.rows.erase(std::unique(batch.rows.begin(), batch.rows.end()), batch.rows.end());
  for (const Reading& reading : batch.readings)
    batch.row_of_reading.push_back(static_cast<std::size_t>(
        std::lower_bound(batch.rows.begin(), batch.rows.end(), reading.row) - batch.rows.begin()));
  return batch;
}

// Hidden states of every plan after the last layer, and which plan each copy belongs to.
struct ForkedStates {
  at::Tensor hidden;               // [copies * tokens, hidden]
  std::vector<std::int64_t> plan;  // [copies]
  std::int64_t forward_tokens = 0;
};

// Runs the layers once for the original and forks a copy for each plan behind the attention of the first
// layer that it steers: up to there the hidden states are the original's.
ForkedStates run_forked(const model::Model& model, const ScoreBatch& batch,
                        const steering::CompiledPlans& compiled, std::span<const std::int64_t> plans,
                        at::Tensor effects) {
  const std::int64_t tokens = batch.layout.tokens;
  ForkedStates states{model.embed(batch.tokens), {0}, 0};
  const at::Tensor original_rows = at::arange(tokens, batch.tokens.options());
  for (std::int64_t layer = 0; layer < model.spec().layers; ++layer) {
    std::vector<at::Tensor> rows = {at::arange(states.hidden.size(0), batch.tokens.options())};
    for (const std::int64_t plan : plans) {
      if (compiled.first_layer[static_cast<std::size_t>(plan)] != layer) continue;
      rows.push_back(original_rows);
      states.plan.push_back(plan);
    }
    model::PassOptions pass;
    if (rows.size() > 1) pass.forked_rows = at::cat(rows, 0);
    if (states.plan.size() > 1) {
      pass.steering = &compiled.layers;
      pass.plan_of_token =
          at::tensor(states.plan, at::kLong).to(batch.tokens.device()).repeat_interleave(tokens);
      pass.effects = effects;
    }
    states.hidden = model.run_layers(states.hidden, batch.layout, {layer, layer + 1}, pass);
    states.forward_tokens += states.hidden.size(0);
  }
  return states;
}

// ln p of every reading in every copy: [copies, readings] float64 on the CPU. Rows of logits are made in
// pieces.
at::Tensor read_log_probabilities(const model::Model& model, const ScoreBatch& batch,
                                  const ForkedStates& states, std::int64_t logit_rows) {
  const auto copies = static_cast<std::int64_t>(states.plan.size());
  const auto count = static_cast<std::int64_t>(batch.readings.size());
  const at::Device device = model.device();
  const at::Tensor rows = at::tensor(batch.rows, at::kLong).to(device);
  std::vector<std::int64_t> row_index, token;
  for (std::size_t r = 0; r < batch.readings.size(); ++r) {
    row_index.push_back(static_cast<std::int64_t>(batch.row_of_reading[r]));
    token.push_back(batch.readings[r].token);
  }
  const at::Tensor reading_row = at::tensor(row_index, at::kLong).to(device);
  const at::Tensor reading_token = at::tensor(token, at::kLong).to(device);
  const at::Tensor needed = states.hidden.view({copies, batch.layout.tokens, -1}).index_select(1, rows);
  const std::int64_t copies_a_piece = std::max<std::int64_t>(1, logit_rows / rows.size(0));
  std::vector<at::Tensor> pieces;
  for (std::int64_t first = 0; first < copies; first += copies_a_piece) {
    const at::Tensor part = needed.narrow(0, first, std::min(copies_a_piece, copies - first));
    const at::Tensor logits = model.logits(part).to(at::kFloat);  // [copies, rows, vocab]
    const at::Tensor normaliser = at::logsumexp(logits, -1);
    const at::Tensor flat = reading_row * logits.size(-1) + reading_token;
    pieces.push_back((logits.flatten(1).index_select(1, flat) - normaliser.index_select(1, reading_row))
                         .to(at::kDouble)
                         .cpu());
  }
  at::Tensor all = at::cat(pieces, 0);
  if (!at::isfinite(all).all().item<bool>())
    throw Error("the model gave a log-probability that is NaN or infinite");
  return all.view({copies, count});
}

// Plans that one pass over `tokens` rows carries beside the original: within the batch's rows where they can
// be, and as many in each pass. At least 1.
std::size_t plans_a_pass(std::int64_t tokens, std::size_t plans, std::int64_t batch_tokens) {
  const auto most = static_cast<std::size_t>(std::max<std::int64_t>(batch_tokens / tokens - 1, 1));
  const std::size_t passes = std::max<std::size_t>((plans + most - 1) / most, 1);
  return std::max<std::size_t>((plans + passes - 1) / passes, 1);
}

// The plans that change a layer; the others never fork from the original.
std::vector<std::int64_t> forking_plans(const steering::CompiledPlans& compiled) {
  std::vector<std::int64_t> plans;
  for (std::size_t plan = 1; plan < compiled.first_layer.size(); ++plan)
    if (compiled.first_layer[plan] < static_cast<std::int64_t>(compiled.layers.size()))
      plans.push_back(static_cast<std::int64_t>(plan));
  return plans;
}

// A plan without entries never forks from the original: its figures are the original's.
void copy_inert_plans(const steering::CompiledPlans& compiled, ScoreReport& report) {
  const auto layers = static_cast<std::int64_t>(compiled.layers.size());
  for (std::size_t plan = 1; plan < compiled.first_layer.size(); ++plan)
    if (compiled.first_layer[plan] == layers)
      for (ScoreResult& item : report.items) item.log_probabilities[plan] = item.log_probabilities[0];
}

// Adds the readings of a pass, log_p [copies, readings], to the sums. Every pass carries the original, which
// counts once.
void add_readings_of(const ScoreBatch& batch, const ForkedStates& states, const at::Tensor& log_p,
                     bool with_original, ScoreReport& report) {
  const auto values = log_p.accessor<double, 2>();
  for (std::size_t copy = with_original ? 0 : 1; copy < states.plan.size(); ++copy)
    for (std::size_t r = 0; r < batch.readings.size(); ++r) {
      const Reading& reading = batch.readings[r];
      report.items[reading.item]
          .log_probabilities[static_cast<std::size_t>(states.plan[copy])][reading.option] +=
          values[static_cast<std::int64_t>(copy)][static_cast<std::int64_t>(r)];
    }
}

}  // namespace

ScoreReport Engine::score(std::span<const ScoreItem> items, std::span<const steering::Plan> plans,
                          const Progress& progress) const {
  const at::NoGradGuard no_grad;
  require_scorable(items, spec());
  const steering::CompiledPlans compiled = steering::compile(plans, spec(), model_.device());
  ScoreReport report;
  report.items.resize(items.size());
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < items.size(); ++i) {
    lengths.push_back(fed_tokens(items[i]));
    report.prompt_tokens += lengths.back();
    report.items[i].log_probabilities.assign(plans.size() + 1,
                                             std::vector<double>(items[i].options.size(), 0.0));
  }
  at::Tensor effects = at::zeros({spec().layers, compiled.plans, model::kEffectColumns},
                                 at::TensorOptions().dtype(at::kDouble).device(model_.device()));
  const std::vector<std::int64_t> forking = forking_plans(compiled);
  const auto inert = static_cast<std::int64_t>(plans.size() - forking.size());
  std::int64_t samples = 0;
  for (const auto& chosen : make_batches(lengths, std::ssize(forking) + 1, options_.batch_tokens)) {
    const ScoreBatch batch = make_batch(items, chosen, model_);
    const std::size_t a_pass = plans_a_pass(batch.layout.tokens, forking.size(), options_.batch_tokens);
    for (std::size_t first = 0; first == 0 || first < forking.size(); first += a_pass) {
      const auto carried = std::span(forking).subspan(first, std::min(a_pass, forking.size() - first));
      const ForkedStates states = run_forked(model_, batch, compiled, carried, effects);
      report.forward_tokens += states.forward_tokens / spec().layers;
      add_readings_of(batch, states, read_log_probabilities(model_, batch, states, options_.logit_rows),
                      /*with_original=*/first == 0, report);
      const std::int64_t more = first == 0 ? 1 + inert : 0;
      samples += std::ssize(chosen) * (std::ssize(carried) + more);
      if (progress) progress(samples);
    }
  }
  copy_inert_plans(compiled, report);
  const at::Tensor seen = effects.cpu();
  report.effects.emplace_back();
  for (std::int64_t plan = 1; plan <= std::ssize(plans); ++plan) {
    report.effects.push_back(steering::read_effect(seen, compiled, plan, report.prompt_tokens, spec()));
    if (report.effects.back().state == steering::EffectState::not_applied)
      throw Error("plan {} was not applied to every token: this is a fault of the engine, please report it",
                  plan);
  }
  return report;
}

}  // namespace moelab::engine
