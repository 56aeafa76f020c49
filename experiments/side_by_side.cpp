#include "experiments/side_by_side.h"

#include <algorithm>

#include "core/text/utf8.h"
#include "experiments/text_table.h"

namespace moelab::experiments {
namespace {

// A character with those of no width that follow it.
struct Letter {
  std::string text;
  std::size_t width = 0;
  bool is_dim = false, is_marked = false;
};

std::vector<Letter> letters_of(const TextPart& part) {
  std::vector<Letter> letters;
  for (std::size_t at = 0; at < part.text.size();) {
    const std::size_t length = text::decode_utf8(part.text, at).length;
    const std::string letter = part.text.substr(at, length);
    at += length;
    if (letter == "\t") {
      letters.insert(letters.end(), 4, {" ", 1, part.is_dim, part.is_marked});
      continue;
    }
    const std::size_t width = display_width(letter);
    if (width == 0 && letter != "\n" && !letters.empty() && letters.back().text != "\n")
      letters.back().text += letter;
    else
      letters.push_back({letter, width, part.is_dim, part.is_marked});
  }
  return letters;
}

std::vector<TextPart> join_letters(std::span<const Letter> letters) {
  std::vector<TextPart> parts;
  for (const Letter& letter : letters) {
    if (parts.empty() || parts.back().is_dim != letter.is_dim || parts.back().is_marked != letter.is_marked)
      parts.push_back({"", letter.is_dim, letter.is_marked});
    parts.back().text += letter.text;
  }
  return parts;
}

// The line that is being filled, and those that are full.
class Wrapper {
 public:
  explicit Wrapper(std::size_t width) : width_(width) {}

  void add(Letter letter) {
    if (letter.text == "\n") return end_line();
    while (used_ + letter.width > width_ && !line_.empty()) {
      if (letter.text == " ") return end_line();
      break_line();
    }
    used_ += letter.width;
    line_.push_back(std::move(letter));
  }

  std::vector<std::vector<TextPart>> finish() {
    if (!line_.empty()) end_line();
    return std::move(lines_);
  }

 private:
  void end_line() {
    lines_.push_back(join_letters(line_));
    line_.clear();
    used_ = 0;
  }

  // Ends the line at its last space, and begins the next one with what follows.
  void break_line() {
    const auto space =
        std::find_if(line_.rbegin(), line_.rend(), [](const Letter& l) { return l.text == " "; });
    if (space == line_.rend() || space.base() - 1 == line_.begin()) return end_line();
    const std::vector<Letter> rest(space.base(), line_.end());
    line_.erase(space.base() - 1, line_.end());
    end_line();
    line_ = rest;
    for (const Letter& letter : line_) used_ += letter.width;
  }

  std::size_t width_;
  std::size_t used_ = 0;
  std::vector<Letter> line_;
  std::vector<std::vector<TextPart>> lines_;
};

std::vector<TextPart> visible_parts(std::span<const TextPart> parts) {
  std::vector<TextPart> visible;
  for (const TextPart& part : parts)
    visible.push_back({without_controls(part.text), part.is_dim, part.is_marked});
  return visible;
}

std::string styled_line(std::span<const TextPart> line, bool styles) {
  std::string text;
  for (const TextPart& part : line) text += styled_text(part, styles);
  return text;
}

std::size_t width_of(std::span<const TextPart> line) {
  std::size_t width = 0;
  for (const TextPart& part : line) width += display_width(part.text);
  return width;
}

}  // namespace

std::vector<std::vector<TextPart>> wrap_parts(std::span<const TextPart> parts, std::size_t width) {
  Wrapper wrapper(std::max<std::size_t>(width, 2));
  for (const TextPart& part : parts)
    for (Letter& letter : letters_of(part)) wrapper.add(std::move(letter));
  return wrapper.finish();
}

std::string side_by_side(std::span<const TextPart> left, std::span<const TextPart> right,
                         const SideBySideOptions& options) {
  const std::size_t width = (std::max<std::size_t>(options.width, 7) - 3) / 2;
  const auto lefts = wrap_parts(visible_parts(left), width);
  const auto rights = wrap_parts(visible_parts(right), width);
  std::string text;
  for (std::size_t i = 0; i < std::max(lefts.size(), rights.size()); ++i) {
    const std::vector<TextPart> none;
    const std::vector<TextPart>& first = i < lefts.size() ? lefts[i] : none;
    const std::vector<TextPart>& second = i < rights.size() ? rights[i] : none;
    text += styled_line(first, options.styles) + std::string(width - std::min(width, width_of(first)), ' ');
    text += second.empty() ? " |\n" : " | " + styled_line(second, options.styles) + "\n";
  }
  return text;
}

}  // namespace moelab::experiments
