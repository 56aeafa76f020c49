#include "core/text/template_value.h"

#include <algorithm>
#include <cmath>

#include "core/text/template_loop.h"
#include "core/text/template_strings.h"
#include "core/text/utf8.h"

namespace moelab::text::jinja {
namespace {

// A name under which equal keys meet, or nothing for a value that cannot be a key.
std::string key_name(const Value& key) {
  if (const auto* text = text_of(key)) return "s" + *text;
  if (const auto integer = integer_of(key)) return fmt::format("i{}", *integer);
  if (const auto* real = key.as<double>()) {
    if (std::floor(*real) == *real && std::abs(*real) < 9e18)
      return fmt::format("i{}", static_cast<std::int64_t>(*real));
    return fmt::format("f{}", *real);
  }
  if (key.is<None>()) return "n";
  if (const auto* tuple = key.as<Tuple>()) {
    std::string name = "t";
    for (const Value& item : tuple->data->items) {
      const std::string part = key_name(item);
      name += fmt::format("{}:{}", part.size(), part);
    }
    return name;
  }
  if (key.is<List>() || key.is<Dict>()) type_error("unhashable type: '{}'", type_name(key));
  unsupported("a value of type '{}' as the key of a dict", type_name(key));
}

int checked_depth(const Values& items, Budget& budget) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, depth_of(item));
  if (depth + 1 > budget.limits().nesting)
    fail("Limit", "values nested more than {} deep (limit 'nesting')", budget.limits().nesting);
  return depth + 1;
}

std::shared_ptr<const Sequence> make_sequence(Values items, Budget& budget) {
  budget.items(items.size());
  const int depth = checked_depth(items, budget);
  return std::make_shared<const Sequence>(Sequence{std::move(items), depth});
}

Values dict_items(const DictView& view, Budget& budget) {
  budget.items(view.data->entries().size());
  Values items;
  for (const auto& [key, value] : view.data->entries()) {
    if (view.kind == DictView::Kind::keys) items.push_back(key);
    if (view.kind == DictView::Kind::values) items.push_back(value);
    if (view.kind == DictView::Kind::items) items.push_back(make_tuple({key, value}, budget));
  }
  return items;
}

Values range_items(const Range& range, Budget& budget) {
  budget.items(static_cast<std::uint64_t>(range.size()));
  Values items;
  for (std::int64_t i = 0; i < range.size(); ++i) items.emplace_back(range.start + i * range.step);
  return items;
}

Values characters(const std::string& text, Budget& budget) {
  budget.items(text.size());
  Values items;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode_utf8(text, at).length;
    items.push_back(make_text(text.substr(at, length), budget));
    at += length;
  }
  return items;
}

Values rest_of(Generator::State& state, Budget& budget) {
  budget.items(state.items.size() - state.next);
  Values rest(state.items.begin() + static_cast<std::ptrdiff_t>(state.next), state.items.end());
  state.next = state.items.size();
  return rest;
}

Value json_container(const Json& json, Budget& budget, int level) {
  if (level > budget.limits().nesting)
    fail("Limit", "JSON nested more than {} deep (limit 'nesting')", budget.limits().nesting);
  if (json.is_array()) {
    Values items;
    for (const Json& item : json) items.push_back(from_json(item, budget, level));
    return make_list(std::move(items), budget);
  }
  DictData dict;
  for (const auto& [key, item] : json.items())
    dict.set(make_text(key, budget), from_json(item, budget, level), budget.limits().nesting);
  return make_dict(std::move(dict));
}

}  // namespace

std::int64_t Range::size() const {
  const std::int64_t distance = step > 0 ? stop - start : start - stop;
  const std::int64_t stride = step > 0 ? step : -step;
  return distance <= 0 ? 0 : (distance - 1) / stride + 1;
}

const Value* DictData::find(const Value& key) const {
  if (key.is<Undefined>()) return nullptr;
  const auto found = index_.find(key_name(key));
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

const Value* DictData::find(std::string_view key) const {
  const auto found = index_.find("s" + std::string(key));
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

void DictData::set(const Value& key, Value value, int max_depth) {
  depth_ = std::max({depth_, depth_of(key) + 1, depth_of(value) + 1});
  if (depth_ > max_depth) fail("Limit", "values nested more than {} deep (limit 'nesting')", max_depth);
  const auto [found, added] = index_.try_emplace(key_name(key), entries_.size());
  if (added) {
    entries_.emplace_back(key, std::move(value));
  } else {
    entries_[found->second].second = std::move(value);
  }
}

Value make_text(std::string bytes, Budget& budget) {
  budget.text(bytes.size());
  return Text{std::make_shared<const std::string>(std::move(bytes)), false};
}

Value make_list(Values items, Budget& budget) { return List{make_sequence(std::move(items), budget)}; }

Value make_tuple(Values items, Budget& budget) { return Tuple{make_sequence(std::move(items), budget)}; }

Value make_generator(Values items, Budget& budget) {
  budget.items(items.size());
  const int depth = checked_depth(items, budget);
  return Generator{std::make_shared<Generator::State>(Generator::State{std::move(items), 0, depth})};
}

Value make_dict(DictData data) { return Dict{std::make_shared<const DictData>(std::move(data))}; }

Value make_undefined(std::string message, std::string type) {
  return Undefined{std::make_shared<const Fault>(Fault{std::move(type), std::move(message)})};
}

Value missing_attribute(const Value& object, std::string_view name) {
  if (object.is<None>()) return make_undefined(fmt::format("'None' has no attribute '{}'", name));
  return make_undefined(fmt::format("'{} object' has no attribute '{}'", type_name(object), name));
}

Value from_json(const Json& json, Budget& budget, int level) {
  budget.spend(1);
  switch (json.type()) {
    case Json::value_t::null:
      return None{};
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
      return json.get<std::int64_t>();
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        unsupported("the integer {}, which needs more than 64 bits", json.get<std::uint64_t>());
      return json.get<std::int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      if (first_invalid_utf8(text)) fail("ValueError", "a text given to the template is not valid UTF-8");
      return make_text(text, budget);
    }
    case Json::value_t::array:
    case Json::value_t::object:
      return json_container(json, budget, level + 1);
    default:
      unsupported("JSON of type {} as a template's value", json.type_name());
  }
}

int depth_of(const Value& value) {
  if (const auto* list = value.as<List>()) return list->data->depth;
  if (const auto* tuple = value.as<Tuple>()) return tuple->data->depth;
  if (const auto* dict = value.as<Dict>()) return dict->data->depth();
  if (const auto* view = value.as<DictView>()) return view->data->depth() + 1;
  if (const auto* generator = value.as<Generator>()) return generator->state->depth;
  if (const auto* method = value.as<Method>()) return method->self->depth;
  return 0;
}

std::string_view type_name(const Value& value) {
  static constexpr std::string_view kNames[] = {
      "Undefined", "NoneType",   "bool",      "int",      "float",
      "str",       "list",       "tuple",     "dict",     "dict_view",
      "range",     "generator",  "Namespace", "function", "builtin_function_or_method",
      "Macro",     "LoopContext"};
  if (const auto* view = value.as<DictView>()) {
    static constexpr std::string_view kViews[] = {"dict_keys", "dict_values", "dict_items"};
    return kViews[static_cast<std::size_t>(view->kind)];
  }
  return kNames[value.data().index()];
}

const std::string* text_of(const Value& value) {
  const auto* text = value.as<Text>();
  return text != nullptr ? text->bytes.get() : nullptr;
}

std::optional<std::int64_t> integer_of(const Value& value) {
  if (const auto* integer = value.as<std::int64_t>()) return *integer;
  if (const auto* flag = value.as<bool>()) return *flag ? 1 : 0;
  return std::nullopt;
}

std::optional<double> number_of(const Value& value) {
  if (const auto* real = value.as<double>()) return *real;
  if (const auto integer = integer_of(value)) return static_cast<double>(*integer);
  return std::nullopt;
}

bool truthy(const Value& value) {
  if (value.is<Undefined>() || value.is<None>()) return false;
  if (const auto number = number_of(value)) return *number != 0;
  if (value.is<Generator>()) return true;
  if (const auto* text = text_of(value)) return !text->empty();
  const auto length = length_of(value);
  return !length || *length != 0;
}

Values iterate(const Value& value, Budget& budget) {
  if (const auto* list = value.as<List>()) return list->data->items;
  if (const auto* tuple = value.as<Tuple>()) return tuple->data->items;
  if (const auto* dict = value.as<Dict>()) return dict_items({DictView::Kind::keys, dict->data}, budget);
  if (const auto* view = value.as<DictView>()) return dict_items(*view, budget);
  if (const auto* range = value.as<Range>()) return range_items(*range, budget);
  if (const auto* text = text_of(value)) return characters(*text, budget);
  if (const auto* generator = value.as<Generator>()) return rest_of(*generator->state, budget);
  if (value.is<Undefined>()) return {};
  if (value.is<Loop>()) unsupported("walking through the variable 'loop' itself");
  type_error("'{}' object is not iterable", type_name(value));
}

bool is_iterable(const Value& value) {
  return value.is<Undefined>() || value.is<Text>() || value.is<List>() || value.is<Tuple>() ||
         value.is<Dict>() || value.is<DictView>() || value.is<Range>() || value.is<Generator>() ||
         value.is<Loop>();
}

std::optional<std::int64_t> length_of(const Value& value) {
  const auto size = [](std::size_t count) { return static_cast<std::int64_t>(count); };
  if (value.is<Undefined>()) return 0;
  if (const auto* text = text_of(value)) return size(character_count(*text));
  if (const auto* list = value.as<List>()) return size(list->data->items.size());
  if (const auto* tuple = value.as<Tuple>()) return size(tuple->data->items.size());
  if (const auto* dict = value.as<Dict>()) return size(dict->data->entries().size());
  if (const auto* view = value.as<DictView>()) return size(view->data->entries().size());
  if (const auto* range = value.as<Range>()) return range->size();
  if (const auto* loop = value.as<Loop>()) return loop->state->length();
  return std::nullopt;
}

void require_defined(const Value& value) {
  if (const auto* undefined = value.as<Undefined>()) throw Fault(*undefined->fault);
}

}  // namespace moelab::text::jinja
