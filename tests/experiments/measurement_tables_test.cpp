// The tables of costs, transfer and existence on a database that is filled by hand.
#include <algorithm>

#include "experiments/study_notes.h"
#include "experiments/tables.h"
#include "tests/experiments/table_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using Line = std::vector<std::string>;

const Line& line_of(const TextTable& table, const std::string& first) {
  for (const TableRow& row : table.rows)
    if (!row.cells.empty() && row.cells[0] == first) return row.cells;
  throw Error("no line '{}'", first);
}

struct TraceFigures {
  std::string domain;
  double seconds = 0;
  std::int64_t tokens = 0;
};

// A run over traces with prompt and written selections of the four experts, alike in both layers; none when
// empty.
store::Id add_trace_run(TableFixture& fixture, const TraceFigures& figures,
                        const std::vector<std::pair<int, int>>& experts) {
  static int runs = 0;
  store::DiscoveryRow run;
  run.key = fmt::format("trace-{}", ++runs);
  run.model = fixture.model;
  run.domain = figures.domain;
  run.settings = R"({"trace": {}})";
  run.n_questions = 1;
  run.n_tokens = figures.tokens;
  run.seconds = figures.seconds;
  store::DiscoveryData data;
  for (int flat = 0; !experts.empty() && flat < 8; ++flat) {
    const auto [prompt, written] = experts[static_cast<std::size_t>(flat % 4)];
    data.routing.push_back({fixture.questions[0], flat / 4, flat % 4, prompt + written, written, prompt});
  }
  return fixture.store.put_discovery(run, data);
}

void add_trace_note(TableFixture& fixture, const std::string& method, const std::string& marker,
                    store::Id run) {
  put_note(fixture.store, fixture.study, "trace",
           {{"model", fixture.model},
            {"benchmark", "facts"},
            {"domain", fixture.store.discovery(run).domain},
            {"method", method},
            {"marker", marker},
            {"run", run}});
}

bool has_note(const TextTable& table, const std::string& text) {
  return std::any_of(table.footers.begin(), table.footers.end(),
                     [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("The transfer table has own gains on the diagonal and means beside them", "[experiments]") {
  TableFixture fixture;
  std::vector<store::ComparisonRow> rows;
  const std::vector<std::string> domains = {"chemistry", "law", "physics"};
  for (std::size_t tested = 0; tested < 3; ++tested)
    for (std::size_t steered = 0; steered < 3; ++steered) {
      store::ComparisonRow row = fixture.comparison("dsmoe", 0.5, tested == steered ? 0.06 : -0.01);
      if (tested == 2 && steered == 0) row.gain = -0.03;
      row.domain = domains[tested];
      row.steered_domain = domains[steered];
      rows.push_back(row);
    }
  fixture.store.put_comparisons(rows);
  const TextTable table = transfer_table(fixture.store, fixture.request(), false);
  CHECK((line_of(table, "  chemistry") == Line{"  chemistry", "+6.0", "-1.0", "-3.0", "+6.0", "-2.0"}));
  CHECK((line_of(table, "  law") == Line{"  law", "-1.0", "+6.0", "-1.0", "+6.0", "-1.0"}));
  CHECK(transfer_table(fixture.store, fixture.request(), true).rows.size() == 9);
}

TEST_CASE("A study of one domain has no transfer to show", "[experiments]") {
  TableFixture fixture;
  fixture.store.put_comparisons(std::vector{fixture.comparison("dsmoe", 0.56, 0.06)});
  CHECK_THROWS_WITH(transfer_table(fixture.store, fixture.request(), false),
                    ContainsSubstring("no plan of one domain that was tested on another"));
}

TEST_CASE("The cost table sums a method's cells, discovery, labels and training", "[experiments]") {
  TableFixture fixture;
  fixture.add_grid();
  fixture.add_comparisons();
  fixture.add_discovery();  // runs 1 (chemistry) and 2, on the first question, 18 tokens
  fixture.add_cell(TableFixture::steered("sft/2", 0, 1), "grid", "RRRR");
  fixture.add_cell(TableFixture::steered("sft/1", 0, 1), "grid", "RRRR");
  store::Database& database = fixture.store.database();
  database.execute("UPDATE cell SET seconds = 0.5, tokens = 100; UPDATE discovery_run SET seconds = 2.5");
  store::PlanRow plan;
  plan.digest = "p";
  plan.method = "dsmoe";
  plan.run = 1;
  const store::Id id = fixture.store.put_plan(plan);
  database.run("UPDATE cell SET plan = ?1 WHERE method = 'dsmoe'", id);
  database.run("UPDATE sample SET n_think = 3, n_answer = 2");
  const std::int64_t samples = *database.find<std::int64_t>(
      "SELECT count(*) FROM sample AS s JOIN cell AS c ON c.id = s.cell JOIN study_cell AS x ON x.cell = "
      "c.id "
      "WHERE x.role = 'grid' AND c.method = 'dsmoe'");
  REQUIRE(samples == 10);
  // The discovery question is also reported on: a study that splits badly shows it.
  const std::vector<store::SplitRow> splits = {{fixture.questions[0], 0, "test", 0},
                                               {fixture.questions[1], 0, "test", 1}};
  fixture.store.put_splits(fixture.study, splits);
  store::SelectionRow selection;
  selection.study = fixture.study;
  selection.model = fixture.model;
  selection.benchmark = "facts";
  selection.domain = "chemistry";
  selection.method = "dsmoe";
  selection.chosen = 3;
  selection.candidates = R"([{"cell": 3, "correct": 1, "n": 7}, {"cell": 4, "correct": 0, "n": 7}])";
  store::SelectionRow other_fold = selection;  // five of them: six on average
  other_fold.fold = 1;
  other_fold.candidates = R"([{"cell": 3, "correct": 1, "n": 5}, {"cell": 4, "correct": 0, "n": 5}])";
  store::SelectionRow alone = selection;  // one setting leaves nothing to choose
  alone.method = "sft/2";
  alone.candidates = R"([{"cell": 3, "correct": 1, "n": 7}])";
  fixture.store.put_selections(std::vector{selection, other_fold, alone});
  put_note(fixture.store, fixture.study, "discovery",
           {{"model", fixture.model}, {"benchmark", "facts"}, {"domain", "chemistry"}, {"run", 1}});
  const store::Id training = fixture.store.put_training({"t", "sft/chemistry/2", "{}", "0", "cpu"});
  std::vector<store::TrainingStepRow> steps(2);
  steps[0].step = 1;
  steps[0].seconds = 4;
  steps[1].step = 2;
  steps[1].seconds = 9;
  fixture.store.put_training_steps(training, steps);
  // Gone on with after an interruption, so noted twice: of 48 questions whose right answers were read,
  // examples of 40 were kept. And a run of the other seed by a command that stores no steps, from before the
  // former was noted.
  Json note = {{"model", fixture.model},  {"benchmark", "facts"}, {"domain", "chemistry"},
               {"method", "sft/2"},       {"run", training},      {"tokens", 100},
               {"labelled_questions", 40}};
  put_note(fixture.store, fixture.study, "training", note);
  note["tokens"] = 50;
  note["asked_questions"] = 48;
  put_note(fixture.store, fixture.study, "training", note);
  note.erase("asked_questions");
  note["method"] = "sft/1";
  note["run"] = fixture.store.put_training({"u", "sft/chemistry/1", "{}", "0", "cpu"});
  note["command_seconds"] = 7.0;
  put_note(fixture.store, fixture.study, "training", note);
  // Two runs over the same traces, noted by two methods.
  const store::Id written = add_trace_run(fixture, {"chemistry", 2, 90}, {});
  add_trace_note(fixture, "dsmoe", "", written);
  add_trace_note(fixture, "other", "", written);
  add_trace_note(fixture, "dsmoe", "</think>", add_trace_run(fixture, {"chemistry", 1.5, 90}, {}));

  // Measured twice: the newer one counts.
  for (const double after : {0.5, 0.4})
    put_note(fixture.store, fixture.study, "drift",
             {{"model", fixture.model},
              {"benchmark", "facts"},
              {"domain", "chemistry"},
              {"method", "sft/2"},
              {"refused_before", 0.95},
              {"refused_after", after}});

  const TextTable table = cost_table(fixture.store, fixture.request(), false);
  CHECK((line_of(table, "  dsmoe") ==
         Line{"  dsmoe", "6", "1", "1", "3", "1.5", "300", "30", "20", "2.5", "3.5", "-", "-"}));
  CHECK((line_of(table, "  sft/2") ==
         Line{"  sft/2", "48", "0", "0", "1", "0.5", "100", "12", "8", "0.0", "-", "9.0", "95.0 -> 40.0"}));
  CHECK((line_of(table, "  sft/1") ==
         Line{"  sft/1", "40", "0", "0", "1", "0.5", "100", "12", "8", "0.0", "-", "7.0", "-"}));
  CHECK((line_of(table, "  random") ==
         Line{"  random", "0", "0", "0", "2", "1.0", "200", "24", "16", "0.0", "-", "-", "-"}));
  CHECK((line_of(table, "  original")[4] == "1"));
  // The same figures stand beside the method in the CSV of the methods table.
  const TextTable methods = methods_table(fixture.store, fixture.request(), true);
  const auto figure = [&](const std::string& method, const std::string& name) {
    for (std::size_t c = 0; c < methods.columns.size(); ++c)
      for (const TableRow& row : methods.rows)
        if (methods.columns[c].name == name && row.cells[3] == method) return row.cells[c];
    throw Error("no column '{}'", name);
  };
  CHECK(figure("dsmoe", "labelled_choice") == "6");
  CHECK(figure("dsmoe", "labelled_questions") == "6");
  CHECK(figure("dsmoe", "test_inputs_seen") == "1");
  CHECK(figure("dsmoe", "discovery_seconds") == "2.5");
  CHECK(figure("dsmoe", "trace_seconds") == "3.5");
  CHECK(figure("dsmoe", "trace_tokens") == "90");
  CHECK(figure("dsmoe", "training_seconds").empty());
  CHECK(figure("dsmoe", "thinking_tokens") == "30");
  CHECK(figure("original", "cells") == "1");
  CHECK(figure("random", "scoring_seconds") == "1");
  database.run("UPDATE study SET config = ?1",
               R"({"evaluator": "mcq_continuation", "discovery": {"loss": "answer"}})");
  CHECK((line_of(cost_table(fixture.store, fixture.request(), false), "  dsmoe")[1] == "7"));
  const TextTable records = cost_table(fixture.store, fixture.request(), true);
  CHECK(records.rows.size() == 5);
  CHECK(records.columns.size() == records.rows[0].cells.size());
  REQUIRE(records.columns.back().name == "refused_after");
  for (const TableRow& row : records.rows) CHECK(row.cells.back() == (row.cells[2] == "sft/2" ? "0.4" : ""));
}

TEST_CASE("The existence table holds overlap and mass against chance", "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  OverlapRequest request{fixture.request(), {}, 2};
  const TextTable table = existence_table(fixture.store, request);
  // Chemistry's best are 1:3 and 1:2, physics' 1:3 and 0:0: one of three is shared. By chance the layers give
  // chemistry's two of layer 1 and physics' one of it: shared with 2/4, then 1/3; else 0.
  const Line& chemistry = line_of(table, "  chemistry");
  CHECK(chemistry[1] == "paper");
  CHECK(chemistry[2] == "0.33");
  CHECK(chemistry[3] == "0.17");
  CHECK(chemistry[4] == "1");  // one shared is the most there can be
  // Selections are 1 to 8: 8 + 7 of 36 go to chemistry's, 8 + 1 to physics' experts.
  CHECK(chemistry[5] == "41.7");
  CHECK(chemistry[6] == "41.7");
  CHECK(line_of(table, "  physics")[5] == "25.0");
  request.table.domains = {"chemistry"};
  CHECK_THROWS_WITH(existence_table(fixture.store, request), ContainsSubstring("at least two domains"));
}

TEST_CASE("The existence table says how prompts and written answers agree, or that none are stored",
          "[experiments]") {
  TableFixture fixture;
  fixture.add_discovery();
  const OverlapRequest request{fixture.request(), {}, 2};
  CHECK(has_note(existence_table(fixture.store, request), "tiny: no routing of written answers is stored"));
  // One expert a token and layer: 30 selections of each layer. Chemistry writes as it reads, against physics'
  // order; physics reads (1, 3, 2, 4) and writes (1, 2, 3, 4), two ranks off by one: 1 - 6 x 2 / (4 x 15).
  add_trace_note(fixture, "rice", "",
                 add_trace_run(fixture, {"chemistry", 1, 30}, {{4, 8}, {3, 6}, {2, 4}, {1, 2}}));
  add_trace_note(fixture, "rice", "",
                 add_trace_run(fixture, {"physics", 1, 120}, {{10, 2}, {30, 4}, {20, 6}, {40, 8}}));
  const TextTable table = existence_table(fixture.store, request);
  CHECK_FALSE(has_note(table, "no routing of written answers"));
  CHECK(has_note(table,
                 "tiny, facts, prompts against written answers: chemistry 1.00 (-1.00), top 1.00 (0.00); "
                 "physics 0.80 (-0.80), top 1.00 (0.00); p "));
  CHECK(has_note(table, "by layer: chemistry 0: 1.00 (-1.00), 1: 1.00 (-1.00); physics 0: 0.80 (-0.80)"));
}

TEST_CASE("The similarity table holds each layer's pairs beside the permuted ones", "[experiments]") {
  TableFixture fixture;
  CHECK_THROWS_WITH(similarity_table(fixture.store, {fixture.request(), 0.8}),
                    ContainsSubstring("--similarity all"));
  store::DiscoveryRow run;
  run.key = "alike";
  run.model = fixture.model;
  run.settings = R"({"similarity": {}})";
  run.n_questions = 3;
  run.n_tokens = 50;
  store::DiscoveryData data;
  data.similarity = {{0, 0, 1, 0.2, 0.1}, {0, 0, 2, 0.9, 0.3}, {0, 1, 2, 0.7, 0.05}, {2, 0, 1, 0.5, 0.25}};
  const store::Id id = fixture.store.put_discovery(run, data);
  put_note(fixture.store, fixture.study, "similarity",
           {{"model", fixture.model}, {"benchmark", "facts"}, {"domain", ""}, {"run", id}});
  const TextTable table = similarity_table(fixture.store, {fixture.request(), 0.5});
  REQUIRE(table.rows.size() == 2);
  CHECK((table.rows[0].cells ==
         Line{"tiny", "all", "0", "3", "0.600", "0.150", "0.900", "0:2", "0.300", "66.7"}));
  CHECK((table.rows[1].cells ==
         Line{"tiny", "all", "2", "1", "0.500", "0.250", "0.500", "0:1", "0.250", "0.0"}));
  CHECK(has_note(table, "50 tokens of 3 discovery questions"));
  // It is no run of discovery: other tables do not take it for one.
  fixture.add_discovery();
  TableRequest newest = fixture.request();
  newest.domains = {"chemistry"};
  CHECK_NOTHROW(heatmap_table(fixture.store, {newest}, true));
  newest.domains = {""};
  CHECK_THROWS_WITH(overlap_table(fixture.store, {newest, {}, 2}), ContainsSubstring("no discovery run"));
}
