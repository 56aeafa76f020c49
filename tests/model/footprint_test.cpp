// Memory told from config.json, worked by hand.
#include "core/model/footprint.h"

#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::testing;

TEST_CASE("the cache of a token is keys and values of all layers, and grows with the tokens", "[model]") {
  const model::ModelSpec spec = model::read_spec(data_dir() / "model" / "qwen3_moe_tiny");
  // 3 layers x 2 key-value heads x 16 x (key and value), 4 or 2 bytes each.
  CHECK(model::kv_cache_bytes_per_token(spec, at::kFloat) == 3 * 2 * 16 * 2 * 4);
  CHECK(model::kv_cache_bytes_per_token(spec, at::kBFloat16) == 3 * 2 * 16 * 2 * 2);
  CHECK(model::kv_cache_bytes(spec, 1000, at::kBFloat16) == 1000 * 3 * 2 * 16 * 2 * 2);
}

TEST_CASE("running takes weights, cache and a tenth on top", "[model]") {
  const model::ModelSpec spec = model::read_spec(data_dir() / "model" / "qwen3_moe_tiny");
  // 92208 parameters (see tests/cli/usage_test.cpp) and 384 bytes of cache a token, in bfloat16.
  const std::int64_t held = 92208 * 2 + 50 * 384;
  CHECK(model::running_bytes(spec, 50, at::kBFloat16) == held + held / 10);
}

TEST_CASE("the GPUs are in ascending order", "[model]") {
  const auto& gpus = model::common_gpus();
  REQUIRE(gpus.size() >= 6);
  for (std::size_t i = 1; i < gpus.size(); ++i) CHECK(gpus[i - 1].gigabytes < gpus[i].gigabytes);
}
