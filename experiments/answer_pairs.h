// The answers of a cell beside those of its original, question by question, for looking at single answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/arguments.h"

namespace moelab::experiments {

struct AnswerPair {
  store::Id question = 0;
  std::string answer_original, answer;  // "" where none was found
  bool is_right_original = false, is_right = false;
  std::optional<std::string> option_order = {};  // as store::SampleRow's; both sides were asked alike
  bool flipped() const { return is_right_original != is_right; }
};

struct CellPair {
  store::CellRow original, steered;
  std::string model, evaluator;
  int repeat = 0;                   // which samples these are
  std::vector<AnswerPair> answers;  // by question
};

// The keys that name a cell: study, model, domain, method, n_steered, alpha, mode, draw, steered_domain,
// cell, evaluator, repeat and the database.
std::vector<KeySpec> cell_settings();

// The cell that the keys name, with its original. Where n_steered, alpha or mode is left out the settings
// that the study chose most often count. Throws ConfigError when no cell or several are left, listing them.
CellPair find_pair(store::Store& store, const Arguments& arguments);

// Whether a benchmark's makers ask that its texts are not spread: GPQA. They are printed on demand only.
bool is_protected(const store::QuestionRow& question);

// A question as the pair's sample was asked it, its options marked: "A. Helium    <- right, original".
// Without `with_text` the letters and marks alone.
std::string question_text(const store::QuestionRow& question, const AnswerPair& pair, bool with_text = true);

// What both sides wrote to one question: for each a line with the rule that found the answer, how the text
// ended and its tokens, and the text's last `characters` (0: all of it), indented. Empty where options were
// scored.
std::string written_texts(store::Store& store, const CellPair& pair, store::Id question,
                          std::int64_t characters);

// "demo_mixed / elements: dsmoe, 4 experts at alpha 3, logit_shift (cell 17)".
std::string describe_cell(const std::string& model, const store::CellRow& cell);

}  // namespace moelab::experiments
