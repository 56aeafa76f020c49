// moelab doctor: what is missing on this machine, one line a check.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "experiments/cli.h"
#include "experiments/machine.h"
#include "experiments/version.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

namespace fs = std::filesystem;

constexpr double kLittleDisk = 2e9;
constexpr double kLittleMemory = 2e9;

// Prints the checks and counts what is wrong.
struct DoctorReport {
  int problems = 0;

  void good(const std::string& what, const std::string& value) {
    fmt::print("ok      {:<12} {}\n", what, value);
  }
  void note(const std::string& what, const std::string& value) {
    fmt::print("note    {:<12} {}\n", what, value);
  }
  void bad(const std::string& what, const std::string& value) {
    ++problems;
    fmt::print("MISSING {:<12} {}\n", what, value);
  }
};

void check_libraries(DoctorReport& report) {
  std::string list;
  for (const auto& [name, version] : used_libraries()) {
    if (name == "LibTorch") {
      report.good(name, version);
    } else {
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", name, version);
    }
  }
  report.good("libraries", list);
}

void check_threads(DoctorReport& report) {
  report.good("threads", fmt::format("{} cores, LibTorch uses {} threads",
                                     std::thread::hardware_concurrency(), at::get_num_threads()));
  const std::vector<std::string> runtimes = openmp_runtimes();
  std::string list;
  for (const std::string& path : runtimes) list += fmt::format("{}{}", list.empty() ? "" : ", ", path);
  if (runtimes.size() == 1) {
    report.good("OpenMP", list);
  } else if (runtimes.empty()) {
    report.bad("OpenMP", "no runtime in the process: every pass would run on one core");
  } else {
    report.bad("OpenMP",
               fmt::format("{} runtimes fight over the cores: {}; unset LD_PRELOAD, or build again after "
                           "scripts/setup",
                           runtimes.size(), list));
  }
}

void check_gpu(DoctorReport& report) {
  if (!at::globalContext().hasCUDA()) {
    report.note("GPU", "none that this build can use: models run on the CPU");
    return;
  }
  report.good("GPU", "CUDA is there: engine.device=cuda");
}

void check_memory(DoctorReport& report) {
  const auto bytes = static_cast<double>(available_memory());
  const std::string text = fmt::format("{:.1f} GB available", bytes / 1e9);
  bytes < kLittleMemory ? report.bad("memory", text + ": the demo needs 2 GB") : report.good("memory", text);
}

void check_configs(DoctorReport& report) {
  try {
    std::string list;
    for (const fs::path& directory : config_directories({})) {
      list += fmt::format("{}{}", list.empty() ? "" : ", ", directory.string());
    }
    report.good("configs", list);
  } catch (const ConfigError& problem) {
    report.bad("configs", problem.what());
  }
}

// The nearest folder above the database that exists: where it would be made.
fs::path existing_folder(const fs::path& database) {
  fs::path folder = fs::absolute(database).parent_path();
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

void check_database(DoctorReport& report, const fs::path& database) {
  const fs::path folder = existing_folder(database);
  std::error_code problem;
  const fs::space_info space = fs::space(folder, problem);
  const auto free = static_cast<double>(space.available);
  const std::string text = fmt::format("{:.1f} GB free in {}", free / 1e9, folder.string());
  problem || free < kLittleDisk ? report.bad("disk", text) : report.good("disk", text);
  if (fs::exists(database)) {
    try {
      store::Store store = store::Store::open(database, store::Mode::read_write_create);
      store.begin();  // takes the write lock, and gives it back undone
      report.good("database", database.string());
    } catch (const Error& error) {
      report.bad("database", error.what());
    }
  } else if (access(folder.c_str(), W_OK) == 0) {
    report.good("database", fmt::format("{} can be made", database.string()));
  } else {
    report.bad("database", fmt::format("no permission to write in {}", folder.string()));
  }
}

void check_demo_models(DoctorReport& report) {
  for (const char* name : {"specialised", "misrouted", "mixed"}) {
    const fs::path path = find_path(fs::path("models/demo") / name);
    if (fs::exists(path / "model.safetensors")) {
      report.good("demo model", path.string());
    } else {
      report.note("demo model", fmt::format("{} is not here: study=demo cannot run", path.string()));
    }
  }
}

int doctor(const Arguments& arguments) {
  DoctorReport report;
  fmt::print("moelab {}\n", kVersion);
  check_libraries(report);
  check_threads(report);
  check_gpu(report);
  check_memory(report);
  check_configs(report);
  const bool is_given = arguments.settings.contains("db");
  check_database(report, database_path(is_given ? std::optional(arguments.setting("db")) : std::nullopt));
  check_demo_models(report);
  fmt::print("{}\n",
             report.problems == 0 ? "Nothing is missing." : fmt::format("{} problems.", report.problems));
  return report.problems == 0 ? kExitDone : kExitFailed;
}

}  // namespace

Verb verb_doctor() {
  VerbSpec spec;
  spec.name = "doctor";
  spec.summary = "check this machine: libraries, threads, disk, database, models";
  spec.usage = "[db=PATH]";
  spec.text =
      "Prints one line a check and exits 1 when something is missing. A process must have one OpenMP "
      "runtime, the one\n"
      "that comes with LibTorch.";
  spec.settings = {database_setting()};
  spec.examples = {"moelab doctor", "moelab doctor db=/scratch/moelab.db",
                   "moelab doctor && moelab run study=demo"};
  return {spec, doctor};
}

}  // namespace moelab::experiments
