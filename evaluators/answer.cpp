#include "evaluators/answer.h"

#include "core/base/error.h"

namespace moelab::evaluators {

char gold_letter(std::string_view evaluator, const Expected& expected, std::size_t limit) {
  const std::string& gold = expected.gold;
  if (gold.size() != 1 || gold[0] < 'A' || gold[0] > 'Z')
    throw Error("{}: the right answer is '{}'; give the letter of an option, A to Z", evaluator, gold);
  if (static_cast<std::size_t>(gold[0] - 'A') >= limit)
    throw Error("{}: option {} is said to be right, there are {}", evaluator, gold, limit);
  return gold[0];
}

}  // namespace moelab::evaluators
