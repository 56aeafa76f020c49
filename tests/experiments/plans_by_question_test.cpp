// Methods whose plans differ by question: RICE on each test question's own trace.
#include <cmath>
#include <set>

#include "experiments/discovery_overlap.h"
#include "experiments/generate_cells.h"
#include "experiments/method_budget.h"
#include "experiments/model_session.h"
#include "experiments/tables.h"
#include "experiments/transfer.h"
#include "tests/experiments/written_cells.h"
#include "tests/experiments/written_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::put_task;
using testing::stored_sums;
using testing::WrittenStudy;

// A study with the method `own`, which takes each question's experts from its own trace.
StudyConfig own_study(const WrittenStudy& written, const std::string& markers,
                      std::vector<std::string> more = {}) {
  std::filesystem::create_directories(written.folder / "configs" / "method");
  written.write("configs/method/own.yaml",
                "kind: rice\nrice: {" + markers +
                    ", experts: [1, 2], beta: [8], modes: [weight_scale], per: sample}\n");
  if (more.empty()) more = {"axes.method=[original,own]"};
  return written.sums(more);
}

// As the formula says, from what the store holds of one question's trace: nPMI by (layer, expert), and -1
// where the expert is not selected at the marker.
std::map<std::pair<int, int>, double> npmi_of(store::Store& store, const std::string& question) {
  const std::string rows =
      "FROM routing_count WHERE run = (SELECT id FROM discovery_run WHERE json_extract(settings, "
      "'$.trace.marker') = 'A:') AND question = " +
      question;
  // Two experts in each of two layers.
  const double tokens = static_cast<double>(count_of(store, "SELECT sum(n) " + rows)) / 4;
  const double markers = static_cast<double>(count_of(store, "SELECT sum(n_important) " + rows)) / 4;
  std::map<std::pair<int, int>, double> scores;
  for (int layer = 0; layer < 2; ++layer)
    for (int expert = 0; expert < 8; ++expert) scores[{layer, expert}] = -1;
  for (const auto& row : store.query("SELECT layer, expert, n, n_important " + rows).rows) {
    const double used = std::stod(*row[2]), hits = std::stod(*row[3]);
    if (hits > 0)
      scores[{std::stoi(*row[0]), std::stoi(*row[1])}] =
          (std::log2(hits / markers) + std::log2(tokens / used)) / std::log2(tokens / hits);
  }
  return scores;
}

std::string output_of(store::Store& store, store::Id cell, store::Id question) {
  const std::string where = fmt::format("WHERE cell = {} AND question = {}", cell, question);
  return *store.query("SELECT output || '|' || key FROM sample " + where).rows.at(0).at(0);
}

}  // namespace

TEST_CASE("A question is answered under its own plan, and its sample is the one of that plan",
          "[experiments]") {
  const WrittenStudy mini;
  const StudyConfig study = mini.sums();
  const ModelSession session(study.models[0], {.batch_tokens = 64});
  store::Store store = mini.open("cells.db");
  const store::Id model = store.put_model(session.row());
  const auto questions = stored_sums(session, store, {"1 + 2", "3 + 4", "5 + 2", "6 + 1"});
  GenerateSetup setup;
  setup.cells.engine = &session.engine();
  setup.cells.condition = "c";
  setup.cells.prompt = PromptStyle::worked;
  setup.cells.questions = questions;
  setup.cells.wanted = 4;
  setup.generation.max_new_tokens = 6;
  setup.tokenizer = &session.tokenizer();
  setup.cache_bytes = session.cache_bytes();
  const auto force = [](std::int64_t layer, std::int64_t first, std::int64_t second) {
    steering::Plan plan;
    plan.entries = {{layer, first, steering::Operation::force, 1},
                    {layer, second, steering::Operation::force, 1}};
    return plan;
  };
  const steering::Plan a = force(0, 1, 5), b = force(1, 6, 2);
  std::vector<CellTask> tasks = {put_task(store, model, "original", {}),
                                 put_task(store, model, steering::digest(a), a),
                                 put_task(store, model, steering::digest(b), b),
                                 put_task(store, model, "mixed", {}), put_task(store, model, "all a", {})};
  tasks[3].by_question = {{questions[0].id, a}, {questions[1].id, b}, {questions[3].id, a}};
  tasks[4].by_question = {
      {questions[0].id, a}, {questions[1].id, a}, {questions[2].id, a}, {questions[3].id, a}};
  CHECK(generate_cells(setup, tasks, store, {}).completed == 5);
  // The question without a plan of its own is put to the original.
  const std::vector<std::size_t> taken_from = {1, 2, 0, 1};
  for (std::size_t q = 0; q < questions.size(); ++q) {
    INFO("question " << q);
    CHECK(output_of(store, tasks[3].cell, questions[q].id) ==
          output_of(store, tasks[taken_from[q]].cell, questions[q].id));
    CHECK(output_of(store, tasks[4].cell, questions[q].id) ==
          output_of(store, tasks[1].cell, questions[q].id));
  }
  CHECK(output_of(store, tasks[1].cell, questions[0].id) != output_of(store, tasks[2].cell, questions[0].id));
  const auto effects = [&](const CellTask& task) {
    return store
        .query(fmt::format(
            "SELECT layer, rows, selections, changed, steered_selected FROM effect_stat WHERE cell = {} "
            "ORDER BY layer",
            task.cell))
        .rows;
  };
  const auto one_plan = effects(tasks[1]), all_a = effects(tasks[4]), mixed = effects(tasks[3]);
  REQUIRE(one_plan.size() == 1);
  REQUIRE(all_a.size() == 2);
  CHECK((all_a[0] == one_plan[0]));
  // A layer that a question's plan leaves alone has its tokens too: means are over all steered questions.
  CHECK(all_a[1][1] == one_plan[0][1]);
  CHECK(all_a[1][2] == one_plan[0][2]);
  CHECK(all_a[1][3] == "0");
  REQUIRE(mixed.size() == 2);
  CHECK(mixed[0][1] == mixed[1][1]);
  CHECK(std::stoi(*mixed[0][1]) < std::stoi(*one_plan[0][1]));
  // Both experts of a plan are selected by every token of its questions and by no other.
  CHECK(std::stoi(*mixed[1][4]) > 0);
  CHECK(std::stoi(*mixed[0][4]) > std::stoi(*mixed[1][4]));
  CHECK(std::stoi(*mixed[0][4]) + std::stoi(*mixed[1][4]) == std::stoi(*mixed[0][2]));
}

TEST_CASE("RICE per sample takes each test question's experts from the unsteered answer to it",
          "[experiments]") {
  const WrittenStudy written;
  const StudyConfig study = own_study(written, "markers: [\"A:\"], coefficients: [1]");
  store::Store store = written.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  const std::int64_t tested =
      count_of(store, "SELECT count(DISTINCT question) FROM split WHERE role = 'test'");
  CHECK(count_of(
            store,
            "SELECT n_questions FROM discovery_run WHERE json_extract(settings, '$.trace.marker') = 'A:'") ==
        tested);
  // Two settings and the published one.
  const std::string plans = "FROM cell AS c JOIN plan AS p ON p.id = c.plan WHERE c.method LIKE 'own%'";
  CHECK(count_of(store, "SELECT count(*) " + plans) == 3);
  CHECK(count_of(store, "SELECT count(*) " + plans + " AND p.id IN (SELECT plan FROM plan_entry)") == 0);
  CHECK(count_of(store, "SELECT count(*) FROM question_plan_entry") == tested * (1 + 2 + 2));
  for (const auto& row : store.query("SELECT DISTINCT question FROM question_plan_entry").rows) {
    const auto scores = npmi_of(store, *row[0]);
    const auto two =
        store.query("SELECT e.layer, e.expert, e.value " + plans.substr(0, plans.find(" WHERE")) +
                    " JOIN question_plan_entry AS e ON e.plan = p.id WHERE c.method = 'own' AND "
                    "c.n_steered = 2 AND e.question = " +
                    *row[0]);
    REQUIRE(two.rows.size() == 2);
    double least = 1, others = -1;
    std::set<std::pair<int, int>> chosen;
    for (const auto& entry : two.rows) {
      CHECK(*entry[2] == "8.0");
      chosen.emplace(std::stoi(*entry[0]), std::stoi(*entry[1]));
    }
    for (const auto& [expert, score] : scores)
      (chosen.contains(expert) ? least : others) =
          chosen.contains(expert) ? std::min(least, score) : std::max(others, score);
    CHECK(least >= others);
  }
  // Each question's trace is its own prompt and answer: all of eight tokens where it was cut off.
  std::set<std::string> lengths;
  for (const auto& row :
       store
           .query("SELECT s.prompt_tokens + 8, (SELECT sum(n) / 4 FROM routing_count AS r JOIN "
                  "discovery_run AS d ON d.id = r.run WHERE json_extract(d.settings, "
                  "'$.trace.marker') = 'A:' AND r.question = s.question) FROM sample AS s JOIN cell "
                  "AS c ON c.id = s.cell WHERE c.method = 'original' AND s.repeat = 0 AND s.stop = "
                  "'length'")
           .rows) {
    CHECK(row[0] == row[1]);
    lengths.insert(*row[0]);
  }
  CHECK(lengths.size() > 1);
  // The trace is the original's first answer: reading it needs no sample of another seed.
  const std::int64_t answer_tokens = count_of(
      store,
      "SELECT sum(s.prompt_tokens + s.n_think + s.n_answer) FROM sample AS s JOIN cell AS c ON c.id = s.cell "
      "WHERE c.method = 'original' AND s.repeat = 0");
  const std::int64_t trace_tokens = count_of(
      store, "SELECT n_tokens FROM discovery_run WHERE json_extract(settings, '$.trace.marker') = 'A:'");
  CHECK(trace_tokens >= answer_tokens);  // markers of the thinking and the end are in no count of a sample
  CHECK(trace_tokens <= answer_tokens + 3 * tested);
  TableRequest request;
  request.study = *store.find_study("mini");
  const auto notes = overlap_notes(store, request);
  CHECK(notes.size() == 2);
  CHECK_THAT(notes.at(0),
             ContainsSubstring("own: experts were found on each test question's own first answer"));
  for (const MethodBudget& budget : method_budgets(store, request))
    CHECK(budget.test_seen == (budget.method.starts_with("own") ? tested : 0));
  TextTable records = methods_table(store, request, true);
  add_overlap_columns(records, store, request);
  for (const TableRow& row : records.rows)
    CHECK(row.cells.back() == (row.cells[3].starts_with("own") ? std::to_string(tested) : "0"));
  CHECK(count_of(store, "SELECT count(*) FROM comparison WHERE method = 'own' AND specificity IS NULL") == 1);
  CHECK(count_transfer_cells(store, 1, "tiny") == 0);
  CHECK(run_study(study, store).samples_new == 0);
  CHECK(count_of(
            store,
            "SELECT count(*) FROM discovery_run WHERE json_extract(settings, '$.trace.marker') = 'A:'") == 1);
}

TEST_CASE("Test questions whose traces hold no marker stay unsteered, and the cell says how many",
          "[experiments]") {
  const WrittenStudy mini;
  // Stands in the prompts of some sums.
  const StudyConfig study = own_study(mini, "markers: [\"7\"], coefficients: [1]");
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  const std::int64_t tested =
      count_of(store, "SELECT count(DISTINCT question) FROM split WHERE role = 'test'");
  const std::int64_t steered = count_of(store, "SELECT count(DISTINCT question) FROM question_plan_entry");
  REQUIRE(steered > 0);
  REQUIRE(steered < tested);
  CHECK(
      count_of(store,
               fmt::format("SELECT count(*) FROM event WHERE kind = 'plan' AND text LIKE '%{} questions were "
                           "put to the unsteered model%'",
                           tested - steered)) == 3);
  CHECK(
      count_of(
          store,
          "SELECT count(*) FROM sample AS s JOIN cell AS c ON c.id = s.cell JOIN sample AS o ON o.question = "
          "s.question AND o.repeat = s.repeat JOIN cell AS d ON d.id = o.cell AND d.method = 'original' "
          "WHERE "
          "c.method = 'own' AND s.key = o.key AND s.output = o.output") == 2 * 2 * (tested - steered));
}

TEST_CASE("Tuning questions have plans of their own and are no test inputs", "[experiments]") {
  const WrittenStudy mini;
  const StudyConfig study = own_study(mini, "markers: [\"A:\"], coefficients: [1]",
                                      {"axes.method=[original,own]", "protocol=holdout", "split.tuning=6"});
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  const std::int64_t tested = count_of(store, "SELECT count(*) FROM split WHERE role = 'test'");
  const std::int64_t tuning = count_of(store, "SELECT count(*) FROM split WHERE role = 'tuning'");
  REQUIRE(tuning >= 6);
  CHECK(count_of(store, "SELECT count(DISTINCT question) FROM question_plan_entry") == tested + tuning);
  TableRequest request;
  request.study = *store.find_study("mini");
  for (const MethodBudget& budget : method_budgets(store, request))
    CHECK(budget.test_seen == (budget.method.starts_with("own") ? tested : 0));
}

TEST_CASE("Plans by question need a marker in some trace, and nothing is matched to them", "[experiments]") {
  const WrittenStudy mini;
  const StudyConfig study = own_study(mini, "markers: [<think>], coefficients: [1]");
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 3);
  CHECK_THAT(*store.query("SELECT error FROM cell WHERE method = 'own'").rows.at(0).at(0),
             ContainsSubstring("no trace on the tested questions holds the marker '<think>'"));
  CHECK_THROWS_WITH(own_study(mini, "markers: [a], coefficients: [1]",
                              {"axes.method=[original,own,random]", "nulls.match=own"}),
                    ContainsSubstring("its plans differ by question"));
  CHECK_THROWS_WITH(own_study(mini, "markers: [a], coefficients: [1]",
                              {"axes.method=[original,own,bottom]", "nulls.match=own"}),
                    ContainsSubstring("its plans differ by question"));
  mini.write("configs/method/own.yaml", "kind: rice\nrice: {per: question}\n");
  CHECK_THROWS_WITH(mini.sums({"axes.method=[original,own]"}), ContainsSubstring("rice.per"));
}

}  // namespace moelab::experiments
