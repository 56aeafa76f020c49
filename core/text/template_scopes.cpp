#include "core/text/template_scopes.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/text/template_filters.h"
#include "core/text/template_tests.h"
#include "core/text/template_uses.h"
#include "core/text/template_walk.h"

namespace moelab::text::jinja {
namespace {

using Kind = SlotStart::Kind;

// The variables of one scope while it is being analysed. A copy serves as the scope inside one branch of an
// `if`.
struct Symbols {
  const Symbols* outer = nullptr;
  std::map<std::string, SlotStart> starts;
  std::set<std::string> stores;
  std::map<std::string, int> places;  // filled when the analysis is done
  Scope* scope = nullptr;

  bool has(const std::string& name) const { return starts.contains(name); }

  // How many scopes outwards the name is known; -1 when it is not.
  int distance(const std::string& name) const {
    int scopes = 0;
    for (const Symbols* symbols = this; symbols != nullptr; symbols = symbols->outer, ++scopes)
      if (symbols->has(name)) return scopes;
    return -1;
  }

  Slot slot_of(const std::string& name) const {
    const int scopes = distance(name);
    const Symbols* symbols = this;
    for (int i = 0; i < scopes; ++i) symbols = symbols->outer;
    return {scopes, symbols->places.at(name)};
  }

  void load(const std::string& name) {
    if (distance(name) < 0) starts[name] = {Kind::context, name, {}};
  }

  void declare(const std::string& name) {
    stores.insert(name);
    starts[name] = {Kind::given, name, {}};
  }

  void store(const std::string& name) {
    stores.insert(name);
    if (has(name)) return;
    const bool outside = outer != nullptr && outer->distance(name) >= 0;
    starts[name] = {outside ? Kind::copy : Kind::empty, name, {}};
  }

  // Takes over what the branches of an `if` found out: what only some of them set is looked up first.
  void merge(const std::vector<Symbols>& branches) {
    std::set<std::string> newly;
    for (const Symbols& branch : branches) {
      newly.insert(branch.stores.begin(), branch.stores.end());
      for (const auto& [name, start] : branch.starts) starts[name] = start;
    }
    for (const std::string& name : newly) {
      if (!stores.insert(name).second) continue;
      const bool outside = outer != nullptr && outer->distance(name) >= 0;
      starts[name] = {outside ? Kind::copy : Kind::context, name, {}};
    }
  }

  void finish(Scope& target) {
    scope = &target;
    for (auto& [name, start] : starts) {
      places[name] = static_cast<int>(target.slots.size());
      if (start.kind == Kind::copy) {
        start.from = outer->slot_of(name);
        ++start.from.outwards;
      }
      target.slots.push_back(start);
    }
  }
};

// First step: which names one scope sets and reads. Scopes inside are not entered.
class Collector {
 public:
  explicit Collector(Symbols& symbols) : symbols_(&symbols) {}

  void all(Body& body) {
    for (Statement& statement : body) std::visit([this](auto& node) { this->collect(node); }, statement.node);
  }
  void read(ExpressionPtr& expression) {
    if (expression) read(*expression);
  }
  void read(Expression& expression) {
    if (const auto* name = std::get_if<Name>(&expression.node)) symbols_->load(name->name);
    for_each_child(expression, [this](Expression& child) { read(child); });
  }
  void set(const Target& target, bool given = false) {
    for (const Target& item : target.items) set(item, given);
    if (target.name.empty()) return;
    if (!target.attribute.empty()) {
      symbols_->load(target.name);
    } else if (given) {
      symbols_->declare(target.name);
    } else {
      symbols_->store(target.name);
    }
  }

 private:
  void collect(TextPart&) {}
  void collect(Break&) {}
  void collect(Continue&) {}
  void collect(Generation&) {}
  void collect(Output& node) { read(node.value); }
  void collect(For& node) { read(node.iterable); }
  void collect(Assign& node) { read(node.value), set(node.target); }
  void collect(AssignBlock& node) { set(node.target); }
  void collect(MacroDefinition& node) { set(node.target); }
  void collect(CallBlock& node) { read(node.call); }
  void collect(FilterBlock& node) { read(node.filter); }
  void collect(With& node) {
    for (ExpressionPtr& value : node.values) read(value);
  }
  // jinja2 nests each `elif` into the `else` before it only for its own bookkeeping; all are branches of one
  // choice.
  void collect(If& node) {
    read(node.branches.front().first);
    std::vector<Symbols> branches;
    Symbols* whole = symbols_;
    const auto branch = [&](ExpressionPtr* test, Body& body) {
      branches.push_back(*whole);
      symbols_ = &branches.back();
      if (test != nullptr) read(*test);
      all(body);
    };
    branches.reserve(node.branches.size() + 1);
    for (std::size_t i = 0; i < node.branches.size(); ++i)
      branch(i == 0 ? nullptr : &node.branches[i].first, node.branches[i].second);
    branch(nullptr, node.otherwise);
    symbols_ = whole;
    symbols_->merge(branches);
  }

  Symbols* symbols_;
};

// Second step: replaces names by slots, and does both steps for the scopes inside.
class Binder {
 public:
  explicit Binder(std::string_view template_name) : template_name_(template_name) {}

  void bind_program(Program& program) {
    Symbols symbols;
    Collector(symbols).all(program.body);
    symbols.finish(program.scope);
    within(symbols, program.body);
  }

 private:
  void within(Symbols& symbols, Body& body, bool soft = false) {
    Symbols* before = std::exchange(symbols_, &symbols);
    const bool was_soft = std::exchange(soft_, soft);
    for (Statement& statement : body) {
      where_ = statement.where;
      std::visit([this](auto& node) { this->bind(node); }, statement.node);
    }
    symbols_ = before;
    soft_ = was_soft;
  }

  void resolve(Expression& expression) {
    if (auto* name = std::get_if<Name>(&expression.node)) {
      name->slot = symbols_->slot_of(name->name);
      if (name->name == "self")
        throw TemplateError(template_name_, expression.where, "Unsupported", "the variable 'self'");
    }
    const bool was_soft = soft_;
    soft_ = soft_ || std::holds_alternative<Condition>(expression.node);
    if (const auto* filter = std::get_if<Filter>(&expression.node))
      require_known(is_jinja_filter(filter->name), "filter", filter->name, expression.where);
    if (const auto* test = std::get_if<Test>(&expression.node))
      require_known(is_jinja_test(test->name), "test", test->name, expression.where);
    for_each_child(expression, [this](Expression& child) { resolve(child); });
    soft_ = was_soft;
  }
  void resolve(ExpressionPtr& expression) {
    if (expression) resolve(*expression);
  }

  void require_known(bool known, const char* kind, const std::string& name, TemplatePosition where) const {
    if (!known && !soft_)
      throw TemplateError(template_name_, where, "TemplateAssertionError",
                          fmt::format("No {} named '{}'.", kind, name));
  }

  void resolve(Target& target) {
    for (Target& item : target.items) resolve(item);
    if (target.name.empty()) return;
    if (loops_ > 0 && target.name == "loop" && target.attribute.empty())
      throw TemplateError(template_name_, target.where, "TemplateAssertionError",
                          "Can't assign to special loop variable in for-loop target");
    target.slot = symbols_->slot_of(target.name);
  }

  // The slots of a scope that lies directly inside the current one.
  template <typename Collect>
  Symbols inner(Scope& scope, Collect collect) {
    Symbols symbols;
    symbols.outer = symbols_;
    Collector collector(symbols);
    collect(symbols, collector);
    symbols.finish(scope);
    return symbols;
  }

  void bind(TextPart&) {}
  void bind(Break&) {}
  void bind(Continue&) {}
  void bind(Output& node) { resolve(node.value); }
  void bind(Assign& node) { resolve(node.value), resolve(node.target); }

  void bind(If& node) {
    const bool was_soft = std::exchange(soft_, true);
    for (auto& [test, body] : node.branches) {
      resolve(test);
      within(*symbols_, body, true);
    }
    within(*symbols_, node.otherwise, true);
    soft_ = was_soft;
  }

  void bind(For& node) {
    resolve(node.iterable);
    ++loops_;
    node.test_target = copy_of(node.target);
    Symbols body = inner(node.body_scope, [&](Symbols& symbols, Collector& collector) {
      symbols.declare("loop");
      collector.set(node.target, true);
      collector.all(node.body);
    });
    node.loop_slot = body.places.at("loop");
    resolve_in(body, node.target);
    within(body, node.body);
    Symbols otherwise =
        inner(node.otherwise_scope, [&](Symbols&, Collector& collector) { collector.all(node.otherwise); });
    within(otherwise, node.otherwise);
    if (node.test) bind_loop_test(node);
    --loops_;
  }

  void bind_loop_test(For& node) {
    Symbols symbols = inner(node.test_scope, [&](Symbols&, Collector& collector) {
      collector.set(node.test_target, true);
      collector.read(node.test);
    });
    resolve_in(symbols, node.test_target);
    resolve_in(symbols, node.test);
  }

  template <typename Part>
  void resolve_in(Symbols& symbols, Part& part) {
    Symbols* before = std::exchange(symbols_, &symbols);
    resolve(part);
    symbols_ = before;
  }

  static Target copy_of(const Target& target) {
    Target copy{target.where, target.name, {}, target.attribute, {}};
    for (const Target& item : target.items) copy.items.push_back(copy_of(item));
    return copy;
  }

  void bind(AssignBlock& node) {
    Symbols symbols = inner(node.scope, [&](Symbols&, Collector& collector) {
      collector.all(node.body);
      collector.read(node.filter);
    });
    within(symbols, node.body);
    resolve_in(symbols, node.filter);
    resolve(node.target);
  }

  void bind(FilterBlock& node) {
    Symbols symbols = inner(node.scope, [&](Symbols&, Collector& collector) {
      collector.all(node.body);
      collector.read(node.filter);
    });
    within(symbols, node.body);
    resolve_in(symbols, node.filter);
  }

  void bind(With& node) {
    for (ExpressionPtr& value : node.values) resolve(value);
    Symbols symbols = inner(node.scope, [&](Symbols&, Collector& collector) {
      for (const Target& target : node.targets) collector.set(target);
      collector.all(node.body);
    });
    for (Target& target : node.targets) resolve_in(symbols, target);
    within(symbols, node.body);
  }

  void bind(MacroDefinition& node) {
    resolve(node.target);
    bind(*node.callable);
  }
  void bind(CallBlock& node) {
    resolve(node.call);
    bind(*node.callable);
  }
  void bind(Generation& node) { bind(*node.callable); }

  void bind(Callable& callable) {
    for (const Symbols* symbols = symbols_; symbols != nullptr; symbols = symbols->outer)
      symbols->scope->has_closures = true;
    Parameters& parameters = callable.parameters;
    const auto special = [&](const char* name) {
      const auto& names = parameters.names;
      return std::find(names.begin(), names.end(), name) == names.end() && reads_name(callable.body, name);
    };
    const bool caller = special("caller"), varargs = special("varargs"), kwargs = special("kwargs");
    check_explicit_caller(callable);
    Symbols symbols = inner(callable.scope, [&](Symbols& inside, Collector& collector) {
      for (const std::string& name : parameters.names) inside.declare(name);
      for (ExpressionPtr& value : parameters.defaults) collector.read(value);
      collector.all(callable.body);
      if (caller) inside.declare("caller");
      if (varargs) inside.declare("varargs");
      if (kwargs) inside.declare("kwargs");
    });
    for (const std::string& name : parameters.names) parameters.slots.push_back({0, symbols.places.at(name)});
    if (caller) callable.caller_slot = symbols.places.at("caller");
    if (varargs) callable.varargs_slot = symbols.places.at("varargs");
    if (kwargs) callable.kwargs_slot = symbols.places.at("kwargs");
    Symbols* before = std::exchange(symbols_, &symbols);
    for (ExpressionPtr& value : parameters.defaults) resolve(value);
    symbols_ = before;
    within(symbols, callable.body);
  }

  void check_explicit_caller(Callable& callable) const {
    const auto& names = callable.parameters.names;
    const auto found = std::find(names.begin(), names.end(), "caller");
    if (found == names.end() || !reads_name(callable.body, "caller")) return;
    const auto from_end = static_cast<std::size_t>(names.end() - found);
    if (from_end > callable.parameters.defaults.size())
      throw TemplateError(template_name_, where_, "TemplateAssertionError",
                          "the special 'caller' argument must be omitted or be given a default");
  }

  std::string template_name_;
  TemplatePosition where_;
  Symbols* symbols_ = nullptr;
  bool soft_ = false;
  int loops_ = 0;
};

}  // namespace

void bind_names(Program& program, std::string_view template_name) {
  Binder(template_name).bind_program(program);
}

}  // namespace moelab::text::jinja
