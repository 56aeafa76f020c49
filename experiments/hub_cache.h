// The local cache of the Hugging Face hub: where it lies, and which snapshot of a model it holds.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace moelab::experiments {

// "org/name" as the hub allows it: two parts of letters, digits, '.', '_' and '-' that begin with a letter or
// digit.
bool is_hub_id(std::string_view text);

// HF_HUB_CACHE, else HF_HOME/hub, else huggingface/hub in XDG_CACHE_HOME or ~/.cache, as the hub's own
// library looks for it.
std::filesystem::path hub_cache_directory();

// models--org--name/snapshots/<commit> in `cache`, where <commit> is what refs/<revision> says, or the
// revision itself; nothing when that is not there. A snapshot may lack files that were not fetched.
std::optional<std::filesystem::path> cached_snapshot(const std::filesystem::path& cache,
                                                     const std::string& hub_id, const std::string& revision);

}  // namespace moelab::experiments
