#include "core/engine/shared_prompts.h"

#include <algorithm>

#include "tests/engine/generate_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

engine::GenerateOptions sharing_options(bool share, std::int64_t rows, std::int64_t prefill,
                                        model::KvCacheOptions cache) {
  engine::GenerateOptions options = options_of(rows, prefill, cache);
  options.share_prompts = share;
  return options;
}

}  // namespace

TEST_CASE("repeats read their prompt once, and give the same tokens", "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("mixed")};
  const auto requests = repeated_requests(reference, 3);
  const auto apart = engine::generate(engine, plans, requests, sharing_options(false, 12, 1000, {100, 4}));
  REQUIRE(apart.samples.size() == 12);
  // The last token of a sample is never read: 3 * (9 + 5) + 4 * (17 + 6) + 5 * (24 + 7).
  CHECK(apart.forward_tokens == 289);
  // Rows side by side, and tokens in a page.
  for (const auto& [rows, page] : {std::pair{1, 4}, std::pair{4, 3}, std::pair{12, 1}, std::pair{12, 64}}) {
    CAPTURE(rows, page);
    const auto shared =
        engine::generate(engine, plans, requests, sharing_options(true, rows, 10, {900 / page, page}));
    CHECK(tokens_of(shared) == tokens_of(apart));
    // Each prompt once: 9 + 3 * 5 + 17 + 4 * 6 + 24 + 5 * 7.
    CHECK(shared.forward_tokens == 124);
    CHECK(shared.preemptions == 0);
    CHECK(shared.free_pages == 900 / page);
    // Plan 1 was q1's: its prompt counts once.
    for (const auto& layer : shared.effects[1].layers) CHECK(layer.tokens == 17 + 4 * 6);
  }
}

TEST_CASE("repeats that share a prompt survive preemption, and no page is lost", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("logit_shift")};
  const auto requests = repeated_requests(reference, 3);
  const auto apart = engine::generate(engine, plans, requests, sharing_options(false, 12, 1000, {100, 4}));
  std::int64_t preemptions = 0;
  // The longest sample reads 24 + 7 tokens: 8 pages of 4.
  for (const auto& cache :
       {model::KvCacheOptions{8, 4}, model::KvCacheOptions{11, 4}, model::KvCacheOptions{36, 1}}) {
    CAPTURE(cache.pages, cache.page_tokens);
    const auto tight = engine::generate(engine, plans, requests,
                                        sharing_options(true, 6, cache.pages == 11 ? 5 : 1000, cache));
    CHECK(tokens_of(tight) == tokens_of(apart));
    CHECK(tight.free_pages == cache.pages);
    preemptions += tight.preemptions;
  }
  CHECK(preemptions > 0);
  CHECK_THROWS_WITH(engine::generate(engine, plans, requests, sharing_options(true, 6, 1000, {7, 4})),
                    ContainsSubstring("the KV cache of 28 tokens cannot hold its 29 tokens"));
}

TEST_CASE("rows that share a page write to copies of it", "[engine]") {
  const auto name = GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny");
  const std::int64_t shared_tokens =
      GENERATE(9, 8, 6);  // in pages of 4: partly filled, whole, and fewer than read
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  engine::Decoder decoder(engine, {}, {12, 4});
  model::KvCache& cache = decoder.cache();
  const engine::Tokens prompt = reference.prompts[1];
  REQUIRE(prompt.size() == 9);
  ReadRow first{{}, prompt}, second{{}, {prompt.begin(), prompt.begin() + shared_tokens}};
  REQUIRE(cache.reserve(first.row.kv, 9));
  decoder.feed(std::vector<engine::Feed>{{&first.row, prompt}});
  second.row.kv = cache.share(first.row.kv, shared_tokens);
  CHECK(second.row.kv.tokens == shared_tokens);
  CHECK(cache.free_pages() == 9);  // nothing is copied yet
  check_reading_on(engine, decoder, first, second, reference.tolerance);
  cache.release(first.row.kv);
  const engine::Tokens last = {50};
  second.tokens.push_back(50);
  REQUIRE(cache.reserve(second.row.kv, 1));
  CHECK(largest_difference(decoder.feed(std::vector<engine::Feed>{{&second.row, last}})[0],
                           last_logits(engine, second.tokens)) <= reference.tolerance);
  cache.release(second.row.kv);
  CHECK(cache.free_pages() == 12);
}

TEST_CASE("a shared page comes back with the last row that holds it", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  model::KvCache cache(engine.spec(), {5, 4}, at::kCPU, at::kFloat);
  model::KvRow row;
  REQUIRE(cache.reserve(row, 6));
  row.tokens = 6;
  CHECK(cache.own_pages(row) == 2);
  model::KvRow twin = cache.share(row, 6);
  CHECK(twin.pages == row.pages);
  CHECK(cache.own_pages(row) == 0);
  CHECK(cache.missing_pages(row, 1) == 1);   // a copy of the second page
  CHECK(cache.missing_pages(twin, 3) == 2);  // and a third page
  // Without a copy a row must not write.
  CHECK_THROWS_WITH(cache.layout(std::vector<model::KvAppend>{{&row, 1}}), ContainsSubstring("no room"));
  REQUIRE(cache.reserve(twin, 3));
  CHECK(twin.pages[0] == row.pages[0]);
  CHECK(twin.pages[1] != row.pages[1]);
  CHECK(cache.free_pages() == 1);
  CHECK(cache.missing_pages(row, 2) == 0);  // its second page is its own again
  CHECK(cache.own_pages(twin) == 2);
  model::KvRow third = cache.share(row, 4);
  CHECK(third.pages.size() == 1);
  CHECK(cache.missing_pages(third, 4) == 1);  // a whole page is read by all and written by none
  cache.release(row);
  CHECK(cache.free_pages() == 2);  // its second page
  cache.release(twin);
  CHECK(cache.free_pages() == 4);
  cache.release(third);
  CHECK(cache.free_pages() == 5);
  std::vector<std::int64_t> all;
  REQUIRE(cache.reserve(row, 20));
  all = row.pages;
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<std::int64_t>{0, 1, 2, 3, 4});
  CHECK_THROWS_WITH(cache.share(row, 1), ContainsSubstring("has read 0 tokens cannot share 1"));
}

TEST_CASE("a refusal to copy takes nothing", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  model::KvCache cache(engine.spec(), {2, 4}, at::kCPU, at::kFloat);
  model::KvRow row;
  REQUIRE(cache.reserve(row, 2));
  row.tokens = 2;
  model::KvRow twin = cache.share(row, 2);
  CHECK_FALSE(cache.reserve(twin, 3));  // a copy and one more page
  CHECK(twin.pages == row.pages);
  CHECK(cache.free_pages() == 1);
  CHECK(cache.reserve(twin, 2));
  CHECK(cache.free_pages() == 0);
  engine::SharedPrompts prompts(cache);
  const std::vector<float> logits = {1, 2};
  cache.release(twin);
  prompts.keep(7, row, logits);
  CHECK(prompts.find(7)->logits == logits);
  CHECK(prompts.find(6) == nullptr);
  CHECK_FALSE(prompts.drop_for_room());  // the row holds all of its pages
  cache.release(row);
  CHECK(prompts.drop_for_room());
  CHECK(prompts.find(7) == nullptr);
  CHECK(cache.free_pages() == 2);
}
