// The values given to a filter, test, method or function, and their matching with parameter names.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/template_value.h"

namespace moelab::text::jinja {

struct CallArguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;

  const Value* find(std::string_view name) const;
};

// Arguments matched with parameters, in the way of a Python function. All faults are "TypeError".
class Bound {
 public:
  // Throws where there are too many values, an unknown name or one value twice, or fewer than `required`.
  Bound(const CallArguments& arguments, std::string_view function,
        std::initializer_list<std::string_view> names, std::size_t required = 0);

  // Nothing where the argument was not given.
  const Value* operator[](std::size_t index) const { return values_[index]; }

  bool flag(std::size_t index, bool otherwise) const;
  std::int64_t integer(std::size_t index, std::int64_t otherwise) const;
  // A str, or `otherwise`; None counts as not given.
  std::optional<std::string> text(std::size_t index) const;

 private:
  std::string function_;
  std::vector<const Value*> values_;
};

// For functions that take no names.
void require_count(const CallArguments& arguments, std::string_view function, std::size_t least,
                   std::size_t most);

}  // namespace moelab::text::jinja
