// Which question sets are private: GPQA's authors ask that its questions are not published as text.
#pragma once

#include <algorithm>
#include <string>

#include "core/base/json.h"

namespace moelab::experiments {

// What is stored in place of such a set's texts and options.
inline constexpr const char* kTextNotStored = "(this set's text is not stored)";
inline constexpr const char* kNotStored = "(not stored)";

// Whether a set's or task's name says that it is GPQA, in whatever case.
inline bool is_private_set(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name.find("gpqa") != std::string::npos;
}

// Whether a document has columns that only GPQA's files have.
inline bool has_private_columns(const Json& document) {
  return document.is_object() &&
         (document.contains("Incorrect Answer 1") || document.contains("High-level domain"));
}

}  // namespace moelab::experiments
