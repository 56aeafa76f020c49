// Runs the hub's own command line `hf`, with which models and sets of questions are fetched.
#pragma once

#include <string>
#include <vector>

namespace moelab::experiments {

// `hf` with these words. Its output goes where ours goes, and an interruption reaches both. Throws Error:
// when the program is not installed, which says how to install it and then `otherwise`; when it ends with
// another status than 0, which ends with `advice`.
void run_hf(const std::vector<std::string>& words, const std::string& otherwise, const std::string& advice);

}  // namespace moelab::experiments
