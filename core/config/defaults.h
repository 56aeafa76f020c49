// Expands defaults lists into the ordered list of files to merge, as Hydra does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/config/problems.h"
#include "core/config/repository.h"

namespace moelab::config {

// One file to merge, and the package it goes to ("" is the root).
struct Part {
  const Document* document = nullptr;
  std::string package;
};

struct Expansion {
  std::vector<Part> parts;             // in the order of merging
  std::vector<DefaultsEntry> entries;  // the same as a tree, for the user
  Json choices = Json::object();       // chosen options by group
};

// Expands the primary config. `group_overrides` are overrides whose key is a config group. What is
// wrong goes to `problems`; the list is of use only when there are none.
Expansion expand_defaults(Repository& repository, const std::string& config_name,
                          std::span<const ParsedOverride> group_overrides, Problems& problems);

}  // namespace moelab::config
