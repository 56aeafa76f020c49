// Parses the expressions of a template from its tokens, with jinja2's precedence.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/template_ast.h"
#include "core/text/template_lexer.h"

namespace moelab::text::jinja {

class ExpressionParser {
 public:
  ExpressionParser(std::vector<Token> tokens, std::string_view name, const TemplateLimits& limits)
      : tokens_(std::move(tokens)), name_(name), limits_(limits) {}

  struct TupleRules {
    // "a if b else c" is allowed.
    bool conditions = true;
    // "()" is an empty tuple.
    bool in_parentheses = false;
  };
  // One expression, or a tuple without parentheses.
  ExpressionPtr parse_tuple(TupleRules rules);
  ExpressionPtr parse_tuple() { return parse_tuple(TupleRules()); }
  ExpressionPtr parse_expression(bool conditions = true);
  // "|a|b(c)" after `input`, which is null at the start of a filter block, where the first "|" is left out.
  ExpressionPtr parse_filters(ExpressionPtr input, bool starts_inline = false);

  const Token& current() const { return tokens_[at_]; }
  const Token& look_ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& next();
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  const Token& expect(TokenKind kind);
  void expect_op(std::string_view op);

  [[noreturn]] void syntax_error(TemplatePosition where, std::string message) const;
  [[noreturn]] void unexpected() const;
  const std::string& template_name() const { return name_; }

  // Counts nested constructs, so that a hostile template cannot exhaust the stack.
  class Nesting {
   public:
    explicit Nesting(ExpressionParser& parser);
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    ExpressionParser& parser_;
  };

 private:
  ExpressionPtr make(TemplatePosition where, Expression::Node node) const;
  ExpressionPtr parse_or();
  ExpressionPtr parse_and();
  ExpressionPtr parse_not();
  ExpressionPtr parse_compare();
  ExpressionPtr parse_sum();
  ExpressionPtr parse_concat();
  ExpressionPtr parse_product();
  ExpressionPtr parse_power();
  ExpressionPtr parse_unary(bool with_filters = true);
  ExpressionPtr parse_primary();
  ExpressionPtr parse_name();
  ExpressionPtr parse_list();
  ExpressionPtr parse_dict();
  ExpressionPtr parse_postfix(ExpressionPtr node);
  ExpressionPtr parse_filters_and_tests(ExpressionPtr node);
  ExpressionPtr parse_subscript(ExpressionPtr node);
  ExpressionPtr parse_bracket(ExpressionPtr node, TemplatePosition where);
  ExpressionPtr parse_test(ExpressionPtr node);
  ExpressionPtr parse_call(ExpressionPtr node);
  Arguments parse_arguments();
  void parse_argument(Arguments& arguments);
  std::string parse_dotted_name();
  [[noreturn]] void unsupported_index(TemplatePosition where) const;
  bool at_tuple_end() const;

  std::vector<Token> tokens_;
  std::string name_;
  TemplateLimits limits_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace moelab::text::jinja
