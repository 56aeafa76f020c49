// moelab audit: how large a gain the best cell of a grid shows when nothing has any effect.
#include <fmt/format.h>

#include "experiments/cli.h"
#include "experiments/statistics/null_grid.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

namespace {

int run_audit(const Arguments& arguments) {
  statistics::NullGrid grid;
  grid.questions = parse_integer(arguments.flag("--n", "717"), "--n");
  grid.cells = parse_integer(arguments.flag("--cells", "40"), "--cells");
  grid.flip_rate = parse_real(arguments.flag("--flip-rate", "0.1"), "--flip-rate");
  const statistics::BestOfGrid best = statistics::best_of_grid(grid);
  fmt::print(
      "The best of {} cells on {} questions when {} % of the answers change sides and no cell improves "
      "any:\n",
      grid.cells, grid.questions, number_text(100 * grid.flip_rate));
  fmt::print("  mean gain             {} points\n", points(best.mean));
  fmt::print("  median                {} points\n", points(best.median));
  fmt::print("  in 95 % of grids up to {} points\n", points(best.high));
  if (arguments.has("--gain")) {
    const double gain = parse_real(arguments.flag("--gain", ""), "--gain") / 100;
    fmt::print("  a best gain of {} points or more has p = {}\n", points(gain),
               number_text(statistics::best_of_grid_p(grid, gain)));
  }
  return kExitDone;
}

}  // namespace

Verb verb_audit() {
  VerbSpec spec;
  spec.name = "audit";
  spec.summary = "the gain that the best cell of a grid shows by chance alone";
  spec.usage = "[--n QUESTIONS] [--cells CELLS] [--flip-rate SHARE] [--gain POINTS]";
  spec.text =
      "Each question flips with the given rate in every cell, to right and to wrong alike, and the best cell "
      "is reported:\n"
      "so much does a table gain that chooses its settings on the questions that it reports. Exact, for "
      "independent cells;\n"
      "docs/metrics.md has the formula.";
  spec.flags = {{"--n", "QUESTIONS", "questions of the benchmark (default: 717)"},
                {"--cells", "CELLS", "settings tried (default: 40)"},
                {"--flip-rate", "SHARE", "share of answers that change sides (default: 0.1)"},
                {"--gain", "POINTS", "a published best gain: its p under chance"}};
  spec.examples = {"moelab audit --n 717 --cells 40 --flip-rate 0.1",
                   "moelab audit --n 198 --cells 100 --gain 5",
                   "moelab audit --n 30 --cells 12 --flip-rate 0.2"};
  return {spec, run_audit};
}

}  // namespace moelab::experiments
