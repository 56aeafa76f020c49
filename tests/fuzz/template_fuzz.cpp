// Feeds the chat template interpreter hostile templates: whatever comes, it must end with a text or a
// TemplateError.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/text/template.h"

namespace {

const moelab::Json& variables() {
  static const moelab::Json values = moelab::Json::parse(R"({
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": " Grüße \n"},
                 {"role": "assistant", "content": "<think>x</think>y", "tool_calls": [{"function": {"name": "f",
                  "arguments": {"a": [1, 2.5, null]}}}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>", "n": 3, "s": "text", "l": [3, 1, 2]})");
  return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  moelab::text::TemplateLimits limits;
  limits.loops = 2000;
  limits.text_bytes = 1 << 18;
  limits.list_items = 1 << 14;
  limits.work = 200'000;
  try {
    const std::string source(data, data + size);
    const auto chat = moelab::text::ChatTemplate::parse(source, "fuzz", limits);
    (void)chat.render(variables(), moelab::text::TemplateDate{2024, 7, 6});
  } catch (const moelab::text::TemplateError&) {
    // What a hostile template should meet.
  }
  return 0;
}
