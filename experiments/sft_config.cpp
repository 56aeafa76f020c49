#include "experiments/sft_config.h"

namespace moelab::experiments {
namespace {

constexpr double kMost = 1e15;

config::Binder<SftSelection> selection_binder() {
  return config::Binder<SftSelection>{}
      .field("kind", &SftSelection::kind, "leave out examples with a large gradient, or keep a moderate band")
      .one_of({"none", "quantile", "band"})
      .field("lower", &SftSelection::lower, "quantile of the gradient norms below which band leaves out")
      .range(0, 1)
      .field("upper", &SftSelection::upper, "quantile above which both leave out")
      .range(0, 1);
}

config::Binder<DriftConfig> drift_binder() {
  return config::Binder<DriftConfig>{}
      .field("probes", &DriftConfig::probes, "requests to be refused, before and after; empty: not measured")
      .field("max_new_tokens", &DriftConfig::max_new_tokens, "of an answer to one")
      .range(1, kMost);
}

}  // namespace

train::TuneOptions SftConfig::tune_options(std::int64_t seed) const {
  train::TuneOptions options;
  options.kind = kind;
  options.lora.rank = rank;
  options.lora.alpha = alpha;
  options.lora.layout =
      layout == "parameters" ? train::AdapterLayout::parameters : train::AdapterLayout::modules;
  options.targets = targets;
  options.router = router;
  options.seed = static_cast<std::uint64_t>(seed);
  return options;
}

train::SftOptions SftConfig::sft_options(std::int64_t seed) const {
  train::SftOptions options;
  options.steps = steps;
  options.batch_rows = batch_rows;
  options.accumulation = accumulation;
  options.recompute = recompute;
  options.evaluate_every = evaluate_every;
  options.patience = patience;
  options.explosion = explosion;
  options.seed = static_cast<std::uint64_t>(seed);
  options.optimizer.learning_rate = learning_rate;
  options.optimizer.warmup = warmup;
  options.optimizer.schedule = schedule;
  options.optimizer.weight_decay = weight_decay;
  options.optimizer.clip = clip;
  return options;
}

config::Binder<SftConfig> sft_binder() {
  return config::Binder<SftConfig>{}
      .field("trainer", &SftConfig::trainer, "moelab's own, or a command")
      .one_of({"moelab", "external"})
      .field("command", &SftConfig::command, "of the external trainer; {train}, {output} ... are filled in")
      .field("answers", &SftConfig::answers, "learn the right answers, or the model's own right traces")
      .one_of({"gold", "traces"})
      .section("selection", &SftConfig::selection, selection_binder())
      .section("drift", &SftConfig::drift, drift_binder())
      .field("kind", &SftConfig::kind, "an adapter, or the weights themselves")
      .one_of({"lora", "full"})
      .field("rank", &SftConfig::rank, "of an adapter")
      .range(1, 65'536)
      .field("alpha", &SftConfig::alpha, "an adapter's change is alpha / rank * B A")
      .range(1e-300, 1e300)
      .field("layout", &SftConfig::layout,
             "factors for each expert's projections, or for all experts together")
      .one_of({"modules", "parameters"})
      .field("targets", &SftConfig::targets, "patterns on weights' names; [] for attention and experts")
      .field("router", &SftConfig::router, "whether a target may name a router")
      .field("steps", &SftConfig::steps, "optimiser steps at the most")
      .range(1, kMost)
      .field("batch_rows", &SftConfig::batch_rows, "questions of one pass")
      .range(1, kMost)
      .field("accumulation", &SftConfig::accumulation, "passes of one step")
      .range(1, kMost)
      .field("recompute", &SftConfig::recompute, "run layers again for their gradients, to save memory")
      .field("evaluate_every", &SftConfig::evaluate_every, "steps between two looks at the tuning questions")
      .range(1, kMost)
      .field("patience", &SftConfig::patience, "stop after so many looks without a better one; 0 for never")
      .range(0, kMost)
      .field("explosion", &SftConfig::explosion, "stop at a loss of so many times the first ones")
      .range(1.0001, kMost)
      .field("learning_rate", &SftConfig::learning_rate, "of AdamW, at its peak")
      .range(1e-300, 1e300)
      .field("warmup", &SftConfig::warmup, "steps of linear warm-up")
      .range(0, kMost)
      .field("schedule", &SftConfig::schedule, "how the rate falls to zero")
      .one_of({"cosine", "linear"})
      .field("weight_decay", &SftConfig::weight_decay, "on matrices")
      .range(0, 1e300)
      .field("clip", &SftConfig::clip, "of the gradient norm; 0 for none")
      .range(0, 1e300);
}

void validate(const SftConfig& config) {
  validate(config.selection);
  if (config.is_external() && config.command.empty())
    throw ConfigError("sft.trainer=external needs sft.command, the words of a command");
  if (!config.is_external() && !config.command.empty())
    throw ConfigError("sft.command is given, but sft.trainer is not external");
}

void forget_unused(Json& section) {
  section.erase("drift");  // weights do not depend on it
  if (section.value("trainer", "moelab") == "moelab") {
    section.erase("trainer");
    section.erase("command");
  }
  if (section.value("answers", "gold") == "gold") section.erase("answers");
  if (section.contains("selection") && section["selection"].value("kind", "none") == "none")
    section.erase("selection");
}

Json training_json(const SftConfig& config) {
  Json json = sft_binder().to_json(config);
  forget_unused(json);
  return json;
}

}  // namespace moelab::experiments
