// moelab inspect: what a model directory holds, what it would cost to run, and whether steering works on it.
#include <fmt/format.h>

#include "core/model/kv_cache.h"
#include "core/model/safetensors.h"
#include "core/steering/self_test.h"
#include "experiments/cli.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

namespace fs = std::filesystem;

std::string memory_text(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

std::string count_text(std::int64_t count) {
  if (count >= 1'000'000'000) return fmt::format("{:.2f} B", static_cast<double>(count) / 1e9);
  if (count >= 1'000'000) return fmt::format("{:.2f} M", static_cast<double>(count) / 1e6);
  return fmt::to_string(count);
}

void line(const std::string& name, const std::string& value) { fmt::print("{:<16} {}\n", name, value); }

std::string score_text(const model::RouterSpec& router) {
  if (router.sparsemixer_eps) return "sparsemixer";
  if (router.score == model::sigmoid_score) return "sigmoid";
  return router.score == model::softmax_score ? "softmax" : "scores";
}

std::string router_formula(const model::RouterSpec& router) {
  std::string text = fmt::format("h W^T{} -> logits [+ ln(alpha)] -> {} over {} experts",
                                 router.has_bias ? " + bias" : "", score_text(router), router.experts);
  if (router.has_selection_bias) text += " -> + selection bias";
  if (router.groups_kept < router.groups)
    text += fmt::format(" -> best {} of {} groups", router.groups_kept, router.groups);
  text +=
      fmt::format(" -> top {} -> weights{}", router.top_k, router.has_selection_bias ? " (unbiased)" : "");
  if (router.renormalise) text += " / their sum";
  if (router.weight_multiplier != 1.0) text += fmt::format(" x {}", number_text(router.weight_multiplier));
  return text + " -> experts";
}

std::string qk_norm_text(model::QkNorm norm) {
  switch (norm) {
    case model::QkNorm::per_head:
      return ", RMSNorm on each head's q and k";
    case model::QkNorm::full_width:
      return ", RMSNorm on all of q and k";
    case model::QkNorm::none:
      break;
  }
  return "";
}

void print_spec(const model::ModelSpec& spec) {
  std::int64_t moe_layers = 0;
  for (const bool is_moe : spec.is_moe_layer) moe_layers += is_moe ? 1 : 0;
  line("family", spec.model_type);
  line("layers",
       fmt::format("{} ({} with experts), hidden {}, vocabulary {}{}, {} positions", spec.layers, moe_layers,
                   spec.hidden, spec.vocab_size, spec.tied_embeddings ? " (tied)" : "", spec.max_positions));
  line("attention",
       fmt::format("{} heads, {} for keys and values, of {}{}, rope theta {}{}{}", spec.attention.heads,
                   spec.attention.kv_heads, spec.attention.head_dim, qk_norm_text(spec.attention.qk_norm),
                   number_text(spec.attention.rope_theta), spec.attention.rope_scaling ? ", longrope" : "",
                   spec.attention.window ? fmt::format(", window {}", *spec.attention.window) : ""));
  line("experts", fmt::format("{} a layer, {} in all, {} chosen a token, inner size {}", spec.router.experts,
                              spec.router.experts * moe_layers, spec.router.top_k, spec.expert_width));
  if (spec.shared_width > 0)
    line("shared expert", fmt::format("every token's, inner size {}{}", spec.shared_width,
                                      spec.has_shared_gate ? ", times sigmoid of its own gate" : ""));
  line("router", router_formula(spec.router));
  const model::ParameterCount count = model::count_parameters(spec);
  line("parameters",
       fmt::format("{} total, {} active a token", count_text(count.total), count_text(count.active)));
  const auto total = static_cast<double>(count.total);
  line("memory", fmt::format("{} in float32, {} in bfloat16 or float16", memory_text(4 * total),
                             memory_text(2 * total)));
  const auto cache = static_cast<double>(model::KvCache::page_bytes(spec, 1, at::kBFloat16));
  line("KV cache",
       fmt::format("{:.1f} KB a token in float32, {:.1f} KB in bfloat16", 2 * cache / 1e3, cache / 1e3));
  if (spec.delta_net)
    line("state", fmt::format("{} a row in bfloat16, of {} delta-net layers",
                              memory_text(static_cast<double>(model::state_bytes(spec, at::kBFloat16))),
                              spec.delta_layers()));
}

bool has_weights(const fs::path& directory) {
  return fs::exists(directory / "model.safetensors") ||
         fs::exists(directory / "model.safetensors.index.json");
}

void print_weights(const fs::path& directory) {
  const model::Checkpoint checkpoint(directory);
  line("weights",
       fmt::format("{} in {} files, {} tensors", memory_text(static_cast<double>(checkpoint.total_bytes())),
                   checkpoint.files().size(), checkpoint.names().size()));
}

void print_self_test(const fs::path& directory) {
  const model::Model model = model::Model::load(directory);
  const steering::SelfTestReport report = steering::self_test(model);
  line("self-test", fmt::format("passed: {} layers x {} experts, {} tokens; largest weight difference {:.1e}",
                                report.layers, report.experts, report.tokens, report.largest_difference));
}

int inspect(const Arguments& arguments) {
  const fs::path directory = model_directory(arguments, arguments.words[0]);
  line("directory", directory.string());
  print_spec(model::read_spec(directory));
  const fs::path folder = fs::is_directory(directory) ? directory : directory.parent_path();
  line("tokenizer", fs::exists(folder / "tokenizer.json") ? "tokenizer.json" : "missing: tokenizer.json");
  if (!has_weights(folder)) {
    line("weights", "not here: no self-test");
    return kExitDone;
  }
  print_weights(folder);
  if (!arguments.has("--no-self-test")) print_self_test(folder);
  return kExitDone;
}

}  // namespace

Verb verb_inspect() {
  VerbSpec spec;
  spec.name = "inspect";
  spec.summary = "a model's sizes, memory, router and self-test";
  spec.usage = "MODEL [--no-self-test]";
  spec.text =
      "MODEL is a Hugging Face model directory, its config.json alone, or an option of configs/model. The "
      "self-test\n"
      "forces, forbids and shifts experts in every layer and checks that the router really followed.";
  spec.flags = {{"--no-self-test", "", "leave the weights unread"}, config_dir_flag()};
  spec.words = {1, 1};
  spec.examples = {"moelab inspect models/demo/misrouted", "moelab inspect demo_mixed",
                   "moelab inspect ~/models/OLMoE-1B-7B-0924 --no-self-test"};
  return {spec, inspect};
}

}  // namespace moelab::experiments
