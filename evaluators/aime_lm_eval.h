// AIME as lm-evaluation-harness scores it: the answer as LaTeX text, compared as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "evaluators/answer.h"

namespace moelab::evaluators {

inline constexpr std::string_view kAimeLmEval = "aime/lm_eval";

// lm-eval 0.4.13, tasks/aime/utils.py. The last rule that applies counts:
//   whole_text   the reply as it is
//   dollars      what stands between the first and the last of several dollar signs
//   boxed        the content of the last `\boxed{...}` when its braces balance
//   boxed_space  if there is a `\boxed ` (with a space): what follows the last one, up to a dollar sign
// An empty answer is one here: the harness compares it like any other.
Extraction extract_aime_lm_eval(std::string_view text);

// The harness's strip_string: the form in which two answers are compared; nothing where it raises an
// exception.
std::optional<std::string> normalized_latex(std::string_view text);

// Its is_equiv: equal normal forms, or equal texts where one of the two has no normal form.
bool is_same_latex(std::string_view a, std::string_view b);

}  // namespace moelab::evaluators
