#include "experiments/layer_information.h"

#include <cmath>

#include "core/base/error.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

// Two domains of twelve groups, three layers of two experts. Layer 0 has no selection. In layer 1 each domain
// has an expert of its own; in layer 2 the first expert takes 3/4 of the tokens of domain 0 and 1/4 of the
// others'.
ExistenceInput two_domains() {
  ExistenceInput input;
  input.domains = {"a", "b"};
  input.options.experts = 6;
  for (std::size_t i = 0; i < 24; ++i) {
    const std::size_t domain = i % 2;
    QuestionRouting question{std::to_string(i), domain, 4, {}};
    question.counts = {{2 + domain, 4.0}, {4, domain == 0 ? 3.0 : 1.0}, {5, domain == 0 ? 1.0 : 3.0}};
    // Domains count alike whatever their tokens.
    if (domain == 1)
      for (auto& [expert, count] : question.counts) count *= 10;
    input.questions.push_back(question);
  }
  return input;
}

}  // namespace

TEST_CASE("The information of a layer's routing is the one worked by hand", "[experiments]") {
  const auto layers = layer_information(two_domains(), 2);
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].layer == 1);
  CHECK(layers[0].bits == Approx(1.0));  // the expert names the domain
  // 3/4 log2(3/4 / (1/2)) + 1/4 log2(1/4 / (1/2)) = 3/4 log2(3) - 1.
  CHECK(layers[1].layer == 2);
  CHECK(layers[1].bits == Approx(0.75 * std::log2(3.0) - 1));
  for (const LayerInformation& layer : layers) {
    CHECK(layer.p == Approx(0.01));  // more than any of 99 permutations
    CHECK(layer.null_bits > 0);      // few groups show something of nothing
    CHECK(layer.null_bits < layer.bits / 2);
  }
}

TEST_CASE("Routing that is the same everywhere tells nothing", "[experiments]") {
  ExistenceInput input = two_domains();
  for (QuestionRouting& question : input.questions) question.counts = {{2, 1.0}, {3, 3.0}};
  const auto layers = layer_information(input, 2);
  REQUIRE(layers.size() == 1);
  CHECK(layers[0].bits == Approx(0).margin(1e-12));
  CHECK(layers[0].p == 1);
}

TEST_CASE("A size that is no whole number of layers is an error", "[experiments]") {
  CHECK_THROWS_WITH(layer_information(two_domains(), 4), ContainsSubstring("6 experts"));
}

}  // namespace moelab::experiments
