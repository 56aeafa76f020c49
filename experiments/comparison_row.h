// One row of `comparison` in the making: two plans' answers to the same questions, and what all rows of a
// domain share.
#pragma once

#include <optional>
#include <vector>

#include "core/base/json.h"
#include "core/store/store.h"
#include "experiments/statistics/paired_repeats.h"
#include "experiments/study_choices.h"

namespace moelab::experiments {

// Figures that all comparisons of one domain and evaluator share.
struct DomainContext {
  const StoredStudy* study = nullptr;
  const DomainAnswers* domain = nullptr;
  double chance = 0;
  std::vector<double> null_gains;  // of every draw, through the same selection
};

// The mean over the table's questions of 1 / options; a question without options cannot be guessed.
double chance_of(store::Store& store, const AnswerTable& table);

// The assignment at an index of a report.
int assignment_at(const DomainAnswers& domain, std::size_t index);

// The questions that the assignment at that index reports on, in the order of its parts.
std::vector<std::size_t> reported_questions(const DomainAnswers& domain, std::size_t index);

// The chosen plans' answers to the questions that the median assignment reports on, in their order.
Answers reported_answers(const DomainAnswers& domain, const Selected& selected, const Report& rep);

// The answers on `questions`.
Answers answers_at(const Answers& answers, const std::vector<std::size_t>& questions);

// Against the original, on `questions`.
statistics::PairedAnswers pair_on(const DomainAnswers& domain, const Answers& other,
                                  const std::vector<std::size_t>& questions);

// The row with its study, domain and evaluator, the figures of `counts`, and no method yet.
store::ComparisonRow make_row(const DomainContext& context, const statistics::PairedAnswers& counts);

// The settings that every row carries: chance, intervals of both accuracies, versions.
Json common_settings(store::Store& store, const DomainContext& context,
                     const statistics::PairedAnswers& counts);

// What a cell's plan did, over the layers that it steers; nothing where no row was steered.
struct PlanEffect {
  std::optional<double> changed_share;  // of the selections
  std::optional<double> dose;           // nats a token, the layers' mean divergences summed
};
PlanEffect plan_effect(store::Store& store, store::Id cell);

// Writes the effect of the row's plan: a column and a setting.
void add_effect(const PlanEffect& effect, store::ComparisonRow& row, Json& settings);

// The row of one cell's plan, at its own setting and chosen by nobody.
store::ComparisonRow plan_row_of(store::Store& store, const DomainContext& context,
                                 const store::CellRow& cell, const statistics::PairedAnswers& counts);

}  // namespace moelab::experiments
