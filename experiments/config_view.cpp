#include "experiments/config_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "core/config/view.h"
#include "experiments/cli.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

config::ViewOptions view_options(const Arguments& arguments) {
  config::ViewOptions options;
  options.part = config::parse_part(arguments.flag("--cfg", "job"));
  options.resolve = arguments.has("--resolve");
  options.json = arguments.has("--json");
  options.origins = arguments.has("--origin");
  options.package = arguments.flag("--package", "");
  return options;
}

void print_warnings(const config::Composed& composed) {
  for (const std::string& warning : composed.warnings) fmt::print(stderr, "moelab: {}\n", warning);
}

// All jobs are composed before the first is printed, so that a mistake in the last one shows at once.
int show_jobs(const config::Tree& tree, const Arguments& arguments) {
  const config::ViewOptions options = view_options(arguments);
  const std::string name = config_name(arguments);
  const auto jobs = config::sweep_of(tree, name, arguments.overrides).jobs;
  std::string text;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    config::Composed composed =
        tree.compose(name, jobs[i], {.with_origins = options.origins, .allow_missing = true});
    composed.hydra["job"]["num"] = i;
    if (!options.json)
      text += fmt::format("{}# job {}: {}\n", i == 0 ? "" : "---\n", i, fmt::join(jobs[i], " "));
    text += config::view(std::move(composed), options);
  }
  fmt::print("{}", text);
  return kExitDone;
}

}  // namespace

std::vector<Flag> config_flags() {
  return {{"--cfg", "PART", "job (default), hydra or all: what to print"},
          {"--resolve", "", "replace ${...} by what it refers to"},
          {"--package", "KEY", "print only what stands at this key path", "-p"},
          {"--origin", "", "print file and line of each value"},
          {"--defaults-tree", "", "print the files that are merged, in their order, with their packages"},
          {"--json", "", "print JSON, one line a job"},
          {"--multirun", "", "print every job of the sweep", "-m"},
          {"--config-name", "NAME", "the primary config (default: config)"},
          config_dir_flag()};
}

std::string config_name(const Arguments& arguments) { return arguments.flag("--config-name", "config"); }

std::vector<std::filesystem::path> tree_directories(const Arguments& arguments) {
  if (!arguments.has("--config-dir") || !arguments.has("--config-name")) return config_directories(arguments);
  return {arguments.flag("--config-dir", "")};
}

int show_config(const Arguments& arguments) {
  const config::Tree tree(tree_directories(arguments));
  const std::string name = config_name(arguments);
  if (arguments.has("--multirun")) return show_jobs(tree, arguments);
  if (arguments.has("--defaults-tree")) {
    fmt::print("{}", config::view(tree.defaults(name, arguments.overrides)));
    return kExitDone;
  }
  config::Composed composed = tree.compose(name, arguments.overrides, {.allow_missing = true});
  print_warnings(composed);
  fmt::print("{}", config::view(std::move(composed), view_options(arguments)));
  return kExitDone;
}

}  // namespace moelab::experiments
