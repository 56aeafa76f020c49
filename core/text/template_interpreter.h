// Evaluates the syntax tree of a template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/template_arguments.h"
#include "core/text/template_ast.h"
#include "core/text/template_builtins.h"
#include "core/text/template_loop.h"
#include "core/text/template_macro.h"

namespace moelab::text::jinja {

using Variables = std::unordered_map<std::string, Value>;

// One rendering. All failures are TemplateError with the place in the template.
class Interpreter {
 public:
  Interpreter(const Program& program, std::string_view name, Variables variables, Budget& budget,
              const Environment& environment)
      : program_(program),
        name_(name),
        variables_(std::move(variables)),
        budget_(budget),
        environment_(environment) {}
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  std::string run();

 private:
  enum class Flow { next, leave_loop, next_iteration };
  friend class FrameGuard;
  friend class DepthGuard;

  // template_interpreter.cpp: expressions
  Value evaluate(const Expression& expression);
  Value node(const Literal& literal) { return literal.value; }
  Value node(const Name& name);
  Value node(const ListLiteral& list);
  Value node(const TupleLiteral& tuple);
  Value node(const DictLiteral& dict);
  Value node(const Attribute& attribute);
  Value node(const Item& item);
  Value node(const Slice& slice);
  Value node(const Call& call);
  Value node(const Filter& filter);
  Value node(const Test& test);
  Value node(const Not& negation);
  Value node(const Sign& sign);
  Value node(const Binary& binary);
  Value node(const Logic& logic);
  Value node(const Concat& concat);
  Value node(const Compare& compare);
  Value node(const Condition& condition);
  Values evaluate_all(const Expressions& expressions);
  CallArguments evaluate_arguments(const Arguments& arguments);
  Value evaluate_filters(const Expression& filter, const Value& block_text);

  // template_calls.cpp: what can be called
  Value call(const Value& callee, CallArguments arguments);
  Value call_macro(const MacroData& macro, CallArguments& arguments);
  void bind_parameters(const Callable& callable, CallArguments& arguments, Frame& frame);
  void bind_specials(const Callable& callable, CallArguments& arguments, Frame& frame);
  Value make_macro(const std::shared_ptr<Callable>& callable);

  // template_statements.cpp: statements
  Flow execute(const Body& body);
  Flow statement(const TextPart& part);
  Flow statement(const Output& output);
  Flow statement(const For& loop);
  Flow statement(const If& choice);
  Flow statement(const Assign& assignment);
  Flow statement(const AssignBlock& block);
  Flow statement(const MacroDefinition& definition);
  Flow statement(const CallBlock& block);
  Flow statement(const Generation& block);
  Flow statement(const FilterBlock& block);
  Flow statement(const With& with);
  Flow statement(const Break&) { return Flow::leave_loop; }
  Flow statement(const Continue&) { return Flow::next_iteration; }
  Flow run_loop(const For& loop, const Value& iterable, std::int64_t depth0);
  bool iterate_loop(const For& loop, LoopState& state, const Value& variable);
  void make_source(const For& loop, const Value& iterable, LoopState& state);
  bool passes_test(const For& loop, const std::shared_ptr<Frame>& test_frame, const Value& item);
  void assign(const Target& target, Value value);
  void unpack(const Target& target, const Value& value);
  void emit(std::string_view text);
  template <typename Run>
  std::string capture(Run run);

  std::optional<Value>& variable(Slot slot);
  std::shared_ptr<Frame> new_frame(const Scope& scope, std::shared_ptr<Frame> outer);
  void start_slots(const Scope& scope, Frame& frame);
  [[noreturn]] void report(const Fault& fault, TemplatePosition where) const {
    throw TemplateError(name_, where, fault.type, fault.message);
  }

  const Program& program_;
  std::string name_;
  Variables variables_;
  Budget& budget_;
  const Environment& environment_;
  std::shared_ptr<Frame> frame_;
  std::string* out_ = nullptr;
  int depth_ = 0;
  Value block_text_;  // the input of the first filter of a filter block
  // What may refer to itself; cleared at the end.
  std::vector<std::shared_ptr<Frame>> kept_frames_;
  std::vector<std::shared_ptr<DictData>> namespaces_;
};

// Makes a frame the current one as long as it lives.
class FrameGuard {
 public:
  FrameGuard(Interpreter& interpreter, std::shared_ptr<Frame> frame)
      : interpreter_(interpreter), before_(std::exchange(interpreter.frame_, std::move(frame))) {}
  ~FrameGuard() { interpreter_.frame_ = std::move(before_); }
  FrameGuard(const FrameGuard&) = delete;
  FrameGuard& operator=(const FrameGuard&) = delete;

 private:
  Interpreter& interpreter_;
  std::shared_ptr<Frame> before_;
};

// Counts one level of nesting. Throws a Fault "Limit".
class DepthGuard {
 public:
  explicit DepthGuard(Interpreter& interpreter) : depth_(interpreter.depth_) {
    if (depth_ >= interpreter.budget_.limits().depth)
      fail("Limit", "evaluation nested more than {} deep (limit 'depth')",
           interpreter.budget_.limits().depth);
    ++depth_;
  }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

template <typename Run>
std::string Interpreter::capture(Run run) {
  std::string text;
  struct Restore {
    std::string*& place;
    std::string* before;
    ~Restore() { place = before; }
  } restore{out_, std::exchange(out_, &text)};
  run();
  return text;
}

}  // namespace moelab::text::jinja
