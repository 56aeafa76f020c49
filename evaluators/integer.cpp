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

std::optional<int> last_after_marker(std::string_view tail) {
  std::optional<int> last;
  for (std::size_t at = 0; at < tail.size(); ++at) {
    const std::size_t size = marker_size(tail.substr(at));
    if (size == 0) continue;
    const std::string_view rest = tail.substr(skip_marks(tail, at + size));
    const ReadInteger number = read_integer(rest);
    if (number.size > 0 && !goes_on(rest.substr(number.size))) last = number.value;
  }
  return last;
}

}  // namespace

std::optional<FoundInteger> find_integer(std::string_view text) {
  if (const auto box = last_box(text)) {
    const std::string_view content = python_stripped(*box);
    const ReadInteger number = read_integer(content);
    if (number.size == 0 || number.size != content.size() || !is_in_range(number.value)) return std::nullopt;
    return FoundInteger{number.value, "boxed"};
  }
  const auto number = last_after_marker(last_characters(text, kTail));
  if (!number || !is_in_range(*number)) return std::nullopt;
  return FoundInteger{*number, "after_marker"};
}

Verdict judge_integer(std::string_view answer, bool closed, int gold) {
  const std::string name(kAimeExact);
  if (!closed) return {name, 1, "", "unclosed", false};
  const auto found = find_integer(answer);
  if (!found) return {name, 1, "", "none", false};
  return {name, 1, fmt::to_string(found->value), std::string(found->rule), found->value == gold};
}

}  // namespace moelab::evaluators
