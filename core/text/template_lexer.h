// Cuts a chat template into text and tokens, with jinja2's white-space control under trim_blocks and
// lstrip_blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/template_error.h"

namespace moelab::text::jinja {

enum class TokenKind {
  text,
  output_begin,
  output_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  op,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  // Text, name, operator or the characters of a string, without quotes and escapes.
  std::string value;
  std::int64_t integer = 0;
  double real = 0;
  TemplatePosition where;

  bool is(TokenKind wanted, std::string_view text) const { return kind == wanted && value == text; }
  bool is_op(std::string_view text) const { return is(TokenKind::op, text); }
  bool is_name(std::string_view text) const { return is(TokenKind::name, text); }
};

// All tokens, the last of kind `end`. `source` is valid UTF-8; `name` is for errors. Throws TemplateError.
std::vector<Token> tokenize(std::string_view source, std::string_view name);

}  // namespace moelab::text::jinja
