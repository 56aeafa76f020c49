#include "evaluators/aime_lm_eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/ascii.h"
#include "core/text/utf8.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

constexpr std::string_view kBoxedSpace = "\\boxed ";
constexpr std::string_view kBoxed = "\\boxed";
constexpr std::size_t kLongestInt = 4300;  // digits that Python's int() takes

// str.replace.
void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::size_t at = text.find(from);
  if (at == std::string::npos) return;
  std::string result;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    result.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  text = result.append(text, done);
}

// str.split.
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  std::size_t done = 0;
  for (std::size_t at = text.find(separator); at != std::string_view::npos; at = text.find(separator, done)) {
    parts.push_back(text.substr(done, at - done));
    done = at + separator.size();
  }
  parts.push_back(text.substr(done));
  return parts;
}

std::string_view first_character(std::string_view text) {
  return text.empty() ? text : text.substr(0, text::decode_utf8(text, 0).length);
}

// `\sqrt3` to `\sqrt{3}`; nothing where a root ends the text.
std::optional<std::string> with_root_braces(std::string_view text) {
  const auto parts = split_at(text, "\\sqrt");
  std::string result(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) return std::nullopt;
    const std::string_view radicand = first_character(parts[i]);
    result += "\\sqrt";
    result += radicand == "{" ? std::string(parts[i])
                              : fmt::format("{{{}}}{}", radicand, parts[i].substr(radicand.size()));
  }
  return result;
}

// `\frac12` to `\frac{1}{2}`; the text itself where a fraction has one character only, nothing where it has
// none.
std::optional<std::string> with_fraction_braces(const std::string& text) {
  const auto parts = split_at(text, "\\frac");
  std::string result(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) return std::nullopt;
    result += "\\frac";
    const std::string_view upper = first_character(parts[i]);
    if (upper == "{") {
      result += parts[i];
      continue;
    }
    const std::string_view rest = parts[i].substr(upper.size());
    if (rest.empty()) return text;
    const std::string_view lower = first_character(rest);
    result += fmt::format("{{{}}}", upper);
    result += lower == "{" ? std::string(lower) : fmt::format("{{{}}}", lower);
    result += rest.substr(lower.size());
  }
  return result;
}

// Whether Python's int() takes the text.
bool is_python_int(std::string_view text) {
  const auto is_blank = [](const text::Utf8Char& c) {
    return c.code < 0x80 ? c.code == ' ' || (c.code >= '\t' && c.code <= '\r') : is_python_space(c.code);
  };
  std::size_t digits = 0;
  bool after_digit = false;
  bool ended = false;
  bool has_sign = false;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char next = text::decode_utf8(text, at);
    const bool is_number = next.valid && is_python_digit(next.code);
    const bool begun = digits > 0 || has_sign;
    at += next.length;
    if (next.valid && is_blank(next)) {
      if (begun && !after_digit) return false;
      ended = begun;
      continue;
    }
    if (ended) return false;
    if (is_number) {
      ++digits;
    } else if ((next.code == '+' || next.code == '-') && !begun) {
      has_sign = true;
    } else if (next.code != '_' || !after_digit) {
      return false;
    }
    after_digit = is_number;
  }
  return after_digit && digits <= kLongestInt;
}

// Whether Python writes the integer just as it stands.
bool is_canonical_int(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return false;
  return digits[0] != '0' || text == "0";
}

// An integer `a/b` to `\frac{a}{b}`; nothing where one of two sides is no integer.
std::optional<std::string> with_fraction(std::string text) {
  const auto sides = split_at(text, "/");
  if (sides.size() != 2) return text;
  if (!is_python_int(sides[0]) || !is_python_int(sides[1])) return std::nullopt;
  if (!is_canonical_int(sides[0]) || !is_canonical_int(sides[1])) return text;
  return fmt::format("\\frac{{{}}}{{{}}}", sides[0], sides[1]);
}

// Up to two characters and an equals sign before the only value are left out.
void drop_name(std::string& text) {
  const auto sides = split_at(text, "=");
  if (sides.size() != 2) return;
  std::string_view name = sides[0];
  for (int i = 0; i < 2; ++i) name.remove_prefix(first_character(name).size());
  if (name.empty()) text = std::string(sides[1]);
}

// The bytes [begin, end) between the braces of the last `\boxed{...}`, if they balance.
std::optional<std::pair<std::size_t, std::size_t>> last_balanced_box(std::string_view text) {
  const std::size_t at = text.rfind(kBoxed);
  if (at == std::string_view::npos || !text.substr(at + kBoxed.size()).starts_with('{')) return std::nullopt;
  const std::size_t begin = at + kBoxed.size() + 1;
  std::size_t depth = 1;
  for (std::size_t end = begin; end < text.size(); ++end) {
    if (text[end] == '{') ++depth;
    if (text[end] == '}' && --depth == 0) return std::pair{begin, end};
  }
  return std::nullopt;
}

Extraction part_of(std::string_view text, std::size_t begin, std::size_t end, std::string_view rule) {
  return {std::string(text.substr(begin, end - begin)), rule, begin, end};
}

}  // namespace

Extraction extract_aime_lm_eval(std::string_view text) {
  if (const std::size_t box = text.rfind(kBoxedSpace); box != std::string_view::npos) {
    const std::size_t begin = box + kBoxedSpace.size();
    return part_of(text, begin, std::min(text.find('$', begin), text.size()), "boxed_space");
  }
  if (const auto box = last_balanced_box(text)) return part_of(text, box->first, box->second, "boxed");
  const std::size_t first = text.find('$');
  const std::size_t last = text.rfind('$');
  if (first != last) return part_of(text, first + 1, last, "dollars");
  return part_of(text, 0, text.size(), "whole_text");
}

std::optional<std::string> normalized_latex(std::string_view text) {
  std::string result(text);
  constexpr std::pair<std::string_view, std::string_view> kBefore[] = {
      {"\n", ""},     {"\\!", ""},     {"\\\\", "\\"},    {"tfrac", "frac"}, {"dfrac", "frac"},
      {"\\left", ""}, {"\\right", ""}, {"^{\\circ}", ""}, {"^\\circ", ""},   {"\\$", ""}};
  for (const auto& [from, to] : kBefore) replace_all(result, from, to);
  const auto units = split_at(result, "\\text{ ");
  if (units.size() > 2) return std::nullopt;
  if (units.size() == 2) result = std::string(units[0]);
  replace_all(result, "\\%", "");
  replace_all(result, " .", " 0.");
  replace_all(result, "{.", "{0.");
  if (result.empty()) return result;
  if (result.starts_with('.')) result.insert(result.begin(), '0');
  drop_name(result);
  auto braced = with_root_braces(result);
  if (!braced) return std::nullopt;
  replace_all(*braced, " ", "");
  braced = with_fraction_braces(*braced);
  if (!braced) return std::nullopt;
  if (*braced == "0.5") return "\\frac{1}{2}";
  return with_fraction(*std::move(braced));
}

bool is_same_latex(std::string_view a, std::string_view b) {
  const auto left = normalized_latex(a);
  const auto right = normalized_latex(b);
  return left && right ? *left == *right : a == b;
}

}  // namespace moelab::evaluators
