// What follows a value in an expression: subscripts, calls, filters and tests.
#include "core/text/template_expression_parser.h"

namespace moelab::text::jinja {

ExpressionPtr ExpressionParser::parse_postfix(ExpressionPtr node) {
  while (true) {
    if (current().is_op(".") || current().is_op("[")) {
      node = parse_subscript(std::move(node));
    } else if (current().is_op("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::parse_filters_and_tests(ExpressionPtr node) {
  while (true) {
    if (current().is_op("|")) {
      node = parse_filters(std::move(node));
    } else if (current().is_name("is")) {
      node = parse_test(std::move(node));
    } else if (current().is_op("(")) {
      node = parse_call(std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::parse_subscript(ExpressionPtr node) {
  const Token& token = next();
  if (token.value == "[") return parse_bracket(std::move(node), token.where);
  const Token& name = next();
  if (name.kind == TokenKind::name) return make(token.where, Attribute{std::move(node), name.value});
  if (name.kind != TokenKind::integer) syntax_error(name.where, "expected name or number");
  ExpressionPtr index = make(name.where, Literal{name.integer});
  return make(token.where, Item{std::move(node), std::move(index)});
}

ExpressionPtr ExpressionParser::parse_bracket(ExpressionPtr node, TemplatePosition where) {
  const auto part = [&]() -> ExpressionPtr {
    const bool empty = current().is_op(":") || current().is_op("]") || current().is_op(",");
    return empty ? nullptr : parse_expression();
  };
  if (current().is_op("]")) unsupported_index(where);
  ExpressionPtr first = part();
  if (skip_op(":")) {
    Slice slice{std::move(node), std::move(first), part(), nullptr};
    if (skip_op(":")) slice.step = part();
    if (current().is_op(",")) unsupported_index(where);
    expect_op("]");
    return make(where, std::move(slice));
  }
  if (current().is_op(",")) unsupported_index(where);
  if (!first) unexpected();
  expect_op("]");
  return make(where, Item{std::move(node), std::move(first)});
}

void ExpressionParser::unsupported_index(TemplatePosition where) const {
  throw TemplateError(name_, where, "Unsupported", "an index of no or of several values");
}

std::string ExpressionParser::parse_dotted_name() {
  std::string name = expect(TokenKind::name).value;
  while (skip_op(".")) name += "." + expect(TokenKind::name).value;
  return name;
}

ExpressionPtr ExpressionParser::parse_filters(ExpressionPtr input, bool starts_inline) {
  while (starts_inline || current().is_op("|")) {
    if (!starts_inline) next();
    starts_inline = false;
    const TemplatePosition where = current().where;
    std::string name = parse_dotted_name();
    Arguments arguments = current().is_op("(") ? parse_arguments() : Arguments();
    input = make(where, Filter{std::move(input), std::move(name), std::move(arguments)});
  }
  return input;
}

ExpressionPtr ExpressionParser::parse_test(ExpressionPtr node) {
  next();
  const bool negated = skip_name("not");
  const TemplatePosition where = current().where;
  Test test{std::move(node), parse_dotted_name(), {}};
  const Token& token = current();
  const bool value_follows = token.kind == TokenKind::name || token.kind == TokenKind::string ||
                             token.kind == TokenKind::integer || token.kind == TokenKind::real ||
                             token.is_op("[") || token.is_op("{");
  if (token.is_op("(")) {
    test.arguments = parse_arguments();
  } else if (value_follows && !token.is_name("else") && !token.is_name("or") && !token.is_name("and")) {
    if (token.is_name("is")) syntax_error(token.where, "You cannot chain multiple tests with is");
    test.arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  ExpressionPtr result = make(where, std::move(test));
  return negated ? make(where, Not{std::move(result)}) : std::move(result);
}

ExpressionPtr ExpressionParser::parse_call(ExpressionPtr node) {
  const TemplatePosition where = current().where;
  Arguments arguments = parse_arguments();
  return make(where, Call{std::move(node), std::move(arguments)});
}

Arguments ExpressionParser::parse_arguments() {
  expect_op("(");
  Arguments arguments;
  bool first = true;
  while (!current().is_op(")")) {
    if (!first) expect_op(",");
    if (current().is_op(")")) break;
    first = false;
    parse_argument(arguments);
  }
  expect_op(")");
  return arguments;
}

void ExpressionParser::parse_argument(Arguments& arguments) {
  const TemplatePosition where = current().where;
  const auto ensure = [&](bool fine) {
    if (!fine) syntax_error(where, "invalid syntax for function call expression");
  };
  if (skip_op("*")) {
    ensure(!arguments.more_positional && !arguments.more_named);
    arguments.more_positional = parse_expression();
  } else if (skip_op("**")) {
    ensure(!arguments.more_named);
    arguments.more_named = parse_expression();
  } else if (current().kind == TokenKind::name && look_ahead().is_op("=")) {
    ensure(!arguments.more_named);
    std::string name = next().value;
    next();
    arguments.named.emplace_back(std::move(name), parse_expression());
  } else {
    ensure(!arguments.more_positional && !arguments.more_named && arguments.named.empty());
    arguments.positional.push_back(parse_expression());
  }
}

}  // namespace moelab::text::jinja
