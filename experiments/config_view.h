// The printing of composed configs that `moelab config` and `moelab run --cfg` share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/arguments.h"

namespace moelab::experiments {

// The flags that show_config() reads, --multirun and --config-dir included.
std::vector<Flag> config_flags();

// The primary config that --config-name names, else "config".
std::string config_name(const Arguments& arguments);

// Where configs are looked for: with both --config-dir and --config-name that folder alone, a tree of its
// own; else as config_directories() says.
std::vector<std::filesystem::path> tree_directories(const Arguments& arguments);

// Prints what the command line composes and returns the exit status. Throws ConfigError.
int show_config(const Arguments& arguments);

}  // namespace moelab::experiments
