#include "core/text/json_fields.h"

#include <algorithm>

#include "core/text/utf8.h"

namespace moelab::text {

void fail_unsupported(std::string_view origin, std::string_view field, std::string_view value,
                      std::string_view supported) {
  throw FileError("{}: {} is '{}', which is not supported; supported: {}", origin, field, value, supported);
}

std::string component_type(const Json& value, std::string_view origin, std::string_view field) {
  if (!value.is_object()) throw FileError("{}: {} must be an object or null", origin, field);
  return json_get<std::string>(value, "type", fmt::format("{}: {}", origin, field));
}

void require_known_keys(const Json& value, std::initializer_list<std::string_view> known,
                        std::string_view origin, std::string_view field) {
  for (const auto& [key, content] : value.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw FileError("{}: the field {}.{} is not known; known are {}", origin, field, key,
                    fmt::join(known, ", "));
  }
}

const Json& member_array(const Json& value, const char* key, std::string_view origin,
                         std::string_view field) {
  const auto found = value.find(key);
  if (found == value.end() || !found->is_array())
    throw FileError("{}: {}.{} must be an array", origin, field, key);
  return *found;
}

PatternField pattern_member(const Json& value, std::string_view origin, std::string_view field) {
  const auto pattern = json_get<Json>(value, "pattern", fmt::format("{}: {}", origin, field));
  if (!pattern.is_object() || pattern.size() != 1 || !pattern.begin()->is_string()) {
    throw FileError("{}: {}.pattern must be {{\"Regex\": \"..\"}} or {{\"String\": \"..\"}}", origin, field);
  }
  const std::string kind = pattern.begin().key();
  if (kind != "Regex" && kind != "String") {
    fail_unsupported(origin, fmt::format("{}.pattern", field), kind, "Regex and String");
  }
  return {pattern.begin()->get<std::string>(), kind == "Regex"};
}

std::string character_member(const Json& value, const char* key, std::string_view origin,
                             std::string_view field) {
  auto text = json_get<std::string>(value, key, fmt::format("{}: {}", origin, field));
  if (text.empty() || decode_utf8(text, 0).length != text.size()) {
    throw FileError("{}: {}.{} is '{}', not one character", origin, field, key, text);
  }
  return text;
}

}  // namespace moelab::text
