#include "core/engine/generate.h"

#include <set>

#include "tests/engine/generate_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;
using engine::StopReason;

namespace {

engine::GenerateRequest request_for(const engine::Tokens& prompt, std::int64_t max_new_tokens) {
  engine::GenerateRequest request;
  request.question = "q";
  request.prompt = prompt;
  request.max_new_tokens = max_new_tokens;
  return request;
}

// Requests of unlike lengths, drawn and greedy, under three plans (0 the original), some with repeats.
std::vector<engine::GenerateRequest> mixed_requests(const ModelReference& reference) {
  std::vector<engine::GenerateRequest> requests;
  for (std::size_t i = 0; i < 8; ++i) {
    engine::GenerateRequest request =
        request_for(reference.prompts[i % 4], 4 + 3 * static_cast<std::int64_t>(i));
    request.question = fmt::format("q{}", i);
    request.plan = static_cast<std::int64_t>(i % 3);
    request.repeats = i % 2 == 0 ? 1 : 2;
    request.seed = 5;
    if (i != 2) request.sampling = {false, 0.9, 20, 0.95, 0.01, 1.1};
    requests.push_back(request);
  }
  return requests;
}

}  // namespace

TEST_CASE("greedy tokens equal those of transformers' generate", "[engine]") {
  const auto name = GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny");
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const Json cases = read_json(data_dir() / "engine" / "generate_cases.json").at("cases");
  std::vector<engine::GenerateRequest> requests;
  std::vector<Json> expected;
  for (const Json& entry : cases) {
    if (entry.at("checkpoint") != name) continue;
    auto request =
        request_for(reference.prompts.at(entry.at("prompt").get<std::size_t>()), entry.at("max_new_tokens"));
    request.stop_ids = entry.at("stop_ids").get<std::vector<std::int32_t>>();
    request.sampling.repetition_penalty = entry.at("repetition_penalty");
    requests.push_back(request);
    expected.push_back(entry);
  }
  REQUIRE(requests.size() == 12);
  const auto report = engine::generate(engine, {}, requests, options_of(5, 10, {64, 4}));
  std::set<StopReason> reasons;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    const engine::Generation& sample = report.samples[i];
    CHECK(sample.tokens == expected[i].at("tokens").get<engine::Tokens>());
    const bool stopped = !requests[i].stop_ids.empty() && sample.tokens.back() == requests[i].stop_ids[0];
    if (stopped) CHECK(sample.reason == StopReason::stop_id);
    if (static_cast<std::int64_t>(sample.tokens.size()) == requests[i].max_new_tokens && !stopped)
      CHECK(sample.reason == StopReason::length);
    reasons.insert(sample.reason);
  }
  CHECK(reasons.count(StopReason::stop_id) == 1);
  CHECK(reasons.count(StopReason::length) == 1);
}

TEST_CASE("greedy tokens under plans equal the reference's full passes, all plans in one batch", "[engine]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("logit_shift"), reference.plan("mixed")};
  std::vector<engine::GenerateRequest> requests;
  for (const Json& entry : reference.fields.at("greedy")) {
    requests.push_back(request_for(reference.prompts.at(entry.at("prompt").get<std::size_t>()), 8));
    requests.back().stop_at_eos = false;
    if (!entry.at("plan").is_null()) requests.back().plan = entry.at("plan") == "logit_shift" ? 1 : 2;
  }
  const auto report = engine::generate(engine, plans, requests, options_of(6, 16, {64, 4}));
  std::vector<std::int64_t> fed(3, 0);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    CHECK(report.samples[i].tokens == reference.fields.at("greedy")[i].at("tokens").get<engine::Tokens>());
    // The last token of a sample is never read.
    fed[static_cast<std::size_t>(requests[i].plan)] +=
        static_cast<std::int64_t>(requests[i].prompt.size()) + 7;
  }
  REQUIRE(report.effects.size() == 3);
  for (std::size_t plan = 1; plan < 3; ++plan) {
    CHECK(report.effects[plan].state == steering::EffectState::acted);
    for (const auto& layer : report.effects[plan].layers) CHECK(layer.tokens == fed[plan]);
  }
}

TEST_CASE("rows that grow past the rope threshold are read anew and equal transformers' full passes",
          "[engine]") {
  const Json cases = read_json(data_dir() / "engine" / "growing_cases.json").at("cases");
  REQUIRE(cases.size() == 6);
  const auto engine = load_engine(data_dir() / "model" / "phimoe_tiny");
  std::vector<engine::GenerateRequest> requests;
  std::vector<engine::Tokens> expected;
  std::int64_t least_tokens = 0;
  for (const Json& entry : cases) {
    const auto tokens = entry.at("tokens").get<engine::Tokens>();
    requests.push_back(
        request_for(entry.at("prompt").get<engine::Tokens>(), static_cast<std::int64_t>(tokens.size())));
    requests.back().stop_at_eos = false;
    requests.back().repeats = 2;
    for (int repeat = 0; repeat < 2; ++repeat) {
      expected.push_back(tokens);
      least_tokens += static_cast<std::int64_t>(requests.back().prompt.size() + tokens.size()) - 1;
    }
  }
  auto apart = options_of(1, 1000, {20, 4});
  apart.share_prompts = false;
  const auto alone = engine::generate(engine, {}, requests, apart);
  CHECK(tokens_of(alone) == expected);
  // Five prompts are at most 40 tokens long: each of their repeats reads its first 40 tokens twice.
  CHECK(alone.forward_tokens == least_tokens + 2 * 5 * 40);
  CHECK(tokens_of(engine::generate(engine, {}, requests, options_of(5, 7, {120, 4}))) == expected);
  const auto tight = engine::generate(engine, {}, requests, options_of(5, 1000, {28, 4}));
  CHECK(tight.preemptions > 0);
  CHECK(tight.free_pages == 28);
  CHECK(tokens_of(tight) == expected);
}

TEST_CASE("a sample does not depend on the batch, the pieces or a preemption", "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<steering::Plan> plans = {reference.plan("logit_shift"), reference.plan("force")};
  const auto requests = mixed_requests(reference);
  const auto alone = engine::generate(engine, plans, requests, options_of(1, 1000, {16, 4}));
  REQUIRE(alone.samples.size() == 12);
  CHECK(alone.preemptions == 0);
  CHECK(alone.samples[1].tokens != alone.samples[2].tokens);  // two repeats of one question
  auto second_alone = requests[1];
  second_alone.repeats = 1, second_alone.first_repeat = 1;
  const auto second = engine::generate(engine, plans, {&second_alone, 1}, options_of(1, 1000, {16, 4}));
  CHECK(second.samples.at(0).repeat == 1);
  CHECK(second.samples.at(0).tokens == alone.samples[2].tokens);
  CHECK(tokens_of(engine::generate(engine, plans, requests, options_of(4, 1000, {64, 4}))) ==
        tokens_of(alone));
  CHECK(tokens_of(engine::generate(engine, plans, requests, options_of(4, 5, {200, 1}))) == tokens_of(alone));
  const auto tight = engine::generate(engine, plans, requests, options_of(4, 7, {16, 4}));
  CHECK(tight.preemptions > 0);
  CHECK(tight.forward_tokens > alone.forward_tokens);
  CHECK(tokens_of(tight) == tokens_of(alone));
  auto reseeded = requests;
  for (auto& request : reseeded) request.seed = 6;
  const auto other = engine::generate(engine, plans, reseeded, options_of(4, 1000, {64, 4}));
  CHECK(tokens_of(other) != tokens_of(alone));
  CHECK(other.samples[3].tokens == alone.samples[3].tokens);  // greedy
}

TEST_CASE("a finished row's place is taken while its neighbours run on", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  std::vector<engine::GenerateRequest> requests;
  for (const std::int64_t length : {20, 2, 2, 2}) {
    requests.push_back(request_for(reference.prompts[0], length));
    requests.back().stop_at_eos = false;
  }
  std::vector<std::size_t> order;
  std::vector<std::int64_t> streamed(4, 0);
  engine::GenerateOptions options = options_of(2, 100, {64, 4});
  options.on_finished = [&](const engine::Generation& sample) { order.push_back(sample.request); };
  options.on_token = [&](const engine::GenerateRequest& request, std::int64_t, std::int32_t) {
    ++streamed[static_cast<std::size_t>(&request - requests.data())];
  };
  const auto report = engine::generate(engine, {}, requests, options);
  CHECK(order == std::vector<std::size_t>{1, 2, 3, 0});
  CHECK(streamed == std::vector<std::int64_t>{20, 2, 2, 2});
  for (std::size_t i = 0; i < 4; ++i) CHECK(report.samples[i].request == i);
}

TEST_CASE("samples end at a stop string wherever tokens cut it, at eos, and at the context's end",
          "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const auto tokenizer = text::Tokenizer::load(data_dir() / "text" / "gpt2_style.tokenizer.json");
  // The reference's greedy tokens, and what GPT-2's vocabulary writes for them: - 9 (a byte) : (a byte) : < <
  const engine::Tokens expected = {12, 24, 118, 25, 118, 25, 27, 27};
  REQUIRE(reference.fields.at("greedy")[0].at("tokens").get<engine::Tokens>() == expected);
  const auto run = [&](const std::vector<std::string>& stops, std::int64_t length) {
    std::vector<engine::GenerateRequest> requests = {request_for(reference.prompts[0], length)};
    requests[0].stop_strings = stops;
    engine::GenerateOptions options = options_of(2, 100, {64, 4});
    options.tokenizer = &tokenizer;
    return engine::generate(engine, {}, requests, options).samples[0];
  };
  const auto ends = [&](const std::vector<std::string>& stops, std::size_t tokens) {
    const engine::Generation sample = run(stops, 8);
    CHECK(sample.reason == StopReason::stop_string);
    CHECK(sample.tokens == engine::Tokens(expected.begin(), expected.begin() + static_cast<long>(tokens)));
  };
  ends({":"}, 4);
  ends({"-9"}, 2);
  ends({"<<"}, 8);
  ends({":<", "never"}, 7);
  CHECK(run({"never", "9<"}, 8).reason == StopReason::length);  // a stop string that never comes
  CHECK(run({"never"}, 8).tokens == expected);

  engine::GenerateRequest to_the_end = request_for(reference.prompts[3], 1000);
  to_the_end.stop_at_eos = false;
  const auto whole = engine::generate(engine, {}, {&to_the_end, 1}, options_of(1, 100, {64, 4}));
  CHECK(whole.samples[0].reason == StopReason::context);
  CHECK(whole.samples[0].tokens.size() + reference.prompts[3].size() == 64);

  auto model = engine.model();
  model.mutable_spec().eos_ids = {118};
  const engine::Engine ending(model, {});
  const engine::GenerateRequest at_eos = request_for(reference.prompts[0], 8);
  const auto ended = engine::generate(ending, {}, {&at_eos, 1}, options_of(1, 100, {64, 4}));
  CHECK(ended.samples[0].reason == StopReason::eos);
  CHECK(ended.samples[0].tokens == engine::Tokens{12, 24, 118});
}

TEST_CASE("requests that cannot be generated are errors that name the question", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const auto fails = [&](auto change, const std::string& text, model::KvCacheOptions cache = {64, 4}) {
    engine::GenerateRequest request = request_for(reference.prompts[0], 30);
    request.question = "q7";
    change(request);
    CHECK_THROWS_WITH(engine::generate(engine, {}, {&request, 1}, options_of(2, 100, cache)),
                      ContainsSubstring(text));
  };
  fails([](auto& r) { r.prompt.clear(); }, "question 'q7': the prompt has no token");
  fails([](auto& r) { r.prompt.assign(64, 1); }, "question 'q7': the prompt has 64 tokens");
  fails([](auto& r) { r.prompt = {100000}; }, "question 'q7': token id 100000");
  fails([](auto& r) { r.plan = 1; }, "question 'q7': plan 1 does not exist");
  fails([](auto& r) { r.max_new_tokens = 0; }, "max_new_tokens must be at least 1");
  fails([](auto& r) { r.repeats = 0; }, "repeats must be at least 1");
  fails([](auto& r) { r.first_repeat = -1; }, "first_repeat must not be negative");
  fails([](auto& r) { r.stop_strings = {"x"}; }, "stop strings need the model's tokenizer");
  fails([](auto& r) { r.stop_strings = {""}; }, "a stop string is empty");
  fails([](auto& r) { r.sampling.temperature = 0; }, "sampling.temperature");
  fails([](auto& r) { r.sampling.top_k = 3; }, "has no meaning with greedy=true");
  fails([](auto& r) { r.prompt.assign(9, 1); }, "question 'q7': the KV cache of 8 tokens cannot hold its 9",
        {2, 4});
  fails([](auto& r) { r.stop_at_eos = false; }, "the KV cache of 8 tokens cannot hold its 9 tokens", {2, 4});
}

TEST_CASE("samples that ended before an interruption have been handed on", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<engine::GenerateRequest> requests = {request_for(reference.prompts[0], 2),
                                                         request_for(reference.prompts[1], 20)};
  std::vector<engine::Generation> kept;
  std::int64_t tokens = 0;
  engine::GenerateOptions options = options_of(2, 100, {64, 4});
  options.on_finished = [&](const engine::Generation& sample) { kept.push_back(sample); };
  options.on_token = [&](const engine::GenerateRequest&, std::int64_t, std::int32_t) {
    if (++tokens == 10) throw Interrupted("stopped by the test");
  };
  CHECK_THROWS_AS(engine::generate(engine, {}, requests, options), Interrupted);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].request == 0);
  CHECK(kept[0].tokens.size() == 2);
}
