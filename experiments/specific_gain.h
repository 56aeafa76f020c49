// Is a gain the domain's own? A method's plan beside the plans that it makes for other domains, at one
// setting.
#pragma once

#include <vector>

#include "experiments/comparison_row.h"

namespace moelab::experiments {

// Other domains' plans of a method on one domain's questions: a comparison row and the answers of each.
struct OtherPlans {
  std::vector<store::ComparisonRow> rows;
  std::vector<Answers> answers;  // in the order of `asked`
};

// The cells of `role` that run another domain's plan of the selected method and draw, at the setting that was
// chosen most often.
std::vector<store::CellRow> cells_of_others(const DomainAnswers& domain, const std::string& role,
                                            const Selected& selected);

// Those at the setting that `selected` chose most often; plans that lack an answer are left out.
OtherPlans other_plans(store::Store& store, const DomainContext& context, const Selected& selected,
                       const std::vector<std::size_t>& asked);

// Sets the row's gain_other_domains, specificity with its interval, and p_specific. `own` are the answers
// behind the row's gain, in the order of the others'. Without other plans nothing is set.
void add_specificity(const OtherPlans& others, const Answers& own, std::int64_t repeats,
                     store::ComparisonRow& row);

// Sets p_labels on the rows of every method whose plans were all run on all tested domains of a model and
// benchmark; two domains or more.
void add_label_tests(std::vector<store::ComparisonRow>& rows);

}  // namespace moelab::experiments
