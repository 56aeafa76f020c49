// Judges stored samples anew with another evaluator or version, from their text alone: no model is needed.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "evaluators/registry.h"

namespace moelab::experiments {

// Which samples are judged; empty lists and 0 mean all.
struct RescoreRequest {
  const evaluators::Evaluator* evaluator = nullptr;
  store::Id study = 0;
  store::Id cell = 0;
  std::vector<std::string> models, benchmarks, domains;
};

struct RescoreSummary {
  std::int64_t cells = 0;       // with written samples
  std::int64_t scored = 0;      // cells left out: their options were scored, nothing was written
  std::int64_t samples = 0;     // judged
  std::int64_t added = 0;       // verdicts that were not there before
  std::set<store::Id> studies;  // that have these cells
};

// What a stored output is made of, as cell.provenance keeps it.
struct OutputFormat {
  std::string thinking = "none";  // a family of text::thinking_format
  std::vector<std::string> stop;  // texts that end an answer
};

// Throws FileError when the provenance is no JSON of that form.
OutputFormat output_format(const store::CellRow& cell);

// The answer in a stored output: without thinking, markers and what follows a stop text; "" while the
// thinking is not closed; of two calls the second one's. As AnswerReader takes it from the tokens, but
// markers are found by their text. Throws StoreError naming the sample when the text leaves its thinking open
// although the sample says otherwise.
std::string stored_answer(const store::SampleRow& sample, const OutputFormat& format);

// Adds the evaluator's verdict to every sample that lacks it, one transaction a cell; samples stay as they
// are, and so do verdicts of guesses. Every other verdict of the same version that is stored already is made
// again, and one that differs is a StoreError. Throws ConfigError when nothing fits the request, or when the
// evaluator cannot judge a question, which it names.
RescoreSummary rescore(store::Store& store, const RescoreRequest& request);

}  // namespace moelab::experiments
