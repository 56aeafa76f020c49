#include "evaluators/gpqa.h"

#include <array>

#include "core/text/utf8.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

struct PrefixRule {
  std::string_view prefix;
  std::string_view rule;
};

constexpr std::array<PrefixRule, 5> kOfficialRules = {{{"answer is (", "answer_is"},
                                                       {"Answer: (", "answer_capital"},
                                                       {"answer: (", "answer_small"},
                                                       {"answer (", "answer_bare"},
                                                       {"(", "parentheses"}}};

// The first place behind `prefix` where one character other than a newline and a closing parenthesis follow.
std::size_t first_in_parentheses(std::string_view text, std::string_view prefix) {
  for (std::size_t at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
    const std::size_t inside = at + prefix.size();
    if (inside >= text.size() || text[inside] == '\n') continue;
    const std::size_t close = inside + text::decode_utf8(text, inside).length;
    if (close < text.size() && text[close] == ')') return inside;
  }
  return std::string_view::npos;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

}  // namespace

Extraction extract_gpqa(std::string_view text) {
  for (const PrefixRule& each : kOfficialRules) {
    const std::size_t at = first_in_parentheses(text, each.prefix);
    if (at != std::string_view::npos && text[at] >= 'A' && text[at] <= 'D')
      return {std::string(1, text[at]), each.rule, at, at + 1};
  }
  return no_extraction();
}

Extraction extract_gpqa_simple_evals(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    if (text[begin] != 'a' && text[begin] != 'A') continue;
    std::size_t at = match_ignoring_case(text, begin, "answer");
    if (at == std::string_view::npos) continue;
    at = skip_blanks(text, at);
    if (at >= text.size() || text[at] != ':') continue;
    at = skip_blanks(text, at + 1);
    if (at < text.size() && text[at] == '$') ++at;
    if (at < text.size() && ((text[at] >= 'A' && text[at] <= 'D') || (text[at] >= 'a' && text[at] <= 'd')))
      return {std::string(1, text[at]), "answer", at, at + 1};
  }
  return no_extraction();
}

}  // namespace moelab::evaluators
