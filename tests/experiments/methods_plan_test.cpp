#include "experiments/methods_plan.h"

#include <algorithm>
#include <set>

#include "experiments/methods.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using discovery::RankedExpert;
using steering::Operation;
using steering::PlanEntry;

// Layers 0 and 1 with four experts each, top-2; layer 2 is dense.
model::ModelSpec two_layers() {
  model::ModelSpec spec;
  spec.layers = 3;
  spec.is_moe_layer = {true, true, false};
  spec.router.experts = 4;
  spec.router.top_k = 2;
  return spec;
}

// Layer 0 first, then layer 1, each by falling expert.
std::vector<RankedExpert> by_layer() {
  std::vector<RankedExpert> ranking;
  for (std::int64_t layer = 0; layer < 2; ++layer)
    for (std::int64_t e = 3; e >= 0; --e)
      ranking.push_back({{layer, e}, static_cast<double>(8 - 4 * layer + e)});
  return ranking;
}

MethodConfig steermoe(std::int64_t activate, std::int64_t deactivate) {
  MethodConfig method{"steermoe", MethodKind::steermoe, discovery::Score::risk_difference};
  method.activate = activate;
  method.deactivate = deactivate;
  return method;
}

// Layers 0 and 1 of `two_layers` on one domain, whose ranking by frequency is that of `by_layer`.
StudyFindings one_domain() {
  discovery::RoutingCounts counts;
  for (const std::int64_t n : {4, 5, 6, 7, 0, 1, 2, 3, 0, 0, 0, 0}) {
    counts.total.push_back(n);
    counts.important.push_back(n);
    counts.common.push_back(0);
  }
  StudyFindings found;
  found["d"] = {1, "run of d", counts};
  return found;
}

}  // namespace

TEST_CASE("SteerMoE forces the first and forbids the last experts of a ranking", "[experiments]") {
  const ChosenPlan chosen = plan_of(steermoe(1, 2), by_layer(), {3, 1, {}}, two_layers());
  const std::vector<PlanEntry> expected = {
      {0, 3, Operation::force, 1}, {1, 0, Operation::forbid, 1}, {1, 1, Operation::forbid, 1}};
  CHECK((chosen.plan.entries == expected));
  CHECK(chosen.note.empty());
  steering::validate(chosen.plan, two_layers());
}

TEST_CASE("SteerMoE's experts beyond what top-k allows are dropped, and the plan says how many",
          "[experiments]") {
  // Three of layer 0 first, of which top-2 lets two be forced; three of layer 1 last, of which two may go.
  const ChosenPlan chosen = plan_of(steermoe(3, 3), by_layer(), {6, 1, {}}, two_layers());
  CHECK(chosen.plan.entries.size() == 4);
  CHECK_THAT(chosen.note, ContainsSubstring("1 of 3 activated and 1 of 3 deactivated experts were dropped"));
  CHECK_THAT(chosen.note, ContainsSubstring("top-k = 2"));
  steering::validate(chosen.plan, two_layers());
  CHECK_THROWS_WITH(plan_of(steermoe(5, 4), by_layer(), {9, 1, {}}, two_layers()),
                    ContainsSubstring("the ranking has 8"));
}

TEST_CASE("Pruning forbids the chosen experts, and keeping only them forbids the others", "[experiments]") {
  const MethodConfig prune{"prune", MethodKind::prune}, only{"only", MethodKind::only};
  const auto pruned = plan_of(prune, by_layer(), {2, 1, {}}, two_layers());
  CHECK((pruned.plan.entries ==
         std::vector<PlanEntry>{{0, 3, Operation::forbid, 1}, {0, 2, Operation::forbid, 1}}));
  // Three chosen of layer 0 stay. Layer 1 has none of them and needs two: the best of its own, 3 and 2.
  const auto kept = plan_of(only, by_layer(), {3, 1, {}}, two_layers());
  CHECK((kept.plan.entries == std::vector<PlanEntry>{{0, 0, Operation::forbid, 1},
                                                     {1, 0, Operation::forbid, 1},
                                                     {1, 1, Operation::forbid, 1}}));
  CHECK_THAT(kept.note, ContainsSubstring("2 more experts than the 3 chosen ones were kept"));
  CHECK(plan_of(only, by_layer(), {6, 1, {}}, two_layers()).note.empty());
  CHECK_THROWS_WITH(
      steering::validate(plan_of(prune, by_layer(), {3, 1, {}}, two_layers()).plan, two_layers()),
      ContainsSubstring("fewer than top-k"));
}

TEST_CASE("The bottom null scales the last experts of a ranking, worst first", "[experiments]") {
  const MethodConfig bottom{"bottom", MethodKind::bottom};
  const auto chosen = plan_of(bottom, by_layer(), {2, 5, steering::Mode::weight_scale}, two_layers());
  CHECK((chosen.plan.entries ==
         std::vector<PlanEntry>{{1, 0, Operation::scale, 5}, {1, 1, Operation::scale, 5}}));
  CHECK(chosen.plan.mode == steering::Mode::weight_scale);
}

TEST_CASE("A grid sweeps alpha and mode where they act, and n_steered alone where experts are forced",
          "[experiments]") {
  StudyConfig study;
  study.axes.n_steered = {1, 2};
  study.axes.alpha = {3, 5, 10};
  study.modes = {steering::Mode::logit_shift, steering::Mode::weight_scale};
  const auto sizes = [&](const MethodConfig& method) {
    const auto settings = settings_of(study, method);
    CHECK(count_settings(study, method) == static_cast<double>(settings.size()));
    return settings.size();
  };
  CHECK(sizes({"dsmoe", MethodKind::score}) == 12);
  CHECK(sizes({"bottom", MethodKind::bottom}) == 12);
  CHECK(sizes({"prune", MethodKind::prune}) == 2);
  CHECK(sizes({"original", MethodKind::original}) == 0);
  CHECK(sizes(steermoe(4, 7)) == 1);
  CHECK(settings_of(study, steermoe(4, 7))[0].n_steered == 11);
  // Four forced beside as many forbidden ones as the axis says.
  CHECK(sizes(steermoe(4, -1)) == 2);
  CHECK(settings_of(study, steermoe(4, -1))[1].n_steered == 6);
}

TEST_CASE("A random search draws the same settings of equal grids, and a larger draw only adds",
          "[experiments]") {
  StudyConfig study;
  study.axes.n_steered = {1, 2, 4, 8};
  study.axes.alpha = {3, 5, 10};
  study.modes = {steering::Mode::logit_shift};
  const MethodConfig dsmoe{"dsmoe", MethodKind::score}, contrast{"contrast", MethodKind::score};
  const auto grid = settings_of(study, dsmoe);
  REQUIRE(grid.size() == 12);
  study.search.kind = "random";
  std::vector<Setting> before;
  for (std::int64_t count = 1; count <= 12; ++count) {
    study.search.settings = count;
    const auto drawn = settings_of(study, dsmoe);
    CHECK(std::ssize(drawn) == count);
    CHECK(count_settings(study, dsmoe) == static_cast<double>(count));
    CHECK((drawn == settings_of(study, contrast)));
    auto at = grid.begin();  // in the grid's order, none twice
    for (const Setting& setting : drawn) {
      at = std::find(at, grid.end(), setting);
      REQUIRE((at != grid.end()));
      ++at;
    }
    for (const Setting& setting : before) CHECK(std::count(drawn.begin(), drawn.end(), setting) == 1);
    before = drawn;
  }
  CHECK((before == grid));
  // Every seed draws for itself; each of the 12 settings is drawn by some of 40 seeds.
  study.search.settings = 2;
  std::set<std::pair<std::int64_t, double>> seen;
  for (study.search.seed = 1; study.search.seed <= 40; ++study.search.seed)
    for (const Setting& setting : settings_of(study, dsmoe)) seen.emplace(setting.n_steered, setting.alpha);
  CHECK(seen.size() == 12);
}

TEST_CASE("Null draws do what the matched method does, to other experts", "[experiments]") {
  StudyConfig study;
  study.axes.n_steered = {1, 2};
  study.axes.alpha = {3};
  study.modes = {steering::Mode::logit_shift};
  study.null.draws = 4;
  study.match = {"prune", MethodKind::prune, discovery::Score::frequency};
  const auto cells = null_cells(study, {"random", MethodKind::random}, one_domain(), "d", two_layers());
  REQUIRE(cells.size() == 8);
  for (const PlannedCell& cell : cells) {
    CHECK(cell.method == "random");
    CHECK(cell.mode.empty());
    CHECK(cell.error.empty());
    REQUIRE(cell.plan);
    CHECK(std::ssize(cell.plan->entries) == cell.n_steered);
    for (const PlanEntry& entry : cell.plan->entries) {
      CHECK(entry.operation == Operation::forbid);
      CHECK(entry.layer == 0);
      CHECK(entry.expert < 2);  // 3 and 2 are the matched ones
    }
  }
}

TEST_CASE("A null draw has the same experts, whichever settings of the grid a random search has drawn",
          "[experiments]") {
  StudyConfig study;
  study.axes.n_steered = {1, 2};
  study.null.draws = 4;
  study.match = {"prune", MethodKind::prune, discovery::Score::frequency};
  const MethodConfig random{"random", MethodKind::random};
  const auto whole = null_cells(study, random, one_domain(), "d", two_layers());
  study.search.kind = "random";
  study.search.settings = 1;
  std::set<std::int64_t> seen;
  for (study.search.seed = 1; study.search.seed <= 20; ++study.search.seed) {
    const auto cells = null_cells(study, random, one_domain(), "d", two_layers());
    REQUIRE(cells.size() == 4);
    for (const PlannedCell& cell : cells) {
      const auto same = std::find_if(whole.begin(), whole.end(), [&](const PlannedCell& other) {
        return other.draw == cell.draw && other.n_steered == cell.n_steered;
      });
      REQUIRE((same != whole.end()));
      REQUIRE((cell.plan && same->plan));
      CHECK((cell.plan->entries == same->plan->entries));
      seen.insert(cell.n_steered);
    }
  }
  CHECK(seen.size() == 2);
}

}  // namespace moelab::experiments
