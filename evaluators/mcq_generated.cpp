#include "evaluators/mcq_generated.h"

#include <algorithm>

#include "core/base/error.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

constexpr std::string_view kAnswerIs = "answer is ";
constexpr std::string_view kAnswerColon = "nswer:";  // after an "a" of either case

bool is_letter_at(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= 'A' && text[at] <= 'J';
}

// The white space after the colon may reach into the next lines, the rest of the match may not.
std::optional<FoundLetter> last_answer_of_line(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view line = text.substr(begin, end - begin);
  for (std::size_t at = line.rfind(kAnswerColon); at != std::string_view::npos && at > 0;
       at = line.rfind(kAnswerColon, at - 1)) {
    if (line[at - 1] != 'a' && line[at - 1] != 'A') continue;
    const std::size_t letter = skip_python_space(text, begin + at + kAnswerColon.size());
    if (is_letter_at(text, letter)) return FoundLetter{text[letter], "answer", letter};
  }
  return std::nullopt;
}

std::optional<FoundLetter> first_line_with_answer(std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (const auto found = last_answer_of_line(text, begin, end)) return found;
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<FoundLetter> last_letter(std::string_view text) {
  for (std::size_t at = text.size(); at-- > 0;)
    if (is_letter_at(text, at) && stands_alone(text, at, at + 1))
      return FoundLetter{text[at], "last_letter", at};
  return std::nullopt;
}

}  // namespace

std::optional<FoundLetter> find_answer_is(std::string_view text) {
  for (std::size_t at = text.find(kAnswerIs); at != std::string_view::npos;
       at = text.find(kAnswerIs, at + 1)) {
    std::size_t letter = at + kAnswerIs.size();
    if (letter < text.size() && text[letter] == '(') ++letter;
    if (is_letter_at(text, letter)) return FoundLetter{text[letter], "answer_is", letter};
  }
  return std::nullopt;
}

std::optional<FoundLetter> find_letter(std::string_view text) {
  if (const auto found = find_answer_is(text)) return found;
  if (const auto found = first_line_with_answer(text)) return found;
  return last_letter(text);
}

Verdict judge_letter(std::string_view answer, std::size_t gold) {
  if (gold > 'J' - 'A')
    throw Error("{}: option {} is said to be right; the published rules know the letters A to J only",
                kGenerated, gold + 1);
  const auto found = find_letter(answer);
  if (!found) return {.evaluator = std::string(kGenerated), .rule = "none"};
  const std::string letter(1, found->letter);
  return {std::string(kGenerated),       1,         letter,       std::string(found->rule),
          letter == option_letter(gold), found->at, found->at + 1};
}

}  // namespace moelab::evaluators
