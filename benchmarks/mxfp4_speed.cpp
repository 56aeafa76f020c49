// Multiplies with an MXFP4 matrix as one expert of gpt-oss has it, and prints processor times as JSON:
// moelab's product, which unpacks some rows at a time by a loop of its own; the same with the whole matrix
// unpacked by tensor operations, as it was done before and is done on other devices; and with a matrix that
// is unpacked already.
//
//   mxfp4_speed [tokens] [repeats]
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>
#include <string>

#include "core/base/json.h"
#include "core/model/mxfp4.h"

namespace {

using namespace moelab;

constexpr std::int64_t kRows = 2 * 2880, kColumns = 2880;  // gate and up of one expert

// The best of several runs, in seconds of the processor: others may use it meanwhile.
double best_of(std::int64_t repeats, const std::function<void()>& act) {
  double best = 1e9;
  for (std::int64_t i = 0; i < repeats; ++i) {
    const std::clock_t start = std::clock();
    act();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

Json measure(at::ScalarType type, std::int64_t tokens, std::int64_t repeats) {
  const model::Mxfp4Matrix matrix{at::randint(0, 256, {kRows, kColumns / 32, 16}, at::kByte),
                                  at::randint(118, 123, {kRows, kColumns / 32}, at::kByte),
                                  model::make_mxfp4_tables(type, at::kCPU)};
  const at::Tensor x = at::randn({tokens, kColumns}).to(type), plain = model::unpack(matrix);
  if (!at::equal(plain, model::unpack_by_tensors(matrix))) throw Error("the two ways differ");
  const double ours = best_of(repeats, [&] { model::packed_linear(x, matrix); });
  const double before = best_of(repeats, [&] { at::linear(x, model::unpack_by_tensors(matrix)); });
  const double unpacked = best_of(repeats, [&] { at::linear(x, plain); });
  return {{"dtype", c10::toString(type)},
          {"seconds", ours},
          {"unpacked_by_tensor_operations_seconds", before},
          {"times_faster", before / ours},
          {"unpacked_before_seconds", unpacked}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    at::set_num_threads(1);
    at::manual_seed(1);
    const at::NoGradGuard no_grad;
    const std::int64_t tokens = argc > 1 ? std::stoll(argv[1]) : 8;
    const std::int64_t repeats = argc > 2 ? std::stoll(argv[2]) : 10;
    Json result{{"rows", kRows}, {"columns", kColumns}, {"tokens", tokens}, {"threads", 1}};
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
      result["runs"].push_back(measure(type, tokens, repeats));
    std::cout << result.dump(1) << "\n";
    return 0;
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << "\n";
    return 1;
  }
}
