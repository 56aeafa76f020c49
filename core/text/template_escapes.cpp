#include "core/text/template_escapes.h"

#include <cstdint>

#include "core/text/template_error.h"
#include "core/text/utf8.h"

namespace moelab::text::jinja {
namespace {

class Decoder {
 public:
  explicit Decoder(std::string_view literal) : literal_(literal) {}

  std::string run() {
    while (at_ < literal_.size()) {
      if (literal_[at_] != '\\') {
        out_ += literal_[at_++];
      } else {
        ++at_;
        escape();
      }
    }
    return std::move(out_);
  }

 private:
  void escape() {
    static constexpr std::string_view kLetters = "\\'\"abfnrtv";
    static constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    const char c = literal_[at_];
    if (const auto found = kLetters.find(c); found != std::string_view::npos) {
      out_ += kMeanings[found];
      ++at_;
    } else if (c == '\n') {
      ++at_;
    } else if (c >= '0' && c <= '7') {
      octal();
    } else if (c == 'x' || c == 'u' || c == 'U') {
      ++at_;
      hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c == 'N') {
      unsupported("the escape \\N{{...}} in a string");
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      beyond_ascii();
    } else {
      out_ += '\\';
      out_ += c;
      ++at_;
    }
  }

  void octal() {
    char32_t code = 0;
    for (int i = 0; i < 3 && at_ < literal_.size() && literal_[at_] >= '0' && literal_[at_] <= '7'; ++i)
      code = code * 8 + static_cast<char32_t>(literal_[at_++] - '0');
    append_utf8(out_, code);
  }

  void hexadecimal(int digits) {
    std::uint32_t code = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = at_ < literal_.size() ? literal_[at_] : '\0';
      const char folded = static_cast<char>(c | 0x20);
      const bool letter = folded >= 'a' && folded <= 'f';
      if (!letter && !(c >= '0' && c <= '9'))
        fail("TemplateSyntaxError", "a string has an escape with fewer than {} hexadecimal digits", digits);
      code = code * 16 + static_cast<std::uint32_t>(letter ? folded - 'a' + 10 : c - '0');
      ++at_;
    }
    if (code > 0x10FFFF) fail("TemplateSyntaxError", "illegal Unicode character U+{:X} in a string", code);
    if (code >= 0xD800 && code < 0xE000) unsupported("the surrogate U+{:04X} in a string", code);
    append_utf8(out_, static_cast<char32_t>(code));
  }

  // jinja2 first turns characters beyond ASCII into escapes of their own; a backslash before one then meets
  // the backslash of that escape, and what is left is its text.
  void beyond_ascii() {
    const Utf8Char next = decode_utf8(literal_, at_);
    const auto code = static_cast<std::uint32_t>(next.code);
    out_ += '\\';
    out_ += code < 0x100     ? fmt::format("x{:02x}", code)
            : code < 0x10000 ? fmt::format("u{:04x}", code)
                             : fmt::format("U{:08x}", code);
    at_ += next.length;
  }

  std::string_view literal_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string decode_escapes(std::string_view literal) { return Decoder(literal).run(); }

}  // namespace moelab::text::jinja
