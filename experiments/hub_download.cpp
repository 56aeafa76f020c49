#include "experiments/hub_download.h"

#include "core/base/error.h"
#include "experiments/child_process.h"

namespace moelab::experiments {

void run_hf(const std::vector<std::string>& words, const std::string& otherwise, const std::string& advice) {
  if (!has_program("hf"))
    throw Error(
        "the program 'hf' is not installed; install it with: python3 -m pip install -U huggingface_hub{}",
        otherwise.empty() ? "" : "; " + otherwise);
  const int status = run_child("hf", words);
  if (status != 0) throw Error("hf ended with status {}: see above; {}", status, advice);
}

}  // namespace moelab::experiments
