// Readers for the nested fields of tokenizer.json whose errors name the file and the whole path of the field.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace moelab::text {

// Throws FileError: "<origin>: <field> is '<value>', which is not supported; supported: <supported>".
[[noreturn]] void fail_unsupported(std::string_view origin, std::string_view field, std::string_view value,
                                   std::string_view supported);

// The member "type" of a component, which must be an object. Throws FileError.
std::string component_type(const Json& value, std::string_view origin, std::string_view field);

// A field that moelab does not know could change the ids, so it is an error rather than ignored.
void require_known_keys(const Json& value, std::initializer_list<std::string_view> known,
                        std::string_view origin, std::string_view field);

// The member `key` of `value`, which must be an array. Throws FileError.
const Json& member_array(const Json& value, const char* key, std::string_view origin, std::string_view field);

// A "pattern" as components write it: {"Regex": ..} or {"String": ..}.
struct PatternField {
  std::string text;
  bool is_regex = false;
};
PatternField pattern_member(const Json& value, std::string_view origin, std::string_view field);

// The member `key`, which must be a string of exactly one character. Throws FileError.
std::string character_member(const Json& value, const char* key, std::string_view origin,
                             std::string_view field);

// The member `key` as T, `fallback` when absent or null. Throws FileError.
template <typename T>
T member_or(const Json& value, std::string_view key, T fallback, std::string_view origin,
            std::string_view field) {
  return json_get_or<T>(value, key, std::move(fallback), fmt::format("{}: {}", origin, field));
}

}  // namespace moelab::text
