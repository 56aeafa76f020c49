// moelab config: what a command line composes, and where each value comes from.
#include <fmt/format.h>

#include "experiments/cli.h"
#include "experiments/config_view.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

namespace {

int print_config(const Arguments& arguments) {
  if (!arguments.has("--keys")) return show_config(arguments);
  fmt::print("{}", study_config_help());
  return kExitDone;
}

}  // namespace

Verb verb_config() {
  VerbSpec spec;
  spec.name = "config";
  spec.summary = "print the composed configuration";
  spec.usage = "[GROUP=OPTION ...] [key=value ...] [--origin] [--resolve] [--defaults-tree] [-m] [--json]";
  spec.text =
      "Composes the configuration as `moelab run` would, and prints it as YAML. Overrides are Hydra's: "
      "key=value sets,\n"
      "+key=value adds, ~key removes, GROUP=OPTION chooses a file of configs/GROUP. With --config-dir and "
      "--config-name\n"
      "together it composes any Hydra tree, as Hydra's own --cfg would print it (docs/configuration.md).";
  spec.takes_overrides = true;
  spec.flags = config_flags();
  spec.flags.push_back({"--keys", "", "list every key of a study with its type, default and meaning"});
  spec.examples = {"moelab config study=demo axes.alpha=[3,5] --origin",
                   "moelab config study=demo engine.device=cuda --resolve --package engine",
                   "moelab config --config-dir ~/app/conf --config-name config db=mysql,sqlite -m"};
  return {spec, print_config};
}

}  // namespace moelab::experiments
