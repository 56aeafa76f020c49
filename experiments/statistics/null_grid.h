// What the best cell of a grid gains when no cell does anything: the size of a gain that chance alone
// explains.
#pragma once

#include <cstdint>

namespace moelab::statistics {

// A grid of cells whose steering changes answers and improves none of them.
struct NullGrid {
  std::int64_t questions = 717;
  std::int64_t cells = 40;
  double flip_rate = 0.1;  // share of questions whose answer changes sides
};

// Gains are fractions.
struct BestOfGrid {
  double mean = 0;
  double median = 0;  // the smallest gain that the best reaches at most in half of all grids
  double high = 0;    // the same for 95 % of them
};

// The gain of the best of the grid's cells over the original, exactly. In one cell each question
// independently turns from wrong to right with probability flip_rate / 2, from right to wrong with flip_rate
// / 2, else stays; the gain is the mean of these +1, -1, 0 with distribution F, and the best of independent
// cells has F^cells. Throws ConfigError unless 1 <= questions <= 100,000, cells >= 1 and 0 <= flip_rate <= 1.
BestOfGrid best_of_grid(const NullGrid& grid);

// The probability that the best of the grid gains at least `gain`. Throws ConfigError as best_of_grid does.
double best_of_grid_p(const NullGrid& grid, double gain);

}  // namespace moelab::statistics
