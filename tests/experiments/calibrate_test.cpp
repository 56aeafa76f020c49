#include "experiments/calibrate.h"

#include <cmath>
#include <set>

#include "experiments/calibration_cells.h"
#include "experiments/study_forecast.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using testing::count_of;

constexpr int kPermutations = 4;

// Two tiny models: one with planted experts, and one without any.
struct KnownTruth : testing::MiniStudy {
  KnownTruth() {
    testing::write_tiny_model(folder / "plain", 8);
    write("planted.json",
          R"({"verdict": "experts_with_gain", "planted": {"elements": [{"layer": 0, "expert": 1},
            {"layer": 1, "expert": 2}], "geography": [{"layer": 0, "expert": 3}, {"layer": 1, "expert": 4}]}})");
    write("nothing.json", R"({"verdict": "no_domain_experts", "planted": {}})");
    add_model("tiny", "planted.json");
    add_model("plain", "nothing.json");
  }

  void add_model(const std::string& name, const std::string& truth) const {
    write("configs/model/" + name + ".yaml", "name: " + name + "\npath: " + (folder / name).string() +
                                                 "\ntruth: " + (folder / truth).string() + "\n");
  }

  StudyConfig study(std::vector<std::string> more = {}) const {
    std::vector<std::string> overrides = {"axes.model=[tiny,plain]", "axes.n_steered=[2]", "nulls.draws=19",
                                          "limit=24",
                                          "calibration.permutations=" + std::to_string(kPermutations)};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return bind(overrides);
  }

  store::Store run(std::vector<std::string> more = {}) const {
    store::Store store = open("study.db");
    run_study(study(std::move(more)), store);
    return store;
  }
};

const CalibrationRow& row_of(const Calibration& calibration, const std::string& method, Protocol protocol) {
  for (const CalibrationRow& row : calibration.rows)
    if (row.method == method && row.protocol == protocol) return row;
  throw Error("no row of {}", method);
}

// Makes every answer wrong, but for those of the cells that `where` names.
void answer(store::Store& store, const std::string& where) {
  store.database().execute(
      "UPDATE verdict SET correct = 0; UPDATE verdict SET correct = 1 WHERE sample IN (SELECT s.id FROM "
      "sample "
      "AS s JOIN cell AS c ON c.id = s.cell JOIN study_cell AS x ON x.cell = c.id WHERE " +
      where + ")");
}

}  // namespace

TEST_CASE("Permuted labels keep groups whole, sums, and the number of groups of a domain", "[experiments]") {
  StudyFindings findings;
  for (const std::string domain : {"a", "b"}) findings[domain] = {1, domain, {}};
  std::vector<LabelledRouting> routing;
  for (std::size_t g = 0; g < 7; ++g) {
    // Group g made 10^g selections, so that a sum tells which groups are in it.
    discovery::RoutingCounts counts;
    const auto size = static_cast<std::int64_t>(std::pow(10, g));
    counts.total = counts.important = {size, 0};
    counts.common = {0, 0};
    routing.push_back({g < 3 ? 0U : 1U, counts});
  }
  std::set<std::int64_t> seen;
  for (int draw = 1; draw <= 20; ++draw) {
    const StudyFindings permuted = permuted_findings(routing, findings, draw);
    const std::int64_t a = permuted.at("a").counts.total.at(0);
    CHECK(a + permuted.at("b").counts.total.at(0) == 1'111'111);
    std::int64_t groups = 0;
    for (std::int64_t left = a; left > 0; left /= 10) {
      CHECK(left % 10 <= 1);
      groups += left % 10;
    }
    CHECK(groups == 3);
    CHECK(permuted.at("a").counts.important == permuted.at("a").counts.total);
    CHECK(permuted.at("a").run == 0);
    seen.insert(a);
  }
  CHECK(seen.size() > 10);
  CHECK(permuted_findings(routing, findings, 5).at("a").counts.total ==
        permuted_findings(routing, findings, 5).at("a").counts.total);
}

TEST_CASE("A calibration runs what it needs, once, and counts it", "[experiments]") {
  const KnownTruth known;
  store::Store store = known.run();
  // Of the model with nothing planted: each permutation on one domain, two methods, settings and labels.
  CHECK(count_of(store, "SELECT count(*) FROM study_cell WHERE role = 'permuted'") ==
        kPermutations * 2 * 2 * 2);
  CHECK(count_of(store,
                 "SELECT count(DISTINCT c.model) FROM cell AS c JOIN study_cell AS x ON x.cell = c.id "
                 "WHERE x.role = 'permuted'") == 1);
  CHECK(count_of(store, "SELECT count(*) FROM study_cell WHERE role = 'planted'") == 2 * 2);
  CHECK(count_of(store, "SELECT count(*) FROM study_cell WHERE role = 'other_domain'") == 2 * 2 * 2 * 2);
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE status NOT IN ('partial', 'inert')") == 0);

  // None of them is a point of the grid, which holds the own plans alone.
  TableRequest request;
  request.study = 1;
  for (const GridPoint& point : grid_points(store, request)) {
    CHECK(point.method != "planted");
    CHECK(point.draws == (point.method == "random" ? 19 : 1));
  }

  // A forecast knows their number, and with it the study's; one less is not allowed.
  std::int64_t calibration = 0, cells = 0;
  for (const ForecastRow& row : forecast(known.study(), "no.db")) {
    calibration += row.cells.calibration;
    cells += row.cells.total();
  }
  CHECK(calibration == kPermutations * 2 * 2 * 2 + 2 * 2 + 2 * 2 * 2 * 2);
  CHECK(cells == count_of(store, "SELECT count(*) FROM study_cell"));
  const std::string less = "limits.cells=" + std::to_string(cells - 1);
  CHECK_THROWS_WITH(forecast(known.study({less}), "no.db"), ContainsSubstring("limits.cells"));
  CHECK_THROWS_WITH(run_study(known.study({less}), store), ContainsSubstring("limits.cells"));

  CalibrationOptions options;
  options.subsets = 5;
  const Calibration found = calibrate(store, 1, options);
  REQUIRE(found.rows.size() == 2 * 3);
  CHECK(found.questions == 24);
  CHECK(found.false_existence.trials == kPermutations);
  for (const CalibrationRow& row : found.rows) {
    CHECK(row.power.trials == 2 * options.subsets);
    CHECK(row.false_call.trials == kPermutations);
    CHECK(row.false_p.hits >= row.false_null.hits);
    CHECK(row.false_null.hits >= row.false_call.hits);
  }
  // Under the study's own protocol the gain found is that of its comparisons.
  const auto gain = store.query(
      "SELECT avg(gain) FROM comparison AS c JOIN model AS m ON m.id = c.model WHERE m.name = 'tiny' AND "
      "method "
      "= 'contrast' AND steered_domain = domain AND evaluator = 'mcq_continuation'");
  CHECK(row_of(found, "contrast", Protocol::crossfit).gain_found ==
        Approx(std::stod(*gain.rows.at(0).at(0))).margin(1e-12));
  // Recall of the two planted experts of each domain, counted in the stored ranks.
  const auto recall = store.query(
      "SELECT avg((r.domain = 'elements' AND (layer, expert) IN (VALUES (0, 1), (1, 2))) OR "
      "(r.domain = 'geography' AND (layer, expert) IN (VALUES (0, 3), (1, 4)))) FROM expert_score AS e JOIN "
      "discovery_run AS r ON r.id = e.run JOIN model AS m ON m.id = r.model WHERE m.name = 'tiny' AND "
      "score = 'paper' AND rank <= 2");
  CHECK(row_of(found, "dsmoe", Protocol::paper).recall == Approx(std::stod(*recall.rows.at(0).at(0))));
}

TEST_CASE("Calls follow the answers: found where they are special, refused where they are general",
          "[experiments]") {
  const KnownTruth known;
  store::Store store = known.run({"axes.method=[original,contrast,random]", "nulls.match=contrast"});
  CalibrationOptions options;
  options.subsets = 3;
  SECTION("only the plans called own are right") {
    answer(store, "x.role IN ('permuted', 'grid') AND c.steered_domain = c.domain");
    for (const CalibrationRow& row : calibrate(store, 1, options).rows) {
      INFO(name_of(row.protocol));
      CHECK(row.false_call.value() == 1);
      CHECK(row.power.value() == 1);
      CHECK(row.gain_found == 1);
      CHECK(row.gain_available == 0);
    }
  }
  SECTION("every permuted plan is right, whatever its label; and other domains' plans as well") {
    answer(store, "x.role IN ('permuted', 'grid', 'other_domain', 'planted')");
    for (const CalibrationRow& row : calibrate(store, 1, options).rows) {
      INFO(name_of(row.protocol));
      CHECK(row.false_p.value() == 1);
      CHECK(row.false_null.value() == 1);
      CHECK(row.false_call.value() == 0);
      CHECK(row.power.value() == 0);
      CHECK(row.gain_found == 1);
      CHECK(row.gain_available == 1);
    }
  }
  SECTION("random experts are right as well") {
    answer(store, "x.role IN ('permuted', 'grid', 'null') AND c.steered_domain = c.domain");
    for (const CalibrationRow& row : calibrate(store, 1, options).rows) {
      CHECK(row.false_p.value() == 1);
      CHECK(row.false_null.value() == 0);
      CHECK(row.false_call.value() == 0);
      CHECK(row.power.value() == 0);
    }
  }
}

TEST_CASE("A domain whose original failed is left out of the calibration", "[experiments]") {
  const KnownTruth known;
  store::Store store = known.run({"axes.method=[original,contrast,random]", "nulls.match=contrast"});
  const std::string originals = "SELECT id FROM cell WHERE method = 'original' AND domain = 'elements'";
  store.database().execute("DELETE FROM verdict WHERE sample IN (SELECT id FROM sample WHERE cell IN (" +
                           originals + "))");
  CalibrationOptions options;
  options.subsets = 3;
  // Geography's subsets alone, and its half of the permutations.
  for (const CalibrationRow& row : calibrate(store, 1, options).rows) {
    CHECK(row.power.trials == options.subsets);
    CHECK(row.false_call.trials == kPermutations / 2);
  }
}

TEST_CASE("A study that cannot be calibrated says why", "[experiments]") {
  const testing::MiniStudy mini;
  store::Store store = mini.open("study.db");
  run_study(mini.bind({"limit=6", "axes.method=[original,contrast]", "nulls.aa=false"}), store);
  CHECK_THROWS_WITH(calibrate(store, 1), ContainsSubstring("no model whose truth is known"));
  run_study(mini.bind({"name=other", "limit=6", "axes.method=[original,contrast]", "protocol=paper"}), store);
  CHECK_THROWS_WITH(calibrate(store, 2), ContainsSubstring("protocol=crossfit"));
}

}  // namespace moelab::experiments
