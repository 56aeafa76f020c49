// The functions of Hydra's override grammar: sweeps, casts, and what is done to sweeps and lists.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/config/override_values.h"

namespace moelab::config {

struct FunctionCall {
  std::string name;
  std::vector<Value> arguments{};        // without a name; quotes are taken off
  std::map<std::string, Value> named{};  // name=value
  std::string seed_text{};               // names the draw of shuffle()
};

// choice, range, interval, glob, sort, shuffle, tag, int, float, str, bool, json_str and extend_list, with
// the argument rules of hydra-core 1.3.2 (json_str and extend_list: 1.4). Throws ConfigError.
Value call_function(const FunctionCall& call);

// int(value), float(value), str(value), bool(value), json_str(value), also element by element. Throws
// ConfigError when a value cannot be cast.
enum class Cast { integer, floating, text, boolean, json };
Value cast_value(const Value& value, Cast cast);

}  // namespace moelab::config
