#include <optional>
#include <vector>

#include "core/base/ascii.h"
#include "core/text/utf8.h"
#include "evaluators/choice.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

// A text from which pieces were taken, and where each byte that is left lay (nothing: nowhere else).
struct Reduced {
  std::string text;
  std::vector<std::size_t> origins;

  std::size_t origin(std::size_t at) const { return origins.empty() ? at : origins[at]; }
};

// Bytes [begin, end) that stay of a match [from, to).
struct Kept {
  std::size_t from = 0, begin = 0, end = 0, to = 0;
};

// Replaces matches, which are in order and do not overlap, by what stays of them.
void reduce(Reduced& reduced, const std::vector<Kept>& matches) {
  if (matches.empty()) return;
  Reduced result;
  std::size_t done = 0;
  const auto copy = [&](std::size_t begin, std::size_t end) {
    result.text.append(reduced.text, begin, end - begin);
    for (std::size_t at = begin; at < end; ++at) result.origins.push_back(reduced.origin(at));
  };
  for (const Kept& match : matches) {
    copy(done, match.from);
    copy(match.begin, match.end);
    done = match.to;
  }
  copy(done, reduced.text.size());
  reduced = std::move(result);
}

bool is_ascii_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// The byte behind a character of `[A-Za-z\d]` at `at`, or `at`. With `(?i)` the signs that fold to a letter
// count too.
std::size_t skip_letter_or_digit(std::string_view text, std::size_t at, bool any_case) {
  if (at >= text.size()) return at;
  const text::Utf8Char next = text::decode_utf8(text, at);
  if (!next.valid) return at;
  const bool folds = next.code == 0x130 || next.code == 0x131 || next.code == 0x17F || next.code == 0x212A;
  const bool is_member = next.code < 0x80 ? is_ascii_letter(text[at]) || is_digit(text[at])
                                          : is_python_digit(next.code) || (any_case && folds);
  return is_member ? at + next.length : at;
}

// The byte behind a run of `[A-Za-z\d ,]` at `at`.
std::size_t skip_list(std::string_view text, std::size_t at, bool any_case) {
  for (;;) {
    const std::size_t behind = at < text.size() && (text[at] == ' ' || text[at] == ',')
                                   ? at + 1
                                   : skip_letter_or_digit(text, at, any_case);
    if (behind == at) return at;
    at = behind;
  }
}

// MARK\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*MARK for a mark of asterisks or a dollar sign.
std::vector<Kept> find_wrapped(std::string_view text, std::string_view mark) {
  std::vector<Kept> found;
  for (std::size_t at = text.find(mark); at != std::string_view::npos;) {
    const std::size_t begin = skip_python_space(text, at + mark.size());
    std::size_t end = begin;
    if (skip_letter_or_digit(text, begin, false) > begin) end = skip_list(text, begin, false);
    const std::size_t close = skip_python_space(text, end);
    if (end == begin || !text.substr(close).starts_with(mark)) {
      at = text.find(mark, at + 1);
      continue;
    }
    while (text[end - 1] == ' ') --end;
    found.push_back({at, begin, end, close + mark.size()});
    at = text.find(mark, close + mark.size());
  }
  return found;
}

// (?i)(^|[:,])(\s*)\(([A-Za-z\d])\)(?=\s*(?:,|\.|\n|\Z)), as matches of the parenthesis alone.
std::vector<Kept> find_parentheses(std::string_view text) {
  std::vector<Kept> found;
  for (std::size_t at = 0; at <= text.size();) {
    const bool marked = at < text.size() && (text[at] == ':' || text[at] == ',');
    if (at > 0 && !marked) {
      ++at;
      continue;
    }
    // At the start both a beginning of the text and a mark may stand.
    std::size_t open = skip_python_space(text, at);
    if (marked && (open >= text.size() || text[open] != '(')) open = skip_python_space(text, at + 1);
    const std::size_t inside = open + 1;
    ++at;
    if (open >= text.size() || text[open] != '(') continue;
    const std::size_t end = skip_letter_or_digit(text, inside, true);
    if (end == inside || end >= text.size() || text[end] != ')') continue;
    const std::size_t behind = skip_python_space(text, end + 1);
    const bool ends = behind == text.size() || text[behind] == ',' || text[behind] == '.' ||
                      text.substr(end + 1, behind - end - 1).find('\n') != std::string_view::npos;
    if (!ends) continue;
    found.push_back({open, inside, end, end + 1});
    at = end + 1;
  }
  return found;
}

// What a pattern's group holds, and the byte behind the whole match.
struct ListMatch {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t behind = 0;
};

// Where the white space behind the colon begins, and where the list behind that begins and ends.
struct AnswerShape {
  std::size_t colon = 0;
  std::size_t list = 0;
  std::size_t list_end = 0;
};

// (?i)ANSWER\s*:\s* at `at`, with what follows measured.
std::optional<AnswerShape> shape_here(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] != 'a' && text[at] != 'A') return std::nullopt;
  at = match_ignoring_case(text, at, "answer");
  if (at == std::string_view::npos) return std::nullopt;
  at = skip_python_space(text, at);
  if (at >= text.size() || text[at] != ':') return std::nullopt;
  const std::size_t list = skip_python_space(text, at + 1);
  return AnswerShape{at + 1, list, skip_list(text, list, true)};
}

std::size_t skip_ascii_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

// `\s*(?:$|\n|\.)` with MULTILINE at `at`: the byte behind it, or npos.
std::size_t line_end_behind(std::string_view text, std::size_t at) {
  const std::size_t behind = skip_python_space(text, at);
  if (behind == text.size()) return behind;
  if (text[behind] == '.') return behind + 1;
  const std::size_t newline = text.substr(0, behind).rfind('\n');
  return newline == std::string_view::npos || newline < at ? std::string_view::npos : newline;
}

// The list of the pattern `line`, in the order in which a backtracking search tries its ways: the white space
// behind the colon gives its spaces back, last first, when no list stands behind it that ends a line.
std::optional<ListMatch> line_list(std::string_view text, const AnswerShape& shape) {
  if (shape.list_end > shape.list) {
    const std::size_t behind = line_end_behind(text, shape.list_end);
    if (behind != std::string_view::npos) return ListMatch{shape.list, shape.list_end, behind};
  }
  for (std::size_t at = shape.list; at-- > shape.colon;) {
    if (text[at] != ' ') continue;
    const std::size_t end = skip_ascii_spaces(text, at);
    if (end == shape.list && shape.list_end > shape.list) continue;
    const std::size_t behind = line_end_behind(text, end);
    if (behind != std::string_view::npos) return ListMatch{at, end, behind};
  }
  return std::nullopt;
}

// The byte behind the non-word character at `at` or the text's end; npos where a word character stands.
std::size_t behind_non_word(std::string_view text, std::size_t at) {
  if (at == text.size()) return at;
  const text::Utf8Char next = text::decode_utf8(text, at);
  return next.valid && is_python_word(next.code) ? std::string_view::npos : at + next.length;
}

// The list of the pattern `anywhere`, likewise.
std::optional<ListMatch> anywhere_list(std::string_view text, const AnswerShape& shape) {
  if (shape.list_end > shape.list) {
    const std::size_t behind = behind_non_word(text, shape.list_end);
    if (behind != std::string_view::npos) return ListMatch{shape.list, shape.list_end, behind};
    for (std::size_t end = shape.list_end; end-- > shape.list + 1;)
      if (text[end] == ' ' || text[end] == ',') return ListMatch{shape.list, end, end + 1};
  }
  for (std::size_t at = shape.list; at-- > shape.colon;) {
    if (text[at] != ' ') continue;
    std::size_t end = skip_ascii_spaces(text, at);
    std::size_t behind = behind_non_word(text, end);
    if (behind == std::string_view::npos && --end > at) behind = end + 1;
    if (behind != std::string_view::npos && end > at) return ListMatch{at, end, behind};
  }
  return std::nullopt;
}

std::optional<ListMatch> last_line(std::string_view text) {
  std::optional<ListMatch> last;
  for (std::size_t at = 0; at < text.size();) {
    const auto shape = shape_here(text, at);
    const auto found = shape ? line_list(text, *shape) : std::nullopt;
    if (found) last = found;
    const std::size_t newline = text.find('\n', found ? found->behind : at);  // `$` takes no newline
    if (newline == std::string_view::npos) break;
    at = newline + 1;
  }
  return last;
}

std::optional<ListMatch> last_anywhere(std::string_view text) {
  std::optional<ListMatch> last;
  for (std::size_t at = 0; at < text.size();) {
    const auto shape = shape_here(text, at);
    const auto found = shape ? anywhere_list(text, *shape) : std::nullopt;
    if (found) last = found;
    at = found ? found->behind : at + 1;
  }
  return last;
}

// The capital that a list of one letter stands for; nothing when it is no letter of an option.
std::optional<char> letter_of(std::string_view member, std::size_t n_options) {
  char letter = '\0';
  if (member.size() == 1 && is_ascii_letter(member[0])) letter = member[0];
  if (member == "\u0131") letter = 'I';  // as str.upper() has it
  if (member == "\u017f") letter = 'S';
  if (letter >= 'a') letter = static_cast<char>(letter - 'a' + 'A');
  if (letter == '\0' || static_cast<std::size_t>(letter - 'A') >= n_options) return std::nullopt;
  return letter;
}

// The only member of a list that is no comma; empty when there are several.
std::string_view only_member(std::string_view list) {
  list = python_stripped(list);
  while (!list.empty() && list.front() == ',') list.remove_prefix(1);
  while (!list.empty() && list.back() == ',') list.remove_suffix(1);
  return list;
}

}  // namespace

Extraction extract_inspect(std::string_view text, std::size_t n_options) {
  Reduced reduced{std::string(text), {}};
  reduce(reduced, find_wrapped(reduced.text, "$"));
  reduce(reduced, find_wrapped(reduced.text, "**"));
  reduce(reduced, find_parentheses(reduced.text));
  const std::string_view searched = reduced.text;
  std::string_view rule = "line";
  auto found = last_line(searched);
  if (!found) {
    rule = "anywhere";
    found = last_anywhere(searched);
  }
  if (!found) return no_extraction();
  const std::string_view member = only_member(searched.substr(found->begin, found->end - found->begin));
  const auto letter = letter_of(member, n_options);
  if (!letter) return no_extraction();
  const auto begin = static_cast<std::size_t>(member.data() - searched.data());
  return {std::string(1, *letter), rule, reduced.origin(begin),
          reduced.origin(begin + member.size() - 1) + 1};
}

}  // namespace moelab::evaluators
