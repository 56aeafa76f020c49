#include "evaluators/python_random.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <set>

#include "core/base/error.h"

namespace moelab::evaluators {
namespace {

constexpr std::size_t kState = std::mt19937::state_size;
constexpr std::uint32_t kArraySeed = 19650218;

// The seed sequence that fills the generator's state as init_by_array does (Matsumoto and Nishimura,
// mt19937ar.c, 2002).
class ArraySeed {
 public:
  using result_type = std::uint_least32_t;

  explicit ArraySeed(std::vector<std::uint32_t> key) : key_(std::move(key)) {}

  template <typename Iterator>
  void generate(Iterator begin, Iterator end) const {
    const auto state = filled();
    std::copy_n(state.begin(), std::min<std::size_t>(kState, static_cast<std::size_t>(end - begin)), begin);
  }

 private:
  using State = std::array<std::uint32_t, kState>;

  static std::uint32_t folded(std::uint32_t word) { return word ^ (word >> 30); }

  static std::size_t step(State& state, std::size_t i) {
    if (++i < kState) return i;
    state[0] = state[kState - 1];
    return 1;
  }

  State filled() const {
    State state{kArraySeed};
    for (std::uint32_t i = 1; i < kState; ++i) state[i] = 1812433253u * folded(state[i - 1]) + i;
    std::size_t i = 1;
    for (std::size_t k = 0; k < std::max(kState, key_.size()); ++k) {
      const std::size_t j = k % key_.size();
      state[i] = (state[i] ^ (folded(state[i - 1]) * 1664525u)) + key_[j] + static_cast<std::uint32_t>(j);
      i = step(state, i);
    }
    for (std::size_t k = 1; k < kState; ++k) {
      state[i] = (state[i] ^ (folded(state[i - 1]) * 1566083941u)) - static_cast<std::uint32_t>(i);
      i = step(state, i);
    }
    state[0] = 0x80000000u;
    return state;
  }

  std::vector<std::uint32_t> key_;
};

std::mt19937 seeded(std::int64_t seed) {
  const std::uint64_t size =
      seed < 0 ? 0 - static_cast<std::uint64_t>(seed) : static_cast<std::uint64_t>(seed);
  std::vector<std::uint32_t> key = {static_cast<std::uint32_t>(size)};
  if (size >> 32 != 0) key.push_back(static_cast<std::uint32_t>(size >> 32));
  ArraySeed sequence(std::move(key));
  return std::mt19937(sequence);
}

}  // namespace

PythonRandom::PythonRandom(std::int64_t seed) : bits_(seeded(seed)) {}

std::uint32_t PythonRandom::getrandbits(unsigned bits) {
  if (bits < 1 || bits > 32) throw Error("getrandbits({}): ask for 1 to 32 bits", bits);
  return static_cast<std::uint32_t>(bits_()) >> (32 - bits);
}

std::size_t PythonRandom::below(std::size_t n) {
  const auto bits = static_cast<unsigned>(std::bit_width(n));
  if (n == 0 || bits > 32) throw Error("cannot draw one of {} numbers: ask for 1 to 2^32 - 1", n);
  for (;;)
    if (const std::size_t drawn = getrandbits(bits); drawn < n) return drawn;
}

std::int64_t PythonRandom::randint(std::int64_t low, std::int64_t high) {
  if (low > high) throw Error("randint({}, {}): the range is empty", low, high);
  const std::uint64_t width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  return low + static_cast<std::int64_t>(below(width));
}

double PythonRandom::random() {
  const double high = getrandbits(27);
  const double low = getrandbits(26);
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

std::vector<std::size_t> PythonRandom::sample(std::size_t n, std::size_t count) {
  if (count > n) throw Error("cannot sample {} of {}", count, n);
  std::size_t pool_is_cheaper_to = 21;  // Python takes a pool up to here, and a set of the drawn beyond
  if (count > 5)
    pool_is_cheaper_to += static_cast<std::size_t>(
        std::pow(4, std::ceil(std::log(static_cast<double>(count * 3)) / std::log(4.0))));
  std::vector<std::size_t> drawn;
  if (n > pool_is_cheaper_to) {
    std::set<std::size_t> seen;
    while (drawn.size() < count)
      if (const std::size_t next = below(n); seen.insert(next).second) drawn.push_back(next);
    return drawn;
  }
  std::vector<std::size_t> pool(n);
  for (std::size_t i = 0; i < n; ++i) pool[i] = i;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = below(n - i);
    drawn.push_back(pool[at]);
    pool[at] = pool[n - i - 1];
  }
  return drawn;
}

}  // namespace moelab::evaluators
