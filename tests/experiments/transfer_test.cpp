#include "experiments/transfer.h"

#include "experiments/study_forecast.h"
#include "experiments/tables.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using testing::count_of;

// A second benchmark of one domain beside MiniStudy's, and the study that takes plans over to it.
struct TwoBenchmarks : testing::MiniStudy {
  TwoBenchmarks() {
    testing::write_questions(folder / "more", {"astronomy"}, 60);
    write("configs/benchmark/more.yaml", "name: more\nquestions: " + (folder / "more").string() + "\n");
  }
  StudyConfig source() const {
    return bind({"limit=9", "axes.method=[original,dsmoe,contrast]", "nulls.aa=false"});
  }
  StudyConfig target() const {
    return bind({"name=over", "axes.benchmark=[more]", "axes.method=[original]", "limit=12", "nulls.aa=false",
                 "transfer.study=mini"});
  }
};

}  // namespace

TEST_CASE("Plans that one study chose run on another's questions with their setting kept", "[experiments]") {
  const TwoBenchmarks both;
  store::Store store = both.open("study.db");
  run_study(both.source(), store);
  // Known before anything runs: the original and four plans.
  const auto planned = forecast(both.target(), both.folder / "study.db");
  REQUIRE(planned.size() == 1);
  CHECK(planned[0].cells.transfer == 4);
  CHECK(planned[0].cells.total() == 5);
  CHECK(count_transfer_cells(store, 1, "another") == 0);
  StudyConfig small = both.target();
  small.limits.cells = 4;
  CHECK_THROWS_WITH(run_study(small, store), ContainsSubstring("at least 5 cells"));
  run_study(both.target(), store);
  // Two domains' plans of two methods, each with the content of the cell that it comes from.
  const std::string transferred =
      "FROM study_cell AS x JOIN cell AS c ON c.id = x.cell JOIN plan AS p ON p.id = c.plan WHERE x.role = "
      "'transfer'";
  CHECK(count_of(store, "SELECT count(*) " + transferred) == 4);
  CHECK(count_of(store, "SELECT count(*) " + transferred +
                            " AND c.benchmark = 'more' AND c.domain = 'astronomy' AND c.steered_domain IN "
                            "('mini/elements', 'mini/geography')") == 4);
  CHECK(count_of(
            store,
            "SELECT count(*) " + transferred +
                " AND EXISTS (SELECT 1 FROM study_cell AS y JOIN cell AS g ON g.id = y.cell JOIN plan AS "
                "q ON q.id = g.plan WHERE y.study = 1 AND y.role = 'grid' AND 'mini/' || g.domain = "
                "c.steered_domain AND g.method = c.method AND g.n_steered = c.n_steered AND g.alpha = "
                "c.alpha AND q.run = p.run AND (SELECT group_concat(layer || ':' || expert || ':' || value) "
                "FROM plan_entry WHERE plan = p.id) = (SELECT group_concat(layer || ':' || expert || ':' || "
                "value) FROM plan_entry WHERE plan = q.id))") == 4);
  // The comparisons are those of the view, on all questions, and adjust nothing of the study's own family.
  CHECK(
      count_of(store,
               "SELECT count(*) FROM comparison AS k JOIN gain_over_original AS g ON g.domain = k.domain AND "
               "g.method = k.method AND g.steered_domain = k.steered_domain AND g.evaluator = k.evaluator "
               "WHERE k.study = 2 AND abs(k.gain - g.gain) < 1e-12 AND k.n = 12 AND k.p_holm IS NULL AND "
               "k.dose > 0") == 4 * 2);
  TableRequest request;
  request.study = 2;
  const TextTable table = transfer_table(store, request, false);
  REQUIRE(table.rows.size() == 2 * 3);  // a heading and two lines a method
  CHECK(table.rows[1].cells[0] == "  mini/elements");
  CHECK(table.rows[1].cells[2] == "-");  // no own domain here
  CHECK(transfer_table(store, request, true).rows.size() == 4);
}

TEST_CASE("Plans that force and forbid are transferred too", "[experiments]") {
  const TwoBenchmarks both;
  store::Store store = both.open("study.db");
  run_study(both.bind({"limit=9", "axes.method=[original,prune]", "axes.n_steered=[1,2]", "nulls.aa=false"}),
            store);
  CHECK_FALSE(run_study(both.target(), store).has_failed());
  // One plan of each of the two domains, which has no mode.
  CHECK(count_of(store,
                 "SELECT count(*) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE x.role = "
                 "'transfer' AND c.method = 'prune' AND c.mode = '' AND c.status <> 'failed'") == 2);
}

TEST_CASE("A transfer without a study is refused, and one without plans ends in a failure that is told",
          "[experiments]") {
  const TwoBenchmarks both;
  store::Store store = both.open("study.db");
  CHECK_THROWS_WITH(run_study(both.target(), store), ContainsSubstring("no study is stored yet"));
  run_study(both.bind({"limit=6", "axes.method=[original]", "nulls.aa=false"}), store);
  const RunSummary summary = run_study(both.target(), store);
  CHECK(summary.cells_failed == 0);
  REQUIRE(summary.problems.size() == 1);
  CHECK_THAT(summary.problems[0], ContainsSubstring("has chosen no plan for the model tiny"));
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'failure' AND text LIKE '%no plan%'") == 1);
  // The original is analysed all the same, but the study is not finished.
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE benchmark = 'more' AND status <> 'failed'") == 1);
  CHECK(count_of(store, "SELECT count(*) FROM study WHERE name = 'over' AND finished IS NOT NULL") == 0);
}

}  // namespace moelab::experiments
