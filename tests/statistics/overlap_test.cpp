#include "experiments/statistics/overlap.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::statistics;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("The overlap of random sets is distributed as scipy's", "[statistics]") {
  const Json reference = read_json(testing::data_dir() / "statistics" / "overlap.json");
  REQUIRE(reference.at("cases").size() >= 7);
  for (const Json& row : reference.at("cases")) {
    INFO(row.at("layers").dump());
    std::vector<LayerSets> layers;
    for (const Json& layer : row.at("layers")) layers.push_back({layer[0], layer[1], layer[2]});
    const auto chance = shared_distribution(layers);
    REQUIRE(chance.size() == row.at("chance").size());
    for (std::size_t s = 0; s < chance.size(); ++s)
      CHECK(chance[s] == Approx(row.at("chance")[s].get<double>()).margin(1e-12));
    CHECK(expected_jaccard(layers) == Approx(row.at("jaccard").get<double>()).epsilon(1e-10));
  }
}

TEST_CASE("One of four twice: the same one in a quarter of the draws", "[statistics]") {
  const std::vector<LayerSets> layer = {{4, 1, 1}};
  CHECK(shared_distribution(layer)[1] == Approx(0.25));
  CHECK(expected_jaccard(layer) == Approx(0.25));  // 1 then, else 0 of 2
  CHECK(expected_jaccard(std::vector<LayerSets>{{4, 0, 0}}) == 1);
}

TEST_CASE("More members than experts are an error", "[statistics]") {
  const std::vector<LayerSets> layer = {{4, 5, 1}};
  CHECK_THROWS_WITH(shared_distribution(layer), ContainsSubstring("do not fit a layer of 4 experts"));
}
