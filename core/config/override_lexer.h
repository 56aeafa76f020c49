// Splits the value of a command-line override into tokens by Hydra's lexical rules.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moelab::config {

enum class TokenType {
  paren_open,
  comma,
  paren_close,
  bracket_open,
  bracket_close,
  brace_open,
  brace_close,
  colon,
  equal,
  floating,
  integer,
  boolean,
  null,
  other_char,
  identifier,
  escaped,
  space,
  quoted,
  interpolation,
  end
};

struct Token {
  TokenType type = TokenType::end;
  std::string_view text;  // with the spaces that belong to punctuation
  std::size_t at = 0;     // offset in the value
};

// The tokens of `value`, closed by an `end` token; the longest match wins. Throws ConfigError naming the
// character that no token can start with.
std::vector<Token> lex_value(std::string_view value);

// The word, number, escape sequence or run of spaces at the start of a text that is not empty, without
// punctuation, quotes and interpolations; length 0 when there is none.
Token lex_word(std::string_view text);

// The offset behind the closing quote of the quoted text that starts at `at`, or npos when it is not closed:
// the first such quote after an even number of backslashes closes.
std::size_t quoted_end(std::string_view text, std::size_t at);

// The content of a quoted text (given with its quotes): backslashes before a quote or at the end are halved.
std::string unquote(std::string_view quoted);

// Every character that an unquoted value must escape, preceded by a backslash.
std::string escape_special(std::string_view text);

// The length of an identifier at the start of the text: a letter or _, then letters, digits, _ and -; 0 if
// none.
std::size_t identifier_length(std::string_view text);

// The length of 0 or of a decimal integer without a leading 0 (1_000) at the start of the text; 0 if none.
std::size_t integer_length(std::string_view text);

}  // namespace moelab::config
