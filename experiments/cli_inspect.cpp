// moelab inspect: what a model directory holds, what it would cost to run, and whether steering works on it.
#include <fmt/format.h>

#include "core/model/recurrent_state.h"
#include "core/model/safetensors.h"
#include "core/steering/self_test.h"
#include "experiments/cli.h"
#include "experiments/inspect_report.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

namespace fs = std::filesystem;

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

std::string attention_text(const model::AttentionSpec& attention) {
  std::string text = fmt::format("{} heads, {} for keys and values, of {}{}", attention.heads,
                                 attention.kv_heads, attention.head_dim, qk_norm_text(attention.qk_norm));
  if (attention.latent) text += fmt::format(", over latents of {}", attention.latent->kv_rank);
  if (attention.has_sinks) text += ", with sinks";
  if (attention.has_output_gate) text += ", with an output gate";
  text += fmt::format(", rope theta {}", number_text(attention.rope_theta));
  if (attention.rotated() < attention.head_dim) text += fmt::format(" on {} dimensions", attention.rotated());
  if (attention.rope_scaling) text += attention.rope_scaling->long_factor.empty() ? ", yarn" : ", longrope";
  if (!attention.window) return text;
  return text +
         fmt::format(", window {}{}", *attention.window, attention.windowed.empty() ? "" : " in some layers");
}

void print_spec(const model::ModelSpec& spec) {
  std::int64_t moe_layers = 0;
  for (const bool is_moe : spec.is_moe_layer) moe_layers += is_moe ? 1 : 0;
  line("family", spec.model_type);
  line("layers",
       fmt::format("{} ({} with experts), hidden {}, vocabulary {}{}, {} positions", spec.layers, moe_layers,
                   spec.hidden, spec.vocab_size, spec.tied_embeddings ? " (tied)" : "", spec.max_positions));
  line("attention", attention_text(spec.attention));
  line("experts", fmt::format("{} a layer, {} in all, {} chosen a token, inner size {}", spec.router.experts,
                              spec.router.experts * moe_layers, spec.router.top_k, spec.expert_width));
  if (spec.shared_width > 0)
    line("shared expert", fmt::format("every token's, inner size {}{}", spec.shared_width,
                                      spec.has_shared_gate ? ", times sigmoid of its own gate" : ""));
  line("router", router_formula(spec.router));
  const model::ParameterCount count = model::count_parameters(spec);
  line("parameters",
       fmt::format("{} total, {} active a token", count_text(count.total), count_text(count.active)));
  if (spec.delta_net)
    line("state", fmt::format("{} a row in bfloat16, of {} delta-net layers",
                              memory_text(static_cast<double>(model::state_bytes(spec, at::kBFloat16))),
                              spec.delta_layers()));
}

void print_lines(const ReportLines& lines) {
  for (const auto& [name, value] : lines) line(name, value);
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
  const ModelPlace place = find_model(arguments, arguments.words[0]);
  const fs::path directory = model_directory(place, arguments.words[0]);
  line("directory", directory.string());
  if (!place.hub_id.empty()) line("published as", place.described());
  const model::ModelSpec spec = model::read_spec(directory);
  print_spec(spec);
  print_lines(memory_lines(spec));
  const fs::path folder = fs::is_directory(directory) ? directory : directory.parent_path();
  const ModelFiles files = find_files(folder);
  print_lines(file_lines(files));
  print_lines(advice_lines(place, folder));
  if (!files.has_all_weights()) {
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
  spec.summary = "a model's sizes, memory, GPUs, files, router and self-test";
  spec.usage = "MODEL [--no-self-test]";
  spec.text =
      "MODEL is a Hugging Face model directory, its config.json alone, an option of configs/model or an id "
      "org/name in the\n"
      "hub's cache. The self-test forces, forbids and shifts experts in every layer and checks that the "
      "router really followed;\n"
      "it needs the weights, all else needs config.json.";
  spec.flags = {{"--no-self-test", "", "leave the weights unread"}, config_dir_flag()};
  spec.words = {1, 1};
  spec.examples = {"moelab inspect models/demo/misrouted", "moelab inspect demo_mixed",
                   "moelab inspect ~/models/OLMoE-1B-7B-0924 --no-self-test"};
  return {spec, inspect};
}

}  // namespace moelab::experiments
