// Judges answers that come as JSONL rows, so that a script can use an evaluator without a database.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "evaluators/registry.h"

namespace moelab::evaluators {

struct ExtractCounts {
  std::int64_t rows = 0;
  std::int64_t answered = 0;  // something was found
  std::int64_t correct = 0;
};

// Reads one JSON object a line and writes one for each, in their order:
//   {"text": "...", "options": ["..."], "gold": "B", "closed": true}
//   {"answer": "B", "rule": "answer_is", "span": [15, 16], "correct": true}
// `gold` is the right option's letter, or the number (as text or as a JSON integer); without it `correct` is
// null. `options` are needed by evaluators of letters; `closed: false` says that the thinking was never
// ended. `answer` and `span` (bytes of the text in UTF-8, the end excluded) are null where nothing was found;
// `span` also where a rule looks at no single place. Empty lines are passed over. Throws FileError naming
// `origin` and the row, counted from 1 as lines are, at the first row that is no such object, is not UTF-8,
// or cannot be judged; the rows before it are written.
ExtractCounts extract_rows(std::istream& in, std::ostream& out, const Evaluator& evaluator,
                           std::string_view origin);

}  // namespace moelab::evaluators
