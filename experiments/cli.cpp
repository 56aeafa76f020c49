#include "experiments/cli.h"

#include <fmt/format.h>

#include <cstdio>

#include "core/config/config.h"
#include "core/config/nearest.h"
#include "experiments/completion.h"
#include "experiments/version.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

// The config groups with their options, for `moelab --help`; nothing where there are no configs.
std::string group_lines() {
  std::string text;
  try {
    const config::Tree tree(config_directories({}));
    for (const char* group : {"study", "model", "benchmark", "method", "train"}) {
      const std::vector<std::string> names = tree.options(group);
      if (!names.empty()) text += fmt::format("  {:<10} {}\n", group, config::join_names(names, 8));
    }
  } catch (const ConfigError& problem) {
    return fmt::format("  {}\n", problem.what());
  }
  return text;
}

void print_help() {
  fmt::print(
      "moelab {}: finds, steers and measures domain-specific experts of Mixture-of-Experts models.\n\n",
      kVersion);
  fmt::print("Usage: moelab VERB [key=value ...] [options]\n\nVerbs (moelab VERB --help says more):\n");
  for (const Verb& verb : verbs()) fmt::print("  {:<10} {}\n", verb.spec.name, verb.spec.summary);
  fmt::print(
      "\nConfig groups and their options (GROUP=OPTION chooses one; moelab config shows the result, moelab "
      "config --keys every key):\n{}",
      group_lines());
  fmt::print(
      "\nExit status: 0 all done, 1 some cells failed or an error, 2 bad usage or configuration, 3 "
      "interrupted.\n"
      "\nShell completion: source <(moelab completion bash), or zsh.\n"
      "\nExamples:\n"
      "  moelab run study=demo\n"
      "  moelab table methods study=demo\n"
      "  moelab run study=demo axes.alpha=1.5,3 -m\n");
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      verb_run(),      verb_table(),  verb_discover(), verb_train(),  verb_calibrate(), verb_try(),
      verb_generate(), verb_flips(),  verb_show(),     verb_query(),  verb_status(),    verb_rescore(),
      verb_extract(),  verb_import(), verb_audit(),    verb_config(), verb_inspect(),   verb_fetch(),
      verb_export(),   verb_data(),   verb_doctor()};
  return all;
}

int run_program(std::span<const std::string> arguments) {
  const std::string name = arguments.empty() ? "--help" : arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return arguments.empty() ? kExitUsage : kExitDone;
  }
  if (name == "--version") {
    fmt::print("moelab {}\n", kVersion);
    return kExitDone;
  }
  if (name == "completion") {
    fmt::print("{}", completion_script(arguments.size() == 2 ? arguments[1] : ""));
    return kExitDone;
  }
  if (name == "--complete") {  // what the completion scripts call
    for (const std::string& word : completions(arguments.size() > 1 ? arguments[1] : ""))
      fmt::print("{}\n", word);
    return kExitDone;
  }
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    names.push_back(verb.spec.name);
    if (verb.spec.name != name) continue;
    const Arguments parsed = parse_arguments(verb.spec, arguments.subspan(1));
    if (parsed.wants_help) {
      fmt::print("{}", help_text(verb.spec));
      return kExitDone;
    }
    return verb.run(parsed);
  }
  throw ConfigError("unknown verb '{}'{} moelab --help lists the verbs", name,
                    config::did_you_mean(name, names));
}

}  // namespace moelab::experiments
