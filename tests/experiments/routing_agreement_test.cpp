// Agreement of prompts' and answers' routing, on counts whose correlations are worked out by hand.
#include "experiments/routing_agreement.h"

#include <cmath>

#include "core/base/error.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

// Two layers of four experts; nothing is selected in the second. b's prompts are (1, 3, 2, 4) and its answers
// (1, 2, 3, 4): two ranks are off by one, so Spearman is 1 - 6 x 2 / (4 x 15) = 0.8. a's answers are b's
// upside down.
std::vector<PartRouting> agreeing_domains() {
  return {{"a", {4, 3, 2, 1, 0, 0, 0, 0}, {40, 30, 20, 10, 0, 0, 0, 0}},
          {"b", {1, 3, 2, 4, 0, 0, 0, 0}, {1, 2, 3, 4, 0, 0, 0, 0}}};
}

}  // namespace

TEST_CASE("Prompts agree with their own answers and not with others'", "[experiments]") {
  const auto found = routing_agreement(agreeing_domains(), {4, 2});
  REQUIRE(found.domains.size() == 2);
  const Agreement &a = found.domains[0].all, &b = found.domains[1].all;
  CHECK(a.own == Approx(1));
  CHECK(a.others == Approx(-1));
  CHECK(b.own == Approx(0.8));
  CHECK(b.others == Approx(-0.8));
  // The two most used: a reads and writes {0, 1}; b reads {3, 1} and writes {3, 2}.
  CHECK(a.top_own == 1);
  CHECK(a.top_others == 0);
  CHECK(b.top_own == 0.5);
  CHECK(b.top_others == 0.5);
  // A layer in which nothing is selected says nothing.
  REQUIRE(found.domains[0].layers.size() == 1);
  CHECK(found.domains[0].layers[0].first == 0);
  // Of two permutations one is the true one: half of the draws are as good.
  CHECK(found.p == Approx(0.5).margin(0.06));
}

TEST_CASE("Agreement is a mean over layers, and over the other domains' answers", "[experiments]") {
  auto parts = agreeing_domains();
  // In layer 1 a writes the reverse of what it reads, and b's answers are as a's prompts. A third domain
  // never varies.
  for (std::size_t e = 4; e < 8; ++e) {
    const auto rank = static_cast<double>(e - 3);
    parts[0].prompt[e] = parts[1].written[e] = rank;
    parts[0].written[e] = 5 - rank;
    parts[1].prompt[e] = 1;
  }
  parts.push_back({"c", {1, 1, 1, 1, 2, 2, 2, 2}, {1, 2, 3, 4, 1, 2, 3, 4}});
  const auto found = routing_agreement(parts, {4, 1});
  CHECK(found.domains[0].all.own == Approx((1.0 - 1.0) / 2));
  // Layer 0: b's and c's answers give -1 each. Layer 1: 1 each.
  CHECK(found.domains[0].layers[0].second.others == Approx(-1));
  CHECK(found.domains[0].layers[1].second.others == Approx(1));
  CHECK(found.domains[0].all.others == Approx(0));
  CHECK(found.domains[1].layers[0].second.others == Approx(0));  // -0.8 of a's, 0.8 of c's
  CHECK(std::isnan(found.domains[1].layers[1].second.own));
  CHECK(found.domains[1].all.own == Approx(0.8));  // of the layer where it is known
  CHECK(std::isnan(found.domains[2].all.own));
}

TEST_CASE("Answers that are alike in all domains are no evidence of agreement", "[experiments]") {
  auto parts = agreeing_domains();
  parts[1] = parts[0];
  parts[1].domain = "b";
  const auto found = routing_agreement(parts, {4, 1});
  CHECK(found.domains[0].all.own == found.domains[0].all.others);
  CHECK(found.p == 1);
  CHECK(std::isnan(routing_agreement(std::span(parts).first(1), {4, 1}).p));
}

TEST_CASE("The most used experts are compared, and ties go to the smaller index", "[experiments]") {
  const std::vector<PartRouting> parts = {{"a", {5, 4, 1, 0, 2, 2, 0, 0}, {5, 4, 0, 1, 1, 1, 0, 0}}};
  const auto found = routing_agreement(parts, {4, 1});
  CHECK(found.domains[0].layers[0].second.top_own == 1);
  CHECK(found.domains[0].layers[1].second.top_own == 1);
}

TEST_CASE("Selections that are no whole layers are refused", "[experiments]") {
  auto parts = agreeing_domains();
  CHECK_THROWS_WITH(routing_agreement(parts, {3, 1}),
                    ContainsSubstring("a: the selections are no whole layers of 3"));
  parts[1].written.pop_back();
  CHECK_THROWS_AS(routing_agreement(parts, {4, 1}), Error);
}

}  // namespace moelab::experiments
