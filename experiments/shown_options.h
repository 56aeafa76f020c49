// The options of a question as one of its samples showed them, where repeats have orders of their own.
#pragma once

#include <optional>
#include <string>

#include "core/store/rows.h"

namespace moelab::experiments {

// Options and right letter in the order of store::SampleRow::option_order; without one the question as it is.
// Throws StoreError when the order does not fit the question's options.
store::QuestionRow as_shown(store::QuestionRow question, const std::optional<std::string>& option_order);

// The letter that the question itself gives to a sample's answer, "B" for "B" and "(B)". A small letter,
// which some evaluators keep and judge wrong, stays small; other answers are as they are. Answers of several
// repeats can be counted by it.
std::string own_answer(const std::string& answer, const std::optional<std::string>& option_order);

}  // namespace moelab::experiments
