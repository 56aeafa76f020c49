// Rotary frequencies that depend on a sequence's length: which sequences take which, and what a cache may do.
#include <cmath>

#include "core/engine/decoder.h"
#include "core/model/rotation.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// Two dimension pairs, base 100: theta's own frequencies are 1 and 0.1.
model::AttentionSpec scaled_spec() {
  model::AttentionSpec spec;
  spec.head_dim = 4;
  spec.rope_theta = 100;
  spec.rope_scaling = model::RopeScaling{{1.0, 2.0}, {4.0, 5.0}, 1.5, 3.0, 6};
  return spec;
}

}  // namespace

TEST_CASE("each sequence of a batch takes the frequencies of its own length", "[model]") {
  // Six tokens are not past the threshold of six, seven are.
  const std::vector<std::int64_t> lengths = {6, 7};
  const model::Layout layout = model::make_layout(std::span<const std::int64_t>(lengths), at::kCPU);
  const model::Rotation rotation = model::make_rotation(scaled_spec(), layout);
  const auto cosine = rotation.cosine.accessor<float, 2>();
  const auto sine = rotation.sine.accessor<float, 2>();
  // Position 5 of each: row 5, and row 6 + 5. Angles: position * own frequency / factor.
  CHECK(cosine[5][0] == Catch::Approx(1.5 * std::cos(5 * 1.0 / 1.0)));
  CHECK(cosine[5][1] == Catch::Approx(1.5 * std::cos(5 * 0.1 / 2.0)));
  CHECK(sine[11][0] == Catch::Approx(3.0 * std::sin(5 * 1.0 / 4.0)));
  CHECK(sine[11][3] == Catch::Approx(3.0 * std::sin(5 * 0.1 / 5.0)));
}

TEST_CASE("a prompt past the rope threshold equals transformers with the long factors", "[model]") {
  const ModelReference reference("phimoe_tiny");
  const auto prompt = reference.fields.at("long_prompt").get<engine::Tokens>();
  REQUIRE(prompt.size() > 40);
  const auto engine = load_engine(reference.checkpoint);
  // Beside short prompts: the lengths must not mix.
  std::vector<engine::Tokens> prompts = reference.prompts;
  prompts.push_back(prompt);
  const auto logits = engine.logits(prompts);
  CHECK(largest_difference(logits.back(), reference.tensor("long.logits")) <= reference.tolerance);
  CHECK(largest_difference(logits[3], reference.tensor("prompt.3.logits")) <= reference.tolerance);
  const auto traces = engine.trace(std::vector<engine::Tokens>{prompt});
  for (const model::LayerCapture& seen : traces[0].layers) {
    const std::string layer = fmt::format("long.layer.{}.", seen.layer);
    CHECK(at::equal(sorted(seen.routing).ids, reference.tensor(layer + "experts")));
    CHECK(largest_difference(sorted(seen.routing).weights, reference.tensor(layer + "weights")) < 1e-5);
  }
}

TEST_CASE("a cached sequence may start past the rope threshold, and is read anew when it grows past it",
          "[model]") {
  const ModelReference reference("phimoe_tiny");
  const auto prompt = reference.fields.at("long_prompt").get<engine::Tokens>();
  const auto engine = load_engine(reference.checkpoint);
  engine::Decoder decoder(engine, {}, {40, 4});
  const auto feed = [&](engine::DecodeRow& row, std::size_t from, std::size_t count,
                        std::int64_t length = 0) {
    REQUIRE(decoder.cache().reserve(row.kv, static_cast<std::int64_t>(count)));
    const std::span<const std::int32_t> all = prompt;
    return decoder.feed(std::vector<engine::Feed>{{&row, all.subspan(from, count), length}})[0];
  };
  const at::Tensor expected = reference.tensor("long.logits");
  engine::DecodeRow whole;
  feed(whole, 0, 45);
  for (std::size_t i = 45; i < prompt.size(); ++i)
    CHECK(largest_difference(feed(whole, i, 1), expected[static_cast<std::int64_t>(i)]) <=
          reference.tolerance);
  decoder.cache().release(whole.kv);
  // In pieces, the first of which says how long the row will be.
  engine::DecodeRow pieces;
  for (std::size_t from = 0; from < 45; from += 15)
    CHECK(largest_difference(feed(pieces, from, 15, 45), expected[static_cast<std::int64_t>(from) + 14]) <=
          reference.tolerance);
  engine::DecodeRow grown;
  feed(grown, 0, 40);  // the last length that takes the short set
  CHECK_FALSE(decoder.must_read_anew(grown, 40));
  CHECK(decoder.must_read_anew(grown, 41));
  CHECK_THROWS_WITH(feed(grown, 40, 1), ContainsSubstring("grows past 40 tokens") &&
                                            ContainsSubstring("read it anew from its first token"));
}
