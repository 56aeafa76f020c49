#include "core/text/template_interpreter.h"

#include "core/text/template_filters.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_tests.h"

namespace moelab::text::jinja {

Interpreter::~Interpreter() {
  for (const auto& frame : kept_frames_) frame->slots.clear();
  for (const auto& space : namespaces_) space->clear();
}

std::string Interpreter::run() {
  try {
    return capture([&] {
      const FrameGuard guard(*this, new_frame(program_.scope, nullptr));
      execute(program_.body);
    });
  } catch (const Fault& fault) {
    report(fault, {});
  }
}

std::optional<Value>& Interpreter::variable(Slot slot) {
  Frame* frame = frame_.get();
  for (int i = 0; i < slot.outwards; ++i) frame = frame->outer.get();
  return frame->slots[static_cast<std::size_t>(slot.index)];
}

std::shared_ptr<Frame> Interpreter::new_frame(const Scope& scope, std::shared_ptr<Frame> outer) {
  auto frame = std::make_shared<Frame>();
  frame->outer = std::move(outer);
  budget_.spend(4 + 4 * scope.slots.size());
  if (scope.has_closures) kept_frames_.push_back(frame);
  start_slots(scope, *frame);
  return frame;
}

void Interpreter::start_slots(const Scope& scope, Frame& frame) {
  frame.slots.assign(scope.slots.size(), std::nullopt);
  for (std::size_t i = 0; i < scope.slots.size(); ++i) {
    const SlotStart& start = scope.slots[i];
    if (start.kind == SlotStart::Kind::context) {
      const auto given = variables_.find(start.name);
      frame.slots[i] = given != variables_.end() ? std::optional(given->second) : find_builtin(start.name);
    } else if (start.kind == SlotStart::Kind::copy) {
      Frame* from = &frame;
      for (int hops = 0; hops < start.from.outwards; ++hops) from = from->outer.get();
      frame.slots[i] = from->slots[static_cast<std::size_t>(start.from.index)];
    }
  }
}

Value Interpreter::evaluate(const Expression& expression) {
  try {
    const DepthGuard depth(*this);
    budget_.spend(1);
    return std::visit([this](const auto& data) { return this->node(data); }, expression.node);
  } catch (const Fault& fault) {
    report(fault, expression.where);
  }
}

Values Interpreter::evaluate_all(const Expressions& expressions) {
  Values values;
  for (const ExpressionPtr& expression : expressions) values.push_back(evaluate(*expression));
  return values;
}

Value Interpreter::node(const Name& name) {
  const std::optional<Value>& value = variable(name.slot);
  return value ? *value : make_undefined(fmt::format("'{}' is undefined", name.name));
}

Value Interpreter::node(const ListLiteral& list) { return make_list(evaluate_all(list.items), budget_); }

Value Interpreter::node(const TupleLiteral& tuple) { return make_tuple(evaluate_all(tuple.items), budget_); }

Value Interpreter::node(const DictLiteral& dict) {
  DictData data;
  for (const auto& [key, value] : dict.items) {
    Value name = evaluate(*key);
    data.set(name, evaluate(*value), budget_.limits().nesting);
  }
  budget_.items(data.entries().size());
  return make_dict(std::move(data));
}

Value Interpreter::node(const Attribute& attribute) {
  return get_attribute(evaluate(*attribute.object), attribute.name, budget_);
}

Value Interpreter::node(const Item& item) {
  const Value object = evaluate(*item.object);
  return get_item(object, evaluate(*item.index), budget_);
}

Value Interpreter::node(const Slice& part) {
  const auto end = [&](const ExpressionPtr& expression) {
    return expression ? evaluate(*expression) : Value();
  };
  const Value object = evaluate(*part.object);
  const Value start = end(part.start), stop = end(part.stop);
  return slice(object, start, stop, end(part.step), budget_);
}

Value Interpreter::node(const Call& call_node) {
  const Value callee = evaluate(*call_node.callee);
  return call(callee, evaluate_arguments(call_node.arguments));
}

Value Interpreter::node(const Filter& filter) {
  const Value input = filter.input ? evaluate(*filter.input) : block_text_;
  return apply_filter(filter.name, input, evaluate_arguments(filter.arguments), budget_);
}

Value Interpreter::evaluate_filters(const Expression& filter, const Value& block_text) {
  const Value before = std::exchange(block_text_, block_text);
  Value result = evaluate(filter);
  block_text_ = before;
  return result;
}

Value Interpreter::node(const Test& test) {
  const Value input = evaluate(*test.input);
  return apply_test(test.name, input, evaluate_arguments(test.arguments), budget_);
}

Value Interpreter::node(const Not& negation) { return !truthy(evaluate(*negation.operand)); }

Value Interpreter::node(const Sign& sign) { return signed_value(sign.negative, evaluate(*sign.operand)); }

Value Interpreter::node(const Binary& binary) {
  const Value left = evaluate(*binary.left);
  return arithmetic(binary.op, left, evaluate(*binary.right), budget_);
}

Value Interpreter::node(const Logic& logic) {
  Value left = evaluate(*logic.left);
  return truthy(left) == logic.is_and ? evaluate(*logic.right) : left;
}

Value Interpreter::node(const Concat& concat) {
  std::string out;
  for (const ExpressionPtr& part : concat.parts) {
    out += to_text(evaluate(*part), budget_);
    if (out.size() > budget_.limits().text_bytes) budget_.text(out.size());
  }
  return make_text(std::move(out), budget_);
}

Value Interpreter::node(const Compare& chain) {
  Value left = evaluate(*chain.first);
  for (const auto& [op, operand] : chain.rest) {
    Value right = evaluate(*operand);
    if (!compare(op, left, right, budget_)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::node(const Condition& condition) {
  if (truthy(evaluate(*condition.test))) return evaluate(*condition.yes);
  if (condition.no) return evaluate(*condition.no);
  return make_undefined("the inline if-expression evaluated to false and no else section was defined.");
}

CallArguments Interpreter::evaluate_arguments(const Arguments& arguments) {
  CallArguments values;
  values.positional = evaluate_all(arguments.positional);
  for (const auto& [name, value] : arguments.named) values.named.emplace_back(name, evaluate(*value));
  if (arguments.more_positional)
    for (Value& value : iterate(evaluate(*arguments.more_positional), budget_))
      values.positional.push_back(std::move(value));
  if (!arguments.more_named) return values;
  const Value more = evaluate(*arguments.more_named);
  const auto* dict = more.as<Dict>();
  if (dict == nullptr) type_error("argument after ** must be a mapping, not {}", type_name(more));
  for (const auto& [key, value] : dict->data->entries()) {
    const auto* name = text_of(key);
    if (name == nullptr) type_error("keywords must be strings");
    if (values.find(*name) != nullptr) type_error("got multiple values for keyword argument '{}'", *name);
    values.named.emplace_back(*name, value);
  }
  return values;
}

}  // namespace moelab::text::jinja
