// The prompt of a command line: its text from the line, a file or standard input, and the model's chat
// template around it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/text/thinking.h"
#include "core/text/tokenizer.h"
#include "experiments/arguments.h"

namespace moelab::experiments {

// --prompt, --chat, and the keys that go with them.
std::vector<Flag> prompt_flags();
std::vector<KeySpec> prompt_settings();

// What --prompt TEXT, --prompt - (standard input) or prompt_file=PATH give; one line break at the end of a
// file or of standard input is left out. Throws ConfigError unless exactly one is given, on an empty text,
// and on a key of --chat without it; FileError.
std::string read_prompt_text(const Arguments& arguments);

struct ModelPrompt {
  std::string text;  // as the model reads it: in its chat template, if asked for
  std::vector<std::int32_t> tokens;
  text::ThinkingFormat thinking;
  text::ThinkingOptions::Opened opened = text::ThinkingOptions::Opened::nothing;
};

// The text as tokens, with --chat as the user's message in the model's chat template (tokenised without
// further special tokens, as transformers does). Throws Error when the text is not UTF-8, or the template is
// missing, damaged, refuses the conversation or gives nothing; ConfigError on a bad key.
ModelPrompt make_prompt(const Arguments& arguments, const std::string& text,
                        const std::filesystem::path& model_directory, const text::Tokenizer& tokenizer);

}  // namespace moelab::experiments
