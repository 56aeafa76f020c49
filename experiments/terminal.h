// What a stream can show: its width, faint and bold text, and texts that cannot steer a terminal.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace moelab::experiments {

// A piece of text and how it is to look.
struct TextPart {
  std::string text;
  bool is_dim = false;     // faint
  bool is_marked = false;  // bold
};

bool is_terminal(std::FILE* stream);

// Columns; 80 when the stream is no terminal, or one of less than 20.
std::size_t terminal_width(std::FILE* stream);

// Whether escape sequences may be written: to a terminal that is not "dumb", unless NO_COLOR is set to
// something (no-color.org).
bool shows_styles(std::FILE* stream);

// The part with the escape sequences (ECMA-48 SGR) of its look around it, if `styles`; its text otherwise.
std::string styled_text(const TextPart& part, bool styles);

// A UTF-8 text without control characters, line feeds and tabs left alone: "^[" for escape and so on, U+FFFD
// for those of two bytes. A model may write any, and a terminal would obey.
std::string without_controls(std::string_view text);

}  // namespace moelab::experiments
