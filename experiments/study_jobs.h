// Studies of a command line: bound all at once, then run with a progress line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/arguments.h"
#include "experiments/signals.h"
#include "experiments/study_config.h"
#include "experiments/study_run.h"

namespace moelab::experiments {

struct StudyJob {
  StudyConfig study;
  std::filesystem::path database;
};

// The studies that `overrides` ask for, bound before any of them runs. Throws ConfigError with what is wrong
// with overrides, references and values together.
std::vector<StudyJob> bind_jobs(const Arguments& arguments, const std::vector<std::string>& overrides);

// Throws what run_study throws.
RunSummary run_job(const StudyJob& job, const StopSignals& signals);

// One or two lines: what was done, and where failures are explained.
void print_summary(const StudyJob& job, const RunSummary& summary);

}  // namespace moelab::experiments
