#include "experiments/inspect_report.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/model/footprint.h"
#include "core/model/memory.h"
#include "core/text/template.h"
#include "core/text/tiktoken.h"
#include "experiments/prompt_arguments.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

// A context that is enough for nearly every question with its answer.
constexpr std::int64_t kUsualContext = 8192;

std::string bytes_text(std::int64_t bytes) { return memory_text(static_cast<double>(bytes)); }

std::vector<std::int64_t> shown_contexts(const model::ModelSpec& spec) {
  std::vector<std::int64_t> contexts;
  for (const std::int64_t tokens : {std::int64_t{4096}, std::int64_t{32768}})
    if (tokens < spec.max_positions) contexts.push_back(tokens);
  contexts.push_back(spec.max_positions);
  return contexts;
}

std::string cache_text(const model::ModelSpec& spec) {
  std::vector<std::string> parts;
  for (const std::int64_t tokens : shown_contexts(spec))
    parts.push_back(fmt::format("{} for {} tokens",
                                bytes_text(model::kv_cache_bytes(spec, tokens, at::kBFloat16)), tokens));
  const auto per_token = [&](at::ScalarType type) {
    return static_cast<double>(model::kv_cache_bytes_per_token(spec, type)) / 1e3;
  };
  return fmt::format("{:.1f} KB a token in float32, {:.1f} KB in bfloat16: {}", per_token(at::kFloat),
                     per_token(at::kBFloat16), fmt::join(parts, ", "));
}

std::string gpu_text(const model::ModelSpec& spec) {
  const std::int64_t context = std::min(kUsualContext, spec.max_positions);
  const std::int64_t needed = model::running_bytes(spec, context, at::kBFloat16);
  const auto& gpus = model::common_gpus();
  const auto smallest = std::find_if(gpus.begin(), gpus.end(), [&](const model::GpuMemory& gpu) {
    return needed <= gpu.gigabytes * std::int64_t{1'000'000'000};
  });
  const std::string need =
      fmt::format("{} in bfloat16 with {} tokens and a tenth to spare", bytes_text(needed), context);
  if (smallest == gpus.end()) return fmt::format("none alone: {} (B200 has 180 GB)", need);
  return fmt::format("from {} GB ({}): {}", smallest->gigabytes, smallest->examples, need);
}

std::string format_text(const ModelPrompt& prompt) {
  const text::ThinkingFormat& format = prompt.thinking;
  if (format.style == text::ThinkingStyle::none) return "none";
  std::string text = format.style == text::ThinkingStyle::channels
                         ? fmt::format("channel '{}', answer in channel '{}'", format.thinking_channel,
                                       format.answer_channel)
                         : fmt::format("{} .. {}", format.think_open, format.think_close);
  if (!format.answer_open.empty())
    text += fmt::format(", answer {} .. {}", format.answer_open, format.answer_close);
  if (prompt.opened == text::ThinkingOptions::Opened::thinking) text += "; opened by the chat template";
  return text;
}

bool has_chat_template(const fs::path& folder) {
  try {
    text::ChatTemplate::read(folder);
  } catch (const FileError&) {
    return false;
  } catch (const text::TemplateError&) {
    // There is one, and what is wrong with it shows when it is used.
  }
  return true;
}

// As `moelab generate` sees the model, with --chat where there is a chat template.
std::string thinking_text(const ModelPlace& place, const fs::path& folder) {
  const auto tokenizer = text::load_tokenizer(folder);
  const auto seen = [&](Arguments arguments) {
    return format_text(make_prompt(with_advice(arguments, place).arguments, "Hello", folder, tokenizer));
  };
  if (!has_chat_template(folder)) return seen({}) + " (no chat template)";
  Arguments chat;
  chat.flags["--chat"] = "";
  chat.settings["date"] = "2025-01-01";
  try {
    return seen(chat);
  } catch (const Error& problem) {
    return fmt::format("{} (without --chat, because of {})", seen({}), problem.what());
  }
}

}  // namespace

std::string memory_text(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.2f} GB", bytes / 1e9);
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

std::string count_text(std::int64_t count) {
  if (count >= 1'000'000'000) return fmt::format("{:.2f} B", static_cast<double>(count) / 1e9);
  if (count >= 1'000'000) return fmt::format("{:.2f} M", static_cast<double>(count) / 1e6);
  return fmt::to_string(count);
}

ReportLines memory_lines(const model::ModelSpec& spec) {
  return {{"memory", fmt::format("{} in float32, {} in bfloat16 or float16",
                                 bytes_text(model::weight_bytes(spec, at::kFloat)),
                                 bytes_text(model::weight_bytes(spec, at::kBFloat16)))},
          {"KV cache", cache_text(spec)},
          {"GPUs", gpu_text(spec)}};
}

ReportLines file_lines(const ModelFiles& files) {
  ReportLines lines = {
      {"files", files.present.empty() ? "none" : fmt::format("{}", fmt::join(files.present, ", "))}};
  if (files.shards > 1)
    lines.back().second += fmt::format(", {} of {} shards", files.shards_present, files.shards);
  std::vector<std::string> missing = files.missing;
  const std::size_t total = missing.size();
  if (total > 4) missing.resize(4);
  if (total > 0)
    lines.emplace_back("missing", fmt::format("{}{}", fmt::join(missing, ", "),
                                              total > 4 ? fmt::format(" and {} more", total - 4) : ""));
  if (!files.optional_missing.empty())
    lines.emplace_back("not there",
                       fmt::format("{} (not every model has them)", fmt::join(files.optional_missing, ", ")));
  return lines;
}

ReportLines advice_lines(const ModelPlace& place, const fs::path& folder) {
  ReportLines lines;
  if (text::has_tokenizer(folder)) lines.emplace_back("thinking", thinking_text(place, folder));
  if (!place.sampling.is_empty()) {
    lines.emplace_back("sampling",
                       fmt::format("{} (configs/model/{})", advice_text(place.sampling), place.option));
    return lines;
  }
  const std::string published = advice_text(published_advice(folder));
  lines.emplace_back("sampling", published.empty() ? "nothing is recommended"
                                                   : fmt::format("{} (generation_config.json)", published));
  return lines;
}

}  // namespace moelab::experiments
