// Supervised fine-tuning of a TunedModel: batches in a seeded order, early stop, and a stop when the loss
// explodes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/train/optimizer.h"
#include "core/train/sft_pass.h"

namespace moelab::train {

// A prompt with the answer that is learned: of `document` the answer tokens alone have a weight.
struct SftExample {
  std::string name;  // for messages
  Document document;
};

// Throws Error naming the example when a part has no token.
SftExample make_example(const std::string& name, const std::vector<std::int32_t>& prompt,
                        const std::vector<std::int32_t>& answer);

// Throws ConfigError naming an example that has more tokens than the model takes.
void require_room(std::span<const SftExample> examples, const model::ModelSpec& spec);

struct SftOptions {
  std::int64_t steps = 100;       // optimiser steps at the most
  std::int64_t batch_rows = 8;    // examples of one pass
  std::int64_t accumulation = 1;  // passes of one step
  bool recompute = false;         // keep each layer's input alone, see add_gradient
  std::int64_t evaluate_every =
      10;  // steps between two looks at the tuning examples, or without any between two kept states
  std::int64_t patience = 3;           // stop after so many looks without a better one; 0: never
  double explosion = 10;               // stop when a loss is above so many times the mean of the first ones
  std::uint64_t seed = 1;              // of the examples' order
  std::filesystem::path checkpoint;    // safetensors file to resume from and to write; empty: none
  std::int64_t checkpoint_every = 50;  // steps
  std::string run;  // the caller's name of model, adapter and examples; a checkpoint of another is refused
  OptimizerOptions optimizer{
      .learning_rate = 1e-4, .warmup = 10, .floor = 0.0, .beta2 = 0.999, .weight_decay = 0.0};
};

inline constexpr double kNoLoss = std::numeric_limits<double>::quiet_NaN();

struct SftStep {
  std::int64_t step = 0;    // steps done so far, this one included
  std::int64_t tokens = 0;  // token rows fed by this step
  double loss = 0;          // mean over the step's answer tokens, before its update
  double tuning_loss =
      kNoLoss;  // mean over the tuning answers' tokens, where they were looked at after this step
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  double seconds = 0;
};

// Called after every step, before its checkpoint; what it throws ends the run, and the last checkpoint stays.
// The steps since that one are done and reported again by the call that resumes.
using SftCallback = std::function<void(const SftStep&)>;

enum class SftEnd { all_steps, early, exploded };

struct SftResult {
  SftEnd end = SftEnd::all_steps;
  std::string message;           // of an explosion: what happened, and which state was kept
  std::int64_t steps = 0;        // done in total; one that exploded before its update is not counted
  std::int64_t first_step = 0;   // where this call started
  std::int64_t kept_step = 0;    // the step whose weights the model has now
  std::int64_t tokens = 0;       // fed by all steps
  double loss = kNoLoss;         // of the last step
  double tuning_loss = kNoLoss;  // of the kept state
  double seconds = 0;            // of this call
};

// The examples of step `step`, counted from 0, as indices below `examples`: batch_rows * accumulation of
// them. They depend on these, the seed and the step alone; an epoch takes every example once.
std::vector<std::size_t> examples_of_step(std::int64_t step, std::size_t examples, const SftOptions& options);

// One optimiser step on given batches: their mean loss over all targets. `step` counts from 0. Throws
// Exploded, with the weights as they were, for a loss or gradient that is not finite.
SftStep sft_step(TunedModel& tuned, AdamW& optimizer, std::span<const Batch> batches, std::int64_t step,
                 const SftOptions& options);

// Trains, or goes on from the checkpoint; the end is the same to the bit on one machine with one number of
// threads. With tuning examples the model ends with the state that was best on them, else with the last one;
// after an explosion with the last kept one whose own loss had not exploded. Throws ConfigError for no
// examples or options that cannot be used.
SftResult fine_tune(TunedModel& tuned, std::span<const SftExample> examples,
                    std::span<const SftExample> tuning, const SftOptions& options,
                    const SftCallback& report = {});

}  // namespace moelab::train
