#include "core/config/reference.h"

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/config/override_lexer.h"
#include "core/config/override_values.h"
#include "core/config/scalar.h"

namespace moelab::config {
namespace {

using PartKind = Expression::Kind;

constexpr int max_interpolation_depth = 50;
constexpr std::string_view not_in_keys = "\\${}()[]:. \t'\"";

// A text under construction: characters are collected, references stand between them.
class TextBuilder {
 public:
  void add(std::string_view text) { literal_ += text; }
  void add(char c) { literal_ += c; }
  void add(Expression reference) {
    flush();
    parts_.push_back(std::move(reference));
  }

  // A single reference keeps its type.
  Expression take() {
    flush();
    if (parts_.empty()) return {.value = ""};
    if (parts_.size() == 1) return std::move(parts_[0]);
    return {.kind = PartKind::text, .parts = std::move(parts_)};
  }

 private:
  void flush() {
    if (!literal_.empty()) parts_.push_back({.value = literal_});
    literal_.clear();
  }

  std::string literal_;
  std::vector<Expression> parts_;
};

class InterpolationParser {
 public:
  explicit InterpolationParser(std::string_view text) : text_(text) {}

  Expression whole_text() { return text('\0', 0); }

  Expression whole_element() {
    Expression result = element(0);
    if (at_ < text_.size()) fail("a character that must stand in quotes");
    return result;
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw ConfigError("the interpolation in '{}' is wrong at column {}: {}", text_, at_ + 1, why);
  }

  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool opens() const { return text_.substr(std::min(at_, text_.size())).starts_with("${"); }
  void skip_spaces() { at_ = std::min(text_.find_first_not_of(" \t", at_), text_.size()); }

  // The character behind the spaces here, which punctuation swallows.
  char after_spaces() const {
    const std::size_t next = text_.find_first_not_of(" \t", at_);
    return next == std::string_view::npos ? '\0' : text_[next];
  }

  void take_punctuation() {
    skip_spaces();
    ++at_;
    skip_spaces();
  }

  // Up to the closing quote, or to the end where there is none; the quote is taken.
  Expression text(char quote, int depth) {
    TextBuilder builder;
    while (at_ < text_.size() && (quote == '\0' || current() != quote)) {
      const std::size_t backslashes = std::min(text_.find_first_not_of('\\', at_), text_.size()) - at_;
      at_ += backslashes;
      const bool at_quote = quote != '\0' && current() == quote && at_ < text_.size();
      const bool special = opens() || at_quote;
      builder.add(std::string(special ? backslashes / 2 : backslashes, '\\'));
      if (special && backslashes % 2 == 1) {
        builder.add(text_.substr(at_, at_quote ? 1 : 2));
        at_ += at_quote ? 1 : 2;
      } else if (opens()) {
        builder.add(reference(depth + 1));
      } else if (!at_quote && at_ < text_.size()) {
        builder.add(text_[at_++]);
      }
    }
    if (quote == '\0') return builder.take();
    if (at_ >= text_.size()) fail("a quote is not closed");
    ++at_;
    Expression result = builder.take();
    if (result.kind == PartKind::literal || result.kind == PartKind::text) return result;
    return {.kind = PartKind::text, .parts = {std::move(result)}};  // in quotes a reference becomes a text
  }

  // From "${" to behind its "}".
  Expression reference(int depth) {
    if (depth > max_interpolation_depth) fail("it is nested too deeply");
    at_ += 2;
    skip_spaces();
    Expression node{.kind = PartKind::node};
    while (current() == '.') {
      ++node.dots;
      ++at_;
    }
    key_step(node, depth);
    for (;;) {
      if (current() == '.') {
        node.parts.push_back({.value = "."});
        ++at_;
        if (current() == '[') fail("'[' stands behind a dot");
        key_step(node, depth);
      } else if (current() == '[') {
        key_step(node, depth);
      } else {
        break;
      }
    }
    if (after_spaces() == ':') return resolver(std::move(node), depth);
    skip_spaces();
    if (current() != '}') fail("'}' is missing");
    ++at_;
    return node;
  }

  // One key: a name or a reference, or either in brackets.
  void key_step(Expression& node, int depth) {
    const bool in_brackets = current() == '[';
    if (in_brackets) {
      node.parts.push_back({.value = "["});
      ++at_;
    }
    if (opens()) {
      node.parts.push_back(reference(depth + 1));
    } else {
      const std::size_t end = std::min(text_.find_first_of(not_in_keys, at_), text_.size());
      if (end == at_) fail("a key is missing");
      node.parts.push_back({.value = std::string(text_.substr(at_, end - at_))});
      at_ = end;
    }
    if (!in_brackets) return;
    if (current() != ']') fail("']' is missing");
    node.parts.push_back({.value = "]"});
    ++at_;
  }

  Expression resolver(Expression node, int depth) {
    for (const Expression& part : node.parts) {
      const std::string name = part.value.is_string() ? part.value.get<std::string>() : "x";
      const bool fits = name == "." || identifier_length(name) == name.size();
      if (node.dots > 0 || !fits) fail("this is no name of a resolver");
    }
    Expression result{.kind = PartKind::resolver, .parts = std::move(node.parts)};
    take_punctuation();
    result.items = sequence('}', depth);
    return result;
  }

  // Elements up to the closing bracket, which is taken; what is left out between commas is an empty text.
  std::vector<Expression> sequence(char closer, int depth) {
    std::vector<Expression> items;
    bool needs_element = true;
    for (;;) {
      const char next = after_spaces();
      if (next == closer) {
        if (needs_element && !items.empty()) items.push_back({.value = ""});
        skip_spaces();
        ++at_;
        return items;
      }
      if (next == ',') {
        if (needs_element) items.push_back({.value = ""});
        needs_element = true;
        take_punctuation();
        continue;
      }
      if (!needs_element) fail("',' or the closing bracket is missing");
      items.push_back(element(depth + 1));
      needs_element = false;
    }
  }

  Expression element(int depth) {
    if (depth > max_interpolation_depth) fail("it is nested too deeply");
    const char c = current();
    if (c == '[') {
      ++at_;
      skip_spaces();
      return {.kind = PartKind::list, .items = sequence(']', depth)};
    }
    if (c == '{') return map(depth);
    if (c == '\'' || c == '"') {
      ++at_;
      return text(c, depth + 1);
    }
    return primitive(true, depth);
  }

  Expression map(int depth) {
    ++at_;
    skip_spaces();
    Expression result{.kind = PartKind::map};
    while (after_spaces() != '}') {
      if (!result.keys.empty()) {
        if (after_spaces() != ',') fail("',' or '}' is missing");
        take_punctuation();
      }
      result.keys.push_back(key_text(primitive(false, depth).value));
      if (after_spaces() != ':') fail("':' is missing");
      take_punctuation();
      result.items.push_back(element(depth + 1));
    }
    skip_spaces();
    ++at_;
    return result;
  }

  // Several tokens in a row are one text; a single one keeps its type. A mapping's key has no colon and no
  // reference.
  Expression primitive(bool is_value, int depth) {
    TextBuilder builder;
    std::size_t count = 0;
    Json single;
    for (;; ++count) {
      const char next = after_spaces();
      if (at_ >= text_.size() || next == ',' || next == ']' || next == '}') break;
      if (next == ':') {
        if (!is_value) break;
        const std::size_t begin = at_;
        take_punctuation();
        single = std::string(text_.substr(begin, at_ - begin));
        builder.add(single.get<std::string>());
        continue;
      }
      if (opens()) {
        if (!is_value) fail("a reference cannot be a key");
        builder.add(reference(depth + 1));
        continue;
      }
      const Token token = lex_word(text_.substr(at_));
      if (token.text.empty()) fail("this character must stand in quotes, or behind a backslash");
      single = token_value(token);
      builder.add(token.type == TokenType::escaped ? unescape(token.text) : std::string(token.text));
      at_ += token.text.size();
    }
    if (count == 0) fail("a value is missing");
    Expression whole = builder.take();
    if (count == 1 && single.is_string() &&
        single.get_ref<const std::string&>().find_first_not_of(" \t") == std::string::npos) {
      fail("a value of spaces only must stand in quotes");
    }
    return count == 1 && whole.kind == PartKind::literal ? Expression{.value = single} : whole;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Expression parse_text(std::string_view text) { return InterpolationParser(text).whole_text(); }

Expression parse_element(std::string_view text) { return InterpolationParser(text).whole_element(); }

}  // namespace moelab::config
