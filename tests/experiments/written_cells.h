// Questions and cells for tests that have answers written without a study.
#pragma once

#include <string>
#include <vector>

#include "experiments/model_session.h"
#include "experiments/question_prompt.h"
#include "experiments/score_cells.h"

namespace moelab::testing {

// The questions of a list as they are put to the model in `session`, stored.
inline std::vector<experiments::ScoredQuestion> stored_sums(const experiments::ModelSession& session,
                                                            store::Store& store,
                                                            const std::vector<std::string>& texts) {
  std::vector<experiments::ScoredQuestion> ready;
  for (const std::string& text : texts) {
    experiments::Question question;
    question.name = question.group = question.text = text;
    question.domain = "sums";
    const std::vector<store::QuestionRow> row = {experiments::question_row(question, "sums")};
    experiments::ScoredQuestion one;
    one.id = store.put_questions(row).front();
    one.name = question.name;
    one.key = text;
    one.item = experiments::tokenize(experiments::render_prompt(question, experiments::PromptStyle::worked),
                                     session.tokenizer(), text);
    ready.push_back(std::move(one));
  }
  return ready;
}

// A new cell of the model, whose key is its plan's too.
inline experiments::CellTask put_task(store::Store& store, store::Id model, const std::string& key,
                                      const steering::Plan& plan) {
  store::CellRow row;
  row.key = row.condition = key;
  row.model = model;
  row.benchmark = row.domain = "sums";
  experiments::CellTask task;
  task.cell = store.put_cell(row);
  task.plan_key = key;
  task.plan = plan;
  return task;
}

}  // namespace moelab::testing
