// Scores the missing samples of many cells of one model and domain together and stores them chunk by chunk.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/store/store.h"
#include "core/text/thinking.h"
#include "evaluators/answer.h"
#include "experiments/benchmark.h"

namespace moelab::experiments {

// A question ready to be scored or answered.
struct ScoredQuestion {
  store::Id id = 0;
  std::string name;
  std::size_t answer = 0;  // index of the right option
  int integer = 0;         // the answer of a question without options
  std::string key;         // of the question's text and rendered tokens
  engine::ScoreItem item;
  std::vector<std::int64_t> option_bytes;  // of each continuation's text
  evaluators::Expected expected = {};      // of a published prompt whose answer the model writes
  text::ThinkingOptions::Opened opened = text::ThinkingOptions::Opened::nothing;  // by the end of its prompt
  std::string asked = {};  // its prompt before the chat template, where a second call goes on from it
  std::optional<std::string> option_order = {};  // as store::SampleRow's
  std::vector<ScoredQuestion> again = {};        // in its further repeats, where each has a prompt of its own

  // As it is put in a repeat.
  const ScoredQuestion& in_repeat(int repeat) const {
    return repeat == 0 || again.empty() ? *this : again.at(static_cast<std::size_t>(repeat) - 1);
  }
};

// Tokens of the longest prompt, of any repeat.
std::int64_t longest_prompt(std::span<const ScoredQuestion> questions);

// What the cells of one call share.
struct ScoreSetup {
  const engine::Engine* engine = nullptr;
  std::string condition;  // key of the cells' condition
  PromptStyle prompt = PromptStyle::short_text;
  std::vector<std::string> evaluators = {};  // of the style published
  std::span<const ScoredQuestion> questions;
  std::int64_t wanted = 0;        // samples that make a cell complete, without a limit
  std::string provenance = "{}";  // JSON: device, libraries, threads ...
};

struct CellTask {
  store::Id cell = 0;
  std::string plan_key;  // content digest; tasks of equal content are computed once
  steering::Plan plan;   // without entries: the original
  std::optional<std::map<store::Id, steering::Plan>> by_question = {};  // then each question's own
  // Kept by score_cells:
  std::int64_t stored = 0;   // samples, of any question
  std::int64_t missing = 0;  // of setup.questions

  // The plan that a question is put under; without entries: the original.
  const steering::Plan& plan_for(store::Id question) const;
  // Its content digest, as it is part of the sample's key.
  std::string plan_key_for(store::Id question) const;
};

// Counts of one chunk.
struct ChunkReport {
  std::int64_t samples = 0;  // stored for the first time
  std::int64_t forward_tokens = 0;
  double seconds = 0;
};

struct ScoreHooks {
  std::function<void(std::int64_t samples)> inside;    // samples scored in the chunk so far; may be empty
  std::function<void(const ChunkReport&)> chunk_done;  // after each stored chunk; throws Interrupted to stop
};

// How many of the given cells missed nothing before, and how many were completed now.
struct ScoreSummary {
  std::int64_t complete_before = 0;
  std::int64_t completed = 0;
};

// One transaction holds a chunk's samples, verdicts, effect counts and outcomes, so that a kill at any
// instant loses a chunk at most and never counts an effect twice. A cell is done when it has `wanted` samples
// (inert when no selection or weight changed), partial with fewer. A plan that fails is run alone once more;
// if it fails again its cell is marked failed with the text and left out. Throws Error when the original
// itself fails, and when a task has plans by question, which only written answers have.
ScoreSummary score_cells(const ScoreSetup& setup, std::vector<CellTask> tasks, store::Store& store,
                         const ScoreHooks& hooks);

}  // namespace moelab::experiments
