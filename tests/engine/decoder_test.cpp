#include "core/engine/decoder.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// Reads every reference prompt in pieces, all prompts side by side, and compares the logits after each piece
// with those of the reference's one pass. plan_of_prompt: row of the decoder's plans, 0 the original.
struct PieceReader {
  const ModelReference& reference;
  engine::Decoder& decoder;
  std::vector<std::string> prefixes;  // of the expected tensors, by plan
  std::vector<engine::DecodeRow> rows;
  std::vector<std::size_t> read;

  PieceReader(const ModelReference& figures, engine::Decoder& reader, std::vector<std::string> names,
              const std::vector<std::int64_t>& plan_of_prompt)
      : reference(figures), decoder(reader), prefixes(std::move(names)), read(figures.prompts.size(), 0) {
    for (const std::int64_t plan : plan_of_prompt) rows.push_back({{}, plan});
  }

  // Feeds `size` tokens (or what is left) of each unfinished prompt; false when all were read.
  bool step(std::size_t size) {
    std::vector<engine::Feed> feeds;
    std::vector<std::size_t> prompts;
    for (std::size_t p = 0; p < rows.size(); ++p) {
      const std::span<const std::int32_t> all = reference.prompts[p];
      const auto piece = all.subspan(read[p], std::min(size, all.size() - read[p]));
      if (piece.empty()) continue;
      REQUIRE(decoder.cache().reserve(rows[p].kv, static_cast<std::int64_t>(piece.size())));
      feeds.push_back({&rows[p], piece});
      prompts.push_back(p);
      read[p] += piece.size();
    }
    if (feeds.empty()) return false;
    const at::Tensor logits = decoder.feed(feeds);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const std::size_t p = prompts[i];
      const auto& prefix = prefixes[static_cast<std::size_t>(rows[p].plan)];
      const at::Tensor expected = reference.tensor(fmt::format("{}prompt.{}.logits", prefix, p));
      CAPTURE(prefix, p, read[p], size);
      CHECK(largest_difference(logits[static_cast<std::int64_t>(i)],
                               expected[static_cast<std::int64_t>(read[p]) - 1]) <= reference.tolerance);
    }
    return true;
  }
};

}  // namespace

TEST_CASE("reading in pieces and token by token gives the reference's logits of one pass", "[engine]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  // Sizes of successive pieces; the last one repeats. Pages of 4 tokens are crossed within and between
  // pieces.
  const auto pieces = GENERATE(std::vector<std::size_t>{1}, std::vector<std::size_t>{100},
                               std::vector<std::size_t>{5, 3}, std::vector<std::size_t>{2, 7, 1});
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("logit_shift"), reference.plan("mixed"),
                                             reference.plan("upper_layer_only")};
  engine::Decoder decoder(engine, plans, {40, 4});
  // Rows of different plans, the original among them, side by side; each prompt comes under each plan.
  for (std::int64_t turn = 0; turn < 4; ++turn) {
    PieceReader reader(reference, decoder, {"", "plan.logit_shift.", "plan.mixed.", "plan.upper_layer_only."},
                       {turn % 4, (turn + 1) % 4, (turn + 2) % 4, (turn + 3) % 4});
    std::size_t step = 0;
    while (reader.step(pieces[std::min(step, pieces.size() - 1)])) ++step;
    for (engine::DecodeRow& row : reader.rows) decoder.cache().release(row.kv);
  }
  CHECK(decoder.cache().free_pages() == 40);
  std::int64_t tokens = 0;
  for (const auto& prompt : reference.prompts) tokens += static_cast<std::int64_t>(prompt.size());
  CHECK(decoder.forward_tokens() == 4 * tokens);
}

TEST_CASE("effect counters of token by token reading equal the reference's", "[engine]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("mixed"), reference.plan("force")};
  engine::Decoder decoder(engine, plans, {40, 4});
  for (std::int64_t plan = 0; plan < 3; ++plan) {
    PieceReader reader(reference, decoder, {"", "plan.mixed.", "plan.force."}, {plan, plan, plan, plan});
    while (reader.step(1)) continue;
    for (engine::DecodeRow& row : reader.rows) decoder.cache().release(row.kv);
  }
  const auto effects = decoder.effects();
  REQUIRE(effects.size() == 3);
  CHECK(effects[0].layers.empty());
  for (const Json& fields : reference.fields.at("plans")) {
    if (fields.at("name") != "mixed" && fields.at("name") != "force") continue;
    const steering::Effect& effect = effects[fields.at("name") == "mixed" ? 1 : 2];
    CHECK(effect.state == steering::EffectState::acted);
    std::size_t next = 0;
    for (const Json& expected : fields.at("effects")) {
      if (expected.at("selected_rows").empty()) continue;
      REQUIRE(next < effect.layers.size());
      const steering::LayerEffect& layer = effect.layers[next++];
      CHECK(layer.layer == expected.at("layer").get<std::int64_t>());
      CHECK(layer.tokens == expected.at("rows").get<std::int64_t>());
      CHECK(layer.changed == expected.at("changed_slots").get<double>());
    }
    CHECK(next == effect.layers.size());
  }
}

TEST_CASE("a page is given to one row at a time and comes back when the row is released", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  model::KvCache cache(engine.spec(), {3, 4}, at::kCPU, at::kFloat);
  model::KvRow a, b;
  CHECK(cache.reserve(a, 4));  // exactly one page
  CHECK(a.pages.size() == 1);
  CHECK(cache.reserve(b, 5));
  CHECK(b.pages.size() == 2);
  CHECK(cache.free_pages() == 0);
  a.tokens = 4;
  CHECK(cache.missing_pages(a, 1) == 1);
  CHECK_FALSE(cache.reserve(a, 1));
  CHECK(a.pages.size() == 1);  // a refusal takes nothing
  for (const std::int64_t page : b.pages) CHECK(page != a.pages[0]);
  cache.release(b);
  CHECK(cache.free_pages() == 2);
  CHECK(b.pages.empty());
  CHECK(cache.reserve(a, 1));
  // 2 (keys and values) * 2 layers * 4 tokens * 4 heads * 8 values * 4 bytes
  CHECK(model::KvCache::page_bytes(engine.spec(), 4, at::kFloat) == 2048);
}

TEST_CASE("a row's cached NaN does not reach the rows beside it", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  auto poisoned = load_engine(reference.checkpoint);
  engine::Decoder decoder(poisoned, {}, {8, 4});
  engine::DecodeRow bad, good;
  REQUIRE(decoder.cache().reserve(bad.kv, 6));
  model::Layout layout = decoder.cache().layout(std::vector<model::KvAppend>{{&bad.kv, 6}});
  const at::Tensor nan = at::full({6, 4, 8}, std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t layer = 0; layer < 2; ++layer) decoder.cache().append(layer, layout, nan, nan);
  bad.kv.tokens = 6;
  REQUIRE(decoder.cache().reserve(bad.kv, 1));
  const auto& prompt = reference.prompts[0];
  REQUIRE(decoder.cache().reserve(good.kv, static_cast<std::int64_t>(prompt.size())));
  const engine::Tokens one = {5};
  const at::Tensor logits = decoder.feed(std::vector<engine::Feed>{{&bad, one}, {&good, prompt}});
  CHECK(logits[0].isnan().all().item<bool>());
  CHECK(largest_difference(logits[1], reference.tensor("prompt.0.logits")[-1]) <= reference.tolerance);
}

TEST_CASE("feeds that cannot be read are errors, and no row has read anything", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  engine::Decoder decoder(engine, {}, {20, 4});
  engine::DecodeRow row, other;
  REQUIRE(decoder.cache().reserve(row.kv, 80));
  const auto fails = [&](engine::DecodeRow& which, const engine::Tokens& tokens, const std::string& text) {
    const std::vector<engine::Feed> feeds = {{&which, tokens}};
    CHECK_THROWS_WITH(decoder.feed(feeds), ContainsSubstring(text));
    CHECK(which.kv.tokens == 0);
  };
  fails(row, engine::Tokens(65, 1), "row 0 would have 65 tokens, the model reads 64");
  fails(row, {1, 100000}, "token id 100000");
  fails(row, {}, "row 0 of the batch has no room for 0 tokens");
  fails(other, {1}, "row 0 of the batch has no room for 1 tokens");
  other.plan = 1;
  fails(other, {1}, "row 0 asks for plan 1");
  CHECK_THROWS_AS(engine::Decoder(engine, {}, {0, 4}), ConfigError);
  CHECK_THROWS_AS(engine::Decoder(engine, {}, {4, 0}), ConfigError);
}
