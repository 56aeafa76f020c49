// Generates the missing samples of many cells of one model and domain together and stores them chunk by
// chunk.
#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/request.h"
#include "core/text/tokenizer.h"
#include "experiments/generation_config.h"
#include "experiments/question_prompt.h"
#include "experiments/score_cells.h"

namespace moelab::experiments {

// What the cells of one call share; `cells.wanted` counts every repeat.
struct GenerateSetup {
  ScoreSetup cells;
  GenerationConfig generation;
  const text::Tokenizer* tokenizer = nullptr;
  std::uint64_t seed = 0;        // seed.sampling
  std::int64_t cache_bytes = 0;  // for keys and values; see ModelSession
  // Of a prompt that asks again behind the first reply; else null, and one call is all.
  const QuestionPrompts* prompts = nullptr;
};

// As score_cells, for answers that the model writes: rows of all plans are generated side by side, a chunk of
// (question, repeat) pairs under all plans is one transaction with its effect counts, and equal plans are run
// once. A draw depends on (seed, question, repeat, position) alone, so that plans are compared on common
// random numbers and a resumed cell has the samples of one that was not stopped. As many rows run at once as
// engine.batch_tokens of prompt and answer hold, and the cache has room for. A prompt that asks twice is
// asked twice within the chunk. When a chunk fails its plans are run one by one: a plan that fails again
// keeps the samples that had ended, without effect counts, and its cells are marked failed with the text.
ScoreSummary generate_cells(const GenerateSetup& setup, std::vector<CellTask> tasks, store::Store& store,
                            const ScoreHooks& hooks);

}  // namespace moelab::experiments
