#include "evaluators/integer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/ascii.h"
#include "evaluators/python_text.h"

namespace moelab::evaluators {
namespace {

constexpr std::string_view kBox = "\\boxed{";
constexpr std::string_view kMarks = "$*({:";  // may stand between a marker and its number
constexpr std::size_t kTail = 200;            // characters at the end that are looked at without a box
constexpr int kLargest = 999;

// An integer at the start of a text: its value (or kLargest + 1 for all that are larger) and its bytes.
struct ReadInteger {
  int value = 0;
  std::size_t size = 0;  // 0: there is none
};

ReadInteger read_integer(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t digits = at;
  int value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at)
    value = std::min(value * 10 + (text[at] - '0'), kLargest + 1);
  if (at == digits) return {};
  return {text[0] == '-' ? -value : value, at};
}

bool is_in_range(int value) { return value >= 0 && value <= kLargest; }

// The content of the last box that is closed. Boxes inside of boxes begin later, so they win.
std::optional<std::string_view> last_box(std::string_view text) {
  std::vector<std::size_t> open;  // where the content of each open box begins; npos for other braces
  std::optional<std::pair<std::size_t, std::size_t>> last;  // the content of the box that began last
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{') {
      const bool is_box = at + 1 >= kBox.size() && text.substr(at + 1 - kBox.size(), kBox.size()) == kBox;
      open.push_back(is_box ? at + 1 : std::string_view::npos);
    } else if (text[at] == '}' && !open.empty()) {
      const std::size_t begin = open.back();
      open.pop_back();
      if (begin != std::string_view::npos && (!last || begin > last->first)) last = {begin, at};
    }
  }
  if (!last) return std::nullopt;
  return text.substr(last->first, last->second - last->first);
}

// The bytes of a marker at the start of a text; 0 when there is none.
std::size_t marker_size(std::string_view text) {
  if (text.starts_with('=')) return 1;
  for (const std::string_view marker : {"answer is", "answer:"}) {
    const auto is_same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
    if (text.size() >= marker.size() &&
        std::equal(marker.begin(), marker.end(), text.begin(), [&](char b, char a) { return is_same(a, b); }))
      return marker.size();
  }
  return 0;
}

std::size_t skip_marks(std::string_view text, std::size_t at) {
  for (;;) {
    at = skip_python_space(text, at);
    if (at == text.size() || kMarks.find(text[at]) == std::string_view::npos) return at;
    ++at;
  }
}

// Whether a number goes on behind its integer part.
bool goes_on(std::string_view rest) {
  if (rest.starts_with('/')) return true;
  return rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && is_digit(rest[1]);
}

// The integer at byte `begin` of a text. The value may be out of range.
FoundInteger integer_at(std::string_view text, std::size_t begin, std::string_view rule) {
  const ReadInteger number = read_integer(text.substr(begin));
  return {number.value, rule, begin, begin + number.size};
}

std::optional<FoundInteger> last_after_marker(std::string_view text) {
  const std::string_view tail = last_characters(text, kTail);
  std::optional<FoundInteger> last;
  for (std::size_t at = 0; at < tail.size(); ++at) {
    const std::size_t size = marker_size(tail.substr(at));
    if (size == 0) continue;
    const std::size_t begin = text.size() - tail.size() + skip_marks(tail, at + size);
    const FoundInteger number = integer_at(text, begin, "after_marker");
    if (number.end > begin && !goes_on(text.substr(number.end))) last = number;
  }
  return last;
}

// Whether the sign at `at` belongs to the number behind it and is no minus or plus between two terms.
bool is_sign(std::string_view text, std::size_t at) {
  if (text[at] != '+' && text[at] != '-') return false;
  if (at == 0) return true;
  const char before = text[at - 1];
  const bool is_letter = (before >= 'A' && before <= 'Z') || (before >= 'a' && before <= 'z');
  return !is_letter && !is_digit(before) && before != ')' && before != ']' && before != '}';
}

// Whether digits that begin at `at` are the rest of a number that began before them.
bool is_rest_of_number(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  const char before = text[at - 1];
  return before == '.' || before == '/' || (before == ',' && at > 1 && is_digit(text[at - 2]));
}

std::optional<FoundInteger> last_integer(std::string_view text) {
  for (std::size_t end = text.size(); end > 0;) {
    if (!is_digit(text[end - 1])) {
      --end;
      continue;
    }
    std::size_t begin = end;
    while (begin > 0 && is_digit(text[begin - 1])) --begin;
    if (!is_rest_of_number(text, begin) && !goes_on(text.substr(end)))
      return integer_at(text, begin > 0 && is_sign(text, begin - 1) ? begin - 1 : begin, "last_integer");
    end = begin;
  }
  return std::nullopt;
}

// What the box says; `found` is empty when it holds no integer in range.
struct BoxedInteger {
  bool has_box = false;
  std::optional<FoundInteger> found;
};

BoxedInteger boxed_integer(std::string_view text) {
  const auto box = last_box(text);
  if (!box) return {};
  const std::string_view content = python_stripped(*box);
  const auto begin = static_cast<std::size_t>(content.data() - text.data());
  const FoundInteger number = integer_at(text, begin, "boxed");
  if (content.empty() || number.end != begin + content.size() || !is_in_range(number.value))
    return {true, {}};
  return {true, number};
}

std::optional<FoundInteger> in_range(const std::optional<FoundInteger>& number) {
  return number && is_in_range(number->value) ? number : std::nullopt;
}

}  // namespace

std::optional<FoundInteger> find_integer(std::string_view text) {
  const BoxedInteger boxed = boxed_integer(text);
  return boxed.has_box ? boxed.found : in_range(last_after_marker(text));
}

std::optional<FoundInteger> find_integer_lenient(std::string_view text) {
  const BoxedInteger boxed = boxed_integer(text);
  if (boxed.has_box) return boxed.found;
  const auto marked = last_after_marker(text);
  return in_range(marked ? marked : last_integer(text));
}

Verdict judge_integer(std::string_view answer, bool closed, int gold) {
  const std::string name(kAimeExact);
  if (!closed) return {.evaluator = name, .rule = "unclosed"};
  const auto found = find_integer(answer);
  if (!found) return {.evaluator = name, .rule = "none"};
  return {
      name,         1,         fmt::to_string(found->value), std::string(found->rule), found->value == gold,
      found->begin, found->end};
}

}  // namespace moelab::evaluators
