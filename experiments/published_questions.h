// From the files of a published set to a benchmark's questions: domains, groups, shown options and prompts.
#pragma once

#include "experiments/benchmark.h"

namespace moelab::experiments {

// Reads config.files, and config.examples where the prompt takes some. Domains are the set's own in lower
// case with '_' for all but letters and digits ("computer_science"), or its subdomains, or all questions as
// one; groups are data::duplicate_groups over the whole set, so that no near-duplicate is split. A prompt of
// the project's own style shows the options as published, GPQA's in the official order. Throws FileError
// naming file and row; ConfigError for a prompt or evaluator of another set, a style that the questions lack
// the options for, and a domain that the set does not have.
Benchmark load_published(const BenchmarkConfig& config);

// "Computer Science" as "computer_science".
std::string domain_key(const std::string& name);

// The domain of a question as config.domain_by makes it. Throws ConfigError naming the question when it lacks
// the subdomain that is asked for.
std::string domain_name(const std::string& domain, const std::string& subdomain, const std::string& question,
                        const BenchmarkConfig& config);

// Leaves the domains that config.domains names, all where it names none. Throws ConfigError with the nearest
// name.
void keep_domains(const BenchmarkConfig& config, Benchmark& benchmark);

}  // namespace moelab::experiments
