#include "experiments/discovery_overlap.h"

#include "experiments/study_notes.h"
#include "tests/experiments/table_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

// Six questions of chemistry, two to a group, of which all but the first are tested. A run that read
// questions 1 and 2 under another benchmark's name.
struct OverlapFixture : testing::TableFixture {
  OverlapFixture() {
    std::vector<store::QuestionRow> rows;
    for (int i = 0; i < 6; ++i) rows.push_back(testing::make_question(i));
    questions = store.put_questions(rows);
    std::vector<store::SplitRow> splits;
    for (std::size_t i = 1; i < questions.size(); ++i) splits.push_back({questions[i], 0, "test", -1});
    store.put_splits(study, splits);
    for (store::QuestionRow& row : rows) row.set_name = "facts_in_another_prompt";
    const std::vector<store::Id> renamed = store.put_questions(rows);
    store::DiscoveryRow run;
    run.key = "run";
    run.model = model;
    run.domain = "chemistry";
    store::DiscoveryData data;
    for (const std::size_t i : {1, 2}) data.routing.push_back({renamed[i], 0, 0, 5, 4, 1});
    run_id = store.put_discovery(run, data);
  }

  void note_run() {
    put_note(store, study, "discovery",
             {{"model", model}, {"benchmark", "facts"}, {"domain", "chemistry"}, {"run", run_id}});
  }

  store::Id run_id = 0;
};

}  // namespace

TEST_CASE("Test questions that experts were found on are counted, by question and by group",
          "[experiments]") {
  OverlapFixture fixture;
  CHECK(discovery_overlaps(fixture.store, fixture.request()).empty());  // the run is another study's
  fixture.note_run();
  const auto overlaps = discovery_overlaps(fixture.store, fixture.request());
  REQUIRE(overlaps.size() == 1);
  CHECK(overlaps[0].model == "tiny");
  CHECK(overlaps[0].domain == "chemistry");
  CHECK(overlaps[0].tested == 5);
  CHECK(overlaps[0].questions == 2);  // 1 and 2
  CHECK(overlaps[0].groups == 3);     // 1 (with 0, which is not tested), 2 and 3
  CHECK(overlap_notes(fixture.store, fixture.request()) ==
        std::vector<std::string>{
            "Overlap, tiny / chemistry: experts were found on 2 of the 5 test questions, and on the "
            "groups of 3."});
  TableRequest other = fixture.request();
  other.domains = {"physics"};
  CHECK(overlap_notes(fixture.store, other).empty());
  other = fixture.request();
  other.models = {"large"};
  CHECK(overlap_notes(fixture.store, other).empty());
}

TEST_CASE("CSV rows carry the counts of their own model, benchmark and domain", "[experiments]") {
  OverlapFixture fixture;
  const auto csv_of = [&](TextTable table) {
    add_overlap_columns(table, fixture.store, fixture.request());
    return render(table, TableFormat::csv);
  };
  TextTable table;
  table.columns = {{"model"}, {"benchmark"}, {"domain"}, {"gain"}};
  table.add({"tiny", "facts", "chemistry", "0.1"});
  table.add({"tiny", "other", "chemistry", "0.2"});  // discovery did not read that benchmark
  table.add({"large", "facts", "chemistry", "0.3"});
  CHECK(csv_of(table) ==
        "model,benchmark,domain,gain,seen_in_discovery,group_seen_in_discovery\n"
        "tiny,facts,chemistry,0.1,,\ntiny,other,chemistry,0.2,,\nlarge,facts,chemistry,0.3,,\n");
  fixture.note_run();
  CHECK(csv_of(table) ==
        "model,benchmark,domain,gain,seen_in_discovery,group_seen_in_discovery\n"
        "tiny,facts,chemistry,0.1,2,3\ntiny,other,chemistry,0.2,,\nlarge,facts,chemistry,0.3,,\n");
  TextTable transfer;
  transfer.columns = {{"model"}, {"steered_domain"}, {"tested_domain"}};
  transfer.add({"tiny", "physics", "chemistry"});
  transfer.add({"tiny", "chemistry", "physics"});
  CHECK(csv_of(transfer) ==
        "model,steered_domain,tested_domain,seen_in_discovery,group_seen_in_discovery\n"
        "tiny,physics,chemistry,2,3\ntiny,chemistry,physics,,\n");
  TextTable plain;
  plain.columns = {{"alpha"}};
  plain.add({"3"});
  CHECK(csv_of(plain) == "alpha\n3\n");
}

}  // namespace moelab::experiments
