#include "core/text/template_lexer.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/ascii.h"
#include "core/text/template_escapes.h"
#include "core/text/template_strings.h"
#include "core/text/utf8.h"

namespace moelab::text::jinja {
namespace {

// Longest first, so that "**" is not two "*".
constexpr std::array<std::string_view, 25> kOperators = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                         "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                         ">",  "<",  "=",  ".",  ":",  "|",  ","};

// Line ends become "\n" and one at the end goes, as jinja2 does without keep_trailing_newline.
std::string normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view name) : source_(normalize(source)), name_(name) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) lex_text();
    push(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void syntax_error(std::string message) const {
    throw TemplateError(name_, where(), "TemplateSyntaxError", std::move(message));
  }

  // Columns are counted on demand; positions only grow, so each line is walked over once.
  TemplatePosition where() const {
    for (; counted_ < at_; ++counted_) {
      const auto byte = static_cast<unsigned char>(source_[counted_]);
      if (byte == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((byte & 0xC0) != 0x80) {
        ++position_.column;
      }
    }
    return position_;
  }

  Token& push(TokenKind kind, std::string value) {
    Token token;
    token.kind = kind;
    token.value = std::move(value);
    token.where = where();
    tokens_.push_back(std::move(token));
    return tokens_.back();
  }

  bool starts(std::string_view part) const { return std::string_view(source_).substr(at_).starts_with(part); }

  void skip_space() {
    while (at_ < source_.size()) {
      const Utf8Char next = decode_utf8(source_, at_);
      if (!is_space(next.code)) return;
      at_ += next.length;
    }
  }

  // The text before a tag, which begins at `tag` with `sign` after its two characters.
  std::string_view text_before(std::size_t tag, char sign, bool is_output) const {
    std::string_view text = std::string_view(source_).substr(at_, tag - at_);
    if (sign == '-') return text.substr(0, strip(text, Side::right).size());
    if (sign == '+' || is_output) return text;
    const std::size_t line = text.rfind('\n') + 1;
    if (line == 0 && !line_starting_) return text;
    const bool only_space = strip(text.substr(line), Side::both).empty();
    return only_space ? text.substr(0, line) : text;
  }

  // '-', '+' or 0 after the two characters of a tag.
  char sign_at(std::size_t at) const {
    return at < source_.size() && (source_[at] == '-' || source_[at] == '+') ? source_[at] : '\0';
  }

  void push_text(std::string_view text) {
    if (!text.empty()) push(TokenKind::text, std::string(text));
  }

  void lex_text() {
    std::size_t tag = at_;
    for (tag = source_.find('{', tag); tag != std::string::npos; tag = source_.find('{', tag + 1)) {
      const char next = tag + 1 < source_.size() ? source_[tag + 1] : '\0';
      if (next == '%' || next == '{' || next == '#') break;
    }
    if (tag == std::string::npos) {
      push_text(std::string_view(source_).substr(at_));
      at_ = source_.size();
      return;
    }
    const char kind = source_[tag + 1];
    const char sign = sign_at(tag + 2);
    push_text(text_before(tag, sign, kind == '{'));
    at_ = tag;
    const TemplatePosition begin = where();
    at_ += sign != '\0' ? 3 : 2;
    if (kind == '#') return lex_comment(begin);
    if (kind == '%' && try_raw(begin)) return;
    Token& token = push(kind == '%' ? TokenKind::block_begin : TokenKind::output_begin, "");
    token.where = begin;
    lex_tag(kind == '%');
  }

  // Consumes the end of a tag ("-%}", "+%}", "%}") at the current place; false when it is not there.
  bool take_end(std::string_view end, bool is_output) {
    if (!is_output && starts("+" + std::string(end))) {
      at_ += 1 + end.size();
      line_starting_ = false;
      return true;
    }
    const bool strips = starts("-" + std::string(end));
    if (!strips && !starts(end)) return false;
    at_ += end.size() + (strips ? 1 : 0);
    if (strips) skip_space();
    if (!strips && !is_output && at_ < source_.size() && source_[at_] == '\n') ++at_;  // trim_blocks
    line_starting_ = source_[at_ - 1] == '\n';
    return true;
  }

  // One that opens at the very end of the template needs no end.
  void lex_comment(TemplatePosition begin) {
    const std::size_t start = at_;
    for (; at_ < source_.size(); ++at_)
      if (take_end("#}", false)) return;
    if (at_ > start) throw TemplateError(name_, begin, "TemplateSyntaxError", "Missing end of comment tag");
  }

  bool take_word(std::string_view word) {
    skip_space();
    if (!starts(word)) return false;
    at_ += word.size();
    skip_space();
    return true;
  }

  // "{% raw %}": its end has no trim_blocks, only "-%}" strips.
  bool try_raw(TemplatePosition begin) {
    const std::size_t start = at_;
    if (!take_word("raw") || !(starts("-%}") || starts("%}"))) {
      at_ = start;
      return false;
    }
    const bool strips = starts("-%}");
    at_ += strips ? 3 : 2;
    if (strips) skip_space();
    line_starting_ = source_[at_ - 1] == '\n';
    lex_raw(begin);
    return true;
  }

  void lex_raw(TemplatePosition begin) {
    for (std::size_t tag = source_.find("{%", at_); tag != std::string::npos;
         tag = source_.find("{%", tag + 1)) {
      const std::size_t start = at_;
      const char sign = sign_at(tag + 2);
      at_ = tag + (sign != '\0' ? 3 : 2);
      const bool is_end = take_word("endraw") && (starts("%}") || starts("-%}") || starts("+%}"));
      const std::size_t end = at_;
      at_ = start;
      if (!is_end) continue;
      push_text(text_before(tag, sign, false));
      at_ = end;
      take_end("%}", false);
      return;
    }
    if (at_ < source_.size())
      throw TemplateError(name_, begin, "TemplateSyntaxError", "Missing end of raw directive");
  }

  void lex_tag(bool is_block) {
    const std::string_view end = is_block ? "%}" : "}}";
    while (true) {
      skip_space();
      if (at_ >= source_.size()) return;
      const TemplatePosition begin = where();
      if (open_.empty() && take_end(end, !is_block)) {
        push(is_block ? TokenKind::block_end : TokenKind::output_end, "").where = begin;
        return;
      }
      lex_token();
    }
  }

  void lex_token() {
    const char c = source_[at_];
    if (is_digit(c)) return lex_number();
    if (c == '\'' || c == '"') return lex_string(c);
    if (lex_name()) return;
    for (const std::string_view op : kOperators) {
      if (!starts(op)) continue;
      balance(op);
      push(TokenKind::op, std::string(op));
      at_ += op.size();
      return;
    }
    syntax_error(fmt::format("unexpected char '{}'",
                             std::string_view(source_).substr(at_, decode_utf8(source_, at_).length)));
  }

  void balance(std::string_view op) {
    if (op == "(") open_ += ')';
    if (op == "[") open_ += ']';
    if (op == "{") open_ += '}';
    if (op != ")" && op != "]" && op != "}") return;
    if (open_.empty()) syntax_error(fmt::format("unexpected '{}'", op));
    if (open_.back() != op[0]) syntax_error(fmt::format("unexpected '{}', expected '{}'", op, open_.back()));
    open_.pop_back();
  }

  bool lex_name() {
    std::size_t end = at_;
    while (end < source_.size()) {
      const Utf8Char next = decode_utf8(source_, end);
      const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(next.code));
      const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
      if (!letter && category != UTF8PROC_CATEGORY_ND && next.code != U'_') break;
      end += next.length;
    }
    if (end == at_) return false;
    push(TokenKind::name, source_.substr(at_, end - at_));
    at_ = end;
    return true;
  }

  // Digits with single underscores between them, from `at`; returns where they end.
  template <typename Digit>
  std::size_t digits_end(std::size_t at, Digit is_one) const {
    std::size_t end = at;
    while (at < source_.size() && is_one(source_[at])) {
      end = ++at;
      if (at < source_.size() && source_[at] == '_') ++at;
    }
    return end;
  }

  // Where a float that starts here ends, or 0.
  std::size_t real_end() const {
    std::size_t end = digits_end(at_, is_digit);
    bool real = false;
    if (end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1])) {
      end = digits_end(end + 1, is_digit);
      real = true;
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
      if (exponent < source_.size() && is_digit(source_[exponent])) return digits_end(exponent, is_digit);
    }
    return real ? end : 0;
  }

  void lex_number() {
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    const std::size_t end = after_dot ? 0 : real_end();
    if (end == 0) return lex_integer();
    Token& token = push(TokenKind::real, source_.substr(at_, end - at_));
    std::erase(token.value, '_');
    std::from_chars(token.value.data(), token.value.data() + token.value.size(), token.real);
    if (token.value.size() > 300) unsupported_number(token.value);
    at_ = end;
  }

  [[noreturn]] void unsupported_number(const std::string& text) const {
    throw TemplateError(name_, where(), "Unsupported", fmt::format("the number {}", text.substr(0, 40)));
  }

  void lex_integer() {
    static constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
    const char kind =
        at_ + 1 < source_.size() && source_[at_] == '0' ? static_cast<char>(source_[at_ + 1] | 0x20) : '\0';
    const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
    const std::string_view allowed = kHexDigits.substr(0, base == 16 ? 22 : static_cast<std::size_t>(base));
    const auto one = [&](char c) { return allowed.find(c) != std::string_view::npos; };
    std::size_t start = at_ + (base == 10 ? 0 : 2);
    if (base != 10 && start < source_.size() && source_[start] == '_') ++start;
    std::size_t end = digits_end(start, one);
    // A zero cannot lead: "01" is two numbers, which the parser refuses.
    if (base == 10 && source_[at_] == '0') end = digits_end(at_, [](char c) { return c == '0'; });
    const bool prefixed = base != 10 && end > start;
    if (base != 10 && !prefixed) start = at_, end = at_ + 1;
    Token& token = push(TokenKind::integer, source_.substr(at_, end - at_));
    std::string digits = source_.substr(start, end - start);
    std::erase(digits, '_');
    const auto read =
        std::from_chars(digits.data(), digits.data() + digits.size(), token.integer, prefixed ? base : 10);
    if (read.ec != std::errc()) unsupported_number(token.value);
    at_ = end;
  }

  void lex_string(char quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size())
      syntax_error(fmt::format("unexpected char '{}' (a string without end)", quote));
    Token& token = push(TokenKind::string, "");
    try {
      token.value = decode_escapes(std::string_view(source_).substr(at_ + 1, end - at_ - 1));
    } catch (const Fault& fault) {
      throw TemplateError(name_, where(), fault.type, fault.message);
    }
    at_ = end + 1;
  }

  std::string source_;
  std::string name_;
  std::size_t at_ = 0;
  mutable std::size_t counted_ = 0;
  mutable TemplatePosition position_;
  bool line_starting_ = true;
  std::string open_;  // the closing brackets still expected
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, std::string_view name) {
  return Lexer(source, name).run();
}

}  // namespace moelab::text::jinja
