// Reads tokenizer.json: the vocabulary and the merges stream past the JSON tree, as they can have a million
// entries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"

namespace moelab::text {

struct TokenizerFile {
  // The file's name in errors.
  std::string origin;
  // SHA-256 of the file's bytes.
  std::string digest;
  // Everything but the members "vocab" and "merges" of "model", which stay as an empty object and array.
  Json head;
  // model.vocab in the file's order; ids are not checked yet.
  std::vector<std::pair<std::string, std::int64_t>> vocab;
  // model.merges in order of rank.
  std::vector<std::pair<std::string, std::string>> merges;
  // The ids are ranks and take the place of the merges (tiktoken).
  bool ids_are_ranks = false;
};

// Throws FileError: unreadable, not JSON, a merge that is not a pair, an id that is not an integer, a model
// that is not BPE (said before anything else about the model), or nesting beyond reason.
TokenizerFile read_tokenizer_file(const std::filesystem::path& path);
// The same from the file's text; `origin` stands for its name.
TokenizerFile parse_tokenizer_file(std::string_view text, std::string origin);

}  // namespace moelab::text
