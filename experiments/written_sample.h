// From generated tokens to a stored sample: thinking and answer told apart, counted and judged.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/engine/generate.h"
#include "core/store/rows.h"
#include "core/text/thinking.h"
#include "experiments/benchmark.h"
#include "experiments/score_cells.h"

namespace moelab::experiments {

struct WrittenSample {
  store::SampleRow row;  // without cell, question, repeat and key
  store::VerdictRow verdict;
  std::vector<store::VerdictRow> more;  // of a published prompt's other evaluators
};

// What a model wrote when it was asked again behind its first reply.
struct SecondCall {
  engine::Generation made;
  std::string_view follow_up;                                                     // what it was asked
  text::ThinkingOptions::Opened opened = text::ThinkingOptions::Opened::nothing;  // by its prompt's end
  std::int64_t prompt_tokens = 0;
};

// The verdict as it is stored, without its sample.
store::VerdictRow verdict_row(const evaluators::Verdict& verdict);

class AnswerReader {
 public:
  // Keeps a reference to the tokenizer. `eos_ids`: the tokens that config.json names as the end.
  // `evaluators`: of the style published, at least one.
  AnswerReader(const text::Tokenizer& tokenizer, PromptStyle style, const GenerationConfig& config,
               std::span<const std::int64_t> eos_ids, std::vector<std::string> evaluators = {});

  // The answer without thinking, markers and what follows a stop text; "" while the thinking is not closed.
  std::string reply(const ScoredQuestion& question, const engine::Generation& generation) const;

  // The evaluator sees the answer without thinking, markers and what follows a stop text; nothing while the
  // thinking is not closed. `output` is all that was generated but for the token that ended it.
  WrittenSample read(const ScoredQuestion& question, const engine::Generation& generation) const;

  // Of two calls: the second reply is judged; `output` holds the first one, the question behind it and the
  // second one, tokens are counted over both, and either may be cut off.
  WrittenSample read(const ScoredQuestion& question, const engine::Generation& first,
                     const SecondCall& second) const;

 private:
  using Opened = text::ThinkingOptions::Opened;
  text::ThinkingSplit split(const engine::Generation& generation, Opened opened) const;
  WrittenSample read_reply(const ScoredQuestion& question, const engine::Generation& generation,
                           Opened opened) const;
  std::string text_of(const engine::Generation& generation) const;
  void judge(const ScoredQuestion& question, std::string_view answer, bool closed,
             WrittenSample& sample) const;
  std::string answer_of(const engine::Generation& generation, const text::ThinkingSplit& split) const;

  const text::Tokenizer& tokenizer_;
  PromptStyle style_;
  std::vector<std::string> stop_;
  std::vector<std::string> evaluators_;
  text::ThinkingSplitter splitter_;
};

}  // namespace moelab::experiments
