// Composed configs, defaults lists and sweeps as text for the user.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/config/config.h"

namespace moelab::config {

enum class ConfigPart { job, hydra, all };

// "job", "hydra" or "all". Throws ConfigError.
ConfigPart parse_part(const std::string& name);

struct ViewOptions {
  ConfigPart part = ConfigPart::job;  // the job's config, Hydra's own node, or both
  bool resolve = false;               // replace interpolations
  bool json = false;                  // one line of JSON instead of YAML
  bool origins = false;               // "key = value  # file:line", one line a value
  std::string package = "";           // only what stands at this key path
};

// The text that Hydra's --cfg would print, ending in a line end. Throws ConfigError for interpolations that
// cannot be resolved and for a package that is not there.
std::string view(Composed composed, const ViewOptions& options);

// One line a file, indented by its depth: "model/olmoe @ model".
std::string view(const std::vector<DefaultsEntry>& entries);

// The jobs of a sweep as Hydra's basic sweeper makes them, with hydra.sweeper.params of the tree first.
// Throws what split_sweep() and compose() throw.
Sweep sweep_of(const Tree& tree, const std::string& config_name, std::span<const std::string> overrides);

// Words that can stand for the word that the user has begun: groups, options, key paths, values.
std::vector<std::string> complete(const Tree& tree, const std::string& config_name, const std::string& word);

}  // namespace moelab::config
