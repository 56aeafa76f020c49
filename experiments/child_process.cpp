#include "experiments/child_process.h"

#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "core/base/error.h"

namespace moelab::experiments {
namespace {

namespace process = boost::process;

constexpr auto kPause = std::chrono::milliseconds(50);  // between two looks at the child
constexpr auto kPatience = std::chrono::seconds(10);    // from the wish to end it to its end by force

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// The stream that the child writes to; ours stays open.
File stream_of(const std::filesystem::path& path, std::FILE* ours) {
  if (path.empty()) return {ours, [](std::FILE*) { return 0; }};
  File file(std::fopen(path.c_str(), "w"), &std::fclose);
  if (!file) throw FileError("{}: cannot be written", path.string());
  return file;
}

// Empty for a name that PATH does not know.
boost::filesystem::path find_program(const std::string& name) {
  return name.find('/') == std::string::npos ? process::search_path(name) : boost::filesystem::path(name);
}

// In the child, before it becomes the program: a group of its own, so that all that it starts can be ended
// with it. The terminal's Ctrl-C does not reach that group, so the system ends the child when we are ended at
// once.
void leave_group() {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
}

bool is_gone(pid_t group) { return ::kill(-group, 0) != 0 && errno == ESRCH; }

// Ends the child's group: politely, then by force. What the child has started is given its time too when the
// child itself, a shell perhaps, has ended.
void end(process::child& child) {
  const pid_t group = child.id();
  ::kill(-group, SIGTERM);
  const auto last = std::chrono::steady_clock::now() + kPatience;
  // A child that nobody has waited for is still in its group: running() waits for it.
  while ((child.running() || !is_gone(group)) && std::chrono::steady_clock::now() < last)
    std::this_thread::sleep_for(kPause);
  if (!is_gone(group)) ::kill(-group, SIGKILL);
  child.wait();
}

}  // namespace

bool has_program(const std::string& program) {
  const auto path = find_program(program);
  return !path.empty() && ::access(path.c_str(), X_OK) == 0;
}

int run_child(const std::string& program, const std::vector<std::string>& words,
              const ChildOptions& options) {
  if (!has_program(program)) throw Error("the program '{}' is not installed, or cannot be run", program);
  process::environment environment = boost::this_process::environment();
  for (const auto& [name, value] : options.environment) environment[name] = value;
  std::fflush(stdout);
  const File output = stream_of(options.output, stdout), errors = stream_of(options.errors, stderr);
  const bool is_ended_by_us = static_cast<bool>(options.check_stop);
  const auto set_up = [is_ended_by_us](auto&) {
    if (is_ended_by_us) leave_group();
  };
  process::child child(find_program(program), process::args(words), environment,
                       process::std_in<process::null, process::std_out> output.get(),
                       process::std_err > errors.get(), process::extend::on_exec_setup = set_up);
  try {
    while (is_ended_by_us && child.running()) {
      options.check_stop();
      std::this_thread::sleep_for(kPause);
    }
  } catch (...) {
    end(child);
    throw;
  }
  child.wait();
  return child.exit_code();
}

}  // namespace moelab::experiments
