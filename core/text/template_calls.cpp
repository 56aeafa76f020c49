// What a template can call: functions, methods, macros and recursive loops.
#include <algorithm>

#include "core/text/template_interpreter.h"
#include "core/text/template_methods.h"
#include "core/text/template_operators.h"

namespace moelab::text::jinja {

Value Interpreter::call(const Value& callee, CallArguments arguments) {
  require_defined(callee);
  if (const auto* method = callee.as<Method>())
    return call_method(method->self->items.front(), method->name, arguments, budget_);
  if (const auto* macro = callee.as<Macro>()) return call_macro(*macro->data, arguments);
  if (const auto* builtin = callee.as<Builtin>()) {
    if (builtin->name != "namespace") return call_builtin(builtin->name, arguments, environment_, budget_);
    namespaces_.push_back(make_namespace(arguments, budget_));
    return Namespace{namespaces_.back()};
  }
  if (const auto* loop = callee.as<Loop>()) {
    require_count(arguments, "loop", 1, 1);
    const LoopState& state = *loop->state;
    if (state.statement == nullptr)
      type_error("The loop must have the 'recursive' marker to be called recursively.");
    const FrameGuard guard(*this, state.frame);
    return make_text(capture([&] { run_loop(*state.statement, arguments.positional[0], state.depth0 + 1); }),
                     budget_);
  }
  type_error("'{}' object is not callable", type_name(callee));
}

Value Interpreter::make_macro(const std::shared_ptr<Callable>& callable) {
  budget_.spend(8);
  return Macro{std::make_shared<const MacroData>(MacroData{callable, frame_})};
}

Value Interpreter::call_macro(const MacroData& macro, CallArguments& arguments) {
  const DepthGuard depth(*this);
  const Callable& callable = *macro.callable;
  const FrameGuard guard(*this, new_frame(callable.scope, macro.frame));
  bind_specials(callable, arguments, *frame_);
  bind_parameters(callable, arguments, *frame_);
  return make_text(capture([&] { execute(callable.body); }), budget_);
}

// Takes out of the arguments what is not for a named parameter.
void Interpreter::bind_specials(const Callable& callable, CallArguments& arguments, Frame& frame) {
  const auto& names = callable.parameters.names;
  const auto slot = [&](int index) -> std::optional<Value>& {
    return frame.slots[static_cast<std::size_t>(index)];
  };
  const std::size_t taken = std::min(arguments.positional.size(), names.size());
  if (callable.varargs_slot >= 0) {
    Values rest(arguments.positional.begin() + static_cast<std::ptrdiff_t>(taken),
                arguments.positional.end());
    slot(callable.varargs_slot) = make_tuple(std::move(rest), budget_);
    arguments.positional.resize(taken);
  }
  if (callable.caller_slot >= 0) {
    const Value* caller = arguments.find("caller");
    slot(callable.caller_slot) = caller != nullptr ? *caller : make_undefined("No caller defined");
    std::erase_if(arguments.named, [](const auto& named) { return named.first == "caller"; });
  }
  if (callable.kwargs_slot >= 0) {
    DictData rest;
    const auto is_extra = [&](const auto& named) {
      const auto place = std::find(names.begin(), names.end(), named.first);
      return place == names.end() || static_cast<std::size_t>(place - names.begin()) < taken;
    };
    for (const auto& named : arguments.named)
      if (is_extra(named)) rest.set(make_text(named.first, budget_), named.second, budget_.limits().nesting);
    std::erase_if(arguments.named, is_extra);
    slot(callable.kwargs_slot) = make_dict(std::move(rest));
  }
}

void Interpreter::bind_parameters(const Callable& callable, CallArguments& arguments, Frame& frame) {
  const Parameters& parameters = callable.parameters;
  const std::size_t count = parameters.names.size();
  const std::size_t given = arguments.positional.size();
  const auto slot = [&](std::size_t i) -> std::optional<Value>& {
    return frame.slots[static_cast<std::size_t>(parameters.slots[i].index)];
  };
  for (std::size_t i = 0; i < std::min(given, count); ++i) slot(i) = arguments.positional[i];
  for (std::size_t i = given; i < count; ++i) {
    const Value* named = arguments.find(parameters.names[i]);
    if (named == nullptr) continue;
    slot(i) = *named;
    std::erase_if(arguments.named, [&](const auto& entry) { return entry.first == parameters.names[i]; });
  }
  if (!arguments.named.empty())
    type_error("macro {} takes no keyword argument '{}'", callable.name, arguments.named.front().first);
  if (given > count) type_error("macro '{}' takes not more than {} argument(s)", callable.name, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (slot(i)) continue;
    const std::size_t from_end = count - i;
    slot(i) = from_end <= parameters.defaults.size()
                  ? evaluate(*parameters.defaults[parameters.defaults.size() - from_end])
                  : make_undefined(fmt::format("parameter '{}' was not provided", parameters.names[i]));
  }
}

}  // namespace moelab::text::jinja
