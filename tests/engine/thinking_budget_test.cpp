#include "core/engine/thinking_budget.h"

#include "tests/engine/generate_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;
using engine::ThinkingBudget;
using engine::ThinkingTracker;

namespace {

ThinkingBudget budget_of(const Json& fields) {
  ThinkingBudget budget;
  budget.max_tokens = fields.at("max_tokens");
  budget.open_ids = fields.at("open_ids").get<std::vector<std::int32_t>>();
  budget.close_ids = fields.at("close_ids").get<std::vector<std::int32_t>>();
  budget.forced_ids = fields.at("forced_ids").get<std::vector<std::int32_t>>();
  budget.opened_by_prompt = fields.at("opened_by_prompt");
  return budget;
}

// What a tracker forces while the model writes `chosen`: the whole sample, forced tokens in brackets.
std::string follow(const ThinkingBudget& budget, std::span<const std::int32_t> chosen) {
  ThinkingTracker tracker(&budget);
  std::string all;
  const auto add_forced = [&] {
    for (int guard = 0; tracker.forced() && guard < 20; ++guard) {
      const std::int32_t token = *tracker.forced();
      all += fmt::format("[{}]", token);
      tracker.add(token);
    }
  };
  add_forced();
  for (const std::int32_t token : chosen) {
    all += fmt::format(" {} ", token);
    tracker.add(token);
    add_forced();
  }
  return all;
}

}  // namespace

TEST_CASE("thinking that is closed by force goes on as transformers does from closing ids set by hand",
          "[engine]") {
  const auto name = GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny");
  const ModelReference reference(name);
  const auto engine = load_engine(reference.checkpoint);
  const Json cases = read_json(data_dir() / "engine" / "thinking_cases.json").at("cases");
  std::vector<engine::GenerateRequest> requests;
  std::vector<Json> expected;
  for (const Json& entry : cases) {
    if (entry.at("checkpoint") != name || entry.at("max_new_tokens") < 1) continue;
    engine::GenerateRequest request;
    request.question = fmt::format("q{}", requests.size());
    request.prompt = reference.prompts.at(entry.at("prompt").get<std::size_t>());
    request.max_new_tokens = entry.at("max_new_tokens");
    request.thinking = budget_of(entry);
    requests.push_back(request);
    expected.push_back(entry);
  }
  REQUIRE(requests.size() >= 20);
  const auto run = [&](const engine::GenerateOptions& options) {
    const auto report = engine::generate(engine, {}, requests, options);
    std::int64_t forced = 0;
    for (const engine::Generation& sample : report.samples) {
      CAPTURE(sample.request);
      CHECK(sample.tokens == expected[sample.request].at("tokens").get<engine::Tokens>());
      CHECK(sample.forced_close == expected[sample.request].at("forced_close").get<bool>());
      forced += sample.forced_close;
    }
    CHECK(forced > 0);
    CHECK(forced < static_cast<std::int64_t>(report.samples.size()));
    return report;
  };
  run(options_of(8, 20, {100, 4}));
  CHECK(run(options_of(4, 7, {16, 4})).preemptions > 0);
}

TEST_CASE("forced tokens take no draw: every other token is drawn by its own position", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  engine::GenerateRequest request;
  request.question = "drawn";
  request.prompt = reference.prompts[1];
  request.sampling = {false, 1.3, 0, 1.0, 0.0, 1.0};
  request.max_new_tokens = 12;
  request.stop_at_eos = false;
  request.seed = 3;
  request.repeats = 2;
  request.thinking = ThinkingBudget{3, {}, {7}, {5, 7, 9}, true};
  const auto report = engine::generate(engine, {}, {&request, 1}, options_of(2, 100, {64, 4}));
  for (const engine::Generation& sample : report.samples) {
    REQUIRE(sample.forced_close);
    REQUIRE(sample.tokens.size() == 12);
    engine::Tokens whole = request.prompt;
    whole.insert(whole.end(), sample.tokens.begin(), sample.tokens.end());
    const at::Tensor logits = engine.logits(std::vector<engine::Tokens>{whole})[0].contiguous();
    for (std::size_t position = 0; position < 12; ++position) {
      CAPTURE(sample.repeat, position);
      const std::size_t row = request.prompt.size() + position - 1;
      const auto vocabulary = static_cast<std::size_t>(logits.size(1));
      const std::span<const float> own(logits.const_data_ptr<float>() + row * vocabulary, vocabulary);
      const std::int32_t drawn =
          engine::sample({own, {}, "reference"}, request.sampling,
                         {3, "drawn", sample.repeat, static_cast<std::int64_t>(position)});
      const bool is_forced = position >= 3 && position < 6;
      CHECK(sample.tokens[position] == (is_forced ? request.thinking->forced_ids[position - 3] : drawn));
    }
  }
  CHECK(report.samples[0].tokens != report.samples[1].tokens);
}

TEST_CASE("a budget counts what is between the markers, over all thinking of a sample", "[engine]") {
  // 1 opens, 2 closes; two thinking tokens are allowed. Worked by hand.
  const ThinkingBudget tags{2, {1}, {2}, {}, false};
  CHECK(follow(tags, std::vector<std::int32_t>{5, 6, 7, 8}) == " 5  6  7  8 ");
  CHECK(follow(tags, std::vector<std::int32_t>{1, 6, 2, 8, 9}) == " 1  6  2  8  9 ");
  CHECK(follow(tags, std::vector<std::int32_t>{5, 1, 6, 7, 8}) == " 5  1  6  7 [2] 8 ");
  // One token of the first thinking is left for the second; the third has none.
  CHECK(follow(tags, std::vector<std::int32_t>{1, 6, 2, 8, 1, 9, 1, 8}) == " 1  6  2  8  1  9 [2] 1 [2] 8 ");
  CHECK(follow({0, {1}, {2}, {}, false}, std::vector<std::int32_t>{1, 8}) == " 1 [2] 8 ");
  CHECK(follow({0, {}, {2}, {3, 2, 4}, true}, std::vector<std::int32_t>{8, 9}) == "[3][2][4] 8  9 ");
  // Opened by the prompt, and the model may open it again.
  CHECK(follow({1, {1}, {2}, {}, true}, std::vector<std::int32_t>{2, 8, 1, 9, 8}) == " 2  8  1  9 [2] 8 ");
  // Markers of several ids: 1 1 3 opens, 4 5 closes.
  const ThinkingBudget channels{3, {1, 1, 3}, {4, 5}, {6, 4, 5, 7}, false};
  CHECK(follow(channels, std::vector<std::int32_t>{1, 1, 1, 3, 8, 4, 5, 9, 9, 9}) ==
        " 1  1  1  3  8  4  5  9  9  9 ");
  CHECK(follow(channels, std::vector<std::int32_t>{1, 3, 8, 1, 1, 3, 8, 5, 8, 9}) ==
        " 1  3  8  1  1  3  8  5  8 [6][4][5][7] 9 ");
  // The closed thinking took one token, not three: its marker is none.
  CHECK(follow(channels, std::vector<std::int32_t>{1, 1, 3, 8, 4, 5, 1, 1, 3, 8, 8, 9}) ==
        " 1  1  3  8  4  5  1  1  3  8  8 [6][4][5][7] 9 ");
  // The end of one marker is not the beginning of another: 2 1 closes, 1 3 opens.
  CHECK(follow({2, {1, 3}, {2, 1}, {}, true}, std::vector<std::int32_t>{2, 1, 3, 8, 9}) == " 2  1  3  8  9 ");
  ThinkingTracker without;
  for (const std::int32_t token : {1, 2, 3}) without.add(token);
  CHECK_FALSE(without.forced());
}

TEST_CASE("contradictory thinking budgets are configuration errors", "[engine]") {
  const auto fails = [](const ThinkingBudget& budget, const std::string& text) {
    CHECK_THROWS_AS(engine::validate(budget), ConfigError);
    CHECK_THROWS_WITH(engine::validate(budget), ContainsSubstring(text));
  };
  fails({-1, {1}, {2}, {}, false}, "thinking.max_tokens: must not be negative");
  fails({5, {1}, {}, {}, false}, "thinking.close_ids");
  fails({5, {1}, {}, {2}, true}, "thinking.close_ids");
  fails({5, {}, {2}, {}, false}, "thinking.open_ids: neither the prompt nor any token");
  fails({5, {2}, {2}, {}, true}, "the same ids open and close");
  fails({5, {1}, {2, 3}, {2, 4, 3}, false}, "thinking.forced_ids: must hold close_ids");
  CHECK_NOTHROW(engine::validate(ThinkingBudget{0, {}, {2}, {9, 2}, true}));

  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  engine::GenerateRequest request;
  request.question = "q7";
  request.prompt = reference.prompts[0];
  request.thinking = ThinkingBudget{-1, {1}, {2}, {}, false};
  CHECK_THROWS_AS(engine::generate(engine, {}, {&request, 1}, {}), ConfigError);
  request.thinking = ThinkingBudget{1, {1}, {100000}, {}, false};
  CHECK_THROWS_WITH(engine::generate(engine, {}, {&request, 1}, {}),
                    ContainsSubstring("question 'q7': token id 100000 of the closing of thinking"));
  request.thinking = ThinkingBudget{1, {1}, {3}, {3, -1}, false};
  CHECK_THROWS_WITH(engine::generate(engine, {}, {&request, 1}, {}),
                    ContainsSubstring("question 'q7': token id -1 of the forced closing"));
}
