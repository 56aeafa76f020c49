#include "core/model/memory.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <limits>
#include <new>

#include "core/model/safetensors.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

model::ModelSpec spec_of(const std::string& name) { return model::read_spec(data_dir() / "model" / name); }

model::CachePlan plan_of(const model::CacheNeeds& needs, std::int64_t budget,
                         const std::string& name = "olmoe_tiny", at::ScalarType dtype = at::kFloat) {
  return model::plan_cache(spec_of(name), dtype, needs, budget);
}

}  // namespace

TEST_CASE("a cache is planned from config.json and a budget", "[model]") {
  // A page of 16 tokens: 2 (keys and values) * 2 layers * 16 tokens * 4 heads * 8 values * 4 bytes = 8192
  // bytes. A row of 20 + 30 tokens has 4 pages (the last one of 2 tokens): 32768 bytes.
  const model::CacheNeeds needs{8, 20, 30, 16};
  const auto three = plan_of(needs, 100000);  // 3 * 32768 = 98304
  CHECK(three.rows == 3);
  CHECK(three.cache.pages == 12);
  CHECK(three.cache.page_tokens == 16);
  CHECK(three.bytes == 98304);
  CHECK(plan_of(needs, 98304).rows == 3);
  CHECK(plan_of(needs, 98303).rows == 2);
  CHECK(plan_of(needs, 32768).rows == 1);
  // No more rows than are asked for.
  CHECK(plan_of(needs, 100'000'000).rows == 8);
  CHECK(plan_of(needs, 100'000'000).cache.pages == 32);
  // 20 + 28 tokens fill 3 pages exactly.
  CHECK(plan_of({8, 20, 28, 16}, 24576).rows == 1);
  // Half the bytes a value, twice the rows.
  CHECK(plan_of(needs, 98304, "olmoe_tiny", at::kBFloat16).rows == 6);
  // Grouped keys and values (2 heads for 4): 2 * 3 layers * 4 tokens * 2 heads * 16 values * 2 bytes = 1536
  // bytes a page, and 13 pages for 50 tokens.
  const auto grouped = plan_of({8, 20, 30, 4}, 40000, "qwen3_moe_tiny", at::kBFloat16);
  CHECK(grouped.rows == 2);
  CHECK(grouped.cache.pages == 26);
  CHECK(grouped.bytes == 26 * 1536);
}

TEST_CASE("a row is planned for no more tokens than the model has positions", "[model]") {
  // 64 positions: 4 pages.
  for (const model::CacheNeeds& needs :
       {model::CacheNeeds{1, 40, 1000, 16}, model::CacheNeeds{1, 100, 1, 16},
        model::CacheNeeds{1, 64, std::numeric_limits<std::int64_t>::max(), 16}})
    CHECK(plan_of(needs, 100000).cache.pages == 4);
}

TEST_CASE("a budget that does not hold one row is an error that says what one row needs", "[model]") {
  const model::CacheNeeds needs{8, 20, 30, 16};
  for (const std::int64_t budget : {32767, 0, -5}) {
    CHECK_THROWS_AS(plan_of(needs, budget), ConfigError);
    CHECK_THROWS_WITH(plan_of(needs, budget),
                      ContainsSubstring("one row of 50 tokens needs 32768 bytes of KV cache") &&
                          ContainsSubstring(fmt::format("the budget is {}", budget)));
  }
  CHECK_THROWS_WITH(plan_of({0, 20, 30, 16}, 100000), ContainsSubstring("generation.rows is 0"));
  CHECK_THROWS_WITH(plan_of({8, 0, 30, 16}, 100000), ContainsSubstring("generation.longest_prompt is 0"));
  CHECK_THROWS_WITH(plan_of({8, 20, 0, 16}, 100000), ContainsSubstring("generation.max_new_tokens is 0"));
  CHECK_THROWS_WITH(plan_of({8, 20, 30, 0}, 100000), ContainsSubstring("generation.page_tokens is 0"));
}

TEST_CASE("the usual budget is a share of what the weights leave", "[model]") {
  const auto spec = spec_of("olmoe_tiny");
  std::int64_t values = 0;
  const model::SafetensorsFile file(data_dir() / "model" / "olmoe_tiny" / "model.safetensors");
  for (const auto& [name, entry] : file.entries()) values += file.tensor(name).numel();
  CHECK(model::weight_bytes(spec, at::kFloat) == 4 * values);
  CHECK(model::weight_bytes(spec, at::kHalf) == 2 * values);
  CHECK(model::cache_budget(spec, at::kFloat, 4 * values + 1000) == 800);
  CHECK(model::cache_budget(spec, at::kFloat, 4 * values + 1000, 0.5) == 500);
  CHECK_THROWS_WITH(model::cache_budget(spec, at::kFloat, 4 * values),
                    ContainsSubstring(fmt::format("the model's weights need {} bytes", 4 * values)));
  CHECK_THROWS_AS(model::cache_budget(spec, at::kFloat, 4 * values + 1000, 0.0), ConfigError);
  CHECK_THROWS_AS(model::cache_budget(spec, at::kFloat, 4 * values + 1000, 1.5), ConfigError);
}

TEST_CASE("failed allocations are told from other errors", "[model]") {
  const auto is_short = [](const auto& act) {
    try {
      act();
    } catch (const std::exception& error) {
      return model::is_out_of_memory(error);
    }
    FAIL("nothing was thrown");
    return false;
  };
  // More than any address space holds.
  CHECK(is_short([] { at::empty({std::int64_t{1} << 50}, at::kFloat); }));
  CHECK(is_short([] { throw std::bad_alloc(); }));
  CHECK(is_short([] { throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "device"); }));
  CHECK_FALSE(is_short([] { at::matmul(at::zeros({2, 3}), at::zeros({2, 3})); }));
  CHECK_FALSE(is_short([] { throw Error("can't allocate memory"); }));
}

TEST_CASE("a cache that memory cannot hold is an error that says how many bytes it asked for", "[model]") {
  // 2^40 pages of 2048 bytes (4 tokens).
  const auto make = [] {
    model::KvCache(spec_of("olmoe_tiny"), {std::int64_t{1} << 40, 4}, at::kCPU, at::kFloat);
  };
  CHECK_THROWS_AS(make(), ConfigError);
  CHECK_THROWS_WITH(make(),
                    ContainsSubstring("needs 2251799813685248 bytes") && ContainsSubstring("fewer pages"));
}
