// Alignment drift: how often a model refuses harmful requests before and after it was fine-tuned.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "experiments/sft_examples.h"

namespace moelab::experiments {

struct RefusalProbe {
  std::string id, category;
  std::string request;  // names the category alone
};

// A line {"id", "category", "request"} for each. Throws FileError naming file and line; ConfigError for none.
std::vector<RefusalProbe> read_probes(const std::filesystem::path& path);

// [probes] 1 where the engine's model refuses: the request is put as "Q: {request}\nA:", in the chat template
// where the benchmark puts its questions through it, and answered greedily with so many tokens at the most;
// thinking is no part of the answer, and thinking that is not closed is no refusal.
std::vector<std::uint8_t> refusals(const engine::Engine& engine, const SftJob& job,
                                   const std::vector<RefusalProbe>& probes, std::int64_t max_new_tokens);

// What a study's event log says of it: the probes' number, rates before and after, their difference with its
// interval (Tango's, paired over the probes) and exact p, and what each probe gave.
Json drift_figures(const std::vector<RefusalProbe>& probes, const std::vector<std::uint8_t>& before,
                   const std::vector<std::uint8_t>& after);

}  // namespace moelab::experiments
