// Studies that run a part of their grids: a random draw, or successive halving.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>

#include "experiments/analyse.h"
#include "experiments/search_notes.h"
#include "experiments/study_forecast.h"
#include "experiments/study_notes.h"
#include "experiments/tables.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::MiniStudy;
using testing::Rows;

const std::vector<std::string> kHoldout = {"protocol=holdout", "split.tuning=24",
                                           "axes.method=[original,dsmoe,random]", "limit=60"};

StudyConfig halving_study(const MiniStudy& mini, std::vector<std::string> more = {}) {
  std::vector<std::string> overrides = kHoldout;
  overrides.insert(overrides.end(), {"name=halved", "search.kind=halving"});
  overrides.insert(overrides.end(), more.begin(), more.end());
  return mini.bind(overrides);
}

Rows rows_of(store::Store& store, const std::string& study, const std::vector<const char*>& queries) {
  Rows all;
  for (const char* sql : queries)
    for (const auto& row : store.query(sql + study + " ORDER BY 1, 2, 3, 4, 5").rows) all.push_back(row);
  return all;
}

// What a search chose, and by which answers, without ids.
Rows choices(store::Store& store, const std::string& study) {
  return rows_of(
      store, study,
      {"SELECT x.domain, x.method, x.draw, x.rule, c.key, x.n, x.correct FROM selection AS x JOIN cell AS c "
       "ON "
       "c.id = x.chosen WHERE x.study = ",
       "SELECT x.domain, x.method, x.draw, json_extract(j.value, '$.rung'), c.key, json_extract(j.value, "
       "'$.correct'), json_extract(j.value, '$.n') FROM selection AS x, json_each(x.candidates) AS j JOIN "
       "cell "
       "AS c ON c.id = json_extract(j.value, '$.cell') WHERE x.study = "});
}

// The same and what came of it, without times. Samples are left out: a second way to the same choice may have
// asked more.
Rows conclusions(store::Store& store, const std::string& study) {
  Rows all = choices(store, study);
  for (auto& row : rows_of(store, study,
                           {"SELECT domain, method, draw, steered_domain, evaluator, n, gain, p, p_holm, "
                            "p_null, gain_other_domains, specificity, p_specific, p_labels FROM comparison "
                            "WHERE study = "}))
    all.push_back(std::move(row));
  return all;
}

// Replaces the text of one question in its domain's file.
void edit_question(const MiniStudy& mini, const std::string& domain, const std::string& name) {
  const std::string file = "questions/" + domain + ".jsonl";
  std::string text;
  int edited = 0;
  for (const std::string& line : read_lines(mini.folder / file)) {
    Json question = parse_json(line, file);
    if (question.at("id") == name) {
      question["question"] = "What else?";
      ++edited;
    }
    text += question.dump() + "\n";
  }
  REQUIRE(edited == 1);
  mini.write(file, text);
}

// A cell of a whole grid: its setting and, by question, whether it is right.
struct GridCell {
  int n_steered = 0;
  double alpha = 1;
  std::map<std::string, int> right;
  int sum(const std::set<std::string>& questions) const {
    int total = 0;
    for (const std::string& question : questions) total += right.at(question);
    return total;
  }
};

std::vector<GridCell> grid_of(store::Store& store, const std::string& domain, int draw) {
  std::vector<GridCell> cells;
  const auto rows = store.query(
      "SELECT c.n_steered, c.alpha, q.name, v.correct FROM study_cell AS x JOIN cell AS c ON c.id = x.cell "
      "JOIN "
      "sample AS s ON s.cell = c.id JOIN question AS q ON q.id = s.question JOIN verdict AS v ON v.sample = "
      "s.id "
      "WHERE x.role IN ('grid', 'null') AND v.evaluator = 'mcq_continuation' AND c.domain = '" +
      domain + "' AND c.draw = " + std::to_string(draw) + " ORDER BY c.alpha, c.n_steered, q.name");
  for (const auto& row : rows.rows) {
    const int n_steered = std::stoi(*row[0]);
    const double alpha = std::stod(*row[1]);
    if (cells.empty() || cells.back().n_steered != n_steered || cells.back().alpha != alpha)
      cells.push_back({n_steered, alpha, {}});
    cells.back().right[*row[2]] = std::stoi(*row[3]);
  }
  return cells;
}

std::set<std::string> names(store::Store& store, const std::string& sql) {
  std::set<std::string> found;
  for (const auto& row : store.query(sql).rows) found.insert(*row.at(0));
  return found;
}

}  // namespace

TEST_CASE("A random search runs the drawn settings of every method and null alike, and says how many",
          "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  const StudyConfig study = mini.bind({"search.kind=random", "search.settings=2", "limit=12"});
  const auto planned = forecast(study, "no.db");
  CHECK_FALSE(run_study(study, store).has_failed());
  CHECK(count_of(store, "SELECT count(*) FROM study_cell WHERE role = 'grid'") == 2 * 2 * 2);
  CHECK(count_of(store, "SELECT count(*) FROM study_cell WHERE role = 'null'") == 2 * 2 * 2);
  // One pair of settings, whatever the domain, method and draw.
  CHECK(
      count_of(
          store,
          "SELECT count(DISTINCT c.n_steered || '@' || c.alpha) FROM study_cell AS x JOIN cell AS c ON c.id "
          "= x.cell WHERE x.role IN ('grid', 'null')") == 2);
  CHECK((planned[0].samples() + planned[1].samples() ==
         count_of(store,
                  "SELECT count(*) FROM study_cell AS x JOIN sample AS s ON s.cell = x.cell WHERE x.role <> "
                  "'other_domain'")));
  TableRequest request;
  request.study = 1;
  const std::string text = render(methods_table(store, request, false), TableFormat::text);
  CHECK_THAT(text, ContainsSubstring("Search random: 2 of 4 settings, drawn for contrast, dsmoe;"));
  const Rows before = conclusions(store, "1");
  CHECK((run_study(study, store).samples_new == 0));
  CHECK((conclusions(store, "1") == before));
  CHECK(notes(store, 1, "search").size() == 2);
}

TEST_CASE("A halving asks what its rungs say and chooses as a reckoning on the whole grid does",
          "[experiments]") {
  const MiniStudy mini;
  store::Store whole = mini.open("grid.db"), store = mini.open("study.db");
  run_study(mini.bind(kHoldout), whole);
  const StudyConfig study = halving_study(mini);
  const auto planned = forecast(study, "no.db");
  CHECK_FALSE(run_study(study, store).has_failed());
  for (const std::string domain : {"elements", "geography"}) {
    const std::string in_split =
        "SELECT q.name FROM split AS x JOIN question AS q ON q.id = x.question WHERE "
        "q.domain = '" +
        domain + "' AND x.role = ";
    const auto tuning = names(store, in_split + "'tuning'"), test = names(store, in_split + "'test'");
    REQUIRE(tuning.size() > 8);
    const std::size_t half = (tuning.size() + 1) / 2;
    for (const int draw : {0, 1, 2}) {
      INFO(domain << " " << draw);
      const std::string cells =
          "FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE x.role IN ('grid', "
          "'null') AND c.domain = '" +
          domain + "' AND c.draw = " + std::to_string(draw);
      // Four settings on half of the tuning questions, two on all of them, and one on the test questions.
      const auto sizes =
          store.query("SELECT (SELECT count(*) FROM sample WHERE cell = c.id) " + cells + " ORDER BY 1");
      REQUIRE(sizes.rows.size() == 4);
      CHECK(*sizes.rows[0][0] == std::to_string(half));
      CHECK(*sizes.rows[1][0] == std::to_string(half));
      CHECK(*sizes.rows[2][0] == std::to_string(tuning.size()));
      CHECK(*sizes.rows[3][0] == std::to_string(tuning.size() + test.size()));
      // The first half is whatever the cells that were dropped first have answered.
      const auto first = names(
          store,
          "SELECT DISTINCT q.name FROM sample AS s JOIN question AS q ON q.id = s.question "
          "WHERE s.cell IN (SELECT c.id " +
              cells + " AND (SELECT count(*) FROM sample WHERE cell = c.id) = " + std::to_string(half) + ")");
      REQUIRE(first.size() == half);
      // Smaller alpha and then fewer experts come first, which is how the cells are sorted.
      auto left = grid_of(whole, domain, draw);
      std::stable_sort(left.begin(), left.end(),
                       [&](const GridCell& a, const GridCell& b) { return a.sum(first) > b.sum(first); });
      left.resize(2);
      std::sort(left.begin(), left.end(), [](const GridCell& a, const GridCell& b) {
        return std::make_pair(a.alpha, a.n_steered) < std::make_pair(b.alpha, b.n_steered);
      });
      const GridCell& winner = left[1].sum(tuning) > left[0].sum(tuning) ? left[1] : left[0];
      const auto chosen =
          store.query("SELECT n_steered, alpha, n, correct, rule FROM selected_cell WHERE domain = '" +
                      domain + "' AND draw = " + std::to_string(draw));
      REQUIRE(chosen.rows.size() == 1);
      CHECK(std::stoi(*chosen.rows[0][0]) == winner.n_steered);
      CHECK(std::stod(*chosen.rows[0][1]) == winner.alpha);
      // Reported on test questions, none of which a dropped setting was asked.
      CHECK(*chosen.rows[0][2] == std::to_string(test.size()));
      CHECK(std::stoi(*chosen.rows[0][3]) == winner.sum(test));
      CHECK(*chosen.rows[0][4] == "halving/holdout");
    }
    CHECK(count_of(store, "SELECT count(*) FROM comparison WHERE domain = '" + domain + "' AND n <> " +
                              std::to_string(test.size())) == 0);
  }
  CHECK((planned[0].samples() + planned[1].samples() ==
         count_of(store,
                  "SELECT count(*) FROM study_cell AS x JOIN sample AS s ON s.cell = x.cell WHERE x.role <> "
                  "'other_domain'")));
}

TEST_CASE("A halved study says what it saved, and dropped cells are not partial", "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  RunProgress last;
  RunHooks hooks;
  hooks.progress = [&](const RunProgress& progress) { last = progress; };
  const RunSummary summary = run_study(halving_study(mini, {"limit=0"}), store, hooks);
  // A domain: original and aa, of dsmoe and two draws the winners, and the other domain's plan.
  CHECK(summary.cells_done == 2 * (2 + 3 + 1));
  CHECK(last.cells_done == summary.cells_done);
  CHECK(last.cells_total == summary.cells_done);
  CHECK(last.samples_total == last.samples_done);
  const auto counts = cell_counts(store, 1);
  CHECK(counts.at("dropped") == 2 * 3 * 3);
  CHECK_FALSE(counts.contains("partial"));
  CHECK_FALSE(has_partial_cells(store, 1, "tiny", "elements"));
  // Answers of settings: what is stored of them, and each of the four on everything that is scored.
  const std::int64_t run =
      count_of(store,
               "SELECT count(*) FROM study_cell AS x JOIN sample AS s ON s.cell = x.cell "
               "WHERE x.role IN ('grid', 'null')");
  const std::int64_t grid = 3 * 4 * count_of(store, "SELECT count(*) FROM split WHERE role <> 'discovery'");
  TableRequest request;
  request.study = 1;
  const std::string text = render(methods_table(store, request, false), TableFormat::text);
  CHECK_THAT(text, ContainsSubstring("Search halving: " + std::to_string(run) +
                                     " answers of settings were asked, and " + std::to_string(grid - run) +
                                     " saved: the whole grid takes " + std::to_string(grid) + "."));
  CHECK_THAT(text, ContainsSubstring("18 dropped"));
  CHECK_THAT(text, !ContainsSubstring("(partial"));
  CHECK_THAT(text, !ContainsSubstring("unfinished"));
  // The grid's points are the winners and the original, all on as many questions.
  std::map<std::pair<std::string, std::string>, std::int64_t> cells;
  std::map<std::string, std::set<std::int64_t>> answers;
  for (const GridPoint& point : grid_points(store, request)) {
    cells[{point.domain, point.method}] += point.draws;
    answers[point.domain].insert(point.n);
  }
  for (const std::string domain : {"elements", "geography"}) {
    CHECK(cells[{domain, "original"}] == 1);
    CHECK(cells[{domain, "dsmoe"}] == 1);
    CHECK(cells[{domain, "random"}] == 2);
    CHECK(answers[domain].size() == 1);
  }
  CHECK_THAT(render(sweep_table(store, request, false), TableFormat::text),
             ContainsSubstring("Left out: 18 cells that a halving dropped"));
}

TEST_CASE("An analysis takes back the choices that it cannot make any more, and names their methods",
          "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  run_study(halving_study(mini), store);
  const std::string of_dsmoe = "SELECT count(*) FROM selection WHERE method = 'dsmoe'";
  const std::string compared = "SELECT count(*) FROM comparison WHERE evaluator <> 'elsewhere' AND method = ";
  REQUIRE(count_of(store, of_dsmoe) == 2);
  REQUIRE(count_of(store, compared + "'dsmoe'") > 0);
  const std::int64_t draws = count_of(store, compared + "'random'");
  // Figures of an evaluator that this analysis does not read stay.
  std::vector<store::ComparisonRow> other = store.comparisons(1);
  other.resize(1);
  other[0].evaluator = "elsewhere";
  store.put_comparisons(other);
  store.database().execute(
      "DELETE FROM verdict WHERE sample IN (SELECT s.id FROM sample AS s JOIN cell AS c ON c.id = s.cell "
      "WHERE c.method = 'dsmoe' AND c.status = 'partial')");
  analyse_study(store, 1);
  CHECK(count_of(store, of_dsmoe) == 0);
  CHECK(count_of(store, compared + "'dsmoe'") == 0);
  CHECK(count_of(store, compared + "'random'") == draws);
  CHECK(count_of(store, "SELECT count(*) FROM comparison WHERE evaluator = 'elsewhere'") == 1);
  CHECK((search_lines(store, 1).back() == "Halving unfinished for dsmoe: run the study again."));
}

TEST_CASE("A halving goes on after a tuning question was edited, as one that knows the new text alone",
          "[experiments]") {
  const MiniStudy mini;
  store::Store edited = mini.open("edited.db"), fresh = mini.open("fresh.db");
  const StudyConfig study = halving_study(mini);
  CHECK_FALSE(run_study(study, edited).has_failed());
  const Rows before = choices(edited, "1");
  const auto tuning = names(edited,
                            "SELECT q.name FROM split AS x JOIN question AS q ON q.id = x.question WHERE "
                            "q.domain = 'elements' AND x.role = 'tuning'");
  edit_question(mini, "elements", *tuning.begin());
  CHECK_FALSE(run_study(study, edited).has_failed());
  CHECK_FALSE(run_study(study, fresh).has_failed());
  CHECK(count_of(edited, "SELECT count(*) FROM study") == 1);
  CHECK((choices(edited, "1") != before));  // other cells
  CHECK((choices(edited, "1") == choices(fresh, "1")));
  CHECK(search_lines(edited, 1) == search_lines(fresh, 1));
}

TEST_CASE("A halving that is interrupted, or made anew from stored answers, chooses the same",
          "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = halving_study(mini);
  store::Store whole = mini.open("whole.db"), parts = mini.open("parts.db");
  run_study(study, whole);
  const Rows expected = conclusions(whole, "1");
  int interruptions = 0;
  while (interruptions < 60) {
    std::atomic<bool> stop = false;
    RunHooks hooks;
    hooks.interrupt = &stop;
    hooks.progress = [&](const RunProgress& progress) {
      stop = progress.phase != "load" && progress.samples_done > 0;
    };
    try {
      run_study(study, parts, hooks);
      break;
    } catch (const Interrupted&) {
      ++interruptions;
    }
  }
  CHECK(interruptions >= 6);
  CHECK((conclusions(parts, "1") == expected));
  const std::int64_t samples = count_of(whole, "SELECT count(*) FROM sample");
  CHECK(count_of(parts, "SELECT count(*) FROM sample") == samples);
  // From the rows alone.
  whole.database().execute("DELETE FROM selection; DELETE FROM comparison");
  analyse_study(whole, 1);
  CHECK((conclusions(whole, "1") == expected));
  // A cell that failed gets another try, and has its place again.
  whole.database().execute(
      "UPDATE cell SET status = 'failed', error = 'x' WHERE status = 'partial' AND method = 'dsmoe'");
  run_study(study, whole);
  CHECK((conclusions(whole, "1") == expected));
  // Answers that another study has stored for dropped settings change no choice.
  run_study(mini.bind(kHoldout), whole);
  analyse_study(whole, 1);
  CHECK((conclusions(whole, "1") == expected));
}

}  // namespace moelab::experiments
