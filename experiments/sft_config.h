// The section `sft` of a study: how its method of kind sft trains.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/binder.h"
#include "core/train/sft.h"

namespace moelab::experiments {

struct SftConfig {
  std::string kind = "lora";  // see train::TuneOptions
  std::int64_t rank = 16;
  double alpha = 32;
  std::string layout = "modules";    // of an adapter: modules or parameters
  std::vector<std::string> targets;  // [] for attention and experts; for all of kind full
  bool router = false;
  std::int64_t steps = 100;  // see train::SftOptions from here on
  std::int64_t batch_rows = 8;
  std::int64_t accumulation = 1;
  bool recompute = false;
  std::int64_t evaluate_every = 10;
  std::int64_t patience = 3;
  double explosion = 10;
  double learning_rate = 1e-4;
  std::int64_t warmup = 10;
  std::string schedule = "cosine";
  double weight_decay = 0;
  double clip = 1;

  train::TuneOptions tune_options(std::int64_t seed) const;
  train::SftOptions sft_options(std::int64_t seed) const;
};

config::Binder<SftConfig> sft_binder();

}  // namespace moelab::experiments
