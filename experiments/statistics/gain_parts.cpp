#include "experiments/statistics/gain_parts.h"

#include "core/base/error.h"

namespace moelab::statistics {

GainParts split_gain(std::span<const AnswerState> first, std::span<const AnswerState> second) {
  if (first.size() != second.size())
    throw Error("paired answers must be equally many, not {} and {}", first.size(), second.size());
  GainParts parts;
  parts.n = static_cast<std::int64_t>(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].is_right == second[i].is_right) continue;
    GainPart& part = first[i].is_cut_off != second[i].is_cut_off ? parts.truncation
                     : first[i].is_parsed != second[i].is_parsed ? parts.format
                                                                 : parts.content;
    ++(second[i].is_right ? part.gained : part.lost);
  }
  return parts;
}

}  // namespace moelab::statistics
