#include <array>
#include <optional>

#include "core/text/utf8.h"
#include "evaluators/choice.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

constexpr std::size_t kNowhere = std::string_view::npos;

// A letter that a pattern found, and the byte behind the whole match.
struct LetterMatch {
  std::size_t letter = 0;
  std::size_t end = 0;
};

// The first match of `PLS` at or behind byte `from` begins at byte `at`, the text's end when there is none.
struct NextWord {
  std::size_t from = kNowhere;
  std::size_t at = 0;
  std::optional<LetterMatch> match;
};

// The text and how many letters count.
struct Searched {
  std::string_view text;
  std::size_t n_options = 0;
  mutable NextWord next_word = {};  // searches ask from the left to the right, so one answer serves many

  bool has(std::size_t at, std::string_view piece) const {
    return at <= text.size() && text.substr(at).starts_with(piece);
  }
  bool has(std::size_t at, char c) const { return at < text.size() && text[at] == c; }
  bool is_letter(std::size_t at) const {
    return at < text.size() && text[at] >= 'A' && static_cast<std::size_t>(text[at] - 'A') < n_options;
  }
};

// The pattern L at byte `at`.
std::optional<LetterMatch> letter_here(const Searched& in, std::size_t at) {
  if (in.is_letter(at)) return LetterMatch{at, at + 1};
  if (in.has(at, '(') && in.is_letter(at + 1) && in.has(at + 2, ')')) return LetterMatch{at + 1, at + 3};
  return std::nullopt;
}

// The byte behind at most one white space.
std::size_t skip_one_space(const Searched& in, std::size_t at) {
  if (at >= in.text.size()) return at;
  const text::Utf8Char next = text::decode_utf8(in.text, at);
  return next.valid && is_python_space(next.code) ? at + next.length : at;
}

std::size_t skip_asterisks(const Searched& in, std::size_t at) {
  return in.has(at, '*') && in.has(at + 1, '*') ? at + 2 : at;
}

// The byte behind the pattern S; kNowhere when it does not match.
std::size_t suffix_end(const Searched& in, std::size_t at) {
  at = skip_asterisks(in, at);
  if (in.has(at, '.') || in.has(at, ',')) return at + 1;
  const std::size_t colon = skip_one_space(in, at);
  if (in.has(colon, ':')) return colon + 1;
  if (in.has(at, ' ')) return at + 1;
  return is_python_end(in.text, at) ? at : kNowhere;
}

// `(?:\*\*)?LS` at byte `at`.
std::optional<LetterMatch> marked_letter(const Searched& in, std::size_t at) {
  auto found = letter_here(in, skip_asterisks(in, at));
  if (!found) return std::nullopt;
  found->end = suffix_end(in, found->end);
  if (found->end == kNowhere) return std::nullopt;
  return found;
}

// `PLS` at byte `at`.
std::optional<LetterMatch> word_here(const Searched& in, std::size_t at) {
  if (at == 0)
    if (const auto found = marked_letter(in, 0)) return found;
  return in.has(at, ' ') ? marked_letter(in, at + 1) : std::nullopt;
}

// The byte behind one character.
std::size_t behind_character(const Searched& in, std::size_t at) {
  const auto byte = static_cast<unsigned char>(in.text[at]);
  return byte < 0x80 ? at + 1 : at + text::decode_utf8(in.text, at).length;
}

// Whether white space can begin with a byte; all other bytes need no closer look.
bool may_begin_space(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value <= ' ' || value >= 0x80;
}

const NextWord& next_word(const Searched& in, std::size_t from) {
  NextWord& next = in.next_word;
  if (next.from <= from && from <= next.at) return next;
  next = {from, from, std::nullopt};
  for (; next.at < in.text.size(); ++next.at) {
    if (next.at > 0 && in.text[next.at] != ' ') continue;
    next.match = word_here(in, next.at);
    if (next.match) break;
  }
  return next;
}

// `.{0,50}?PLS` at byte `at`.
std::optional<LetterMatch> word_near(const Searched& in, std::size_t at) {
  const NextWord& next = next_word(in, at);
  if (!next.match) return std::nullopt;
  for (int skipped = 0; skipped <= 50; ++skipped) {
    if (at == next.at) return next.match;
    if (in.text[at] == '\n') break;
    at = behind_character(in, at);
  }
  return std::nullopt;
}

std::optional<LetterMatch> i_hope_here(const Searched& in, std::size_t at) {
  at = match_ignoring_case(in.text, at, "final answer is");
  if (at == kNowhere) return std::nullopt;
  if (in.has(at, ':')) ++at;
  auto found = letter_here(in, skip_python_space(in.text, at));
  if (!found) return std::nullopt;
  at = found->end;
  if (in.has(at, '.')) ++at;
  at = skip_one_space(in, at);
  if (!in.has(at, "I hope")) return std::nullopt;
  found->end = at + 6;
  return found;
}

// `is\:?\s*L` at byte `at`.
std::optional<LetterMatch> letter_behind_is(const Searched& in, std::size_t at) {
  if (!in.has(at, "is")) return std::nullopt;
  at += 2;
  if (in.has(at, ':')) ++at;
  return letter_here(in, skip_python_space(in.text, at));
}

std::optional<LetterMatch> final_answer_here(const Searched& in, std::size_t at) {
  at = match_ignoring_case(in.text, at, "final answer");
  if (at == kNowhere) return std::nullopt;
  std::size_t run_end = at;  // a run of white space is looked behind once, wherever in it the pattern begins
  for (int skipped = 0; skipped <= 100 && at < in.text.size(); ++skipped) {
    if (at >= run_end && may_begin_space(in.text[at])) {
      run_end = skip_python_space(in.text, at);
      if (run_end > at)
        if (const auto found = letter_behind_is(in, run_end)) return found;
    }
    if (in.text[at] == '\n') break;
    at = behind_character(in, at);
  }
  return std::nullopt;
}

std::optional<LetterMatch> answer_colon_here(const Searched& in, std::size_t at) {
  at = match_ignoring_case(in.text, at, "answer");
  if (at == kNowhere) return std::nullopt;
  at = skip_one_space(in, at);
  return in.has(at, ':') ? word_near(in, at + 1) : std::nullopt;
}

std::optional<LetterMatch> answer_here(const Searched& in, std::size_t at) {
  at = match_ignoring_case(in.text, at, "answer");
  return at == kNowhere ? std::nullopt : word_near(in, at);
}

std::optional<LetterMatch> start_here(const Searched& in, std::size_t at) {
  return at == 0 ? marked_letter(in, at) : std::nullopt;
}

std::optional<LetterMatch> line_start_here(const Searched& in, std::size_t at) {
  return in.has(at, '\n') ? marked_letter(in, at + 1) : std::nullopt;
}

using Pattern = std::optional<LetterMatch> (*)(const Searched&, std::size_t);

struct LetterRule {
  Pattern pattern;
  std::string_view name;
  std::string_view begins;  // the bytes that a match can begin with, but at the text's start
};

constexpr std::array<LetterRule, 8> kLetterRules = {{{i_hope_here, "i_hope", "fF"},
                                                     {final_answer_here, "final_answer_is", "fF"},
                                                     {answer_colon_here, "answer_colon", "aA"},
                                                     {answer_here, "answer", "aA"},
                                                     {start_here, "start", ""},
                                                     {line_start_here, "line_start", "\n"},
                                                     {word_here, "word", " "},
                                                     {letter_here, "letter", "(ABCDEFGHIJKLMNOPQRSTUVWXYZ"}}};

// The last of the matches that do not overlap, found from the left: it is the one that ends rightmost.
std::optional<LetterMatch> last_match(const Searched& in, const LetterRule& rule) {
  std::array<bool, 256> begins{};
  for (const char c : rule.begins) begins[static_cast<unsigned char>(c)] = true;
  std::optional<LetterMatch> last;
  for (std::size_t at = 0; at < in.text.size();) {
    if (at > 0 && !begins[static_cast<unsigned char>(in.text[at])]) {
      ++at;
      continue;
    }
    const auto found = rule.pattern(in, at);
    if (found) last = found;
    at = found ? found->end : at + 1;
  }
  return last;
}

}  // namespace

Extraction extract_lighteval(std::string_view text, std::size_t n_options) {
  const Searched in{text, n_options, {}};
  for (const LetterRule& rule : kLetterRules)
    if (const auto found = last_match(in, rule))
      return {std::string(1, text[found->letter]), rule.name, found->letter, found->letter + 1};
  return no_extraction();
}

}  // namespace moelab::evaluators
