#include "core/config/override_lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/base/ascii.h"
#include "core/base/error.h"

namespace moelab::config {
namespace {

constexpr std::string_view escapable = "\\()[]{}:=, \t";
constexpr std::string_view plain_chars = "/-\\+.$%*@?|";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

char char_at(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\0'; }

std::size_t space_length(std::string_view text) {
  return std::min(text.find_first_not_of(" \t"), text.size());
}

// Digits with single underscores between them.
std::size_t digits_length(std::string_view text) {
  std::size_t length = 0;
  while (is_digit(char_at(text, length)) ||
         (length > 0 && text[length - 1] != '_' && char_at(text, length) == '_' &&
          is_digit(char_at(text, length + 1)))) {
    ++length;
  }
  return length;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char left, char right) {
    return std::tolower(static_cast<unsigned char>(left)) == right;
  });
}

std::size_t float_length(std::string_view text) {
  const std::size_t sign = char_at(text, 0) == '+' || char_at(text, 0) == '-' ? 1 : 0;
  const std::string_view number = text.substr(sign);
  const std::size_t whole = integer_length(number);
  std::size_t length = whole;
  bool is_float = false;
  if (char_at(number, whole) == '.') {
    const std::size_t fraction = digits_length(number.substr(whole + 1));
    if (whole > 0 || fraction > 0) {
      is_float = true;
      length = whole + 1 + fraction;
    }
  }
  if (length > 0 && (char_at(number, length) | 0x20) == 'e') {
    const char after = char_at(number, length + 1);
    const std::size_t skip = length + (after == '+' || after == '-' ? 2 : 1);
    const std::size_t exponent = skip < number.size() ? digits_length(number.substr(skip)) : 0;
    if (exponent > 0) return sign + skip + exponent;
  }
  if (is_float) return sign + length;
  const std::string_view word = number.substr(0, 3);
  return equals_ignoring_case(word, "inf") || equals_ignoring_case(word, "nan") ? sign + 3 : 0;
}

std::size_t signed_integer_length(std::string_view text) {
  const std::size_t sign = char_at(text, 0) == '+' || char_at(text, 0) == '-' ? 1 : 0;
  const std::size_t digits = integer_length(text.substr(sign));
  return digits > 0 ? sign + digits : 0;
}

std::size_t escaped_length(std::string_view text) {
  std::size_t length = 0;
  while (char_at(text, length) == '\\' && length + 1 < text.size() &&
         escapable.find(text[length + 1]) != std::string_view::npos) {
    length += 2;
  }
  return length;
}

std::size_t interpolation_length(std::string_view text) {
  if (!text.starts_with("${")) return 0;
  const std::size_t close = text.find('}');
  return close == std::string_view::npos || close == 2 ? 0 : close + 1;
}

// Punctuation takes the spaces in front of it, and most of it those behind it.
std::pair<TokenType, std::size_t> match_punctuation(std::string_view text) {
  const std::size_t before = space_length(text);
  const std::string_view rest = text.substr(before);
  const auto with_space = [&](TokenType type) {
    return std::pair{type, before + 1 + space_length(rest.substr(1))};
  };
  switch (char_at(rest, 0)) {
    case '(':
      return with_space(TokenType::paren_open);
    case ',':
      return with_space(TokenType::comma);
    case ':':
      return with_space(TokenType::colon);
    case '=':
      return with_space(TokenType::equal);
    case ')':
      return {TokenType::paren_close, before + 1};
    case ']':
      return {TokenType::bracket_close, before + 1};
    case '}':
      return {TokenType::brace_close, before + 1};
    case '[':
      return before == 0 ? with_space(TokenType::bracket_open) : std::pair{TokenType::end, before * 0};
    case '{':
      return before == 0 ? with_space(TokenType::brace_open) : std::pair{TokenType::end, before * 0};
    default:
      return {TokenType::end, 0};
  }
}

std::pair<TokenType, std::size_t> match_word(std::string_view text) {
  const std::size_t identifier = identifier_length(text);
  const std::string_view word = text.substr(0, identifier);
  std::pair<TokenType, std::size_t> best{TokenType::end, 0};
  const auto offer = [&](TokenType type, std::size_t length) {
    if (length > best.second) best = {type, length};
  };
  offer(TokenType::floating, float_length(text));
  offer(TokenType::integer, signed_integer_length(text));
  const bool is_boolean = equals_ignoring_case(word, "true") || equals_ignoring_case(word, "false");
  offer(TokenType::boolean, is_boolean ? identifier : 0);
  offer(TokenType::null, equals_ignoring_case(word, "null") ? identifier : 0);
  offer(TokenType::other_char, plain_chars.find(text[0]) != std::string_view::npos ? 1 : 0);
  offer(TokenType::identifier, identifier);
  offer(TokenType::escaped, escaped_length(text));
  offer(TokenType::space, space_length(text));
  return best;
}

std::pair<TokenType, std::size_t> match_value_word(std::string_view text) {
  const auto best = match_word(text);
  const std::size_t interpolation = interpolation_length(text);
  return interpolation > best.second ? std::pair{TokenType::interpolation, interpolation} : best;
}

}  // namespace

std::size_t identifier_length(std::string_view text) {
  if (text.empty() || !(is_letter(text[0]) || text[0] == '_')) return 0;
  const auto end = std::find_if(text.begin(), text.end(), [](char c) {
    return !(is_letter(c) || is_digit(c) || c == '_' || c == '-');
  });
  return static_cast<std::size_t>(end - text.begin());
}

std::size_t integer_length(std::string_view text) {
  return char_at(text, 0) == '0' ? 1 : digits_length(text);
}

std::size_t quoted_end(std::string_view text, std::size_t at) {
  std::size_t backslashes = 0;
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == text[at] && backslashes % 2 == 0) return i + 1;
    backslashes = text[i] == '\\' ? backslashes + 1 : 0;
  }
  return std::string_view::npos;
}

std::string unquote(std::string_view quoted) {
  const char quote = quoted.front();
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  std::string text;
  for (std::size_t i = 0; i < inner.size();) {
    const std::size_t end = std::min(inner.find_first_not_of('\\', i), inner.size());
    const bool before_quote = end == inner.size() || inner[end] == quote;
    text.append(before_quote ? (end - i) / 2 : end - i, '\\');
    if (end < inner.size()) text += inner[end];
    i = end + 1;
  }
  return text;
}

std::string escape_special(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (escapable.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

Token lex_word(std::string_view text) {
  const auto [type, length] = match_word(text);
  return {type, text.substr(0, length), 0};
}

std::vector<Token> lex_value(std::string_view value) {
  std::vector<Token> tokens;
  std::size_t at = 0;
  while (at < value.size()) {
    const std::string_view rest = value.substr(at);
    auto [type, length] = match_punctuation(rest);
    if (length == 0 && (rest[0] == '"' || rest[0] == '\'')) {
      const std::size_t end = quoted_end(value, at);
      if (end == std::string_view::npos)
        throw ConfigError("the quote {} at column {} is not closed", rest[0], at + 1);
      type = TokenType::quoted;
      length = end - at;
    }
    if (length == 0) std::tie(type, length) = match_value_word(rest);
    if (length == 0) {
      throw ConfigError("the character '{}' at column {} must stand in quotes", rest[0], at + 1);
    }
    tokens.push_back({type, value.substr(at, length), at});
    at += length;
  }
  tokens.push_back({TokenType::end, {}, at});
  return tokens;
}

}  // namespace moelab::config
