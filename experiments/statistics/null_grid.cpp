#include "experiments/statistics/null_grid.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.h"

namespace moelab::statistics {

namespace {

constexpr std::int64_t kMostQuestions = 100'000;
constexpr double kReach = 14;  // standard deviations: beyond lies less than 1e-40, which no double can show

void check(const NullGrid& grid) {
  if (grid.questions < 1 || grid.questions > kMostQuestions)
    throw ConfigError("questions is {}; give 1 to {}", grid.questions, kMostQuestions);
  if (grid.cells < 1) throw ConfigError("cells is {}; a grid has at least one", grid.cells);
  if (!(grid.flip_rate >= 0 && grid.flip_rate <= 1))
    throw ConfigError("the flip rate is {}; it is a share between 0 and 1", grid.flip_rate);
}

// The chances of every sum of the questions' +1, -1 and 0, from -reach to reach.
struct SumChances {
  std::int64_t reach = 0;
  std::vector<double> chance;  // [2 * reach + 1]
};

SumChances sum_chances(const NullGrid& grid) {
  const double deviation = std::sqrt(static_cast<double>(grid.questions) * grid.flip_rate);
  SumChances sums;
  sums.reach = std::min(grid.questions, static_cast<std::int64_t>(kReach * deviation) + 40);
  const auto size = static_cast<std::size_t>(2 * sums.reach + 1);
  // One place more on both sides, always 0, saves the questions about ends.
  std::vector<double> now(size + 2, 0.0), next(size + 2, 0.0);
  now[static_cast<std::size_t>(sums.reach) + 1] = 1;
  const double side = grid.flip_rate / 2, stay = 1 - grid.flip_rate;
  for (std::int64_t question = 0; question < grid.questions; ++question) {
    for (std::size_t k = 1; k <= size; ++k) next[k] = side * (now[k - 1] + now[k + 1]) + stay * now[k];
    now.swap(next);
  }
  sums.chance.assign(now.begin() + 1, now.end() - 1);
  return sums;
}

// The chance that the best of the cells lies below a sum, whose own upper tail is `above`: (1 - above)^cells,
// kept accurate where the tail is small.
double best_below(double above, std::int64_t cells) {
  return above >= 1 ? 0 : std::exp(static_cast<double>(cells) * std::log1p(-above));
}

}  // namespace

BestOfGrid best_of_grid(const NullGrid& grid) {
  check(grid);
  const SumChances sums = sum_chances(grid);
  const double questions = static_cast<double>(grid.questions);
  BestOfGrid best;
  // From the largest sum down: `above` is the chance of a larger one.
  double above = 0, reached = 1;
  best.median = best.high = static_cast<double>(sums.reach) / questions;
  for (std::int64_t sum = sums.reach; sum >= -sums.reach; --sum) {
    const double gain = static_cast<double>(sum) / questions;
    if (reached >= 0.5) best.median = gain;
    if (reached >= 0.95) best.high = gain;
    above += sums.chance[static_cast<std::size_t>(sum + sums.reach)];
    const double below = best_below(above, grid.cells);
    best.mean += gain * (reached - below);
    reached = below;
  }
  return best;
}

double best_of_grid_p(const NullGrid& grid, double gain) {
  check(grid);
  const SumChances sums = sum_chances(grid);
  // A gain is a quotient of counts: half a question's thousandth forgives its rounding.
  const double least = gain * static_cast<double>(grid.questions) - 5e-4;
  double above = 0;
  for (std::int64_t sum = sums.reach; sum >= -sums.reach && static_cast<double>(sum) >= least; --sum)
    above += sums.chance[static_cast<std::size_t>(sum + sums.reach)];
  if (above >= 1) return 1;
  return -std::expm1(static_cast<double>(grid.cells) * std::log1p(-above));
}

}  // namespace moelab::statistics
