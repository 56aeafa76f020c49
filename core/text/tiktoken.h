// Files of tiktoken, which some models ship instead of a tokenizer.json: tokens with their ranks; the split
// pattern and the special tokens come from elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/tokenizer.h"
#include "core/text/tokenizer_file.h"

namespace moelab::text {

struct TiktokenOptions {
  // How a text is cut into words (required); tiktoken_pattern has the known ones.
  std::string pattern;
  // Content and id; every one is found in texts and is left out by decode on demand.
  std::vector<std::pair<std::string, std::int32_t>> special_tokens;
};

// The split pattern of a family: gpt2, cl100k, o200k, qwen, kimi. Throws ConfigError naming the known ones.
std::string_view tiktoken_pattern(std::string_view family);

// The tokens under "added_tokens_decoder" of a tokenizer_config.json. Throws FileError.
std::vector<std::pair<std::string, std::int32_t>> special_tokens_of_config(
    const std::filesystem::path& tokenizer_config);

// Reads a file of ranks: lines "<base64 of the token's bytes> <rank>". Throws FileError naming the line.
TokenizerFile read_tiktoken_file(const std::filesystem::path& path, const TiktokenOptions& options);

// The tokenizer of a model directory: tokenizer.json, else tiktoken.model with tokenizer_config.json (pattern
// "kimi", as Moonlight ships it; no reserved token lies beyond the vocab_size of config.json). Throws
// FileError when there is neither.
Tokenizer load_tokenizer(const std::filesystem::path& directory);

// Whether a model directory has one of the files that load_tokenizer reads.
bool has_tokenizer(const std::filesystem::path& directory);

}  // namespace moelab::text
