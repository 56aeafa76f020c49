#include "experiments/methods.h"

#include <cmath>
#include <fstream>
#include <set>

#include "experiments/cell_keys.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using steering::ExpertId;

// Layer 0 dense, layers 1 and 2 with ten experts, top-2.
model::ModelSpec spec() {
  model::ModelSpec result;
  result.layers = 3;
  result.is_moe_layer = {false, true, true};
  result.router.experts = 10;
  result.router.top_k = 2;
  return result;
}

// Expert e of both layers is selected by e of 22.5 tokens: rates 0, 1/22.5 ...; important counts run the
// other way.
StudyFindings findings() {
  discovery::RoutingCounts counts;
  for (int layer = 0; layer < 3; ++layer)
    for (int e = 0; e < 10; ++e) {
      counts.total.push_back(layer == 0 ? 0 : e);
      counts.important.push_back(layer == 0 ? 0 : e);
      counts.common.push_back(0);
    }
  StudyFindings found;
  found["d"] = {1, "run of d", counts};
  std::reverse(counts.total.begin() + 10, counts.total.begin() + 20);
  found["other"] = {2, "run of other", counts};
  return found;
}

StudyConfig study_with(std::vector<MethodConfig> methods) {
  StudyConfig study;
  study.methods = std::move(methods);
  study.axes.n_steered = {2, 4};
  study.axes.alpha = {1.5, 5};
  study.modes = {steering::Mode::logit_shift};
  study.null.draws = 3;
  study.match = {"frequency", MethodKind::score, discovery::Score::frequency};
  return study;
}

std::vector<PlannedCell> of_method(const std::vector<PlannedCell>& cells, const std::string& method) {
  std::vector<PlannedCell> chosen;
  for (const PlannedCell& cell : cells)
    if (cell.method == method) chosen.push_back(cell);
  return chosen;
}

}  // namespace

TEST_CASE("Selection rates are shares of tokens in each layer", "[experiments]") {
  const auto rates = selection_rates(findings().at("d").counts, spec());
  CHECK(rates[3] == 0);  // a dense layer
  // 45 selections in a layer are 22.5 tokens of two each.
  CHECK(rates[13] == Approx(3.0 / 22.5));
  CHECK(rates[29] == Approx(9.0 / 22.5));
}

TEST_CASE("A null draw keeps layers, avoids the matched experts and itself, and stays near in rate",
          "[experiments]") {
  const auto rates = selection_rates(findings().at("d").counts, spec());
  const std::vector<ExpertId> matched = {{1, 9}, {2, 9}, {1, 8}, {1, 5}};
  std::set<std::vector<ExpertId>> different;
  for (int draw = 1; draw <= 20; ++draw) {
    const auto drawn = draw_matched(matched, rates, spec(), {1, "d", draw});
    REQUIRE(drawn.size() == matched.size());
    std::set<ExpertId> seen(matched.begin(), matched.end());
    for (std::size_t k = 0; k < drawn.size(); ++k) {
      CHECK(drawn[k].layer == matched[k].layer);
      CHECK(seen.insert(drawn[k]).second);
    }
    // Of layer 1 experts 9, 8 and 5 are matched, so the four nearest to expert 9 are 7, 6, 4 and 3.
    CHECK(std::set<std::int64_t>{7, 6, 4, 3}.contains(drawn[0].expert));
    CHECK(std::set<std::int64_t>{8, 7, 6, 5}.contains(drawn[1].expert));
    CHECK((draw_matched(matched, rates, spec(), {1, "d", draw}) == drawn));
    different.insert(drawn);
  }
  CHECK(different.size() > 10);
}

TEST_CASE("A full layer is left for another, and a full model is an error", "[experiments]") {
  const auto rates = selection_rates(findings().at("d").counts, spec());
  std::vector<ExpertId> layer;
  for (std::int64_t e = 0; e < 10; ++e) layer.push_back({1, e});
  for (const ExpertId& drawn : draw_matched(layer, rates, spec(), {1, "d", 1})) CHECK(drawn.layer == 2);
  layer.push_back({2, 0});
  CHECK_THROWS_WITH(draw_matched(layer, rates, spec(), {1, "d", 1}), ContainsSubstring("axes.n_steered"));
}

TEST_CASE("The grid holds every method at every setting and the original once", "[experiments]") {
  const StudyConfig study = study_with({{"original", MethodKind::original, {}},
                                        {"frequency", MethodKind::score, discovery::Score::frequency},
                                        {"random", MethodKind::random, {}}});
  const auto cells = plan_cells(study, findings(), "d", spec());
  CHECK(cells.size() == 2 + 4 + 3 * 4);
  CHECK(unplanned_cells(study, "d", "why").size() == cells.size());
  StudyConfig trained = study;
  trained.methods.push_back({"sft", MethodKind::sft, {}});
  trained.seed.training = {1, 2};
  CHECK(unplanned_cells(trained, "d", "why").size() == cells.size() + 2);
  CHECK(unplanned_cells(trained, "d", "why", false).size() == cells.size());
  const auto own = of_method(cells, "frequency");
  REQUIRE(own.size() == 4);
  CHECK(own[0].n_steered == 2);
  CHECK(own[1].alpha == 5);
  // The busiest experts over all layers; ties by layer.
  const std::vector<steering::PlanEntry> busiest = {{1, 9, steering::Operation::scale, 1.5},
                                                    {2, 9, steering::Operation::scale, 1.5}};
  CHECK((own[0].plan->entries == busiest));
  CHECK(own[0].run == 1);
  const auto random = of_method(cells, "random");
  CHECK(random.front().draw == 1);
  CHECK(random.back().draw == 3);
  // Within a draw the smaller plan is a part of the larger one.
  CHECK((random[0].plan->entries[1] == random[2].plan->entries[1]));
}

TEST_CASE("Other domains' plans are theirs", "[experiments]") {
  const MethodConfig method{"frequency", MethodKind::score, discovery::Score::frequency};
  const auto cells = other_domain_cells(method, {1, 3, steering::Mode::logit_shift}, findings(), "d", spec());
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].steered_domain == "other");
  CHECK((cells[0].plan->entries[0] == steering::PlanEntry{1, 0, steering::Operation::scale, 3}));
  CHECK(other_domain_cells({"random", MethodKind::random, {}}, {1, 3, {}}, findings(), "d", spec()).empty());
}

TEST_CASE("More experts than the model has fail their own cells only", "[experiments]") {
  StudyConfig study = study_with({{"frequency", MethodKind::score, discovery::Score::frequency}});
  study.axes.n_steered = {2, 100};
  const auto cells = of_method(plan_cells(study, findings(), "d", spec()), "frequency");
  REQUIRE(cells.size() == 4);
  CHECK(cells[0].plan);
  CHECK(cells[0].error.empty());
  CHECK_FALSE(cells[2].plan);
  CHECK_FALSE(cells[2].error.empty());
}

TEST_CASE("A file's experts go through the same sweep", "[experiments]") {
  const testing::ScratchDir folder;
  StudyConfig study = study_with({{"file", MethodKind::file, {}}});
  study.plan = folder / "plan.csv";
  std::ofstream(study.plan) << "layer,expert\n1,4\n2,0\n1,7\n";
  const auto cells = of_method(plan_cells(study, {}, "d", spec()), "file");
  // n_steered 2 and 3 (the file has no fourth), at both strengths.
  REQUIRE(cells.size() == 4);
  CHECK(cells[0].n_steered == 2);
  CHECK(cells[3].n_steered == 3);
  CHECK(cells[3].alpha == 5);
  CHECK((cells[3].plan->entries.size() == 3));
  CHECK(cells[0].steered_domain.empty());
  std::ofstream(study.plan) << "layer,expert,value\n1,4,2\n1,5,2\n";
  const auto fixed = of_method(plan_cells(study, {}, "d", spec()), "file");
  REQUIRE(fixed.size() == 1);  // the file's own value leaves nothing to sweep
  CHECK(fixed[0].alpha == 2);
  std::ofstream(study.plan) << "layer,expert\n0,4\n";
  CHECK_THAT(of_method(plan_cells(study, {}, "d", spec()), "file").at(0).error, ContainsSubstring("dense"));
}

TEST_CASE("Keys tell apart what differs and nothing else", "[experiments]") {
  const Condition condition{"model", "tokenizer", "short/1", "questions", "Float", false};
  const std::string key = key_of(condition);
  for (const auto member : {&Condition::model, &Condition::tokenizer, &Condition::prompt,
                            &Condition::questions, &Condition::dtype}) {
    Condition other = condition;
    other.*member = "another";
    CHECK(key_of(other) != key);
  }
  const auto cells = plan_cells(study_with({{"a", MethodKind::score, discovery::Score::frequency},
                                            {"b", MethodKind::score, discovery::Score::frequency}}),
                                findings(), "d", spec());
  const auto a = of_method(cells, "a"), b = of_method(cells, "b");
  CHECK((plan_content(a[0]) == plan_content(b[0])));
  CHECK(cell_key(key, a[0]) != cell_key(key, b[0]));
  CHECK(cell_key(key, a[0]) != cell_key(key, a[1]));
  CHECK(plan_row(a[0]).digest != plan_row(b[0]).digest);
  CHECK(plan_row(a[0]).logit_shift == Approx(std::log(1.5)));
  CHECK((sample_key(key, plan_content(a[0]), "q") == sample_key(key, plan_content(b[0]), "q")));
  CHECK(cell_key(key, cells[0]) != cell_key(key, cells[1]));  // the original and its repetition
}

}  // namespace moelab::experiments
