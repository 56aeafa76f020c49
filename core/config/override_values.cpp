#include "core/config/override_values.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <limits>

#include "core/base/error.h"
#include "core/config/override_functions.h"
#include "core/config/scalar.h"

namespace moelab::config {
namespace {

constexpr int max_value_depth = 100;

Json float_value(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return parse_float(digits);
}

Json integer_value(std::string_view text) {
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  return parse_integer(text, 10, negative);
}

std::string plain_text(const Json& value) {
  if (value.is_null()) return "null";
  return value.is_string() ? escape_special(value.get<std::string>()) : python_str(value);
}

bool is_plain_part(TokenType type) {
  switch (type) {
    case TokenType::identifier:
    case TokenType::null:
    case TokenType::integer:
    case TokenType::floating:
    case TokenType::boolean:
    case TokenType::interpolation:
    case TokenType::other_char:
    case TokenType::colon:
    case TokenType::escaped:
    case TokenType::space:
      return true;
    default:
      return false;
  }
}

bool is_key_part(TokenType type) {
  return is_plain_part(type) && type != TokenType::colon && type != TokenType::interpolation;
}

// As keys of a mapping, true is 1 and false is 0, as in Python.
Json comparable(const Json& key) { return key.is_boolean() ? Json(key.get<bool>() ? 1 : 0) : key; }

class ValueParser {
 public:
  explicit ValueParser(std::string_view text) : text_(text), tokens_(lex_value(text)) {}

  Value parse() {
    Value first = element(0);
    if (peek().type == TokenType::comma) {
      Value choice{.kind = Value::Kind::choice, .items = {std::move(first)}, .is_simple = true};
      while (take(TokenType::comma)) choice.items.push_back(element(0));
      for (const Value& item : choice.items) value_text(item);  // a sweep inside a sweep is an error
      first = std::move(choice);
    }
    if (peek().type != TokenType::end) fail();
    return first;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }

  bool take(TokenType type) {
    if (peek().type != type) return false;
    ++next_;
    return true;
  }

  [[noreturn]] void fail() const {
    const Token& token = peek();
    if (token.type == TokenType::end) throw ConfigError("the value ends too early");
    throw ConfigError("unexpected '{}' at column {} (quote it or put a backslash before it)", token.text,
                      token.at + 1);
  }

  Value element(int depth) {
    if (depth > max_value_depth)
      throw ConfigError("the value is nested deeper than {} levels", max_value_depth);
    if (peek().type == TokenType::identifier && peek(1).type == TokenType::paren_open) return function(depth);
    if (take(TokenType::bracket_open)) return list(depth);
    if (take(TokenType::brace_open)) return map(depth);
    if (peek().type == TokenType::quoted) {
      const std::string_view quoted = tokens_[next_++].text;
      return {.kind = Value::Kind::quoted, .scalar = unquote(quoted), .raw = std::string(quoted)};
    }
    return plain(is_plain_part);
  }

  // Several tokens in a row are one text; a single one keeps its type. Outer spaces do not count.
  Value plain(bool (*belongs)(TokenType)) {
    std::size_t first = next_;
    while (belongs(peek().type)) ++next_;
    std::size_t last = next_;
    if (first == last) fail();
    if (tokens_[first].type == TokenType::space) ++first;
    if (last > first && tokens_[last - 1].type == TokenType::space) --last;
    if (first == last) throw ConfigError("a value of spaces only must stand in quotes");
    if (last - first == 1) return {.scalar = token_value(tokens_[first])};
    std::string text;
    for (std::size_t i = first; i < last; ++i) {
      const Token& token = tokens_[i];
      text += token.type == TokenType::escaped ? unescape(token.text) : std::string(token.text);
    }
    return {.scalar = text};
  }

  Value list(int depth) {
    Value whole{.kind = Value::Kind::list};
    while (!take(TokenType::bracket_close)) {
      if (!whole.items.empty() && !take(TokenType::comma)) fail();
      whole.items.push_back(element(depth + 1));
    }
    return whole;
  }

  Value map(int depth) {
    Value whole{.kind = Value::Kind::map};
    for (bool first = true; !take(TokenType::brace_close); first = false) {
      if (!first && !take(TokenType::comma)) fail();
      Value key = plain(is_key_part);
      if (!take(TokenType::colon)) fail();
      Value item = element(depth + 1);
      const auto known = std::find_if(whole.keys.begin(), whole.keys.end(), [&](const Value& other) {
        return comparable(other.scalar) == comparable(key.scalar);
      });
      if (known != whole.keys.end()) {
        whole.items[static_cast<std::size_t>(known - whole.keys.begin())] = std::move(item);
        continue;
      }
      whole.keys.push_back(std::move(key));
      whole.items.push_back(std::move(item));
    }
    return whole;
  }

  Value function(int depth) {
    FunctionCall call{.name = std::string(tokens_[next_].text), .seed_text = std::string(text_)};
    next_ += 2;
    for (bool first = true; !take(TokenType::paren_close); first = false) {
      if (!first && !take(TokenType::comma)) fail();
      std::string name;
      if (peek().type == TokenType::identifier && peek(1).type == TokenType::equal) {
        name = std::string(peek().text);
        next_ += 2;
      } else if (!call.named.empty()) {
        throw ConfigError("{}(): an argument without a name follows one with a name", call.name);
      }
      Value argument = element(depth + 1);
      if (argument.kind == Value::Kind::quoted) argument = {.scalar = argument.scalar};
      if (name.empty()) {
        call.arguments.push_back(std::move(argument));
      } else {
        call.named.insert_or_assign(name, std::move(argument));
      }
    }
    return call_function(call);
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
};

}  // namespace

std::string unescape(std::string_view escaped) {
  std::string text;
  for (std::size_t i = 1; i < escaped.size(); i += 2) text += escaped[i];
  return text;
}

Json token_value(const Token& token) {
  switch (token.type) {
    case TokenType::integer:
      return integer_value(token.text);
    case TokenType::floating:
      return float_value(token.text);
    case TokenType::boolean:
      return (token.text[0] | 0x20) == 't';
    case TokenType::null:
      return nullptr;
    case TokenType::escaped:
      return unescape(token.text);
    default:
      return std::string(token.text);
  }
}

Value parse_value(std::string_view text) {
  if (text.find_first_not_of(" \t") == std::string_view::npos) return {.scalar = ""};
  return ValueParser(text).parse();
}

Json value_json(const Value& value) {
  if (value.kind == Value::Kind::scalar || value.kind == Value::Kind::quoted) return value.scalar;
  if (value.kind == Value::Kind::map) {
    Json map = Json::object();
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      map[key_text(value.keys[i].scalar)] = value_json(value.items[i]);
    }
    return map;
  }
  if (value.kind != Value::Kind::list) throw ConfigError("a sweep or a list to append cannot stand here");
  Json list = Json::array();
  for (const Value& item : value.items) list.push_back(value_json(item));
  return list;
}

std::string value_text(const Value& value) {
  if (value.kind == Value::Kind::quoted) return value.raw;
  if (value.kind == Value::Kind::scalar) return plain_text(value.scalar);
  if (value.kind != Value::Kind::list && value.kind != Value::Kind::map) {
    throw ConfigError("a sweep or a list to append cannot stand inside another value");
  }
  const bool is_map = value.kind == Value::Kind::map;
  std::string text = is_map ? "{" : "[";
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) text += ',';
    if (is_map) text += value_text(value.keys[i]) + ':';
    text += value_text(value.items[i]);
  }
  return text + (is_map ? '}' : ']');
}

}  // namespace moelab::config
