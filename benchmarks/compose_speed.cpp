// The time to compose a study of 10,000 cells: as one study with its axes, and as 10,000 jobs of a sweep.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "core/config/config.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

// compose_speed DIRECTORY NAME OVERRIDE...: the overrides are a sweep.
int main(int argc, char** argv) {
  using namespace moelab;
  if (argc < 3) {
    fmt::print(stderr, "usage: compose_speed DIRECTORY NAME [OVERRIDE ...]\n");
    return 2;
  }
  try {
    const std::string name = argv[2];
    const std::vector<std::string> overrides(argv + 3, argv + argc);

    auto start = Clock::now();
    const config::Tree tree({argv[1]});
    std::vector<std::string> as_lists;
    for (const std::string& text : overrides) {
      const std::size_t equal = text.find('=');
      as_lists.push_back(fmt::format("{}=[{}]", text.substr(0, equal), text.substr(equal + 1)));
    }
    config::Composed study = tree.compose(name, as_lists);
    config::resolve(study);
    const double one = seconds_since(start);

    start = Clock::now();
    const config::Tree fresh({argv[1]});
    const auto jobs = config::split_sweep(overrides).jobs;
    std::size_t keys = 0;
    for (const auto& job : jobs) {
      config::Composed composed = fresh.compose(name, job, {.with_origins = false});
      config::resolve(composed);
      keys += composed.tree.size();
    }
    const double all = seconds_since(start);
    fmt::print("{{\"jobs\": {}, \"keys\": {}, \"study_seconds\": {:.6f}, \"jobs_seconds\": {:.6f}}}\n",
               jobs.size(), keys, one, all);
  } catch (const Error& problem) {
    fmt::print(stderr, "compose_speed: {}\n", problem.what());
    return 2;
  }
  return 0;
}
