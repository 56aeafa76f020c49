// Reads plain YAML scalars by the YAML 1.1 rules of OmegaConf's loader, and writes numbers as Python does.
#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"

namespace moelab::config {

// The value of an unquoted scalar: null, bool (yes, on, ...), integer (decimal, 0b, 0x, 0 octal,
// sexagesimal), float (1e3, .5, 1:30.5, .inf) or the text itself; dates stay text. Throws ConfigError on
// integers beyond 64 bits and on the lone "=".
Json plain_scalar(std::string_view text);

// The value of a scalar with an explicit core tag ("tag:yaml.org,2002:int", ...). Throws ConfigError when the
// text does not fit the tag or the tag is not one of str, int, float, bool, null.
Json tagged_scalar(const std::string& tag, std::string_view text);

// A number as Python's repr() writes it: 1000.0, 1e-05, inf.
std::string python_float(double value);

// A value as Python's str() writes it: True, None, 1.0, text, [1, 'a'].
std::string python_str(const Json& value);

// Any value as Python's repr() writes it: 'text', [1, None], {'a': 1.0}.
std::string python_repr(const Json& value);

// Any value as Python's json.dumps() writes it: {"a": [1, null]}, other characters than ASCII as \u escapes.
std::string python_json(const Json& value);

// The JSON object key that stands for a YAML key that is a string, number or boolean.
std::string key_text(const Json& key);

// The number that the digits spell in the base; underscores are skipped. Throws ConfigError beyond 64 bits.
Json parse_integer(std::string_view digits, int base, bool negative);

// The double that decimal text without underscores spells; beyond the range it is infinite or 0.
double parse_float(const std::string& text);

}  // namespace moelab::config
