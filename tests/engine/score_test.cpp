#include <cmath>

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

engine::ScoreItem read_item(const ModelReference& reference, const Json& entry) {
  return {reference.prompts.at(entry.at("prompt").get<std::size_t>()),
          entry.at("options").get<std::vector<engine::Tokens>>()};
}

}  // namespace

TEST_CASE("scores equal the released procedure's sums, one full pass an option", "[engine]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  const auto batch_tokens = GENERATE(std::int64_t{1}, std::int64_t{64}, std::int64_t{8192});
  CAPTURE(name, batch_tokens);
  const ModelReference reference(name);
  engine::EngineOptions options;
  options.batch_tokens = batch_tokens;
  options.logit_rows = batch_tokens == 64 ? 3 : 2048;
  const auto engine = load_engine(reference.checkpoint, options);
  std::vector<steering::Plan> plans = {reference.plan("logit_shift"), reference.plan("mixed")};
  std::vector<engine::ScoreItem> items;
  for (const Json& entry : reference.fields.at("options")) items.push_back(read_item(reference, entry));
  REQUIRE(items.size() >= 3);
  const auto report = engine.score(items, plans);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json& entry = reference.fields.at("options")[i];
    std::size_t row = 0;
    if (!entry.at("plan").is_null()) row = entry.at("plan") == "logit_shift" ? 1 : 2;
    const auto expected = entry.at("log_probs").get<std::vector<double>>();
    for (std::size_t o = 0; o < expected.size(); ++o)
      CHECK(std::abs(report.items[i].log_probabilities[row][o] - expected[o]) <
            1e-5 * std::max(1.0, std::abs(expected[o])));
  }
}

TEST_CASE("a plan in a batch of many plans scores as it does alone", "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  std::vector<steering::Plan> plans;
  for (const Json& plan : reference.fields.at("plans")) plans.push_back(ModelReference::read_plan(plan));
  plans.emplace_back();  // a plan without entries is the original
  const std::vector<engine::ScoreItem> items = {{reference.prompts[2], {{5, 7, 9}, {11}, {3, 4}}},
                                                {reference.prompts[1], {{6}, {8, 8}}}};
  const auto together = engine.score(items, plans);
  for (std::size_t plan = 0; plan < plans.size(); ++plan) {
    const auto alone = engine.score(items, {&plans[plan], 1});
    for (std::size_t i = 0; i < items.size(); ++i)
      for (std::size_t o = 0; o < items[i].options.size(); ++o)
        CHECK(together.items[i].log_probabilities[plan + 1][o] ==
              Catch::Approx(alone.items[i].log_probabilities[1][o]).margin(1e-5));
  }
  CHECK(together.items[0].log_probabilities.back() == together.items[0].log_probabilities.front());
}

TEST_CASE("single-token options need one pass over the prompt alone", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const std::vector<engine::ScoreItem> letters = {{reference.prompts[3], {{5}, {6}, {7}, {8}}}};
  const auto report = engine.score(letters, {});
  CHECK(report.forward_tokens == static_cast<std::int64_t>(reference.prompts[3].size()));
  const at::Tensor logits = engine.logits(std::vector<engine::Tokens>{reference.prompts[3]})[0];
  const at::Tensor log_p = logits.select(0, -1).log_softmax(-1);
  CHECK(report.items[0].log_probabilities[0][2] == Catch::Approx(log_p[7].item<double>()).margin(1e-6));
}

TEST_CASE("layers below the first steered one are computed once for all plans", "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const steering::ExpertId top[] = {{2, 1}};
  const steering::ExpertId low[] = {{0, 1}};
  const std::vector<engine::ScoreItem> items = {{reference.prompts[2], {{5}}}};
  const auto tokens = static_cast<std::int64_t>(reference.prompts[2].size());
  const auto forward = [&](std::span<const steering::ExpertId> experts) {
    const std::vector<steering::Plan> plans(3, steering::scale_plan(experts, 3, steering::Mode::logit_shift));
    return engine.score(items, plans).forward_tokens;
  };
  CHECK(forward(low) == 4 * tokens);            // every layer four times
  CHECK(forward(top) == (2 + 4) * tokens / 3);  // two layers once, the last one four times
}

TEST_CASE("plans that do not fit one pass are scored in several, each with the original, and nothing changes",
          "[engine]") {
  const ModelReference reference("qwen3_moe_tiny");
  const auto wide = load_engine(reference.checkpoint);
  std::vector<steering::Plan> plans;
  for (std::int64_t expert = 0; expert < 5; ++expert) {
    const steering::ExpertId first[] = {{0, expert}};
    plans.push_back(steering::scale_plan(first, 20, steering::Mode::logit_shift));
  }
  plans.emplace_back();  // the original once more: it never forks
  const std::vector<engine::ScoreItem> items = {{reference.prompts[2], {{5}, {7}}},
                                                {reference.prompts[1], {{6}, {8}}}};
  const auto length = static_cast<std::int64_t>(reference.prompts[2].size());
  const auto other = static_cast<std::int64_t>(reference.prompts[1].size());
  REQUIRE(other <= length);
  engine::EngineOptions options = wide.options();
  options.batch_tokens = 3 * length;  // the original and two plans of the longer item
  const engine::Engine narrow(wide.model(), options);
  const auto expected = wide.score(items, plans);
  std::int64_t samples = 0;
  const auto report = narrow.score(items, plans, [&](std::int64_t done) { samples = done; });
  CHECK(samples == 2 * 7);
  CHECK(expected.forward_tokens == 6 * (length + other));
  const std::int64_t carried = 3 * length / other - 1, passes = (5 + carried - 1) / carried;
  CHECK(report.forward_tokens == (5 + 3) * length + (5 + passes) * other);
  for (std::size_t i = 0; i < items.size(); ++i)
    for (std::size_t plan = 0; plan <= plans.size(); ++plan)
      for (std::size_t o = 0; o < 2; ++o)
        CHECK(report.items[i].log_probabilities[plan][o] ==
              Catch::Approx(expected.items[i].log_probabilities[plan][o]).margin(1e-6));
  CHECK(report.items[0].log_probabilities[1] != report.items[0].log_probabilities[0]);
  for (std::size_t plan = 1; plan < plans.size(); ++plan) {
    CHECK(report.effects[plan].layers[0].tokens == expected.effects[plan].layers[0].tokens);
    CHECK(report.effects[plan].layers[0].changed == Catch::Approx(expected.effects[plan].layers[0].changed));
  }
}

TEST_CASE("items that cannot be scored are errors that name them", "[engine]") {
  const ModelReference reference("olmoe_tiny");
  const auto engine = load_engine(reference.checkpoint);
  const auto fails = [&](const engine::ScoreItem& item, const std::string& text) {
    const std::vector<engine::ScoreItem> items = {{{1, 2}, {{3}}}, item};
    CHECK_THROWS_WITH(engine.score(items, {}), ContainsSubstring(text));
  };
  fails({{}, {{3}}}, "item 1: the prompt has no token");
  fails({{1}, {}}, "item 1: there are no options");
  fails({{1}, {{3}, {}}}, "item 1: option 1 has no token");
  fails({{1}, {{3}, {100000}}}, "item 1: option 1 has the token id 100000");
  fails({{1, 100000}, {{3}}}, "token id 100000");
  fails({engine::Tokens(100000, 1), {{3}}}, "the model reads");
}
