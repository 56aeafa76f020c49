#include "core/text/template_parser.h"

#include <algorithm>
#include <array>

#include "core/text/template_expression_parser.h"
#include "core/text/template_scopes.h"

namespace moelab::text::jinja {
namespace {

using EndNames = std::initializer_list<std::string_view>;

class StatementParser {
 public:
  StatementParser(std::vector<Token> tokens, std::string_view name, const TemplateLimits& limits)
      : in_(std::move(tokens), name, limits) {}

  Body parse_template() {
    Body body;
    parse_until({}, body);
    return body;
  }

 private:
  // Statements up to a tag with one of the names in `ends` (its "{%" is consumed, the name is not) or, where
  // there are none, to the end of the template.
  void parse_until(EndNames ends, Body& body) {
    while (true) {
      const Token& token = in_.current();
      switch (token.kind) {
        case TokenKind::end:
          return;
        case TokenKind::text:
          body.push_back({token.where, TextPart{in_.next().value}});
          break;
        case TokenKind::output_begin: {
          in_.next();
          body.push_back({token.where, Output{in_.parse_tuple()}});
          in_.expect(TokenKind::output_end);
          break;
        }
        case TokenKind::block_begin:
          in_.next();
          if (at_any(ends)) return;
          parse_statement(body);
          in_.expect(TokenKind::block_end);
          break;
        default:
          in_.unexpected();
      }
    }
  }

  bool at_any(EndNames names) const {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return in_.current().is_name(name); });
  }

  // The rest of the opening tag, then the statements; the current token is then the name of the end tag.
  Body parse_body(EndNames ends) {
    in_.skip_op(":");
    in_.expect(TokenKind::block_end);
    Body body;
    parse_until(ends, body);
    if (in_.current().kind == TokenKind::end)
      in_.syntax_error(in_.current().where,
                       fmt::format("Unexpected end of template. Expected '{}'.", fmt::join(ends, "' or '")));
    return body;
  }

  Body parse_whole_body(std::string_view end) {
    Body body = parse_body({end});
    in_.next();
    return body;
  }

  // Loops outside do not reach into macros and call blocks.
  Body parse_function_body(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Body body = parse_whole_body(end);
    loops_ = loops;
    return body;
  }

  void parse_statement(Body& body) {
    const ExpressionParser::Nesting nesting(in_);
    const Token& tag = in_.current();
    if (tag.kind != TokenKind::name) in_.syntax_error(tag.where, "tag name expected");
    in_.next();
    if (tag.value == "print") return parse_print(tag.where, body);
    body.push_back({tag.where, parse_tag(tag)});
  }

  Statement::Node parse_tag(const Token& tag) {
    const std::string& name = tag.value;
    if (name == "for") return parse_for();
    if (name == "if") return parse_if();
    if (name == "set") return parse_set();
    if (name == "macro") return parse_macro();
    if (name == "call") return parse_call_block();
    if (name == "filter") return parse_filter_block();
    if (name == "with") return parse_with();
    if (name == "generation") return parse_generation();
    if (name == "break" || name == "continue") return parse_jump(tag);
    static constexpr std::array<std::string_view, 6> kOther = {"block",  "extends", "include",
                                                               "import", "from",    "autoescape"};
    if (std::find(kOther.begin(), kOther.end(), name) != kOther.end())
      throw TemplateError(in_.template_name(), tag.where, "Unsupported", fmt::format("the tag '{}'", name));
    in_.syntax_error(tag.where, fmt::format("Encountered unknown tag '{}'.", name));
  }

  void parse_print(TemplatePosition where, Body& body) {
    bool first = true;
    while (in_.current().kind != TokenKind::block_end) {
      if (!first) in_.expect_op(",");
      first = false;
      body.push_back({where, Output{in_.parse_expression()}});
    }
  }

  Statement::Node parse_jump(const Token& tag) {
    if (loops_ == 0)
      throw TemplateError(in_.template_name(), tag.where, "SyntaxError",
                          fmt::format("'{}' outside loop", tag.value));
    if (tag.value == "break") return Break{};
    return Continue{};
  }

  Target parse_name_target() {
    const Token& token = in_.expect(TokenKind::name);
    static constexpr std::array<std::string_view, 6> kConstants = {"true", "false", "none",
                                                                   "True", "False", "None"};
    if (std::find(kConstants.begin(), kConstants.end(), token.value) != kConstants.end())
      in_.syntax_error(token.where, fmt::format("can't assign to '{}'", token.value));
    return {token.where, token.value, {}, "", {}};
  }

  Target parse_target_item(bool with_namespace) {
    const ExpressionParser::Nesting nesting(in_);
    if (in_.skip_op("(")) {
      Target target = parse_target(with_namespace);
      in_.expect_op(")");
      return target;
    }
    if (in_.current().kind != TokenKind::name) in_.syntax_error(in_.current().where, "can't assign to this");
    Target target = parse_name_target();
    if (!with_namespace || !in_.skip_op(".")) return target;
    target.attribute = in_.expect(TokenKind::name).value;
    return target;
  }

  // "a", "ns.a" or "a, (b, c)".
  Target parse_target(bool with_namespace) {
    Target first = parse_target_item(with_namespace);
    if (!in_.current().is_op(",")) return first;
    Target tuple{first.where, "", {}, "", {}};
    tuple.items.push_back(std::move(first));
    while (in_.skip_op(",")) {
      const Token& token = in_.current();
      if (token.is_op(")") || token.kind == TokenKind::block_end) break;
      tuple.items.push_back(parse_target_item(with_namespace));
    }
    return tuple;
  }

  Statement::Node parse_for() {
    For loop;
    loop.target = parse_target(false);
    if (!in_.skip_name("in")) in_.syntax_error(in_.current().where, "expected 'in'");
    loop.iterable = in_.parse_tuple({.conditions = false});
    if (in_.skip_name("if")) loop.test = in_.parse_expression();
    loop.recursive = in_.skip_name("recursive");
    ++loops_;
    loop.body = parse_body({"endfor", "else"});
    --loops_;
    if (in_.next().value == "else") loop.otherwise = parse_whole_body("endfor");
    return loop;
  }

  Statement::Node parse_if() {
    If statement;
    while (true) {
      ExpressionPtr test = in_.parse_tuple({.conditions = false});
      statement.branches.emplace_back(std::move(test), parse_body({"elif", "else", "endif"}));
      const std::string& end = in_.next().value;
      if (end == "elif") continue;
      if (end == "else") statement.otherwise = parse_whole_body("endif");
      return statement;
    }
  }

  Statement::Node parse_set() {
    Target target = parse_target(true);
    if (in_.skip_op("=")) return Assign{std::move(target), in_.parse_tuple()};
    ExpressionPtr filter = in_.parse_filters(nullptr);
    return AssignBlock{std::move(target), std::move(filter), parse_whole_body("endset"), {}};
  }

  Parameters parse_parameters() {
    Parameters parameters;
    in_.expect_op("(");
    while (!in_.current().is_op(")")) {
      if (!parameters.names.empty()) in_.expect_op(",");
      parameters.names.push_back(parse_name_target().name);
      if (in_.skip_op("=")) {
        parameters.defaults.push_back(in_.parse_expression());
      } else if (!parameters.defaults.empty()) {
        in_.syntax_error(in_.current().where, "non-default argument follows default argument");
      }
    }
    in_.expect_op(")");
    return parameters;
  }

  Statement::Node parse_macro() {
    Target target = parse_name_target();
    auto callable = std::make_shared<Callable>();
    callable->name = target.name;
    callable->parameters = parse_parameters();
    callable->body = parse_function_body("endmacro");
    return MacroDefinition{std::move(target), std::move(callable)};
  }

  Statement::Node parse_call_block() {
    auto callable = std::make_shared<Callable>();
    if (in_.current().is_op("(")) callable->parameters = parse_parameters();
    ExpressionPtr call = in_.parse_expression();
    if (!std::holds_alternative<Call>(call->node)) in_.syntax_error(call->where, "expected call");
    callable->body = parse_function_body("endcall");
    return CallBlock{std::move(call), std::move(callable)};
  }

  Statement::Node parse_generation() {
    auto callable = std::make_shared<Callable>();
    callable->body = parse_function_body("endgeneration");
    return Generation{std::move(callable)};
  }

  Statement::Node parse_filter_block() {
    ExpressionPtr filter = in_.parse_filters(nullptr, true);
    return FilterBlock{std::move(filter), parse_whole_body("endfilter"), {}};
  }

  Statement::Node parse_with() {
    With with;
    while (in_.current().kind != TokenKind::block_end) {
      if (!with.targets.empty()) in_.expect_op(",");
      with.targets.push_back(parse_target(false));
      in_.expect_op("=");
      with.values.push_back(in_.parse_expression());
    }
    with.body = parse_whole_body("endwith");
    return with;
  }

  ExpressionParser in_;
  int loops_ = 0;  // that a "break" here could leave
};

}  // namespace

Program parse(std::string_view source, std::string_view name, const TemplateLimits& limits) {
  if (source.size() > limits.source_bytes)
    throw TemplateError(
        name, {}, "Limit",
        fmt::format("a template of more than {} bytes (limit 'source_bytes')", limits.source_bytes));
  Program program;
  program.body = StatementParser(tokenize(source, name), name, limits).parse_template();
  bind_names(program, name);
  return program;
}

}  // namespace moelab::text::jinja
