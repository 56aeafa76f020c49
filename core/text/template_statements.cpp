// The statements of a template.
#include "core/text/template_interpreter.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"

namespace moelab::text::jinja {

Interpreter::Flow Interpreter::execute(const Body& body) {
  for (const Statement& part : body) {
    try {
      const DepthGuard depth(*this);
      budget_.spend(1);
      const Flow flow = std::visit([this](const auto& data) { return this->statement(data); }, part.node);
      if (flow != Flow::next) return flow;
    } catch (const Fault& fault) {
      report(fault, part.where);
    }
  }
  return Flow::next;
}

void Interpreter::emit(std::string_view text) {
  if (out_->size() + text.size() > budget_.limits().text_bytes)
    fail("Limit", "an output of more than {} bytes (limit 'text_bytes')", budget_.limits().text_bytes);
  budget_.spend(text.size() / 8);
  *out_ += text;
}

Interpreter::Flow Interpreter::statement(const TextPart& part) {
  emit(part.text);
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const Output& output) {
  emit(to_text(evaluate(*output.value), budget_));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const If& choice) {
  for (const auto& [test, body] : choice.branches)
    if (truthy(evaluate(*test))) return execute(body);
  return execute(choice.otherwise);
}

Interpreter::Flow Interpreter::statement(const Assign& assignment) {
  assign(assignment.target, evaluate(*assignment.value));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const AssignBlock& block) {
  Flow flow = Flow::next;
  Value value;
  {
    const FrameGuard guard(*this, new_frame(block.scope, frame_));
    value = make_text(capture([&] { flow = execute(block.body); }), budget_);
    if (flow != Flow::next) return flow;
    if (block.filter) value = evaluate_filters(*block.filter, value);
  }
  assign(block.target, std::move(value));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const FilterBlock& block) {
  Flow flow = Flow::next;
  const FrameGuard guard(*this, new_frame(block.scope, frame_));
  const Value text = make_text(capture([&] { flow = execute(block.body); }), budget_);
  if (flow != Flow::next) return flow;
  emit(to_text(evaluate_filters(*block.filter, text), budget_));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const MacroDefinition& definition) {
  assign(definition.target, make_macro(definition.callable));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const CallBlock& block) {
  const auto& call_node = std::get<Call>(block.call->node);
  const Value caller = make_macro(block.callable);
  const Value callee = evaluate(*call_node.callee);
  CallArguments arguments = evaluate_arguments(call_node.arguments);
  if (arguments.find("caller") != nullptr) type_error("got multiple values for keyword argument 'caller'");
  arguments.named.emplace_back("caller", caller);
  emit(to_text(call(callee, std::move(arguments)), budget_));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const Generation& block) {
  CallArguments none;
  emit(to_text(call_macro(*make_macro(block.callable).as<Macro>()->data, none), budget_));
  return Flow::next;
}

Interpreter::Flow Interpreter::statement(const With& with) {
  const auto outside = frame_;
  const FrameGuard guard(*this, new_frame(with.scope, frame_));
  for (std::size_t i = 0; i < with.targets.size(); ++i) {
    Value value;
    {
      const FrameGuard values(*this, outside);
      value = evaluate(*with.values[i]);
    }
    assign(with.targets[i], std::move(value));
  }
  return execute(with.body);
}

Interpreter::Flow Interpreter::statement(const For& loop) {
  const Value iterable = evaluate(*loop.iterable);
  if (!loop.recursive) return run_loop(loop, iterable, 0);
  emit(capture([&] { run_loop(loop, iterable, 0); }));
  return Flow::next;
}

Interpreter::Flow Interpreter::run_loop(const For& loop, const Value& iterable, std::int64_t depth0) {
  const DepthGuard depth(*this);
  auto state = std::make_shared<LoopState>();
  state->depth0 = depth0;
  make_source(loop, iterable, *state);
  if (loop.recursive) {
    state->statement = &loop;
    state->frame = frame_;
  }
  const bool any = iterate_loop(loop, *state, Loop{state});
  state->last_changed.reset();
  if (any) return Flow::next;
  if (loop.otherwise.empty()) return Flow::next;
  const FrameGuard guard(*this, new_frame(loop.otherwise_scope, frame_));
  return execute(loop.otherwise);
}

// One frame serves all iterations, so that macros defined in the body see the iteration that runs. The result
// says whether the loop's "else" is to be left out; as in jinja2 only an iteration that reaches its end
// counts.
bool Interpreter::iterate_loop(const For& loop, LoopState& state, const Value& variable) {
  const auto frame = new_frame(loop.body_scope, frame_);
  bool any = false;
  while (state.advance()) {
    budget_.loop();
    const FrameGuard guard(*this, frame);
    start_slots(loop.body_scope, *frame);
    frame->slots[static_cast<std::size_t>(loop.loop_slot)] = variable;
    assign(loop.target, *state.current);
    const Flow flow = execute(loop.body);
    if (flow == Flow::leave_loop) break;
    any = any || flow == Flow::next;
  }
  frame->slots.assign(frame->slots.size(), std::nullopt);
  return any;
}

void Interpreter::make_source(const For& loop, const Value& iterable, LoopState& state) {
  std::function<std::optional<Value>()> items;
  if (const auto* generator = iterable.as<Generator>()) {
    items = [from = generator->state]() -> std::optional<Value> {
      if (from->next == from->items.size()) return std::nullopt;
      return from->items[from->next++];
    };
  } else {
    auto all = std::make_shared<Values>(iterate(iterable, budget_));
    budget_.spend(4 * all->size());
    if (!loop.test) state.known_length = static_cast<std::int64_t>(all->size());
    items = [all, next = std::size_t{0}]() mutable -> std::optional<Value> {
      if (next == all->size()) return std::nullopt;
      return (*all)[next++];
    };
  }
  if (!loop.test) {
    state.source = std::move(items);
    return;
  }
  // The test of an element is evaluated when the loop, or loop.last, asks for it.
  state.source = [this, &loop, items = std::move(items), outer = frame_,
                  test_frame = std::shared_ptr<Frame>()]() mutable -> std::optional<Value> {
    if (!test_frame) test_frame = new_frame(loop.test_scope, outer);
    while (auto item = items())
      if (passes_test(loop, test_frame, *item)) return item;
    return std::nullopt;
  };
}

bool Interpreter::passes_test(const For& loop, const std::shared_ptr<Frame>& test_frame, const Value& item) {
  budget_.loop();
  const FrameGuard guard(*this, test_frame);
  assign(loop.test_target, item);
  return truthy(evaluate(*loop.test));
}

void Interpreter::assign(const Target& target, Value value) {
  if (target.name.empty()) return unpack(target, value);
  std::optional<Value>& place = variable(target.slot);
  if (target.attribute.empty()) {
    place = std::move(value);
    return;
  }
  const auto* space = place ? place->as<Namespace>() : nullptr;
  if (space == nullptr) fail("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
  check_namespace_name(target.attribute);
  space->data->set(make_text(target.attribute, budget_), std::move(value), budget_.limits().nesting);
}

void Interpreter::unpack(const Target& target, const Value& value) {
  if (!is_iterable(value)) type_error("cannot unpack non-iterable {} object", type_name(value));
  const Values items = iterate(value, budget_);
  if (items.size() < target.items.size())
    fail("ValueError", "not enough values to unpack (expected {}, got {})", target.items.size(),
         items.size());
  if (items.size() > target.items.size())
    fail("ValueError", "too many values to unpack (expected {})", target.items.size());
  for (std::size_t i = 0; i < items.size(); ++i) assign(target.items[i], items[i]);
}

}  // namespace moelab::text::jinja
