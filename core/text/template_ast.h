// The syntax tree of a chat template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/template_value.h"

namespace moelab::text::jinja {

struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Expressions = std::vector<ExpressionPtr>;
using Body = std::vector<Statement>;

// Where a variable lies: so many scopes outwards, and its place there.
struct Slot {
  int outwards = 0;
  int index = 0;
};

// What a scope does to one of its variables when it is entered.
struct SlotStart {
  enum class Kind {
    empty,    // undefined until it is set
    given,    // set by whoever enters the scope: a parameter, a loop's target
    context,  // looked up by name among what the caller of the template gave
    copy      // begins with the value of `from`, a variable of a scope further out
  };
  Kind kind = Kind::empty;
  std::string name;
  Slot from;
};

struct Scope {
  std::vector<SlotStart> slots;
  // A macro or call block inside may outlive the scope.
  bool has_closures = false;
};

struct Arguments {
  Expressions positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr more_positional;  // *args
  ExpressionPtr more_named;       // **kwargs
};

struct Literal {
  Value value;
};
struct Name {
  std::string name;
  Slot slot;
};
struct ListLiteral {
  Expressions items;
};
struct TupleLiteral {
  Expressions items;
};
struct DictLiteral {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> items;
};
struct Attribute {
  ExpressionPtr object;
  std::string name;
};
struct Item {
  ExpressionPtr object;
  ExpressionPtr index;
};
struct Slice {
  ExpressionPtr object;
  ExpressionPtr start, stop, step;  // null where left out
};
struct Call {
  ExpressionPtr callee;
  Arguments arguments;
};
struct Filter {
  ExpressionPtr input;  // null in {% filter %} and block set: what the block gave
  std::string name;
  Arguments arguments;
};
struct Test {
  ExpressionPtr input;
  std::string name;
  Arguments arguments;
};
struct Not {
  ExpressionPtr operand;
};
struct Sign {
  bool negative;
  ExpressionPtr operand;
};
enum class Arithmetic { add, subtract, multiply, divide, floor_divide, modulo, power };
struct Binary {
  Arithmetic op;
  ExpressionPtr left, right;
};
struct Logic {
  bool is_and;
  ExpressionPtr left, right;
};
struct Concat {
  Expressions parts;
};
enum class Comparison { equal, unequal, less, less_equal, greater, greater_equal, in, not_in };
// a < b < c: each operand evaluated once.
struct Compare {
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};
struct Condition {
  ExpressionPtr test, yes, no;  // `no` null: undefined
};

struct Expression {
  using Node = std::variant<Literal, Name, ListLiteral, TupleLiteral, DictLiteral, Attribute, Item, Slice,
                            Call, Filter, Test, Not, Sign, Binary, Logic, Concat, Compare, Condition>;
  TemplatePosition where;
  int depth = 1;  // of this tree, bounded by the parser
  Node node;
};

// What {% set %} and {% for %} assign to.
struct Target {
  TemplatePosition where;
  std::string name;  // empty for a tuple
  Slot slot;
  std::string attribute;  // of a namespace; empty for a plain variable
  std::vector<Target> items;
};

struct Parameters {
  std::vector<std::string> names;
  std::vector<Slot> slots;
  Expressions defaults;  // of the last parameters
};

// The parts that macros and call blocks share.
struct Callable {
  std::string name;
  Parameters parameters;
  Body body;
  Scope scope;
  // Slots of the special variables, where the body uses them.
  int caller_slot = -1, varargs_slot = -1, kwargs_slot = -1;
};

struct TextPart {
  std::string text;
};
struct Output {
  ExpressionPtr value;
};
struct For {
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr test;  // null without "if"
  bool recursive = false;
  Body body, otherwise;
  Scope body_scope, test_scope, otherwise_scope;
  Target test_target;  // the same names in the scope of the test
  int loop_slot = -1;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};
struct Assign {
  Target target;
  ExpressionPtr value;
};
struct AssignBlock {
  Target target;
  ExpressionPtr filter;  // null without
  Body body;
  Scope scope;
};
struct MacroDefinition {
  Target target;
  std::shared_ptr<Callable> callable;
};
struct CallBlock {
  ExpressionPtr call;
  std::shared_ptr<Callable> callable;
};
// {% generation %}: marks what the model wrote; the text passes through.
struct Generation {
  std::shared_ptr<Callable> callable;
};
struct FilterBlock {
  ExpressionPtr filter;
  Body body;
  Scope scope;
};
struct With {
  std::vector<Target> targets;
  Expressions values;
  Body body;
  Scope scope;
};
struct Break {};
struct Continue {};

struct Statement {
  using Node = std::variant<TextPart, Output, For, If, Assign, AssignBlock, MacroDefinition, CallBlock,
                            Generation, FilterBlock, With, Break, Continue>;
  TemplatePosition where;
  Node node;
};

struct Program {
  Body body;
  Scope scope;
};

}  // namespace moelab::text::jinja
