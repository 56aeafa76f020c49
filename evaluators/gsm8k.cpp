#include "evaluators/gsm8k.h"

#include "core/base/ascii.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

constexpr std::string_view kHashes = "#### ";

std::size_t skip_members(std::string_view text, std::size_t at, std::string_view others) {
  while (at < text.size() && (is_digit(text[at]) || others.find(text[at]) != std::string_view::npos)) ++at;
  return at;
}

// The byte behind a match of flexible-extract at `at`; `at` when there is none.
std::size_t number_end(std::string_view text, std::size_t at) {
  const std::size_t begin = text[at] == '-' ? at + 1 : at;
  const std::size_t end = skip_members(text, begin, "$.,");
  if (end - begin >= 2 || (end - begin == 1 && is_digit(text[begin]))) return end;
  return at;
}

Extraction plain_extraction(std::string_view text, std::size_t begin, std::size_t end,
                            std::string_view rule) {
  std::string answer = plain_number(text.substr(begin, end - begin));
  if (answer.empty()) return no_extraction();
  return {std::move(answer), rule, begin, end};
}

}  // namespace

std::string plain_number(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (c != ',' && c != '$') plain += c;
  if (const std::size_t hashes = plain.rfind(kHashes); hashes != std::string::npos)
    plain.erase(0, hashes + kHashes.size());
  if (plain.ends_with('.')) {
    plain.pop_back();
  } else if (plain.ends_with(".\n")) {
    plain.erase(plain.size() - 2, 1);
  }
  return plain;
}

Extraction extract_gsm8k_strict(std::string_view text) {
  for (std::size_t at = text.find(kHashes); at != std::string_view::npos; at = text.find(kHashes, at + 1)) {
    const std::size_t begin = at + kHashes.size();
    const std::size_t digits = begin < text.size() && text[begin] == '-' ? begin + 1 : begin;
    const std::size_t end = skip_members(text, digits, ".,");
    if (end > digits) return plain_extraction(text, begin, end, "hashes");
  }
  return no_extraction();
}

Extraction extract_gsm8k_flexible(std::string_view text) {
  std::size_t begin = 0;
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t behind = number_end(text, at);
    if (behind == at) {
      ++at;
      continue;
    }
    begin = at;
    end = at = behind;
  }
  return end == begin ? no_extraction() : plain_extraction(text, begin, end, "last_number");
}

}  // namespace moelab::evaluators
