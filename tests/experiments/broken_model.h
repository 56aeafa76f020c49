// A tiny model that gives NaN logits as soon as a prompt holds one token: its embedding is NaN, its output
// row is not.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "core/model/safetensors.h"
#include "tests/experiments/study_fixture.h"

namespace moelab::testing {

inline void write_model_without(const std::filesystem::path& folder, std::int32_t token) {
  write_tiny_model(folder);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  {
    const model::Checkpoint checkpoint(folder);
    for (const std::string& name : checkpoint.names())
      tensors.emplace_back(name, checkpoint.tensor(name).clone());
  }
  for (auto& [name, tensor] : tensors) {
    if (name != "model.embed_tokens.weight") continue;
    const at::Tensor output = tensor.clone();
    tensor[token].fill_(std::nan(""));
    tensors.emplace_back("lm_head.weight", output);
    break;
  }
  model::write_safetensors(folder / "model.safetensors", tensors);
  Json config = read_json(folder / "config.json");
  config["tie_word_embeddings"] = false;
  write_atomic(folder / "config.json", config.dump(1));
}

}  // namespace moelab::testing
