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

using namespace moelab;
using namespace moelab::evaluators;

namespace {

constexpr std::size_t kHostileSize = 100'000;  // characters of one line
constexpr std::size_t kOrdinary = 100'000;     // answers

std::string repeated(std::string_view piece, std::size_t size) {
  std::string text;
  while (text.size() < size) text += piece;
  return text;
}

// Lines on which a careless search begins anew at every place.
std::vector<std::string> hostile_lines() {
  std::vector<std::string> lines;
  for (const std::string_view piece : {"answer: ",
                                       "ANSWER: ",
                                       "ANSWER : A,",
                                       "final answer ",
                                       "final answer is:",
                                       "\\boxed{",
                                       "\\frac1",
                                       "\\sqrt",
                                       "$",
                                       "$ A",
                                       "**A",
                                       "(A",
                                       ":(A)",
                                       ": ",
                                       "#### ",
                                       "1,",
                                       "-",
                                       "A_",
                                       "{",
                                       "\xce\xa3",
                                       "\xce\xa3.",
                                       "\xce\xa3 a",
                                       "answer is (",
                                       "the answer is ",
                                       "** ",
                                       ",",
                                       "a",
                                       "A ",
                                       "is ",
                                       "**ANSWER**: ",
                                       "answer is: ("})
    lines.push_back(repeated(piece, kHostileSize));
  for (const std::string_view start :
       {"ANSWER:", "final answer", "answer is:", "$", "**", ":", "(", "\\boxed{"}) {
    lines.push_back(std::string(start) + std::string(kHostileSize, ' '));
    lines.push_back(std::string(start) + std::string(kHostileSize, 'A') + "x");
    lines.push_back(repeated(std::string(start) + " ,A", kHostileSize));
  }
  return lines;
}

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
  const std::vector<std::string> hostile = hostile_lines(), ordinary = ordinary_answers();
  Json results = Json::array();
  for (const Evaluator& each : all_evaluators()) {
    const Expected& expected = each.kind == AnswerKind::letter ? letters : number;
    double worst = 0;
    std::string worst_line;
    for (const std::string& line : hostile) {
      double best_of_three = 1e9;
      for (int i = 0; i < 3; ++i) {
        const std::clock_t start = std::clock();
        judge_written(each, {line}, expected);
        best_of_three = std::min(best_of_three, milliseconds_since(start));
      }
      if (best_of_three < worst) continue;
      worst = best_of_three;
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
