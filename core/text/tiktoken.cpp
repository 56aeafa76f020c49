#include "core/text/tiktoken.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/text/byte_letters.h"
#include "core/text/vocabulary.h"

namespace moelab::text {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> patterns = {{
    {"gpt2", R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"cl100k",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"o200k",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"kimi",
     R"([\p{Han}]+)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
     R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
}};

constexpr auto kTokenizerFile = "tokenizer.json";
constexpr auto kRanksFile = "tiktoken.model";

// Moonlight numbers its special tokens on from the last rank; those that its configuration does not name are
// reserved. Its published code counts 256 and 2 more.
constexpr std::int32_t kimi_reserved_tokens = 258;

std::string from_base64(std::string_view text, std::string_view where) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0 || text.empty() || text.size() % 4 != 0) {
    throw FileError("{}: '{}' is not base64", where, text.substr(0, 60));
  }
  // The library counts the padding's zero bytes.
  const auto padding = static_cast<std::size_t>(std::count(text.end() - 2, text.end(), '='));
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::pair<std::string, std::int64_t> read_line(std::string_view line, std::string_view where) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) throw FileError("{}: not '<base64> <rank>'", where);
  const std::string_view number = line.substr(space + 1);
  std::int64_t rank = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rank);
  if (error != std::errc() || end != number.data() + number.size() || rank < 0) {
    throw FileError("{}: the rank '{}' is not a number from 0 on", where, number.substr(0, 60));
  }
  return {letters_of_bytes(from_base64(line.substr(0, space), where)), rank};
}

Json head_of(const TiktokenOptions& options) {
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", options.pattern}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  Json tokens = Json::array();
  for (const auto& [content, id] : options.special_tokens) {
    tokens.push_back({{"id", id},
                      {"content", content},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", true}});
  }
  return {{"added_tokens", tokens},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level})}}},
          {"decoder", byte_level}};
}

// The model's vocabulary, which ends before the last reserved tokens do; without a config.json they all
// count.
std::int32_t vocabulary_of(const std::filesystem::path& directory) {
  const auto path = directory / "config.json";
  constexpr auto kUnknown = std::numeric_limits<std::int32_t>::max();
  return std::filesystem::exists(path)
             ? json_get_or<std::int32_t>(read_json(path), "vocab_size", kUnknown, path.string())
             : kUnknown;
}

TiktokenOptions kimi_options(const std::filesystem::path& directory) {
  TiktokenOptions options{std::string(tiktoken_pattern("kimi")),
                          special_tokens_of_config(directory / "tokenizer_config.json")};
  std::set<std::int32_t> named;
  for (const auto& [content, id] : options.special_tokens) named.insert(id);
  const auto n_ranks = static_cast<std::int32_t>(read_lines(directory / kRanksFile).size());
  const std::int32_t end = std::min(n_ranks + kimi_reserved_tokens, vocabulary_of(directory));
  for (std::int32_t id = n_ranks; id < end; ++id) {
    if (!named.contains(id))
      options.special_tokens.emplace_back(fmt::format("<|reserved_token_{}|>", id), id);
  }
  return options;
}

}  // namespace

std::string_view tiktoken_pattern(std::string_view family) {
  std::vector<std::string_view> known;
  for (const auto& [name, pattern] : patterns) {
    if (name == family) return pattern;
    known.push_back(name);
  }
  throw ConfigError("there is no tiktoken pattern '{}'; known are {}", family, fmt::join(known, ", "));
}

std::vector<std::pair<std::string, std::int32_t>> special_tokens_of_config(
    const std::filesystem::path& tokenizer_config) {
  const Json config = read_json(tokenizer_config);
  const std::string origin = tokenizer_config.string();
  std::vector<std::pair<std::string, std::int32_t>> tokens;
  if (!config.is_object() || !config.contains("added_tokens_decoder")) return tokens;
  for (const auto& [key, value] : config.at("added_tokens_decoder").items()) {
    std::int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 || !value.is_object()) {
      throw FileError("{}: added_tokens_decoder['{}'] is not a token under its id", origin, key);
    }
    tokens.emplace_back(
        json_get<std::string>(value, "content", fmt::format("{}: added_tokens_decoder['{}']", origin, key)),
        id);
  }
  return tokens;
}

TokenizerFile read_tiktoken_file(const std::filesystem::path& path, const TiktokenOptions& options) {
  TokenizerFile file;
  file.origin = path.string();
  file.ids_are_ranks = true;
  // What the ids depend on besides the file belongs to the digest.
  file.head = head_of(options);
  file.digest = sha256(sha256_file(path) + file.head.dump());
  std::size_t number = 0;
  for (const std::string& line : read_lines(path)) {
    ++number;
    if (!line.empty()) file.vocab.push_back(read_line(line, fmt::format("{}: line {}", file.origin, number)));
  }
  if (file.vocab.empty()) throw FileError("{}: holds no tokens", file.origin);
  return file;
}

Tokenizer load_tokenizer(const std::filesystem::path& directory) {
  if (std::filesystem::exists(directory / kTokenizerFile)) return Tokenizer::load(directory / kTokenizerFile);
  if (!has_tokenizer(directory))
    throw FileError("{}: has neither {} nor {}", directory.string(), kTokenizerFile, kRanksFile);
  return Tokenizer::load_tiktoken(directory / kRanksFile, kimi_options(directory));
}

bool has_tokenizer(const std::filesystem::path& directory) {
  return std::filesystem::exists(directory / kTokenizerFile) ||
         std::filesystem::exists(directory / kRanksFile);
}

}  // namespace moelab::text
