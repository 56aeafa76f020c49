// The program's entry: the one place where errors become a line on stderr and an exit status.
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "experiments/cli.h"

namespace {

int report(const char* text, int status) {
  std::fflush(stdout);
  fmt::print(stderr, "moelab: {}\n", text);
  return status;
}

// Output that did not reach its file (a full disk) must not look like success.
int flushed(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  throw moelab::FileError("the output could not be written: is the disk full?");
}

// OpenMP's threads spin while they wait, which makes small models several times slower on a machine that is
// shared. Its library reads the setting before main, so verbs that compute start the program once more,
// unless the user has chosen.
void sleep_while_waiting(char** argv) {
  constexpr std::array<std::string_view, 5> kComputing = {"run", "discover", "train", "try", "generate"};
  if (argv[0] == nullptr || argv[1] == nullptr) return;
  if (std::find(kComputing.begin(), kComputing.end(), std::string_view(argv[1])) == kComputing.end()) return;
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (::setenv("OMP_WAIT_POLICY", "PASSIVE", 1) == 0) ::execv("/proc/self/exe", argv);
  // Without /proc the program goes on as it was started.
}

}  // namespace

int main(int argc, char** argv) {
  using namespace moelab::experiments;
  sleep_while_waiting(argv);
  try {
    return flushed(run_program(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const moelab::Interrupted& stop) {
    return report(stop.what(), kExitInterrupted);
  } catch (const moelab::ConfigError& problem) {
    return report(problem.what(), kExitUsage);
  } catch (const moelab::Error& problem) {
    return report(problem.what(), kExitFailed);
  } catch (const c10::Error& problem) {
    return report(problem.what_without_backtrace(), kExitFailed);
  } catch (const std::exception& problem) {
    return report(problem.what(), kExitFailed);
  }
}
