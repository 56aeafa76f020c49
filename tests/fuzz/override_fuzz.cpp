// libFuzzer target: override texts, references and sweeps; whatever is not a config must end as a
// ConfigError.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/config/config.h"
#include "core/config/interpolation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  using namespace moelab;
  try {
    const config::ParsedOverride parsed = config::parse_override(text);
    for (const Json& value : parsed.values) config::to_yaml(value);
    const std::vector<std::string> two{text, "other=1,2"};
    for (const auto& job : config::split_sweep(two, {.max_jobs = 100}).jobs) {
      for (const std::string& one : job) config::parse_override(one);  // what is written can be read again
    }
  } catch (const ConfigError&) {
  }
  try {
    Json tree{{"text", text}, {"list", {1, "${text}"}}, {"map", {{"key", "${list}"}}}};
    config::resolve(tree);
  } catch (const ConfigError&) {
  }
  return 0;
}
