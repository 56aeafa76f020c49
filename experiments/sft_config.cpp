#include "experiments/sft_config.h"

namespace moelab::experiments {
namespace {

constexpr double kMost = 1e15;

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

}  // namespace moelab::experiments
