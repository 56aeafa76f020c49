// What `moelab inspect` says of running a model: memory, GPUs, files, thinking and sampling.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/model/spec.h"
#include "experiments/model_files.h"
#include "experiments/model_place.h"

namespace moelab::experiments {

using ReportLines = std::vector<std::pair<std::string, std::string>>;  // name and value

// "1.50 GB" with decimal units, and "3.20 B" of a count.
std::string memory_text(double bytes);
std::string count_text(std::int64_t count);

// Weights and KV cache by type and context, and the GPUs on which they fit.
ReportLines memory_lines(const model::ModelSpec& spec);

// Which files are here, and which are missing.
ReportLines file_lines(const ModelFiles& files);

// How thinking is marked, as the command line would see it, and the recommended sampling with its source.
ReportLines advice_lines(const ModelPlace& place, const std::filesystem::path& folder);

}  // namespace moelab::experiments
