#include "experiments/terminal.h"

#include <fmt/color.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "core/text/utf8.h"

namespace moelab::experiments {

bool is_terminal(std::FILE* stream) { return isatty(fileno(stream)) == 1; }

std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

bool shows_styles(std::FILE* stream) {
  const char* const refused = std::getenv("NO_COLOR");
  const char* const kind = std::getenv("TERM");
  const bool is_dumb = kind != nullptr && std::string_view(kind) == "dumb";
  return is_terminal(stream) && !is_dumb && (refused == nullptr || *refused == '\0');
}

std::string styled_text(const TextPart& part, bool styles) {
  if (!styles || part.text.empty() || (!part.is_dim && !part.is_marked)) return part.text;
  return fmt::format("{}",
                     fmt::styled(part.text, part.is_marked ? fmt::emphasis::bold : fmt::emphasis::faint));
}

std::string without_controls(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char letter = text::decode_utf8(text, at);
    const bool is_c0 = letter.valid && (letter.code < 0x20 || letter.code == 0x7F);
    const bool is_c1 = letter.valid && letter.code >= 0x80 && letter.code < 0xA0;
    if (is_c1) {
      text::append_utf8(result, U'\uFFFD');
    } else if (is_c0 && letter.code != U'\n' && letter.code != U'\t') {
      // Caret notation: the letter 64 places on, and "^?" for the last one.
      result += {'^', static_cast<char>(letter.code ^ 0x40)};
    } else {
      result += text.substr(at, letter.length);
    }
    at += letter.length;
  }
  return result;
}

}  // namespace moelab::experiments
