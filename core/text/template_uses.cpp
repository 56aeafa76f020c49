#include "core/text/template_uses.h"

#include <algorithm>

#include "core/text/template_walk.h"

namespace moelab::text::jinja {
namespace {

class Search {
 public:
  explicit Search(std::string_view name) : name_(name) {}

  bool found() const { return state_ == State::read; }

  void visit(Body& body) {
    for (Statement& statement : body)
      if (state_ == State::open) std::visit([this](auto& node) { this->visit(node); }, statement.node);
  }

  void visit(TextPart&) {}
  void visit(Break&) {}
  void visit(Continue&) {}
  void visit(Output& node) { read(node.value); }
  void visit(For& node) {
    set(node.target);
    read(node.iterable);
    visit(node.body);
    visit(node.otherwise);
    read(node.test);
  }
  void visit(If& node) {
    for (auto& [test, body] : node.branches) read(test), visit(body);
    visit(node.otherwise);
  }
  void visit(Assign& node) { set(node.target), read(node.value); }
  void visit(AssignBlock& node) { set(node.target), read(node.filter), visit(node.body); }
  void visit(MacroDefinition& node) { visit(*node.callable); }
  void visit(CallBlock& node) { read(node.call), visit(*node.callable); }
  void visit(Generation& node) { visit(*node.callable); }
  void visit(FilterBlock& node) { visit(node.body), read(node.filter); }
  void visit(With& node) {
    for (Target& target : node.targets) set(target);
    for (ExpressionPtr& value : node.values) read(value);
    visit(node.body);
  }
  void visit(Callable& callable) {
    for (const std::string& name : callable.parameters.names) set(name);
    for (ExpressionPtr& value : callable.parameters.defaults) read(value);
    visit(callable.body);
  }

 private:
  enum class State { open, read, set };

  void set(std::string_view name) {
    if (state_ == State::open && name == name_) state_ = State::set;
  }
  void set(const Target& target) {
    if (target.attribute.empty()) set(target.name);
    for (const Target& item : target.items) set(item);
  }
  void read(ExpressionPtr& expression) {
    if (expression) read(*expression);
  }
  void read(Expression& expression) {
    if (state_ != State::open) return;
    const auto* name = std::get_if<Name>(&expression.node);
    if (name != nullptr && name->name == name_) state_ = State::read;
    for_each_child(expression, [this](Expression& child) { read(child); });
  }

  std::string_view name_;
  State state_ = State::open;
};

}  // namespace

bool reads_name(Body& body, std::string_view name) {
  Search search(name);
  search.visit(body);
  return search.found();
}

}  // namespace moelab::text::jinja
