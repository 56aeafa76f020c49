// One batch of generation: the samples of some questions and repeats under all plans side by side, asked once
// or, where the prompt has a question behind the reply, twice.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/model/memory.h"
#include "experiments/generate_cells.h"
#include "experiments/model_session.h"
#include "experiments/written_sample.h"

namespace moelab::experiments {

struct QuestionRepeat {
  std::size_t question = 0;  // index into setup.cells.questions
  int repeat = 0;
};

// Samples that the same tasks still miss.
struct SampleChunk {
  std::vector<QuestionRepeat> units;
  std::vector<std::size_t> tasks;
};

// What was generated for one sample; nothing of a call that did not end.
struct MadeSample {
  std::optional<engine::Generation> first;
  std::optional<SecondCall> second;
};

// The tasks of a chunk that have one plan, and what was generated for them.
struct PlanRun {
  std::vector<std::size_t> tasks;
  std::vector<MadeSample> samples;        // [units]
  std::vector<steering::Effect> effects;  // of each call and plan
  std::string error;
};

// The question as the unit's repeat puts it.
const ScoredQuestion& question_of(const GenerateSetup& setup, const QuestionRepeat& unit);

// Samples that are generated in one call: a few for every row that the KV cache holds.
std::size_t samples_a_chunk(const GenerateSetup& setup);

// Fills in the runs' samples, effects and errors; `reader` takes the reply that is asked about again. All
// plans are generated together; when that fails, one by one, and what had ended stays in the runs. Returns
// the token rows that passed the model.
std::int64_t generate_what_works(const GenerateSetup& setup, const AnswerReader& reader,
                                 const SampleChunk& chunk, const std::vector<CellTask>& tasks,
                                 std::vector<PlanRun>& runs, const ScoreHooks& hooks);

// What generate_original needs: answers of `engine`, the session's own or one that was made of it.
// `questions` must outlive it.
GenerateSetup original_setup(const engine::Engine& engine, const ModelSession& session,
                             std::span<const ScoredQuestion> questions, const GenerationConfig& generation,
                             std::int64_t seed);

// The first answer to each question under the original model, in their order; of two calls the first one.
// `before_chunk` is called before each chunk of them; what it throws ends the call.
std::vector<engine::Generation> generate_original(const GenerateSetup& setup,
                                                  const std::function<void()>& before_chunk);

}  // namespace moelab::experiments
