// Rows with a recurrent state beside their KV pages: pieces, failed passes, shared prompts, memory.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "core/engine/decoder.h"
#include "core/model/memory.h"
#include "core/model/recurrent_pass.h"
#include "tests/engine/generate_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr const char* kRecurrent = "qwen3_next_tiny";

// Reads the next `count` tokens of `all` into the row; the logits after the last one.
at::Tensor read_on(engine::Decoder& decoder, engine::DecodeRow& row, const engine::Tokens& all,
                   std::size_t count) {
  const auto piece = std::span(all).subspan(static_cast<std::size_t>(row.kv.tokens), count);
  REQUIRE(decoder.cache().reserve(row.kv, static_cast<std::int64_t>(count)));
  return decoder.feed(std::vector<engine::Feed>{{&row, piece}})[0];
}

}  // namespace

TEST_CASE("a prompt of more than two chunks gives the reference's logits, at once and in pieces",
          "[engine]") {
  const ModelReference reference(kRecurrent);
  const auto engine = load_engine(reference.checkpoint);
  const auto prompt = reference.fields.at("long_prompt").get<engine::Tokens>();
  REQUIRE(prompt.size() == 150);
  const at::Tensor expected = reference.tensor("long.logits");
  CHECK(largest_difference(engine.logits(std::vector<engine::Tokens>{prompt})[0], expected) <=
        reference.tolerance);
  engine::Decoder decoder(engine, {}, {40, 4});
  const std::vector<std::vector<std::size_t>> cuts = {{150}, {100, 50}, {1, 2, 70, 77}, {130, 1, 1, 1, 17}};
  for (const auto& pieces : cuts) {
    engine::DecodeRow row;
    for (const std::size_t size : pieces) {
      const at::Tensor logits = read_on(decoder, row, prompt, size);
      CAPTURE(size, row.kv.tokens);
      CHECK(largest_difference(logits, expected[row.kv.tokens - 1]) <= reference.tolerance);
    }
    decoder.cache().release(row.kv);
    CHECK(row.kv.states.empty());
  }
}

TEST_CASE("a pass that fails half way leaves a row's state where it was", "[engine]") {
  const ModelReference reference(kRecurrent);
  const auto engine = load_engine(reference.checkpoint);
  const engine::Tokens prompt = reference.prompts[3];
  const at::Tensor expected = reference.tensor("prompt.3.logits");
  engine::Decoder decoder(engine, {}, {20, 4});
  engine::DecodeRow row;
  read_on(decoder, row, prompt, 10);
  const model::RowStates before = model::copy_states(row.kv.states);

  // The first two layers of a pass over other tokens, which then never ends.
  REQUIRE(decoder.cache().reserve(row.kv, 3));
  const std::vector<model::KvAppend> appends = {{&row.kv, 3}};
  {
    const at::NoGradGuard no_grad;
    model::RecurrentPass recurrent(engine.spec(), appends);
    model::PassOptions pass;
    pass.cache = &decoder.cache();
    pass.recurrent = &recurrent;
    const at::Tensor other = engine.model().embed(at::tensor({7, 8, 9}, at::kLong));
    engine.model().run_layers(other, decoder.cache().layout(appends), {0, 2}, pass);
    CHECK_THROWS_WITH(recurrent.commit(0, row.kv), ContainsSubstring("layer 2 has a recurrent state"));
  }
  REQUIRE(row.kv.states.size() == before.size());
  CHECK(at::equal(row.kv.states[0].memory, before[0].memory));
  CHECK(at::equal(row.kv.states[0].tail, before[0].tail));
  CHECK(largest_difference(read_on(decoder, row, prompt, 3), expected[12]) <= reference.tolerance);
  CHECK(largest_difference(read_on(decoder, row, prompt, 1), expected[13]) <= reference.tolerance);
}

TEST_CASE("a row that shares a prompt goes on from a state of its own", "[engine]") {
  const ModelReference reference(kRecurrent);
  const auto engine = load_engine(reference.checkpoint);
  engine::Decoder decoder(engine, {}, {20, 4});
  model::KvCache& cache = decoder.cache();
  const engine::Tokens prompt = reference.prompts[1];
  ReadRow first{{}, prompt}, second{{}, prompt};
  read_on(decoder, first.row, prompt, prompt.size());
  CHECK_THROWS_WITH(cache.share(first.row.kv, 8),
                    ContainsSubstring("cannot share 8 of them: its state stands"));
  CHECK(cache.share(first.row.kv, 0).states.empty());
  second.row.kv = cache.share(first.row.kv, 9);
  const model::RowStates& states = second.row.kv.states;
  REQUIRE(states.size() == 3);
  CHECK_FALSE(states[1].memory.defined());  // an attention layer
  CHECK(states[0].memory.data_ptr() != first.row.kv.states[0].memory.data_ptr());
  check_reading_on(engine, decoder, first, second, reference.tolerance);
}

TEST_CASE("a row that lost its state is an error, not a wrong answer", "[engine]") {
  const ModelReference reference(kRecurrent);
  const auto engine = load_engine(reference.checkpoint);
  engine::Decoder decoder(engine, {}, {20, 4});
  engine::DecodeRow row;
  read_on(decoder, row, reference.prompts[1], 5);
  row.kv.states.clear();
  REQUIRE(decoder.cache().reserve(row.kv, 1));
  const engine::Tokens next = {3};
  CHECK_THROWS_WITH(decoder.feed(std::vector<engine::Feed>{{&row, next}}),
                    ContainsSubstring("row 0 of the batch has read 5 tokens, but holds no recurrent state"));
}

TEST_CASE("repeats of a model with a recurrent state read their prompt once, and survive preemption",
          "[engine]") {
  const ModelReference reference(kRecurrent);
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("mixed")};
  const auto requests = repeated_requests(reference, 2);
  engine::GenerateOptions apart_options = options_of(7, 1000, {100, 4});
  apart_options.share_prompts = false;
  const auto apart = engine::generate(engine, plans, requests, apart_options);
  CHECK(apart.forward_tokens == 3 * (9 + 5) + 4 * (17 + 6));
  // All side by side, in pieces, and with too few pages for all.
  for (const auto& [rows, prefill, pages] :
       {std::tuple{7, 1000, 100}, std::tuple{7, 5, 100}, std::tuple{4, 7, 100}, std::tuple{7, 1000, 8}}) {
    CAPTURE(rows, prefill, pages);
    const auto shared = engine::generate(engine, plans, requests, options_of(rows, prefill, {pages, 4}));
    CHECK(tokens_of(shared) == tokens_of(apart));
    CHECK(shared.free_pages == pages);
    if (pages == 100) CHECK(shared.forward_tokens == 9 + 3 * 5 + 17 + 4 * 6);
    if (pages == 8) CHECK(shared.preemptions > 0);
  }
  // Memory runs out in the middle of the answers: half of the rows go on from where they stand.
  std::int64_t passes = 0;
  auto pressed = options_of(7, 1000, {100, 4});
  pressed.before_pass = [&](std::int64_t) {
    if (++passes == 5) throw std::bad_alloc();
  };
  const auto halved = engine::generate(engine, plans, requests, pressed);
  CHECK(tokens_of(halved) == tokens_of(apart));
  CHECK(halved.halvings == 1);
}

TEST_CASE("the memory plan counts recurrent states, and pages only where there is attention", "[engine]") {
  const auto spec = model::read_spec(data_dir() / "model" / kRecurrent);
  // One attention layer: 2 (keys and values) * 4 tokens * 2 heads * 16 values * 4 bytes.
  CHECK(model::KvCache::page_bytes(spec, 4, at::kFloat) == 1024);
  // Two delta nets: a tail of 3 * (2 * 16 + 48) values, a matrix of 4 heads * 8 * 12 in float32.
  CHECK(model::state_bytes(spec, at::kFloat) == 2 * (3 * 80 * 4 + 384 * 4));
  CHECK(model::state_bytes(spec, at::kBFloat16) == 2 * (3 * 80 * 2 + 384 * 4));
  // A row of 10 + 10 tokens: 5 pages and two states of 4992 bytes = 15104; one state for a kept prompt.
  const model::CacheNeeds needs{8, 10, 10, 4};
  const auto plan = model::plan_cache(spec, at::kFloat, needs, 3 * 15104 + 4992);
  CHECK(plan.rows == 3);
  CHECK(plan.cache.pages == 15);
  CHECK(plan.bytes == 3 * 15104 + 4992);
  CHECK(model::plan_cache(spec, at::kFloat, needs, 3 * 15104 + 4991).rows == 2);
  CHECK_THROWS_WITH(model::plan_cache(spec, at::kFloat, needs, 15104),
                    ContainsSubstring("needs 20096 bytes of KV cache (5 pages of 1024 bytes, and 3 recurrent "
                                      "states of 4992 bytes)"));
}

TEST_CASE("in bfloat16 the state stays in float32, and errors are those of the library in bfloat16",
          "[engine]") {
  const ModelReference reference(kRecurrent);
  engine::EngineOptions options;
  options.dtype = "bfloat16";
  const auto engine = load_engine(reference.checkpoint, options);
  engine::Decoder decoder(engine, {}, {20, 4});
  const auto whole = engine.logits(reference.prompts);
  const double sd = reference.fields.at("logits_sd").get<double>();
  for (std::size_t p = 0; p < reference.prompts.size(); ++p) {
    const at::Tensor expected = reference.tensor(fmt::format("prompt.{}.logits", p));
    const auto error = [&](const at::Tensor& logits) {
      return (logits - expected).square().mean().sqrt().item<double>() / sd;
    };
    engine::DecodeRow row;
    std::vector<at::Tensor> steps;
    for (std::size_t i = 0; i < reference.prompts[p].size(); ++i)
      steps.push_back(read_on(decoder, row, reference.prompts[p], 1));
    CHECK(row.kv.states[0].memory.scalar_type() == at::kFloat);
    CHECK(row.kv.states[0].tail.scalar_type() == at::kBFloat16);
    decoder.cache().release(row.kv);
    const double theirs = reference.fields.at("bfloat16_errors")[p].get<double>();
    CAPTURE(p, theirs, error(whole[p]), error(at::stack(steps)));
    CHECK(error(whole[p]) < 1.5 * theirs);
    CHECK(error(at::stack(steps)) < 1.5 * theirs);
  }
}
