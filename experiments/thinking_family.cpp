#include "experiments/thinking_family.h"

#include <fmt/format.h>

#include "core/text/utf8.h"

namespace moelab::experiments {

std::string guess_thinking_family(const ThinkingHints& hints) {
  if (hints.model_type == "gpt_oss") return "harmony";
  const auto mentions = [&](std::string_view marker) {
    return hints.chat_template.find(marker) != std::string::npos;
  };
  if (mentions("<|channel|>")) return "harmony";
  // Templates that cut earlier thinking out of a conversation may name the closing tag alone.
  const bool thinks = mentions("<think>") || mentions("</think>");
  if (thinks && mentions("<response>")) return "ernie";
  if (thinks && mentions("<answer>")) return "hunyuan";
  return thinks || hints.has_think_tokens ? "think" : "none";
}

text::ThinkingOptions::Opened opened_by_prompt(std::string_view prompt, const text::ThinkingFormat& format) {
  using Opened = text::ThinkingOptions::Opened;
  prompt.remove_suffix(text::white_space_at_end(prompt));
  const auto ends_in = [&](const std::string& marker) { return !marker.empty() && prompt.ends_with(marker); };
  const auto header = [](const std::string& channel) {
    return fmt::format("<|channel|>{}<|message|>", channel);
  };
  switch (format.style) {
    case text::ThinkingStyle::tags:
      if (ends_in(format.think_open)) return Opened::thinking;
      if (ends_in(format.think_close) || ends_in(format.answer_open)) return Opened::answer;
      break;
    case text::ThinkingStyle::channels:
      if (ends_in(header(format.thinking_channel))) return Opened::thinking;
      if (ends_in(header(format.answer_channel))) return Opened::answer;
      break;
    case text::ThinkingStyle::none:
      break;
  }
  return Opened::nothing;
}

}  // namespace moelab::experiments
