// GSM8K as lm-evaluation-harness scores it: the number in a written answer, compared as text.
#pragma once

#include <string>
#include <string_view>

#include "evaluators/answer.h"

namespace moelab::evaluators {

inline constexpr std::string_view kGsm8kStrict = "gsm8k/lm_eval_strict";
inline constexpr std::string_view kGsm8kFlexible = "gsm8k/lm_eval_flexible";

// Task gsm8k 3.0, strict-match: `#### (\-?[0-9\.\,]+)`, the first match (hashes). The answer is given as
// plain_number makes it, here and below.
Extraction extract_gsm8k_strict(std::string_view text);

// flexible-extract: `(-?[$0-9.,]{2,})|(-?[0-9]+)`, the last match (last_number).
Extraction extract_gsm8k_flexible(std::string_view text);

// What exact_match compares: commas, dollar signs, all up to the last "#### " and a dot at the end are left
// out.
std::string plain_number(std::string_view text);

}  // namespace moelab::evaluators
