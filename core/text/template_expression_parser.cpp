#include "core/text/template_expression_parser.h"

#include <algorithm>
#include <array>

#include "core/text/template_walk.h"

namespace moelab::text::jinja {
namespace {

// What a token is called in error messages.
std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "end of template";
    case TokenKind::block_end:
      return "end of statement block";
    case TokenKind::output_end:
      return "end of print statement";
    case TokenKind::string:
      return "string";
    default:
      return fmt::format("'{}'", token.value);
  }
}

std::optional<Comparison> comparison(const Token& token) {
  static constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons = {
      {{"==", Comparison::equal},
       {"!=", Comparison::unequal},
       {"<", Comparison::less},
       {"<=", Comparison::less_equal},
       {">", Comparison::greater},
       {">=", Comparison::greater_equal}}};
  for (const auto& [op, meaning] : kComparisons)
    if (token.is_op(op)) return meaning;
  return std::nullopt;
}

std::optional<Arithmetic> product(const Token& token) {
  if (token.is_op("*")) return Arithmetic::multiply;
  if (token.is_op("/")) return Arithmetic::divide;
  if (token.is_op("//")) return Arithmetic::floor_divide;
  if (token.is_op("%")) return Arithmetic::modulo;
  return std::nullopt;
}

}  // namespace

ExpressionParser::Nesting::Nesting(ExpressionParser& parser) : parser_(parser) {
  // Several rules of the grammar count for one parenthesis.
  if (++parser_.nesting_ > 4 * parser_.limits_.nesting)
    throw TemplateError(parser_.name_, parser_.current().where, "Limit",
                        fmt::format("nested more than {} deep (limit 'nesting')", parser_.limits_.nesting));
}

const Token& ExpressionParser::next() {
  const Token& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool ExpressionParser::skip_op(std::string_view op) {
  if (!current().is_op(op)) return false;
  next();
  return true;
}

bool ExpressionParser::skip_name(std::string_view name) {
  if (!current().is_name(name)) return false;
  next();
  return true;
}

const Token& ExpressionParser::expect(TokenKind kind) {
  if (current().kind != kind) unexpected();
  return next();
}

void ExpressionParser::expect_op(std::string_view op) {
  if (!skip_op(op))
    syntax_error(current().where, fmt::format("expected '{}', got {}", op, describe(current())));
}

void ExpressionParser::syntax_error(TemplatePosition where, std::string message) const {
  throw TemplateError(name_, where, "TemplateSyntaxError", std::move(message));
}

void ExpressionParser::unexpected() const {
  syntax_error(current().where, fmt::format("unexpected {}", describe(current())));
}

ExpressionPtr ExpressionParser::make(TemplatePosition where, Expression::Node node) const {
  auto expression = std::make_unique<Expression>(Expression{where, 1, std::move(node)});
  for_each_child(*expression, [&](Expression& child) {
    expression->depth = std::max(expression->depth, child.depth + 1);
  });
  if (expression->depth > limits_.nesting)
    throw TemplateError(
        name_, where, "Limit",
        fmt::format("an expression of more than {} parts in a row (limit 'nesting')", limits_.nesting));
  return expression;
}

bool ExpressionParser::at_tuple_end() const {
  const Token& token = current();
  return token.kind == TokenKind::output_end || token.kind == TokenKind::block_end || token.is_op(")");
}

ExpressionPtr ExpressionParser::parse_tuple(TupleRules rules) {
  const TemplatePosition where = current().where;
  Expressions items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expect_op(",");
    if (at_tuple_end()) break;
    items.push_back(parse_expression(rules.conditions));
    if (!current().is_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return std::move(items.front());
  if (!is_tuple && !rules.in_parentheses)
    syntax_error(where, fmt::format("Expected an expression, got {}", describe(current())));
  return make(where, TupleLiteral{std::move(items)});
}

ExpressionPtr ExpressionParser::parse_expression(bool conditions) {
  const Nesting nesting(*this);
  const TemplatePosition where = current().where;
  ExpressionPtr value = parse_or();
  while (conditions && skip_name("if")) {
    ExpressionPtr test = parse_or();
    ExpressionPtr otherwise = skip_name("else") ? parse_expression() : nullptr;
    value = make(where, Condition{std::move(test), std::move(value), std::move(otherwise)});
  }
  return value;
}

ExpressionPtr ExpressionParser::parse_or() {
  const TemplatePosition where = current().where;
  ExpressionPtr left = parse_and();
  while (skip_name("or")) left = make(where, Logic{false, std::move(left), parse_and()});
  return left;
}

ExpressionPtr ExpressionParser::parse_and() {
  const TemplatePosition where = current().where;
  ExpressionPtr left = parse_not();
  while (skip_name("and")) left = make(where, Logic{true, std::move(left), parse_not()});
  return left;
}

ExpressionPtr ExpressionParser::parse_not() {
  const Nesting nesting(*this);
  const TemplatePosition where = current().where;
  if (skip_name("not")) return make(where, Not{parse_not()});
  return parse_compare();
}

ExpressionPtr ExpressionParser::parse_compare() {
  const TemplatePosition where = current().where;
  Compare compare{parse_sum(), {}};
  while (true) {
    if (const auto op = comparison(current())) {
      next();
      compare.rest.emplace_back(*op, parse_sum());
    } else if (skip_name("in")) {
      compare.rest.emplace_back(Comparison::in, parse_sum());
    } else if (current().is_name("not") && look_ahead().is_name("in")) {
      next(), next();
      compare.rest.emplace_back(Comparison::not_in, parse_sum());
    } else {
      break;
    }
  }
  return compare.rest.empty() ? std::move(compare.first) : make(where, std::move(compare));
}

ExpressionPtr ExpressionParser::parse_sum() {
  const TemplatePosition where = current().where;
  ExpressionPtr left = parse_concat();
  while (current().is_op("+") || current().is_op("-")) {
    const Arithmetic op = next().value == "+" ? Arithmetic::add : Arithmetic::subtract;
    left = make(where, Binary{op, std::move(left), parse_concat()});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_concat() {
  const TemplatePosition where = current().where;
  Concat concat;
  concat.parts.push_back(parse_product());
  while (skip_op("~")) concat.parts.push_back(parse_product());
  return concat.parts.size() == 1 ? std::move(concat.parts.front()) : make(where, std::move(concat));
}

ExpressionPtr ExpressionParser::parse_product() {
  const TemplatePosition where = current().where;
  ExpressionPtr left = parse_power();
  while (const auto op = product(current())) {
    next();
    left = make(where, Binary{*op, std::move(left), parse_power()});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_power() {
  const TemplatePosition where = current().where;
  ExpressionPtr left = parse_unary();
  while (skip_op("**")) left = make(where, Binary{Arithmetic::power, std::move(left), parse_unary()});
  return left;
}

ExpressionPtr ExpressionParser::parse_unary(bool with_filters) {
  const Nesting nesting(*this);
  const TemplatePosition where = current().where;
  ExpressionPtr node;
  if (current().is_op("-") || current().is_op("+")) {
    const bool negative = next().value == "-";
    node = make(where, Sign{negative, parse_unary(false)});
  } else {
    node = parse_primary();
  }
  node = parse_postfix(std::move(node));
  return with_filters ? parse_filters_and_tests(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::parse_primary() {
  const Token& token = current();
  Budget unbounded(limits_);
  switch (token.kind) {
    case TokenKind::name:
      return parse_name();
    case TokenKind::integer:
      next();
      return make(token.where, Literal{token.integer});
    case TokenKind::real:
      next();
      return make(token.where, Literal{token.real});
    case TokenKind::string: {
      std::string text;
      while (current().kind == TokenKind::string) text += next().value;
      return make(token.where, Literal{make_text(std::move(text), unbounded)});
    }
    default:
      break;
  }
  if (skip_op("(")) {
    ExpressionPtr inner = parse_tuple({.in_parentheses = true});
    expect_op(")");
    return inner;
  }
  if (token.is_op("[")) return parse_list();
  if (token.is_op("{")) return parse_dict();
  unexpected();
}

ExpressionPtr ExpressionParser::parse_name() {
  const Token& token = next();
  const std::string& name = token.value;
  if (name == "true" || name == "True") return make(token.where, Literal{true});
  if (name == "false" || name == "False") return make(token.where, Literal{false});
  if (name == "none" || name == "None") return make(token.where, Literal{None{}});
  return make(token.where, Name{name, {}});
}

ExpressionPtr ExpressionParser::parse_list() {
  const TemplatePosition where = next().where;
  ListLiteral list;
  while (!current().is_op("]")) {
    if (!list.items.empty()) expect_op(",");
    if (current().is_op("]")) break;
    list.items.push_back(parse_expression());
  }
  expect_op("]");
  return make(where, std::move(list));
}

ExpressionPtr ExpressionParser::parse_dict() {
  const TemplatePosition where = next().where;
  DictLiteral dict;
  while (!current().is_op("}")) {
    if (!dict.items.empty()) expect_op(",");
    if (current().is_op("}")) break;
    ExpressionPtr key = parse_expression();
    expect_op(":");
    dict.items.emplace_back(std::move(key), parse_expression());
  }
  expect_op("}");
  return make(where, std::move(dict));
}

}  // namespace moelab::text::jinja
