// The node 'hydra': what a tree sets of Hydra's own, with the few defaults that references read most.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/config/config.h"

namespace moelab::config {

// Whether a key or group belongs to Hydra itself: hydra, hydra.run.dir, hydra/launcher.
bool is_hydras_own(std::string_view key);

struct HydraFacts {
  std::string config_name;
  std::vector<std::string> overrides;  // of the command line, as given
  Json choices;                        // chosen options by group
};

// Hydra's node with `own` (what files and command line set, null for nothing) merged over the defaults.
Json hydra_node(const Json& own, const HydraFacts& facts);

// The directories of hydra.searchpath, which `own` holds as a list of texts such as file:///path; what is not
// there goes to `warnings`, as in Hydra. Throws ConfigError when it is no list of texts.
std::vector<std::filesystem::path> search_path(const Json& own, std::vector<std::string>& warnings);

}  // namespace moelab::config
