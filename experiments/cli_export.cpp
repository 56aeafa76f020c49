// moelab export: writes a model as a Hugging Face directory of its own.
#include <fmt/format.h>

#include <limits>

#include "core/model/export.h"
#include "experiments/cli.h"
#include "experiments/model_place.h"
#include "experiments/signals.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

std::optional<at::ScalarType> parse_export_dtype(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  throw ConfigError("--dtype: '{}' is none of float32, bfloat16 and float16", name);
}

// "5GB", "500MB", "1000000": bytes, with decimal units as the hub counts them.
std::int64_t parse_size(const std::string& text) {
  std::int64_t unit = 1;
  std::string number = text;
  for (const auto& [name, bytes] : {std::pair{"KB", 1'000LL}, {"MB", 1'000'000LL}, {"GB", 1'000'000'000LL}})
    if (text.ends_with(name)) {
      unit = bytes;
      number = text.substr(0, text.size() - 2);
    }
  const std::int64_t count = parse_integer(number, "--max-shard-size");
  if (count < 1 || count > std::numeric_limits<std::int64_t>::max() / unit)
    throw ConfigError("--max-shard-size: '{}' is no size such as 5GB or 500MB", text);
  return count * unit;
}

int export_model(const Arguments& arguments) {
  if (!arguments.has("--hf"))
    throw ConfigError("say what to write: --hf, a Hugging Face directory (the only form there is)");
  model::ExportOptions options;
  options.dtype = parse_export_dtype(arguments.flag("--dtype", ""));
  options.shard_bytes = parse_size(arguments.flag("--max-shard-size", "5GB"));
  const std::filesystem::path source = model_directory(arguments, arguments.words[0]);
  if (!std::filesystem::is_directory(source))
    throw ConfigError("'{}' is no folder with weights", source.string());
  const StopSignals signals;
  options.on_bytes = [&](std::int64_t, std::int64_t) {
    if (signals.stop_wanted()) throw Interrupted("stopped; nothing was written");
  };
  const model::ExportReport report = model::export_checkpoint(source, arguments.words[1], options);
  fmt::print("{}: {} tensors, {:.2f} GB in {} files\n", arguments.words[1], report.tensors,
             static_cast<double>(report.bytes) / 1e9, report.shards);
  return kExitDone;
}

}  // namespace

Verb verb_export() {
  VerbSpec spec;
  spec.name = "export";
  spec.summary = "write a model as a Hugging Face directory that transformers loads";
  spec.usage = "--hf MODEL OUT_DIR [--dtype TYPE] [--max-shard-size SIZE]";
  spec.text =
      "MODEL is a model directory, an option of configs/model or an id org/name. OUT_DIR must not exist; it "
      "appears whole or\n"
      "not at all. One tensor at a time is in memory. Without --dtype every tensor keeps its type; packed "
      "weights and\n"
      "correction biases of routers always do.";
  spec.flags = {{"--hf", "", "a Hugging Face directory: safetensors, config.json, tokenizer, chat template"},
                {"--dtype", "TYPE", "float32, bfloat16 or float16 (default: as stored)"},
                {"--max-shard-size", "SIZE", "of a weights file, such as 500MB (default: 5GB)"},
                config_dir_flag()};
  spec.words = {2, 2};
  spec.examples = {"moelab export --hf models/demo/mixed exported/mixed",
                   "moelab export --hf demo_mixed exported/mixed_float32 --dtype float32",
                   "moelab export --hf phi_tiny exported/phi_tiny --dtype float16 --max-shard-size 2GB"};
  return {spec, export_model};
}

}  // namespace moelab::experiments
