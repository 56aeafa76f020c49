// Runs a program of somebody else's and waits for it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace moelab::experiments {

// Whether it is a path, or a name that PATH knows, of a file that can be run.
bool has_program(const std::string& program);

struct ChildOptions {
  std::map<std::string, std::string> environment;  // beside our own
  std::filesystem::path output, errors;            // files for its two streams; empty: where ours go
  // Called several times a second. What it throws goes on once the child and all that it has started are
  // ended; on Linux the child itself is ended too when we are ended by force. Without it an interruption from
  // the terminal reaches the child as it reaches us.
  std::function<void()> check_stop;
};

// Runs the program without standard input, and returns its exit status (of one that a signal ended, the
// signal's number). Throws Error unless has_program, FileError for the files.
int run_child(const std::string& program, const std::vector<std::string>& words,
              const ChildOptions& options = {});

}  // namespace moelab::experiments
