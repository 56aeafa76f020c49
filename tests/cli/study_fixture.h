// A tiny study that the program can run in seconds: a random model, two domains of made-up questions, own
// configs.
#pragma once

#include <fmt/format.h>

#include <string>

#include "core/base/files.h"
#include "core/train/save.h"
#include "tests/cli/run_binary.h"
#include "tests/support/files.h"

namespace moelab::testing {

inline constexpr const char* kTinyModel = R"({
  "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "vocab_size": 640, "hidden_size": 32,
  "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
  "intermediate_size": 32, "moe_intermediate_size": 16, "num_experts": 8, "num_experts_per_tok": 2,
  "norm_topk_prob": true, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
  "max_position_embeddings": 256, "tie_word_embeddings": true, "decoder_sparse_step": 1, "mlp_only_layers": [],
  "attention_bias": false, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float32"})";

struct StudyOnDisk {
  // `questions` a domain; folds and draws are few, so that a run takes seconds.
  explicit StudyOnDisk(int questions = 30) {
    namespace fs = std::filesystem;
    for (const char* folder : {"model", "benchmark", "method", "questions"})
      fs::create_directory(dir / folder);
    write_atomic(dir / "config.json", kTinyModel);
    const auto parameters = train::Parameters::initialise(model::read_spec(dir / "config.json"), {}, 1);
    train::save_model(dir / "weights", parameters, parse_json(kTinyModel, "tiny"),
                      data_dir() / "text" / "gpt2_style.tokenizer.json", "float32");
    write_questions("chemistry", questions);
    write_questions("physics", questions);
    write_configs();
  }

  std::vector<std::string> words(std::vector<std::string> more) const {
    more.insert(more.begin() + 1, {"--config-dir", dir.path().string()});
    return more;
  }
  ProgramResult run(const std::vector<std::string>& more) const { return run_moelab(words(more)); }
  std::filesystem::path database() const { return dir / "tiny.db"; }

  ScratchDir dir;

 private:
  void write_questions(const std::string& domain, int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      const Json question = {{"id", fmt::format("{}-{:03}", domain, i)},
                             {"question", fmt::format("What is number {} of {}?", i * 7, domain)},
                             {"options", {"one", "two", "three", "four"}},
                             {"answer", i % 4},
                             {"group", fmt::format("{}-{}", domain, i)},
                             {"domain", domain}};
      lines += question.dump() + "\n";
    }
    write_atomic(dir.path() / "questions" / (domain + ".jsonl"), lines);
  }

  void write_configs() {
    const std::string root = dir.path().string();
    write_atomic(dir.path() / "model" / "tiny.yaml", fmt::format("name: tiny\npath: {}/weights\n", root));
    write_atomic(
        dir.path() / "benchmark" / "facts.yaml",
        fmt::format("name: facts\nquestions: {}/questions\ndomains: [chemistry, physics]\nprompt: short\n",
                    root));
    write_atomic(dir.path() / "method" / "original.yaml", "name: original\nkind: original\n");
    write_atomic(dir.path() / "method" / "dsmoe.yaml", "name: dsmoe\nkind: score\nscore: paper\n");
    write_atomic(dir.path() / "method" / "random.yaml", "name: random\nkind: random\n");
    write_atomic(dir / "config.yaml", fmt::format(R"(name: tiny
protocol: crossfit
axes:
  model: [tiny]
  benchmark: [facts]
  domain: []
  method: [original, dsmoe, random]
  n_steered: [2]
  alpha: [3, 10]
  mode: [logit_shift]
split: {{discovery: 8, folds: 4, assignments: 2}}
nulls: {{draws: 2, match: dsmoe, aa: true}}
engine: {{threads: 1, batch_tokens: 256}}
limit: 0
db: {}/tiny.db
)",
                                                  root));
  }
};

}  // namespace moelab::testing
