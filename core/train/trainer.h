// One optimiser step after the other on given batches, and the state that a checkpoint needs to go on exactly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/train/losses.h"
#include "core/train/optimizer.h"
#include "core/train/parameters.h"

namespace moelab::train {

// What one step did; losses are without their coefficients, `loss` is the sum that was minimised.
struct StepReport {
  std::int64_t step = 0;         // steps done so far, this one included
  std::int64_t tokens = 0;       // token rows fed by this step
  double loss = 0;
  double language = 0;           // pooled tokens
  double answer = 0;             // answer tokens
  double balance = 0, planting = 0, z = 0;
  double similarity = -1;        // of alike experts; -1: not asked for
  double learning_rate = 0;
  double gradient_norm = 0;      // before clipping
  double seconds = 0;            // of this step, drawing the batch included
  double accuracy = -1;          // mean over the question files; -1: not measured after this step
};

// What a step optimises and how.
struct StepOptions {
  LossOptions loss;
  PlantingOptions planting;
  OptimizerOptions optimizer;
  std::int64_t steps = 1;  // length of the learning-rate schedule
};

class Trainer {
 public:
  Trainer(Parameters parameters, StepOptions options, const std::vector<std::string>& domains);

  // Throws Error when the loss or the gradient is not finite; the weights are then those before the step.
  StepReport step(const Batch& batch);

  std::int64_t steps_done() const { return done_; }
  const Parameters& parameters() const { return parameters_; }
  const model::Model& model() const { return model_; }
  AdamW& optimizer() { return optimizer_; }

  // Writes weights, moments and the number of steps in one safetensors file, atomically. `run` names the run: any
  // text that changes when an option changes that matters.
  void save_checkpoint(const std::filesystem::path& path, const std::string& run);
  // Throws FileError when the file is damaged or belongs to another run.
  void load_checkpoint(const std::filesystem::path& path, const std::string& run);

 private:
  Parameters parameters_;
  StepOptions options_;
  PlantingTables tables_;
  model::Model model_;
  AdamW optimizer_;
  std::int64_t done_ = 0;
};

}  // namespace moelab::train
