// What is known of a model whose experts were planted: its truth file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace moelab::experiments {

struct Planted {
  int layer = 0, expert = 0;
  std::string kind;  // on which tokens it was planted
};

// By domain, from {"verdict", "planted": {domain: [{layer, expert, kind}]}}; "domains" is read as well as
// "planted". Empty for null. Throws FileError for an entry without layer or expert.
std::map<std::string, std::vector<Planted>> planted_of(const Json& truth);

}  // namespace moelab::experiments
