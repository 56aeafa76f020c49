// The filters on sequences that do not apply another filter or test.
#include <algorithm>

#include "core/text/template_filter_tables.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

Value first_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  if (const auto* generator = call.input.as<Generator>()) {
    auto& state = *generator->state;
    if (state.next < state.items.size()) return state.items[state.next++];
  } else if (const Values items = iterate(call.input, call.budget); !items.empty()) {
    return items.front();
  }
  return make_undefined("No first item, sequence was empty.");
}

Value last_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  if (call.input.is<Generator>()) type_error("'generator' object is not reversible");
  if (!is_iterable(call.input)) type_error("'{}' object is not reversible", type_name(call.input));
  const Values items = iterate(call.input, call.budget);
  return items.empty() ? make_undefined("No last item, sequence was empty.") : items.back();
}

Value join_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "sync_do_join", {"d", "attribute"});
  const AttributePath path(bound[1], call.budget);
  const std::string separator = bound[0] != nullptr ? to_text(*bound[0], call.budget) : "";
  std::string out;
  bool first = true;
  for (const Value& item : iterate(call.input, call.budget)) {
    const std::string part = to_text(path.read(item, call.budget), call.budget);
    call.budget.spend(1 + (part.size() + separator.size()) / 32);
    if (!first) out += separator;
    first = false;
    out += part;
    if (out.size() > call.budget.limits().text_bytes) call.budget.text(out.size());
  }
  return call.text(std::move(out));
}

Value list_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  return make_list(iterate(call.input, call.budget), call.budget);
}

Value items_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  if (call.input.is<Undefined>()) return make_generator({}, call.budget);
  const auto* dict = call.input.as<Dict>();
  if (dict == nullptr) type_error("Can only get item pairs from a mapping.");
  return make_generator(iterate(DictView{DictView::Kind::items, dict->data}, call.budget), call.budget);
}

Value reverse_filter(const FilterCall& call) {
  require_count(call.arguments, call.name, 0, 0);
  if (call.input.is<Text>()) {
    std::u32string characters = decode(soft_text(call));
    std::reverse(characters.begin(), characters.end());
    return call.text(encode(characters));
  }
  if (!is_iterable(call.input)) fail("FilterArgumentError", "argument must be iterable");
  Values items = iterate(call.input, call.budget);
  std::reverse(items.begin(), items.end());
  return call.input.is<Generator>() ? make_list(std::move(items), call.budget)
                                    : make_generator(std::move(items), call.budget);
}

// Sorts by keys that are computed once; stable, also when reversed, as Python does it.
Values sorted_by(Values items, const Values& keys, bool reverse, Budget& budget) {
  std::vector<std::size_t> order(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return reverse ? less(keys[b], keys[a], budget) : less(keys[a], keys[b], budget);
  });
  Values out;
  for (const std::size_t i : order) out.push_back(items[i]);
  return out;
}

std::vector<AttributePath> attribute_paths(const Value* attribute, Budget& budget) {
  std::vector<AttributePath> paths;
  const auto* text = attribute != nullptr ? text_of(*attribute) : nullptr;
  if (text == nullptr) {
    paths.emplace_back(attribute, budget);
    return paths;
  }
  for (const std::string& part : split(*text, ",", -1)) {
    const Value path = make_text(part, budget);
    paths.emplace_back(&path, budget);
  }
  return paths;
}

Value sort_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_sort", {"reverse", "case_sensitive", "attribute"});
  const auto paths = attribute_paths(bound[2], call.budget);
  const bool case_sensitive = bound.flag(1, false);
  Values items = iterate(call.input, call.budget), keys;
  for (const Value& item : items) {
    Values key;
    for (const AttributePath& path : paths) {
      const Value part = path.read(item, call.budget);
      key.push_back(case_sensitive ? part : ignore_case(part, call.budget));
    }
    keys.push_back(make_list(std::move(key), call.budget));
  }
  return make_list(sorted_by(std::move(items), keys, bound.flag(0, false), call.budget), call.budget);
}

Value dictsort_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_dictsort", {"case_sensitive", "by", "reverse"});
  const std::string by = bound.text(1).value_or("key");
  if (by != "key" && by != "value")
    fail("FilterArgumentError", "You can only sort by either \"key\" or \"value\"");
  require_defined(call.input);
  const auto* dict = call.input.as<Dict>();
  if (dict == nullptr) fail("AttributeError", "'{}' object has no attribute 'items'", type_name(call.input));
  Values keys;
  for (const auto& [key, value] : dict->data->entries()) {
    const Value& part = by == "key" ? key : value;
    keys.push_back(bound.flag(0, false) ? part : ignore_case(part, call.budget));
  }
  Values items = iterate(DictView{DictView::Kind::items, dict->data}, call.budget);
  return make_list(sorted_by(std::move(items), keys, bound.flag(2, false), call.budget), call.budget);
}

Value unique_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "sync_do_unique", {"case_sensitive", "attribute"});
  const AttributePath path(bound[1], call.budget);
  DictData seen;
  Values out;
  for (const Value& item : iterate(call.input, call.budget)) {
    const Value part = path.read(item, call.budget);
    const Value key = bound.flag(0, false) ? part : ignore_case(part, call.budget);
    if (seen.find(key) != nullptr) continue;
    seen.set(key, None{}, call.budget.limits().nesting);
    out.push_back(item);
  }
  return make_generator(std::move(out), call.budget);
}

Value extreme_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_min", {"case_sensitive", "attribute"});
  const AttributePath path(bound[1], call.budget);
  const Values items = iterate(call.input, call.budget);
  if (items.empty()) return make_undefined("No aggregated item, sequence was empty.");
  const auto key_of = [&](const Value& item) {
    const Value part = path.read(item, call.budget);
    return bound.flag(0, false) ? part : ignore_case(part, call.budget);
  };
  std::size_t best = 0;
  Value best_key = key_of(items[0]);
  for (std::size_t i = 1; i < items.size(); ++i) {
    const Value key = key_of(items[i]);
    const bool better =
        call.name == "min" ? less(key, best_key, call.budget) : less(best_key, key, call.budget);
    if (better) best = i, best_key = key;
  }
  return items[best];
}

Value batch_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "do_batch", {"linecount", "fill_with"}, 1);
  const std::int64_t size = bound.integer(0, 0);
  if (size <= 0) unsupported("the filter 'batch' with groups of {}", size);
  Values groups, group;
  for (const Value& item : iterate(call.input, call.budget)) {
    if (static_cast<std::int64_t>(group.size()) == size)
      groups.push_back(make_list(std::exchange(group, {}), call.budget));
    group.push_back(item);
  }
  if (group.empty()) return make_generator(std::move(groups), call.budget);
  if (bound[1] != nullptr && !bound[1]->is<None>()) {
    call.budget.items(static_cast<std::uint64_t>(size));
    group.resize(static_cast<std::size_t>(size), *bound[1]);
  }
  groups.push_back(make_list(std::move(group), call.budget));
  return make_generator(std::move(groups), call.budget);
}

Value slice_filter(const FilterCall& call) {
  const Bound bound(call.arguments, "sync_do_slice", {"slices", "fill_with"}, 1);
  const Values items = iterate(call.input, call.budget);
  const std::int64_t slices = bound.integer(0, 0);
  if (slices == 0) fail("ZeroDivisionError", "integer division or modulo by zero");
  if (slices > 0) call.budget.items(static_cast<std::uint64_t>(slices));
  const auto length = static_cast<std::int64_t>(items.size());
  Values out;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < slices; ++i) {
    const bool longer = i < length % slices;
    const std::int64_t end = at + length / slices + (longer ? 1 : 0);
    Values part(items.begin() + at, items.begin() + end);
    if (bound[1] != nullptr && !bound[1]->is<None>() && !longer) part.push_back(*bound[1]);
    out.push_back(make_list(std::move(part), call.budget));
    at = end;
  }
  return make_generator(std::move(out), call.budget);
}

}  // namespace

const FilterTable& sequence_filters() {
  static const FilterTable kFilters = {
      {"first", first_filter}, {"last", last_filter},         {"join", join_filter},
      {"list", list_filter},   {"items", items_filter},       {"reverse", reverse_filter},
      {"sort", sort_filter},   {"dictsort", dictsort_filter}, {"unique", unique_filter},
      {"min", extreme_filter}, {"max", extreme_filter},       {"batch", batch_filter},
      {"slice", slice_filter}};
  return kFilters;
}

}  // namespace moelab::text::jinja
