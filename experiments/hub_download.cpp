#include "experiments/hub_download.h"

#include <boost/process.hpp>
#include <cstdio>

#include "core/base/error.h"

namespace moelab::experiments {

void run_hf(const std::vector<std::string>& words, const std::string& otherwise, const std::string& advice) {
  const auto program = boost::process::search_path("hf");
  if (program.empty())
    throw Error(
        "the program 'hf' is not installed; install it with: python3 -m pip install -U huggingface_hub{}",
        otherwise.empty() ? "" : "; " + otherwise);
  std::fflush(stdout);
  const int status = boost::process::system(program, boost::process::args(words),
                                            boost::process::std_in < boost::process::null);
  if (status != 0) throw Error("hf ended with status {}: see above; {}", status, advice);
}

}  // namespace moelab::experiments
