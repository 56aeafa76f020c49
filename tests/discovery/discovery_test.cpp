// Discovery against figures worked out from the formulas over transformers; see tests/reference/discovery.
#include "core/discovery/discovery.h"

#include <algorithm>
#include <cmath>

#include "core/discovery/expert_score.h"
#include "core/discovery/token_class.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

struct DiscoveryReference {
  std::string name;
  Json fields;
  engine::Engine engine;
  std::vector<std::pair<std::int64_t, std::int64_t>> experts;  // column -> (layer, expert)

  explicit DiscoveryReference(const std::string& checkpoint)
      : name(checkpoint),
        fields(read_json(data_dir() / "discovery" / (checkpoint + ".json"))),
        engine(load_engine(data_dir() / "model" / checkpoint)),
        experts(fields.at("experts").get<std::vector<std::pair<std::int64_t, std::int64_t>>>()) {}

  std::vector<discovery::DiscoveryItem> items(const Json& domain, bool with_answer) const {
    const auto texts = fields.at("token_texts").get<std::vector<std::string>>();
    std::vector<discovery::DiscoveryItem> items;
    for (const Json& question : domain.at("questions")) {
      discovery::DiscoveryItem item;
      item.prompt = question.at("tokens").get<engine::Tokens>();
      if (with_answer) item.answer = question.at("answer").get<engine::Tokens>();
      for (const auto token : item.prompt)
        item.token_texts.push_back(texts.at(static_cast<std::size_t>(token)));
      items.push_back(std::move(item));
    }
    return items;
  }

  std::size_t flat(std::size_t column) const {
    return static_cast<std::size_t>(experts[column].first * engine.spec().router.experts +
                                    experts[column].second);
  }

  // One of our flat lists in the reference's column order.
  template <typename T>
  std::vector<T> columns(const std::vector<T>& values) const {
    std::vector<T> ordered;
    for (std::size_t c = 0; c < experts.size(); ++c) ordered.push_back(values.at(flat(c)));
    return ordered;
  }
};

discovery::DiscoverySettings settings_of(const Json& test_case) {
  discovery::DiscoverySettings settings;
  settings.percentile = test_case.at("percentile").get<double>();
  settings.classification = discovery::parse_classification(test_case.at("alignment").get<std::string>());
  settings.punctuation_rule = discovery::parse_punctuation(test_case.at("punctuation").get<std::string>());
  return settings;
}

std::string letters(const std::vector<discovery::TokenKind>& kinds) {
  std::string text;
  for (const auto kind : kinds) text += "iu-"[static_cast<std::size_t>(kind)];
  return text;
}

void check_scores(const DiscoveryReference& reference, discovery::Score score,
                  const discovery::RoutingCounts& domain, std::span<const discovery::RoutingCounts> others,
                  const Json& expected) {
  INFO(discovery::name_of(score));
  const auto scores =
      discovery::expert_scores(score, domain, others, discovery::selections_a_token(reference.engine.spec()));
  const auto ours = reference.columns(scores);
  const auto theirs = expected.at("score").get<std::vector<double>>();
  for (std::size_t c = 0; c < theirs.size(); ++c)
    CHECK(ours[c] == Catch::Approx(theirs[c]).epsilon(1e-9).margin(1e-12));
  const auto ranking = discovery::rank(scores, reference.engine.spec());
  const auto expected_ranking = expected.at("ranking").get<std::vector<std::size_t>>();
  REQUIRE(ranking.size() == expected_ranking.size());
  for (std::size_t r = 0; r < ranking.size(); ++r) {
    CHECK(ranking[r].id.layer == reference.experts[expected_ranking[r]].first);
    CHECK(ranking[r].id.expert == reference.experts[expected_ranking[r]].second);
  }
}

}  // namespace

TEST_CASE("token importance equals gradient x embedding over transformers", "[discovery]") {
  const DiscoveryReference reference(GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny"));
  const auto loss = GENERATE(as<std::string>(), "prompt", "answer");
  for (const Json& domain : reference.fields.at("domains")) {
    const auto items = reference.items(domain, loss == "answer");
    const auto ours = discovery::token_importance(reference.engine, items);
    const auto theirs = domain.at("importance").at(loss).get<std::vector<std::vector<double>>>();
    for (std::size_t q = 0; q < theirs.size(); ++q) {
      REQUIRE(ours[q].size() == theirs[q].size());
      const double largest = *std::max_element(theirs[q].begin(), theirs[q].end());
      for (std::size_t t = 0; t < theirs[q].size(); ++t)
        CHECK(std::abs(ours[q][t] - theirs[q][t]) <= 1e-4 * std::max(theirs[q][t], 1e-3 * largest));
    }
  }
}

TEST_CASE("classes, counts, scores and rankings equal the formulas, for every setting", "[discovery]") {
  const DiscoveryReference reference(GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny"));
  for (const Json& test_case : reference.fields.at("cases")) {
    INFO(reference.name << " " << test_case.at("name"));
    const auto settings = settings_of(test_case);
    for (const Json& domain : reference.fields.at("domains")) {
      INFO(domain.at("name"));
      const Json& expected = test_case.at("domains").at(domain.at("name").get<std::string>());
      const auto items = reference.items(domain, test_case.at("loss") == "answer");
      const auto findings = discovery::discover(reference.engine, items, settings);
      CHECK(findings.threshold == Catch::Approx(expected.at("threshold").get<double>()).epsilon(1e-4));
      std::vector<discovery::RoutingCounts> counts;
      for (std::size_t q = 0; q < items.size(); ++q) {
        const auto& found = findings.items[q];
        counts.push_back(found.counts);
        CHECK(letters(found.kinds) == expected.at("classes")[q].get<std::string>());
        using Counts = std::vector<std::int64_t>;
        CHECK(reference.columns(found.counts.total) == domain.at("routing")[q].get<Counts>());
        CHECK(reference.columns(found.counts.important) == expected.at("important")[q].get<Counts>());
        CHECK(reference.columns(found.counts.common) == expected.at("unimportant")[q].get<Counts>());
      }
      const auto sum = discovery::sum_counts(counts);
      check_scores(reference, discovery::Score::paper, sum, {}, expected.at("paper"));
      check_scores(reference, discovery::Score::released_code, sum, {}, expected.at("released_code"));
      check_scores(reference, discovery::Score::risk_difference_importance, sum, {},
                   expected.at("risk_difference_importance"));
      check_scores(reference, discovery::Score::npmi, sum, {}, expected.at("npmi"));
    }
  }
}

TEST_CASE("frequency, contrast and risk difference equal their formulas", "[discovery]") {
  const DiscoveryReference reference(GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny"));
  std::vector<discovery::RoutingCounts> sums;
  for (const Json& domain : reference.fields.at("domains")) {
    std::vector<discovery::RoutingCounts> counts;
    for (const auto& item : discovery::discover(reference.engine, reference.items(domain, false), {}).items)
      counts.push_back(item.counts);
    sums.push_back(discovery::sum_counts(counts));
  }
  for (std::size_t d = 0; d < sums.size(); ++d) {
    std::vector<discovery::RoutingCounts> others = sums;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(d));
    const Json& expected = reference.fields.at("domains")[d];
    check_scores(reference, discovery::Score::frequency, sums[d], others, expected.at("frequency"));
    check_scores(reference, discovery::Score::contrast, sums[d], others, expected.at("contrast"));
    check_scores(reference, discovery::Score::risk_difference, sums[d], others,
                 expected.at("risk_difference"));
  }
}

TEST_CASE("scores that the counts leave undefined are errors that say what to change", "[discovery]") {
  // One layer of two experts, top-1: three tokens, all of them common.
  const discovery::RoutingCounts common = {{2, 1}, {0, 0}, {2, 1}};
  const discovery::RoutingCounts important = {{2, 1}, {2, 1}, {0, 0}};
  const auto fails = [](discovery::Score score, const discovery::RoutingCounts& counts, const char* text) {
    CHECK_THROWS_WITH(discovery::expert_scores(score, counts, {}, 1), ContainsSubstring(text));
    CHECK_FALSE(discovery::why_undefined(score, counts, {}).empty());
  };
  fails(discovery::Score::contrast, common, "at least two domains");
  fails(discovery::Score::risk_difference, common, "at least two domains");
  fails(discovery::Score::npmi, common, "lower discovery.percentile");
  fails(discovery::Score::risk_difference_importance, common, "lower discovery.percentile");
  fails(discovery::Score::risk_difference_importance, important, "raise discovery.percentile");
  const std::vector<discovery::RoutingCounts> unselected = {{{0, 0}, {0, 0}, {0, 0}}};
  CHECK_THROWS_WITH(discovery::expert_scores(discovery::Score::risk_difference, common, unselected, 1),
                    ContainsSubstring("none was counted"));
  CHECK(discovery::why_undefined(discovery::Score::paper, common, {}).empty());
  CHECK_THROWS_WITH(discovery::parse_score("npmj"), ContainsSubstring("risk_difference_importance, npmi"));
}

TEST_CASE("nPMI is -1 where expert and important tokens never meet, and 0 where nothing else happens",
          "[discovery]") {
  // Two tokens, both important: expert 0 takes both of them, expert 1 none.
  const discovery::RoutingCounts counts = {{2, 0}, {2, 0}, {0, 0}};
  CHECK(discovery::expert_scores(discovery::Score::npmi, counts, {}, 1) == std::vector<double>{0, -1});
  // Four tokens, one important, which expert 0 takes alone: p(x, y) = p(x) = p(y) = 1/4, so that PMI is
  // log2(4) and so is -log2 p(x, y).
  const discovery::RoutingCounts four = {{1, 3, 0}, {1, 0, 0}, {0, 3, 0}};
  CHECK(discovery::expert_scores(discovery::Score::npmi, four, {}, 1) == std::vector<double>{1, -1, -1});
}

TEST_CASE("ties rank by layer, then expert, and dense layers are left out", "[discovery]") {
  const model::ModelSpec spec =
      model::read_spec(data_dir() / "model" / "qwen3_moe_tiny");  // layer 1 is dense
  std::vector<double> scores(24, 0.5);
  scores[2 * 8 + 3] = 0.9;
  const auto ranking = discovery::rank(scores, spec);
  REQUIRE(ranking.size() == 16);
  CHECK(ranking[0].id == steering::ExpertId{2, 3});
  CHECK(ranking[1].id == steering::ExpertId{0, 0});
  CHECK(ranking[8].id == steering::ExpertId{0, 7});
  CHECK(ranking[9].id == steering::ExpertId{2, 0});
  CHECK_THROWS_WITH(discovery::top_experts(ranking, 17), ContainsSubstring("the ranking has 16 experts"));
}

TEST_CASE("discovery without questions or with an impossible percentile is a configuration error",
          "[discovery]") {
  const auto engine = load_engine(data_dir() / "model" / "olmoe_tiny");
  CHECK_THROWS_WITH(discovery::discover(engine, {}, {}), ContainsSubstring("at least one question"));
  discovery::DiscoverySettings settings;
  settings.percentile = 101;
  const std::vector<discovery::DiscoveryItem> items = {{{1, 2}, {}, {"a", "b"}}};
  CHECK_THROWS_WITH(discovery::discover(engine, items, settings), ContainsSubstring("between 0 and 100"));
  CHECK_THROWS_WITH(discovery::parse_classification("drift"),
                    ContainsSubstring("valid: aligned, released_code"));
}

TEST_CASE("a part of a character is neither punctuation nor a stop word, and stripping keeps it",
          "[discovery]") {
  CHECK_FALSE(discovery::is_punctuation("\xe2\x80", discovery::Punctuation::unicode));
  CHECK(discovery::strip(" \xe2\x80 ") == "\xe2\x80");
  CHECK(discovery::strip("\xc2\xa0\t x\n") == "x");
  CHECK(discovery::is_stop_word("THE"));
}
