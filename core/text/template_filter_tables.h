// The groups of filters that apply_filter chooses from; each file of filters defines one.
#pragma once

#include <string_view>
#include <unordered_map>

#include "core/text/template_arguments.h"

namespace moelab::text::jinja {

struct FilterCall {
  std::string_view name;
  const Value& input;
  const CallArguments& arguments;
  Budget& budget;

  Value text(std::string bytes) const { return make_text(std::move(bytes), budget); }
};

using FilterFunction = Value (*)(const FilterCall&);
using FilterTable = std::unordered_map<std::string_view, FilterFunction>;

const FilterTable& text_filters();
const FilterTable& number_filters();
const FilterTable& sequence_filters();
const FilterTable& selection_filters();

// Python's str(value) of a filter's input. Throws a Fault "Unsupported" for a 'safe' text, whose results
// would be safe too.
std::string soft_text(const FilterCall& call);

// Reads an attribute path like "function.name" of each element; an empty path gives the element itself.
class AttributePath {
 public:
  // From a str, an int or None (or nothing).
  explicit AttributePath(const Value* path, Budget& budget);
  Value read(Value item, Budget& budget) const;

 private:
  Values parts_;
};

// Lower case for texts, other values unchanged: the key of sorting without case.
Value ignore_case(const Value& value, Budget& budget);

}  // namespace moelab::text::jinja
