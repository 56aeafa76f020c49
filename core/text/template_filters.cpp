#include "core/text/template_filters.h"

#include <algorithm>
#include <array>

#include "core/text/template_filter_tables.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

constexpr std::array<std::string_view, 11> kOnlyInJinja = {
    "attr",      "filesizeformat", "forceescape", "groupby",  "pprint", "random",
    "striptags", "urlize",         "wordcount",   "wordwrap", "xmlattr"};

const FilterFunction* find_filter(std::string_view name) {
  for (const FilterTable* table :
       {&text_filters(), &number_filters(), &sequence_filters(), &selection_filters()})
    if (const auto found = table->find(name); found != table->end()) return &found->second;
  return nullptr;
}

}  // namespace

Value apply_filter(std::string_view name, const Value& input, const CallArguments& arguments,
                   Budget& budget) {
  budget.spend(1);
  if (const FilterFunction* filter = find_filter(name)) return (*filter)({name, input, arguments, budget});
  if (is_jinja_filter(name)) unsupported("the filter '{}'", name);
  fail("TemplateRuntimeError", "No filter named '{}' found.", name);
}

bool is_jinja_filter(std::string_view name) {
  return find_filter(name) != nullptr ||
         std::find(kOnlyInJinja.begin(), kOnlyInJinja.end(), name) != kOnlyInJinja.end();
}

std::string soft_text(const FilterCall& call) {
  const auto* text = call.input.as<Text>();
  if (text != nullptr && text->safe) unsupported("the filter '{}' on a 'safe' text", call.name);
  std::string out = to_text(call.input, call.budget);
  call.budget.text(out.size());
  return out;
}

AttributePath::AttributePath(const Value* path, Budget& budget) {
  if (path == nullptr || path->is<None>()) return;
  const auto* text = text_of(*path);
  if (text == nullptr) {
    parts_.push_back(*path);
    return;
  }
  for (const std::string& part : split(*text, ".", -1)) {
    const bool digits =
        !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && part.size() < 18) {
      parts_.emplace_back(static_cast<std::int64_t>(std::stoll(part)));
    } else {
      parts_.push_back(make_text(part, budget));
    }
  }
}

Value AttributePath::read(Value item, Budget& budget) const {
  budget.spend(1);
  for (const Value& part : parts_) item = get_item(item, part, budget);
  return item;
}

Value ignore_case(const Value& value, Budget& budget) {
  const auto* text = text_of(value);
  return text == nullptr ? value : make_text(lower(*text), budget);
}

}  // namespace moelab::text::jinja
