// Whether a config.json says what a family has a default of its own for.
#pragma once

#include "core/base/json.h"

namespace moelab::model {

// Whether `key` stands at the top or in one of the objects that hold the rotation's fields, and is not null.
inline bool names_rope_field(const Json& config, const char* key) {
  const auto has = [key](const Json& fields) {
    return fields.is_object() && fields.contains(key) && !fields.at(key).is_null();
  };
  return has(config) || (config.contains("rope_parameters") && has(config.at("rope_parameters"))) ||
         (config.contains("rope_scaling") && has(config.at("rope_scaling")));
}

}  // namespace moelab::model
