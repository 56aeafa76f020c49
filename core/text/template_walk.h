// Visits the expressions directly inside an expression.
#pragma once

#include "core/text/template_ast.h"

namespace moelab::text::jinja {

template <typename Visit>
class ChildWalk {
 public:
  explicit ChildWalk(Visit& visit) : visit_(visit) {}

  void operator()(Literal&) {}
  void operator()(Name&) {}
  void operator()(ListLiteral& node) { all(node.items); }
  void operator()(TupleLiteral& node) { all(node.items); }
  void operator()(DictLiteral& node) {
    for (auto& [key, value] : node.items) one(key), one(value);
  }
  void operator()(Attribute& node) { one(node.object); }
  void operator()(Item& node) { one(node.object), one(node.index); }
  void operator()(Slice& node) { one(node.object), one(node.start), one(node.stop), one(node.step); }
  void operator()(Call& node) { one(node.callee), all(node.arguments); }
  void operator()(Filter& node) { one(node.input), all(node.arguments); }
  void operator()(Test& node) { one(node.input), all(node.arguments); }
  void operator()(Not& node) { one(node.operand); }
  void operator()(Sign& node) { one(node.operand); }
  void operator()(Binary& node) { one(node.left), one(node.right); }
  void operator()(Logic& node) { one(node.left), one(node.right); }
  void operator()(Concat& node) { all(node.parts); }
  void operator()(Compare& node) {
    one(node.first);
    for (auto& [op, operand] : node.rest) one(operand);
  }
  void operator()(Condition& node) { one(node.test), one(node.yes), one(node.no); }

 private:
  void one(ExpressionPtr& child) {
    if (child) visit_(*child);
  }
  void all(Expressions& children) {
    for (ExpressionPtr& child : children) one(child);
  }
  void all(Arguments& arguments) {
    all(arguments.positional);
    for (auto& [name, value] : arguments.named) one(value);
    one(arguments.more_positional), one(arguments.more_named);
  }

  Visit& visit_;
};

template <typename Visit>
void for_each_child(Expression& expression, Visit visit) {
  std::visit(ChildWalk<Visit>(visit), expression.node);
}

}  // namespace moelab::text::jinja
