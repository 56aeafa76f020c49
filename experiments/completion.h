// Shell completion: scripts for bash and zsh, and the words that they ask the program for.
#pragma once

#include <string>
#include <vector>

namespace moelab::experiments {

// The script for "bash" or "zsh"; `source <(moelab completion bash)` turns it on. Throws ConfigError for
// another shell.
std::string completion_script(const std::string& shell);

// What can stand for the last word of a command line that has been typed so far ("moelab run study=d"):
// verbs, options, and for verbs that compose a configuration its groups, options and keys. Never throws: a
// wrong line has no completions.
std::vector<std::string> completions(const std::string& line);

}  // namespace moelab::experiments
