#include "experiments/generation_memory.h"

#include "experiments/generation_config.h"
#include "tests/experiments/written_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("The cache is what engine.cache_gib says, or 0.8 of what the weights leave", "[experiments]") {
  const model::ModelSpec spec = model::read_spec(source_dir() / "models/demo/mixed");
  engine::EngineOptions options;
  // 4 bytes for each of the model's parameters.
  const std::int64_t weights = 4 * model::count_parameters(spec).total;
  CHECK(cache_bytes(spec, at::kFloat, options, weights + 1000) == 800);
  CHECK_THROWS_WITH(cache_bytes(spec, at::kFloat, options, weights), ContainsSubstring("are free"));
  CHECK_THROWS_WITH(cache_bytes(spec, at::kFloat, options, 0), ContainsSubstring("engine.cache_gib"));
  options.cache_gib = 0.5;
  CHECK(cache_bytes(spec, at::kFloat, options, 0) == 512LL * 1024 * 1024);
}

TEST_CASE("Rows are as many as the batch and the cache hold", "[experiments]") {
  const model::ModelSpec spec = model::read_spec(source_dir() / "models/demo/mixed");
  engine::EngineOptions options;
  model::CacheNeeds needs;
  needs.longest_prompt = 16, needs.max_new_tokens = 48;  // 64 tokens a row: 4 pages of 16
  // Keys and values of 4 layers x 4 heads x 32, 4 bytes each: 4,096 bytes a token.
  const std::int64_t row = 64 * 4096;
  options.batch_tokens = 640;
  CHECK(plan_rows(spec, at::kFloat, options, needs, 100 * row).rows == 10);
  CHECK(plan_rows(spec, at::kFloat, options, needs, 3 * row + 1).rows == 3);
  options.batch_tokens = 1'000'000;
  CHECK(plan_rows(spec, at::kFloat, options, needs, 100 * row).rows == 64);
  CHECK_THROWS_WITH(plan_rows(spec, at::kFloat, options, needs, row - 1),
                    ContainsSubstring("needs 262144 bytes"));
}

TEST_CASE("A thinking budget is told in the family's markers", "[experiments]") {
  const auto tokenizer = text::Tokenizer::load(source_dir() / "models/demo/mixed/tokenizer.json");
  const auto opened = text::ThinkingOptions::Opened::thinking;
  const engine::ThinkingBudget tags = thinking_budget(9, text::thinking_format("think"), tokenizer, opened);
  CHECK(tags.max_tokens == 9);
  CHECK(tags.open_ids == std::vector<std::int32_t>{2});  // docs/demo-data.md
  CHECK(tags.close_ids == std::vector<std::int32_t>{3});
  CHECK(tags.opened_by_prompt);
  const engine::ThinkingBudget harmony =
      thinking_budget(9, text::thinking_format("harmony"), tokenizer, text::ThinkingOptions::Opened::nothing);
  CHECK(tokenizer.decode(harmony.open_ids) == "<|channel|>analysis<|message|>");
  CHECK(tokenizer.decode(harmony.forced_ids) == "<|end|><|start|>assistant<|channel|>final<|message|>");
  CHECK(!harmony.opened_by_prompt);
  CHECK_THROWS_WITH(thinking_budget(9, text::thinking_format("none"), tokenizer, opened),
                    ContainsSubstring("no thinking"));
  GenerationConfig config;
  const std::string key = generation_key(config, 1);
  CHECK(key.find("budget") == std::string::npos);
  config.thinking_budget = 0;
  CHECK(generation_key(config, 1) != key);
}

TEST_CASE("A cache that holds no answer fails a model's cells before its weights are read", "[experiments]") {
  const WrittenStudy mini;
  store::Store store = mini.open("study.db");
  const RunSummary summary =
      run_study(mini.sums({"axes.method=[original]", "engine.cache_gib=0.0000001"}), store);
  CHECK(summary.samples_new == 0);
  CHECK(summary.cells_failed > 0);
  CHECK_THAT(store.query("SELECT error FROM cell LIMIT 1").rows.at(0).at(0).value_or(""),
             ContainsSubstring("bytes of KV cache"));
}
