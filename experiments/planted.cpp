#include "experiments/planted.h"

namespace moelab::experiments {

std::map<std::string, std::vector<Planted>> planted_of(const Json& truth) {
  std::map<std::string, std::vector<Planted>> planted;
  const std::string origin = "the truth file";
  for (const char* key : {"planted", "domains"}) {
    const auto found = truth.find(key);
    if (found == truth.end() || !found->is_object()) continue;
    for (const auto& [domain, experts] : found->items())
      for (const Json& expert : experts)
        planted[domain].push_back({json_get<int>(expert, "layer", origin),
                                   json_get<int>(expert, "expert", origin),
                                   json_get_or<std::string>(expert, "kind", "", origin)});
  }
  return planted;
}

}  // namespace moelab::experiments
