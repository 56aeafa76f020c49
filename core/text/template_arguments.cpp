#include "core/text/template_arguments.h"

#include <algorithm>

namespace moelab::text::jinja {

const Value* CallArguments::find(std::string_view name) const {
  for (const auto& [given, value] : named)
    if (given == name) return &value;
  return nullptr;
}

Bound::Bound(const CallArguments& arguments, std::string_view function,
             std::initializer_list<std::string_view> names, std::size_t required)
    : function_(function), values_(names.size(), nullptr) {
  if (arguments.positional.size() > names.size())
    type_error("{}() takes at most {} arguments but {} were given", function, names.size(),
               arguments.positional.size());
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) type_error("{}() got an unexpected keyword argument '{}'", function, name);
    const Value*& place = values_[static_cast<std::size_t>(found - names.begin())];
    if (place != nullptr) type_error("{}() got multiple values for argument '{}'", function, name);
    place = &value;
  }
  for (std::size_t i = 0; i < required; ++i)
    if (values_[i] == nullptr)
      type_error("{}() missing a required argument: '{}'", function, names.begin()[i]);
}

bool Bound::flag(std::size_t index, bool otherwise) const {
  return values_[index] == nullptr ? otherwise : truthy(*values_[index]);
}

std::int64_t Bound::integer(std::size_t index, std::int64_t otherwise) const {
  if (values_[index] == nullptr) return otherwise;
  const auto given = integer_of(*values_[index]);
  if (!given)
    type_error("{}(): '{}' object cannot be interpreted as an integer", function_,
               type_name(*values_[index]));
  return *given;
}

std::optional<std::string> Bound::text(std::size_t index) const {
  if (values_[index] == nullptr || values_[index]->is<None>()) return std::nullopt;
  const auto* given = text_of(*values_[index]);
  if (given == nullptr) type_error("{}(): expected a str, not '{}'", function_, type_name(*values_[index]));
  return *given;
}

void require_count(const CallArguments& arguments, std::string_view function, std::size_t least,
                   std::size_t most) {
  if (!arguments.named.empty()) type_error("{}() takes no keyword arguments", function);
  const std::size_t given = arguments.positional.size();
  if (given < least || given > most)
    type_error("{}() takes {} to {} arguments but {} were given", function, least, most, given);
}

}  // namespace moelab::text::jinja
