// Generation when memory runs out, and when the model's numbers are broken.
#include <ATen/ops/empty.h>

#include <filesystem>
#include <limits>
#include <new>

#include "core/model/safetensors.h"
#include "tests/engine/generate_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::vector<engine::GenerateRequest> drawn_requests(const ModelReference& reference) {
  std::vector<engine::GenerateRequest> requests;
  for (std::size_t i = 0; i < 4; ++i) {
    engine::GenerateRequest request;
    request.question = fmt::format("q{}", i);
    request.prompt = reference.prompts[i];
    request.plan = static_cast<std::int64_t>(i % 2);
    request.sampling = {false, 1.0, 0, 0.95, 0.0, 1.0};
    request.max_new_tokens = 8;
    request.stop_at_eos = false;
    request.repeats = 1 + static_cast<std::int64_t>(i % 2);
    requests.push_back(request);
  }
  return requests;
}

// A tiny checkpoint with one NaN: where `row` of the named tensor begins.
engine::Engine with_nan(const std::string& tensor, std::int64_t row) {
  const ScratchDir scratch;
  const auto source = data_dir() / "model" / "olmoe_tiny";
  std::filesystem::copy_file(source / "config.json", scratch / "config.json");
  const model::SafetensorsFile file(source / "model.safetensors");
  std::vector<std::pair<std::string, at::Tensor>> all;
  for (const auto& [name, entry] : file.entries()) {
    all.emplace_back(name, file.tensor(name).clone());
    if (name == tensor) all.back().second[row][0] = std::numeric_limits<float>::quiet_NaN();
  }
  model::write_safetensors(scratch / "model.safetensors", all);
  engine::EngineOptions options;
  options.check_weights = false;
  return load_engine(scratch.path(), options);
}

std::string fault_of(const engine::Engine& engine, std::span<const steering::Plan> plans = {}) {
  const ModelReference reference("olmoe_tiny");
  engine::GenerateRequest request;
  request.question = "q3";
  request.prompt = reference.prompts[0];  // 61, 116, 84
  request.plan = static_cast<std::int64_t>(plans.size());
  request.max_new_tokens = 1;
  engine::GenerateOptions options;
  options.cache = {16, 4};
  try {
    engine::generate(engine, plans, {&request, 1}, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("when memory runs out, half the rows go on and give the same tokens", "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("mixed")};
  const auto requests = drawn_requests(reference);
  engine::GenerateOptions options;
  options.rows = 6;
  options.cache = {100, 4};
  const auto calm = engine::generate(engine, plans, requests, options);
  REQUIRE(calm.halvings == 0);

  // Memory for two rows: 6 rows become 3 and then 1.
  std::int64_t most = 0;
  options.before_pass = [&](std::int64_t rows) {
    if (rows > 2) throw std::bad_alloc();
    most = std::max(most, rows);
  };
  const auto pressed = engine::generate(engine, plans, requests, options);
  CHECK(tokens_of(pressed) == tokens_of(calm));
  CHECK(pressed.halvings == 2);
  CHECK(pressed.preemptions == 3 + 2);
  CHECK(most == 2);
  CHECK(pressed.free_pages == 100);

  // Once, in the middle of the answers: the real allocator's exception.
  std::int64_t passes = 0;
  options.before_pass = [&](std::int64_t rows) {
    if (++passes == 6) at::empty({std::int64_t{1} << 50}, at::kFloat);
    if (passes > 6) CHECK(rows <= 3);
  };
  const auto once = engine::generate(engine, plans, requests, options);
  CHECK(tokens_of(once) == tokens_of(calm));
  CHECK(once.halvings == 1);
  CHECK(once.forward_tokens > calm.forward_tokens);
  CHECK(once.free_pages == 100);
}

TEST_CASE("too little memory for one row is an error that says what to lower", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  auto requests = drawn_requests(reference);
  for (auto& request : requests) request.plan = 0;
  engine::GenerateOptions options;
  std::int64_t passes = 0;
  options.before_pass = [&](std::int64_t) {
    ++passes;
    throw std::bad_alloc();
  };
  CHECK_THROWS_WITH(engine::generate(engine, {}, requests, options),
                    ContainsSubstring("question 'q0': out of memory with one row") &&
                        ContainsSubstring("lower generation.prefill_tokens"));
  CHECK(passes == 2);  // 2 rows (no repeat starts while its prompt is being read, nor what comes after it), 1
  // Anything else that a pass throws is no matter of memory.
  options.before_pass = [](std::int64_t) { throw Interrupted("stopped by the test"); };
  CHECK_THROWS_AS(engine::generate(engine, {}, requests, options), Interrupted);
}

TEST_CASE("logits that are not finite name the question, and the layer and token where it begins",
          "[engine]") {
  const auto nan_of = [](const std::string& tensor, std::int64_t row) {
    return fault_of(with_nan(tensor, row));
  };
  CHECK_THAT(nan_of("model.embed_tokens.weight", 116),
             ContainsSubstring(
                 "question 'q3', repeat 0, token 0 of the answer: the model's logit of token 0 is NaN") &&
                 ContainsSubstring(
                     "first not finite in the embedding, at token position 1 (the prompt has 3 tokens)"));
  // The reference's routing of this prompt in layer 0: {6, 10}, {4, 11}, {6, 11}.
  const std::string experts = "model.layers.0.mlp.experts.";
  CHECK_THAT(nan_of(experts + "4.down_proj.weight", 0),
             ContainsSubstring("first not finite after layer 0, at token position 1"));
  CHECK_THAT(nan_of(experts + "11.up_proj.weight", 3),
             ContainsSubstring("first not finite after layer 0, at token position 1"));
  CHECK_THAT(nan_of(experts + "10.gate_proj.weight", 2),
             ContainsSubstring("first not finite after layer 0, at token position 0"));
  // Layer 1 sends the third token to {0, 6}; only it is wrong, after the last attention.
  CHECK_THAT(nan_of("model.layers.1.mlp.experts.6.down_proj.weight", 1),
             ContainsSubstring("first not finite after layer 1, at token position 2"));
  CHECK_THAT(nan_of("lm_head.weight", 7),
             ContainsSubstring("the model's logit of token 7 is NaN") &&
                 ContainsSubstring("first not finite in the output layer, at token position 2"));
}

TEST_CASE("a broken expert is found under the plan that makes the router choose it", "[engine]") {
  // Layer 0 sends none of the prompt's tokens to expert 3 by itself.
  const auto engine = with_nan("model.layers.0.mlp.experts.3.down_proj.weight", 0);
  CHECK(fault_of(engine) == "no error");
  const steering::Plan forced{steering::Mode::logit_shift, {{0, 3, steering::Operation::force, 1.0}}};
  CHECK_THAT(fault_of(engine, std::vector{forced}),
             ContainsSubstring("first not finite after layer 0, at token position 0"));
}
