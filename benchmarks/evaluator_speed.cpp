// Measures every evaluator of written answers: the slowest of many hostile texts, and ordinary answers by the
// hundred thousand. Times are of the processor, so that a busy machine does not count.
//   evaluator_speed > benchmarks/evaluator_speed.results.json
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/random.h"
#include "evaluators/registry.h"
#include "tests/support/hostile_texts.h"

using namespace moelab;
using namespace moelab::evaluators;

namespace {

constexpr std::size_t kHostileSize = 100'000;  // characters of one text
constexpr std::size_t kOrdinary = 100'000;     // answers

// What models write: some sentences and an answer, 100 to 2000 characters.
std::vector<std::string> ordinary_answers() {
  constexpr const char* kSentences[] = {"We first look at the forces that act on the block. ",
                                        "By symmetry both terms are equal, so $x = 3$. ",
                                        "Option (A) is out because the energy is not conserved. ",
                                        "Let us compute: 12 * 7 = 84, and 84 - 6 = 78.\n",
                                        "I think that the second claim needs a closer look. ",
                                        "Hence the reaction is of first order.\n\n"};
  constexpr const char* kEnds[] = {
      "The answer is (B).", "ANSWER: C", "Therefore, the final answer is: $\\boxed{78}$.",
      "**Answer: D**",      "#### 78",   "So it must be A or B."};
  RandomStream random(1, "evaluator_speed");
  std::vector<std::string> answers(kOrdinary);
  for (std::string& answer : answers) {
    const std::uint64_t sentences = 2 + random.below(30);
    for (std::uint64_t i = 0; i < sentences; ++i) answer += kSentences[random.below(std::size(kSentences))];
    answer += kEnds[random.below(std::size(kEnds))];
  }
  return answers;
}

double milliseconds_since(std::clock_t start) {
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

int main() {
  const Expected letters{"B", {"red", "green and blue", "0.5", "no answer"}};
  const Expected number{"78", {}};
  const std::vector<std::string> hostile = testing::hostile_texts(kHostileSize),
                                 ordinary = ordinary_answers();
  Json results = Json::array();
  for (const Evaluator& each : all_evaluators()) {
    const Expected& expected = each.kind == AnswerKind::letter ? letters : number;
    double worst = 0;
    std::string worst_line;
    for (const std::string& line : hostile) {
      double best = 1e9;
      for (int i = 0; i < 5; ++i) {
        const std::clock_t start = std::clock();
        judge_written(each, {line}, expected);
        best = std::min(best, milliseconds_since(start));
      }
      if (best < worst) continue;
      worst = best;
      worst_line = line.substr(0, 16);
    }
    const std::clock_t start = std::clock();
    std::int64_t right = 0;
    for (const std::string& answer : ordinary)
      right += judge_written(each, {answer}, expected).correct ? 1 : 0;
    results.push_back({{"evaluator", each.name},
                       {"worst_line_ms", worst},
                       {"worst_line_begins", worst_line},
                       {"ordinary_answers_s", milliseconds_since(start) / 1000},
                       {"right", right}});
  }
  std::size_t bytes = 0;
  for (const std::string& answer : ordinary) bytes += answer.size();
  fmt::print("{}\n", Json{{"hostile_characters", kHostileSize},
                          {"hostile_lines", hostile.size()},
                          {"ordinary_answers", kOrdinary},
                          {"ordinary_bytes", bytes},
                          {"evaluators", results}}
                         .dump(1, ' ', false, Json::error_handler_t::replace));
}
