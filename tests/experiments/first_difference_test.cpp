#include "experiments/first_difference.h"

#include <sstream>

#include "core/base/json.h"
#include "core/text/tokenizer.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::experiments;

namespace {

// "1:2,3:4"
std::vector<steering::ExpertId> experts_of(const std::string& list) {
  std::vector<steering::ExpertId> experts;
  std::istringstream words(list);
  char separator = 0;
  for (steering::ExpertId id; words >> id.layer >> separator >> id.expert; words >> separator)
    experts.push_back(id);
  return experts;
}

}  // namespace

TEST_CASE("samples part at their first different token, and not where one only ends earlier",
          "[experiments]") {
  const std::vector<std::int32_t> some = {4, 5, 6}, other = {4, 7, 6}, beginning = {4, 5};
  const auto found = first_difference(some, other);
  REQUIRE(found);
  CHECK((found->position == 1 && found->original == 5 && found->steered == 7));
  CHECK(!first_difference(some, some));
  CHECK(!first_difference(some, beginning));
  CHECK(!first_difference(beginning, some));
  CHECK(!first_difference({}, some));
}

TEST_CASE("the chances of both tokens under both models equal transformers'", "[experiments]") {
  const std::filesystem::path directory = testing::source_dir() / "models" / "demo" / "mixed";
  const auto engine = engine::Engine::load(directory, {});
  const auto tokenizer = text::Tokenizer::load(directory / "tokenizer.json");
  const Json cases = read_json(testing::data_dir() / "cli" / "generate_cases.json");
  REQUIRE(cases.at("plans").size() == 2);
  for (const Json& entry : cases.at("plans")) {
    const auto plan =
        steering::scale_plan(experts_of(entry.at("experts")), entry.at("alpha"), steering::Mode::logit_shift);
    const FirstDifference at = {entry.at("position"), entry.at("ids")[0], entry.at("ids")[1]};
    auto read = tokenizer.encode(entry.at("prompt").get<std::string>());
    const auto common = entry.at("common").get<std::vector<std::int32_t>>();
    read.insert(read.end(), common.begin(), common.end());
    const auto chances = chances_at(engine, plan, read, at);
    for (std::size_t model = 0; model < 2; ++model)
      for (std::size_t token = 0; token < 2; ++token)
        CHECK(chances[model][token] ==
              Catch::Approx(entry.at("chances")[model][token].get<double>()).epsilon(1e-3));
  }
}
