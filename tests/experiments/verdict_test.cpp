#include "experiments/verdict.h"

#include "core/base/error.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

GainEvidence good_gain() {
  GainEvidence gain;
  gain.domain = "a";
  gain.gain = 0.05;
  gain.p_holm = 0.01;
  gain.p_null = 0.05;
  gain.specificity = 0.04;
  gain.p_specific = 0.05;
  gain.flip_noise = 0.001;
  return gain;
}

const std::vector<ExistenceEvidence> kTwoOfThree = {{"a", 0.6, 0.005}, {"b", 0.3, 0.005}, {"c", 0.1, 0.005}};

}  // namespace

TEST_CASE("Experts exist when half of the domains show them", "[experiments]") {
  CHECK(decide(kTwoOfThree, {}) == Verdict::experts_without_gain);
  const std::vector<ExistenceEvidence> one_of_two = {{"a", 0.6, 0.005}, {"b", 0.1, 0.005}};
  CHECK(decide(one_of_two, {}) == Verdict::experts_without_gain);
  const std::vector<ExistenceEvidence> one_of_three = {{"a", 0.6, 0.005}, {"b", 0.6, 0.2}, {"c", 0.1, 0.005}};
  CHECK(decide(one_of_three, {}) == Verdict::no_domain_experts);
  CHECK(decide({}, {}) == Verdict::no_domain_experts);
}

TEST_CASE("A gain counts only with every piece of its evidence", "[experiments]") {
  CHECK(good_gain().counts());
  const auto without = [](const auto& change) {
    GainEvidence gain = good_gain();
    change(gain);
    return gain.counts();
  };
  CHECK_FALSE(without([](GainEvidence& g) { g.gain = -0.05; }));
  CHECK_FALSE(without([](GainEvidence& g) { g.p_holm = 0.05; }));
  CHECK_FALSE(without([](GainEvidence& g) { g.p_null = 0.1; }));
  CHECK_FALSE(without([](GainEvidence& g) { g.specificity = -0.01; }));
  CHECK_FALSE(without([](GainEvidence& g) { g.specificity.reset(); }));
  CHECK_FALSE(without([](GainEvidence& g) { g.p_specific = 0.06; }));
  CHECK_FALSE(without([](GainEvidence& g) { g.p_specific.reset(); }));
  CHECK_FALSE(without([](GainEvidence& g) { g.flip_noise = 0.05; }));
}

TEST_CASE("A gain that other domains' plans give as well is general", "[experiments]") {
  GainEvidence gain = good_gain();
  CHECK_FALSE(gain.is_general());
  gain.p_specific = 0.3;
  CHECK(gain.is_general());
  CHECK_FALSE(gain.counts());
  gain.p_null = 0.2;  // no gain at all
  CHECK_FALSE(gain.is_general());
  gain = good_gain();
  gain.specificity.reset();  // one domain: unknown
  CHECK_FALSE(gain.is_general());
}

TEST_CASE("A gain makes the third verdict only where experts exist", "[experiments]") {
  const std::vector<GainEvidence> gains = {GainEvidence{}, good_gain()};
  CHECK(decide(kTwoOfThree, gains) == Verdict::experts_with_gain);
  const std::vector<ExistenceEvidence> none = {{"a", 0.1, 0.5}};
  CHECK(decide(none, gains) == Verdict::no_domain_experts);
}

TEST_CASE("Verdicts are read with spaces or underscores", "[experiments]") {
  CHECK(parse_verdict("experts without gain") == Verdict::experts_without_gain);
  CHECK(parse_verdict(name_of(Verdict::no_domain_experts)) == Verdict::no_domain_experts);
  CHECK_THROWS_AS(parse_verdict("maybe"), ConfigError);
}

}  // namespace moelab::experiments
