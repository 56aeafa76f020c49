// Weights in four bits: their values against the format's table and transformers' conversion, and the
// gradient through them.
#include "core/model/mxfp4.h"

#include <ATen/Parallel.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "core/model/safetensors.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

// The same bits, so that 0 and -0 differ.
bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  const at::ScalarType word = a.element_size() == 4 ? at::kInt : at::kShort;
  return at::equal(a.contiguous().view(word), b.contiguous().view(word));
}

model::Mxfp4Matrix random_matrix(std::int64_t rows, std::int64_t columns) {
  return {at::randint(0, 256, {rows, columns / 32, 16}, at::kByte),
          at::randint(120, 126, {rows, columns / 32}, at::kByte),
          model::make_mxfp4_tables(at::kFloat, at::kCPU)};
}

}  // namespace

TEST_CASE("a byte holds two values, the low half first, and a group shares a power of two", "[model]") {
  // Codes 0 to 7 are 0, .5, 1, 1.5, 2, 3, 4, 6 and bit 3 is the sign. 0x21 holds code 1 and then code 2, 0xf7
  // code 7 and then code 15; a scale of 130 is 2^3.
  at::Tensor blocks = at::zeros({1, 1, 16}, at::kByte);
  blocks[0][0][0] = 0x21;
  blocks[0][0][1] = 0xf7;
  blocks[0][0][15] = 0xb8;
  const at::Tensor values = model::unpack(
      {blocks, at::full({1, 1}, 130, at::kByte), model::make_mxfp4_tables(at::kFloat, at::kCPU)});
  REQUIRE(values.sizes() == at::IntArrayRef({1, 32}));
  const auto at_column = [&](std::int64_t column) { return values[0][column].item<double>(); };
  CHECK(at_column(0) == 4.0);
  CHECK(at_column(1) == 8.0);
  CHECK(at_column(2) == 48.0);
  CHECK(at_column(3) == -48.0);
  CHECK(at_column(4) == 0.0);
  CHECK((at_column(30) == 0.0 && std::signbit(at_column(30))));  // code 8 is -0
  CHECK(at_column(31) == -12.0);
}

TEST_CASE("unpacked values are transformers', bit for bit", "[model]") {
  const auto [name, dtype] = GENERATE(table<std::string, at::ScalarType>(
      {{"float32", at::kFloat}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf}}));
  const model::SafetensorsFile file(data_dir() / "model" / "mxfp4" / "mxfp4.safetensors");
  const at::Tensor expected = file.tensor("values." + name);
  const auto tables = model::make_mxfp4_tables(dtype, at::kCPU);
  for (std::int64_t expert = 0; expert < expected.size(0); ++expert) {
    const model::Mxfp4Matrix matrix{file.tensor("blocks").select(0, expert),
                                    file.tensor("scales").select(0, expert), tables};
    CAPTURE(name, expert);
    CHECK(same_bits(model::unpack(matrix), expected[expert]));
    CHECK(same_bits(model::unpack_by_tensors(matrix), expected[expert]));
  }
}

TEST_CASE("a matrix that several threads unpack has the bits of the tensor operations", "[model]") {
  // 96 x 40 groups: more than one thread's share.
  const model::Mxfp4Matrix matrix = random_matrix(96, 40 * 32);
  const int threads = at::get_num_threads();
  at::set_num_threads(4);
  const at::Tensor values = model::unpack(matrix);
  at::set_num_threads(threads);
  CHECK(same_bits(values, model::unpack_by_tensors(matrix)));
}

TEST_CASE("the largest scale keeps the largest value finite, the next one does not", "[model]") {
  const auto dtype = GENERATE(at::kFloat, at::kBFloat16, at::kHalf);
  const auto largest = model::largest_mxfp4_scale(dtype);
  const auto value_at = [&](std::int64_t scale) {
    const at::Tensor blocks = at::full({1, 1, 16}, 0x77, at::kByte);
    const auto tables = model::make_mxfp4_tables(dtype, at::kCPU);
    return model::unpack({blocks, at::full({1, 1}, scale, at::kByte), tables}).max().item<double>();
  };
  CHECK(std::isfinite(value_at(largest)));
  CHECK(std::isinf(value_at(largest + 1)));
}

TEST_CASE("a product with packed weights and its gradient are those of the unpacked weights", "[model]") {
  const std::int64_t rows = GENERATE(6, 600);  // unpacked at once, and in three parts
  const model::Mxfp4Matrix matrix = random_matrix(rows, 64);
  const at::Tensor direction = at::randn({5, rows});
  const auto run = [&](const auto& multiply) {
    at::Tensor x = at::linspace(-1, 1, 5 * 64).view({5, 64}).requires_grad_(true);
    const at::Tensor y = multiply(x);
    (y * direction).sum().backward();
    return std::pair(y.detach(), x.grad());
  };
  const auto [y, gradient] = run([&](const at::Tensor& x) { return model::packed_linear(x, matrix); });
  const auto [plain_y, plain_gradient] =
      run([&](const at::Tensor& x) { return at::linear(x, model::unpack(matrix)); });
  CHECK(at::equal(y, plain_y));
  CHECK(at::allclose(gradient, plain_gradient, 1e-5, 1e-5 * plain_gradient.abs().max().item<double>()));
  CHECK(plain_gradient.abs().max().item<double>() > 0.1);
}
