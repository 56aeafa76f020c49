// The random numbers of CPython's `random` module, because published prompts and guesses are drawn from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace moelab::evaluators {

// random.Random(seed): MT19937 seeded by the array of the seed's 32-bit words, lowest first. Every member
// draws as the Python function of its name does (Lib/random.py and Modules/_randommodule.c, 3.11).
class PythonRandom {
 public:
  explicit PythonRandom(std::int64_t seed);

  // `bits` from 1 to 32. Throws Error otherwise.
  std::uint32_t getrandbits(unsigned bits);
  // From 0 to n - 1. Throws Error for n = 0 and for n of 2^32 and more.
  std::size_t below(std::size_t n);
  // From low to high, both included. Throws Error when low > high.
  std::int64_t randint(std::int64_t low, std::int64_t high);
  // From 0 to 1, 1 excluded.
  double random();
  // The places of `count` members of n, in the order drawn. Throws Error when count > n.
  std::vector<std::size_t> sample(std::size_t n, std::size_t count);

  template <typename T>
  const T& choice(const std::vector<T>& values) {
    return values[below(values.size())];
  }

  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::mt19937 bits_;
};

}  // namespace moelab::evaluators
