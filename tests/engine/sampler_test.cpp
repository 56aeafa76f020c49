#include "core/engine/sampler.h"

#include <cmath>
#include <limits>
#include <map>

#include "core/base/json.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

engine::SamplingOptions read_options(const Json& fields) {
  return {false,
          fields.at("temperature"),
          fields.at("top_k"),
          fields.at("top_p"),
          fields.at("min_p"),
          fields.at("repetition_penalty")};
}

std::vector<float> read_logits(const Json& values) {
  std::vector<float> logits;
  for (const Json& value : values) logits.push_back(value.is_null() ? -kInfinity : value.get<float>());
  return logits;
}

engine::SamplingOptions drawn() {
  engine::SamplingOptions options;
  options.greedy = false;
  return options;
}

}  // namespace

TEST_CASE("filtered distributions equal those of transformers' processors", "[engine]") {
  const Json reference = read_json(data_dir() / "engine" / "sampler_cases.json");
  REQUIRE(reference.at("cases").size() == 21);
  for (const Json& entry : reference.at("cases")) {
    CAPTURE(entry.at("options").dump());
    const auto logits = read_logits(entry.at("logits"));
    const auto context = entry.at("context").get<std::vector<std::int32_t>>();
    const engine::SamplerRow row{logits, context, "row"};
    engine::SamplingOptions options = read_options(entry.at("options"));
    const auto kept = engine::filtered_distribution(row, options);
    REQUIRE(kept.size() == entry.at("kept").size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      CHECK(kept[i].token == entry.at("kept")[i][0].get<int>());
      CHECK(kept[i].probability == Catch::Approx(entry.at("kept")[i][1].get<double>()).epsilon(1e-6));
    }
    engine::SamplingOptions greedy;
    greedy.repetition_penalty = options.repetition_penalty;
    const auto best = engine::filtered_distribution(row, greedy);
    REQUIRE(best.size() == 1);
    CHECK(best[0].token == entry.at("greedy").get<int>());
  }
}

TEST_CASE("draws follow the distribution and depend on nothing but their key", "[engine]") {
  // Probabilities 1/10, 2/10, 3/10, 4/10.
  const std::vector<float> logits = {0.0f, std::log(2.0f), std::log(3.0f), std::log(4.0f)};
  const engine::SamplerRow row{logits, {}, "row"};
  const int draws = 4000;
  std::map<int, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[engine::sample(row, drawn(), {7, "q", 0, i})];
  double chi_square = 0;
  for (int token = 0; token < 4; ++token) {
    const double expected = draws * (token + 1) / 10.0;
    chi_square += std::pow(counts[token] - expected, 2) / expected;
  }
  CHECK(chi_square < 16.27);  // three degrees of freedom, p = 0.001; the draws are fixed by their keys
  const auto run = [&](const engine::SampleKey& key) {
    std::vector<int> tokens;
    for (int i = 0; i < 40; ++i) {
      engine::SampleKey at = key;
      at.position = i;
      tokens.push_back(engine::sample(row, drawn(), at));
    }
    return tokens;
  };
  const auto base = run({7, "q", 0, 0});
  CHECK(run({7, "q", 0, 0}) == base);
  CHECK(run({8, "q", 0, 0}) != base);
  CHECK(run({7, "r", 0, 0}) != base);
  CHECK(run({7, "q", 1, 0}) != base);
}

TEST_CASE("greedy takes the first of equal logits, and a masked token is never drawn", "[engine]") {
  const std::vector<float> logits = {-1.0f, 2.0f, -kInfinity, 2.0f};
  const engine::SamplerRow row{logits, {}, "row"};
  CHECK(engine::sample(row, {}, {}) == 1);
  for (int i = 0; i < 200; ++i) CHECK(engine::sample(row, drawn(), {1, "q", 0, i}) != 2);
}

TEST_CASE("logits that give no distribution are errors that name the row and the token", "[engine]") {
  const auto fails = [](const std::vector<float>& logits, const std::string& text) {
    for (const bool greedy : {true, false}) {
      engine::SamplingOptions options;
      options.greedy = greedy;
      CHECK_THROWS_WITH(engine::sample({logits, {}, "question 'q7', repeat 2"}, options, {}),
                        ContainsSubstring("question 'q7', repeat 2") && ContainsSubstring(text));
    }
  };
  fails({0.0f, std::numeric_limits<float>::quiet_NaN()}, "logit of token 1 is NaN");
  fails({0.0f, 1.0f, kInfinity}, "logit of token 2 is infinite");
  fails({-kInfinity, -kInfinity}, "no token has a finite logit");
}

TEST_CASE("contradictory sampling options are configuration errors that name the key", "[engine]") {
  const auto fails = [](auto change, const std::string& text) {
    engine::SamplingOptions options = drawn();
    change(options);
    CHECK_THROWS_AS(engine::validate(options), ConfigError);
    CHECK_THROWS_WITH(engine::validate(options), ContainsSubstring(text));
  };
  CHECK_NOTHROW(engine::validate(engine::SamplingOptions{}));
  CHECK_NOTHROW(engine::validate(drawn()));
  fails([](auto& o) { o.temperature = 0; }, "sampling.temperature: must be positive");
  fails([](auto& o) { o.temperature = std::nan(""); }, "sampling.temperature");
  fails([](auto& o) { o.top_k = -1; }, "sampling.top_k");
  fails([](auto& o) { o.top_p = 0; }, "sampling.top_p");
  fails([](auto& o) { o.top_p = 1.01; }, "sampling.top_p");
  fails([](auto& o) { o.min_p = 1.5; }, "sampling.min_p");
  fails([](auto& o) { o.min_p = std::nan(""); }, "sampling.min_p");
  fails([](auto& o) { o.repetition_penalty = 0; }, "sampling.repetition_penalty");
  const auto idle = [&](auto change) {
    fails(
        [&](auto& o) {
          o.greedy = true;
          change(o);
        },
        "has no meaning with greedy=true");
  };
  idle([](auto& o) { o.temperature = 0.7; });
  idle([](auto& o) { o.top_k = 5; });
  idle([](auto& o) { o.top_p = 0.9; });
  idle([](auto& o) { o.min_p = 0.1; });
}
