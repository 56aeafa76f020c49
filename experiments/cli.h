// The program's verbs and the way from a command line to one of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/arguments.h"

namespace moelab::experiments {

// Exit statuses of the program.
enum ExitStatus : int {
  kExitDone = 0,
  kExitFailed = 1,       // some cells failed, or something went wrong on the way
  kExitUsage = 2,        // bad usage or configuration: nothing was run
  kExitInterrupted = 3,  // asked to stop; what is stored stays
};

struct Verb {
  VerbSpec spec;
  int (*run)(const Arguments& arguments) = nullptr;  // returns the exit status
};

// One file a verb: cli_<name>.cpp.
Verb verb_audit();
Verb verb_calibrate();
Verb verb_config();
Verb verb_data();
Verb verb_discover();
Verb verb_doctor();
Verb verb_export();
Verb verb_extract();
Verb verb_fetch();
Verb verb_flips();
Verb verb_generate();
Verb verb_import();
Verb verb_inspect();
Verb verb_query();
Verb verb_rescore();
Verb verb_run();
Verb verb_show();
Verb verb_status();
Verb verb_table();
Verb verb_train();
Verb verb_try();

// In the order in which the help lists them.
const std::vector<Verb>& verbs();

// Runs `arguments`, the program's name left out, and returns the exit status. Throws ConfigError for an
// unknown verb or option, and what the verb throws.
int run_program(std::span<const std::string> arguments);

}  // namespace moelab::experiments
