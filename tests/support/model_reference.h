// The reference figures of tests/data/model: what transformers computed on the tiny checkpoints.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/engine/engine.h"
#include "core/model/safetensors.h"
#include "tests/support/files.h"

namespace moelab::testing {

// The tiny checkpoints of tests/data/model that have reference figures, one a family: what holds for every
// family is tested on all of them.
inline std::vector<std::string> checkpoints_with_reference() {
  return {
      "qwen3_moe_tiny",      "olmoe_tiny",       "granitemoe_tiny",   "phimoe_tiny",     "gpt_oss_tiny",
      "qwen2_moe_tiny",      "mixtral_tiny",     "ernie4_5_moe_tiny", "glm4_moe_tiny",   "deepseek_v2_tiny",
      "deepseek_v2_grouped", "deepseek_v3_tiny", "deepseek_tiny",     "qwen3_next_tiny",
  };
}

// All of them, and the same weights in other layouts: checkpoint and the reference that it belongs to.
inline std::vector<std::pair<std::string, std::string>> all_layouts() {
  std::vector<std::pair<std::string, std::string>> layouts = {{"qwen3_moe_fused", "qwen3_moe_tiny"},
                                                              {"gpt_oss_bf16", "gpt_oss_tiny"}};
  for (const std::string& name : checkpoints_with_reference()) layouts.emplace_back(name, name);
  return layouts;
}

struct ModelReference {
  std::filesystem::path checkpoint;
  Json fields;
  model::SafetensorsFile tensors;
  std::vector<engine::Tokens> prompts;
  double tolerance;  // absolute, on logits

  explicit ModelReference(const std::string& name)
      : checkpoint(data_dir() / "model" / name),
        fields(read_json(data_dir() / "model" / "expected" / name / "expected.json")),
        tensors(data_dir() / "model" / "expected" / name / "expected.safetensors"),
        prompts(fields.at("prompts").get<std::vector<engine::Tokens>>()),
        tolerance(fields.at("tolerance").get<double>() * fields.at("logits_sd").get<double>()) {}

  at::Tensor tensor(const std::string& name) const { return tensors.tensor(name); }

  steering::Plan plan(const std::string& name) const {
    for (const Json& entry : fields.at("plans"))
      if (entry.at("name") == name) return read_plan(entry);
    throw Error("the reference has no plan '{}'", name);
  }

  static steering::Plan read_plan(const Json& fields) {
    steering::Plan plan{steering::parse_mode(fields.at("mode").get<std::string>()), {}};
    for (const Json& entry : fields.at("entries"))
      plan.entries.push_back({entry.at("layer"), entry.at("expert"),
                              steering::parse_operation(entry.at("operation").get<std::string>()),
                              entry.at("value").is_null() ? 1.0 : entry.at("value").get<double>()});
    return plan;
  }
};

inline engine::Engine load_engine(const std::filesystem::path& directory,
                                  engine::EngineOptions options = {}) {
  return engine::Engine::load(directory, options);
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// Ids in ascending order and the weights in the same order, as the reference stores them.
struct SortedRouting {
  at::Tensor ids, weights;
};
inline SortedRouting sorted(const model::Routing& routing) {
  auto [ids, order] = routing.ids.sort(-1);
  return {ids, routing.weights.gather(-1, order)};
}

}  // namespace moelab::testing
