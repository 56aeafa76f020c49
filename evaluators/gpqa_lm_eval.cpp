#include <algorithm>
#include <array>
#include <map>

#include "core/text/utf8.h"
#include "evaluators/gpqa.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

constexpr std::string_view kTheAnswerIs = "The answer is ";
constexpr std::string_view kAsciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

// A letter that is alone but for what exact_match ignores, as a capital; else the text. NumPy drops NULs at
// the end of what it compares.
std::string comparable(std::string_view text) {
  std::string kept;
  for (const char c : text)
    if (kAsciiPunctuation.find(c) == std::string_view::npos) kept += c;
  while (!kept.empty() && kept.back() == '\0') kept.pop_back();
  if (kept.size() != 1) return std::string(text);
  if (kept[0] >= 'A' && kept[0] <= 'Z') return kept;
  if (kept[0] >= 'a' && kept[0] <= 'z') return std::string(1, static_cast<char>(kept[0] - 'a' + 'A'));
  return std::string(text);
}

Extraction stripped_extraction(std::string_view text, std::size_t begin, std::size_t end,
                               std::string_view rule) {
  const std::string_view answer = python_stripped(text.substr(begin, end - begin));
  if (answer.empty()) return no_extraction();
  begin = static_cast<std::size_t>(answer.data() - text.data());
  return {comparable(answer), rule, begin, begin + answer.size()};
}

Extraction last_parenthesis(std::string_view text) {
  for (std::size_t at = text.rfind('('); at != std::string_view::npos; at = text.rfind('(', at - 1)) {
    if (at + 2 < text.size() && text[at + 1] >= 'A' && text[at + 1] <= 'Z' && text[at + 2] == ')')
      return {std::string(1, text[at + 1]), "parentheses", at, at + 3};
    if (at == 0) break;
  }
  return no_extraction();
}

// What the filter makes of the reply and of each option before it looks for one in the other.
std::string simplified(std::string_view text) {
  const std::string lowered = python_lower(text);
  std::string kept;
  kept.reserve(lowered.size());
  for (std::size_t at = 0; at < lowered.size();) {
    const auto byte = static_cast<unsigned char>(lowered[at]);
    if (byte < 0x80) {  // most characters by far
      if (!is_punctuation(byte)) kept += lowered[at];
      ++at;
      continue;
    }
    const text::Utf8Char next = text::decode_utf8(lowered, at);
    if (!next.valid || !is_punctuation(next.code)) kept.append(lowered, at, next.length);
    at += next.length;
  }
  return kept;
}

// The last match of the alternation of all options, longest first. An empty option matches at the very end,
// so that nothing is found.
std::string_view last_option_text(std::string_view reply, const std::vector<std::string>& options) {
  std::vector<std::string_view> longest_first(options.begin(), options.end());
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
  if (longest_first.empty() || longest_first.back().empty()) return {};
  std::array<bool, 256> begins{};  // the bytes that an option can begin with
  for (const std::string_view each : longest_first) begins[static_cast<unsigned char>(each.front())] = true;
  std::string_view last;
  for (std::size_t at = 0; at < reply.size();) {
    if (!begins[static_cast<unsigned char>(reply[at])]) {
      ++at;
      continue;
    }
    const auto found = std::find_if(longest_first.begin(), longest_first.end(), [&](std::string_view each) {
      return reply.substr(at).starts_with(each);
    });
    if (found == longest_first.end()) {
      ++at;
      continue;
    }
    last = *found;
    at += last.size();
  }
  return last;
}

Extraction option_text(std::string_view text, const std::vector<std::string>& options) {
  std::vector<std::string> simple;
  std::map<std::string, std::size_t, std::less<>> letters;  // the later of equal options counts
  for (std::size_t i = 0; i < options.size(); ++i) {
    simple.push_back(simplified(python_stripped(options[i])));
    letters[simple.back()] = i;
  }
  const std::string reply = simplified(text);
  const std::string_view found = python_stripped(last_option_text(reply, simple));
  if (found.empty()) return no_extraction();
  // Stripped, the match may be no option any more; the filter then answers with the text itself.
  const auto letter = letters.find(found);
  return {letter == letters.end() ? comparable(found) : option_letter(letter->second), "option_text", 0, 0};
}

Extraction last_letter_behind_colon(std::string_view text, std::size_t n_options) {
  for (std::size_t at = text.rfind(':'); at != std::string_view::npos; at = text.rfind(':', at - 1)) {
    const std::size_t letter = skip_python_space(text, at + 1);
    if (letter < text.size() && text[letter] >= 'A' &&
        static_cast<std::size_t>(text[letter] - 'A') < std::min<std::size_t>(n_options, 26))
      return {std::string(1, text[letter]), "colon", letter, letter + 1};
    if (at == 0) break;
  }
  return no_extraction();
}

}  // namespace

Extraction extract_gpqa_strict(std::string_view text) {
  for (std::size_t at = text.find(kTheAnswerIs); at != std::string_view::npos;
       at = text.find(kTheAnswerIs, at + 1)) {
    const std::size_t begin = at + kTheAnswerIs.size();
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (begin < end)
      return stripped_extraction(text, begin, text::last_character(text.substr(0, end)), "answer_is");
  }
  return no_extraction();
}

Extraction extract_gpqa_flexible(std::string_view text, const std::vector<std::string>& options) {
  Extraction found = last_parenthesis(text);
  if (found.answer.empty()) found = option_text(text, options);
  if (found.answer.empty()) found = last_letter_behind_colon(text, options.size());
  return found;
}

}  // namespace moelab::evaluators
