// A tiny random model, a few of the demo's questions and the configs of a miniature study in a scratch
// folder.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/config/config.h"
#include "core/model/safetensors.h"
#include "core/store/store.h"
#include "experiments/study_config.h"
#include "experiments/study_run.h"
#include "tests/support/files.h"

namespace moelab::testing {

// Writes a qwen3_moe directory: 2 layers of 8 experts, top-2, hidden 32, the demo's vocabulary.
inline void write_tiny_model(const std::filesystem::path& folder, std::int64_t seed = 7) {
  std::filesystem::create_directories(folder);
  const std::int64_t vocab = 3072, hidden = 32, layers = 2, experts = 8, width = 16, heads = 2, head_dim = 16;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed));
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape, double scale) {
    tensors.emplace_back(name, at::randn(shape, generator) * scale);
  };
  const auto add_norm = [&](const std::string& name, std::int64_t size) {
    tensors.emplace_back(name, 1.0 + 0.1 * at::randn({size}, generator));
  };
  add("model.embed_tokens.weight", {vocab, hidden}, 0.5);
  for (std::int64_t l = 0; l < layers; ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    add_norm(layer + "input_layernorm.weight", hidden);
    add_norm(layer + "post_attention_layernorm.weight", hidden);
    for (const char* part : {"q_proj", "k_proj", "v_proj"})
      add(layer + "self_attn." + part + ".weight", {heads * head_dim, hidden}, 0.18);
    add(layer + "self_attn.o_proj.weight", {hidden, heads * head_dim}, 0.18);
    add_norm(layer + "self_attn.q_norm.weight", head_dim);
    add_norm(layer + "self_attn.k_norm.weight", head_dim);
    add(layer + "mlp.gate.weight", {experts, hidden}, 0.3);
    for (std::int64_t e = 0; e < experts; ++e) {
      const std::string expert = layer + "mlp.experts." + std::to_string(e) + ".";
      add(expert + "gate_proj.weight", {width, hidden}, 0.4);
      add(expert + "up_proj.weight", {width, hidden}, 0.4);
      add(expert + "down_proj.weight", {hidden, width}, 0.4);
    }
  }
  add_norm("model.norm.weight", hidden);
  model::write_safetensors(folder / "model.safetensors", tensors);
  const Json config = {{"model_type", "qwen3_moe"},
                       {"hidden_act", "silu"},
                       {"hidden_size", hidden},
                       {"num_hidden_layers", layers},
                       {"num_attention_heads", heads},
                       {"num_key_value_heads", heads},
                       {"head_dim", head_dim},
                       {"num_experts", experts},
                       {"num_experts_per_tok", 2},
                       {"norm_topk_prob", true},
                       {"moe_intermediate_size", width},
                       {"intermediate_size", width},
                       {"decoder_sparse_step", 1},
                       {"mlp_only_layers", Json::array()},
                       {"vocab_size", vocab},
                       {"max_position_embeddings", 256},
                       {"rms_norm_eps", 1e-6},
                       {"rope_theta", 10000.0},
                       {"tie_word_embeddings", true},
                       {"attention_bias", false},
                       {"torch_dtype", "float32"},
                       {"eos_token_id", 0}};
  std::ofstream(folder / "config.json") << config.dump(1);
  std::filesystem::copy_file(source_dir() / "data/demo/tokenizer.json", folder / "tokenizer.json");
}

// The first `count` questions of some of the demo's domains.
inline void write_questions(const std::filesystem::path& folder, const std::vector<std::string>& domains,
                            std::size_t count) {
  std::filesystem::create_directories(folder);
  for (const std::string& domain : domains) {
    std::ofstream out(folder / (domain + ".jsonl"));
    const auto lines = read_lines(source_dir() / "data/demo/questions" / (domain + ".jsonl"));
    for (std::size_t i = 0; i < count; ++i) out << lines.at(i) << "\n";
  }
}

using Rows = std::vector<std::vector<std::optional<std::string>>>;

// The one whole number that a query gives; 0 for NULL.
inline std::int64_t count_of(store::Store& store, const std::string& sql) {
  return std::stoll(store.query(sql).rows.at(0).at(0).value_or("0"));
}

// Configs that are searched before the repository's: model=tiny, model=missing, benchmark=mini, study=mini.
class MiniStudy {
 public:
  MiniStudy() {
    write_tiny_model(folder / "tiny");
    write_questions(folder / "questions", {"elements", "geography"}, 100);
    for (const char* group : {"model", "benchmark", "study"})
      std::filesystem::create_directories(folder / "configs" / group);
    write("configs/model/tiny.yaml", "name: tiny\npath: " + (folder / "tiny").string() + "\n");
    write("configs/model/missing.yaml", "name: missing\npath: " + (folder / "missing").string() + "\n");
    write("configs/benchmark/mini.yaml", "name: mini\nquestions: " + (folder / "questions").string() + "\n");
    write("configs/study/mini.yaml",
          "# @package _global_\n"
          "name: mini\n"
          "axes: {model: [tiny], benchmark: [mini], method: [original, dsmoe, contrast, random],\n"
          "       n_steered: [1, 2], alpha: [3, 20]}\n"
          "split: {discovery: 20, folds: 3, assignments: 2}\n"
          "nulls: {draws: 2}\n"
          "engine: {threads: 1}\n");  // a pool of threads costs more than it brings for so small a model
  }

  void write(const std::string& path, const std::string& text) const { std::ofstream(folder / path) << text; }

  experiments::StudyConfig bind(std::vector<std::string> overrides = {}) const {
    overrides.insert(overrides.begin(), "study=mini");
    const config::Tree tree({folder / "configs", source_dir() / "configs"});
    return experiments::bind_study(tree, tree.compose("config", overrides));
  }

  store::Store open(const std::string& name) const {
    return store::Store::open(folder / name, store::Mode::read_write_create);
  }

  ScratchDir folder;
};

}  // namespace moelab::testing
