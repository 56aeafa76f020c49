#include "experiments/trace_rankings.h"

#include "tests/experiments/written_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::WrittenStudy;

// One layer of three experts, top-1.
model::ModelSpec one_layer() {
  model::ModelSpec spec;
  spec.layers = 1;
  spec.is_moe_layer = {true};
  spec.router.experts = 3;
  spec.router.top_k = 1;
  return spec;
}

StudyConfig rice_study(const WrittenStudy& written, const std::string& markers) {
  std::filesystem::create_directories(written.folder / "configs" / "method");
  written.write("configs/method/marked.yaml", "kind: rice\nrice: {" + markers +
                                                  ", experts: [1, 2], beta: [8], "
                                                  "modes: [weight_scale_renorm]}\n");
  return written.sums({"axes.method=[original,marked,random]", "nulls.match=marked"});
}

}  // namespace

TEST_CASE("Markers are found by their tokens, alone or behind a blank", "[experiments]") {
  const auto tokenizer = text::Tokenizer::load(testing::source_dir() / "data/demo/tokenizer.json");
  const auto positions = [&](const std::string& text, const std::string& marker) {
    return marker_positions(tokenizer.encode(text), marker, tokenizer);
  };
  const std::size_t question = tokenizer.encode("Q: 2 + 2\nA:").size();
  CHECK(positions("Q: 2 + 2\nA:<think>4</think>", "<think>") == std::vector<std::size_t>{question});
  CHECK(positions("<think></think><think>", "<think>") == std::vector<std::size_t>{0, 2});
  CHECK(positions("Alternatively, not. Alternatively", "Alternatively").size() == 2);
  CHECK(positions("nothing of that", "<think>").empty());
}

TEST_CASE("RICE's score is the sum of the markers' nPMI by their coefficients", "[experiments]") {
  // Eight tokens. `a` at two of them: expert 0 takes both, PMI = log2(8 / 4) = 1 of log2(8 / 2) = 2. `b` at
  // one: expert 1, whose two tokens make PMI = log2(8 / 2) = 2 of log2(8 / 1) = 3.
  const std::map<std::string, discovery::RoutingCounts> counts = {{"a", {{4, 2, 2}, {2, 0, 0}, {2, 2, 2}}},
                                                                  {"b", {{4, 2, 2}, {0, 1, 0}, {4, 1, 2}}}};
  RiceConfig rice;
  rice.markers = {"a", "b"};
  rice.coefficients = {1, -1};
  const auto scores = rice_scores(rice, counts, one_layer());
  CHECK(scores[0] == Catch::Approx(0.5 + 1));
  CHECK(scores[1] == Catch::Approx(-1 - 2.0 / 3));
  CHECK(scores[2] == Catch::Approx(-1 + 1));
  rice.markers[1] = "c";
  const std::map<std::string, discovery::RoutingCounts> missing = {{"a", counts.at("a")},
                                                                   {"c", {{4, 2, 2}, {0, 0, 0}, {4, 2, 2}}}};
  CHECK_THROWS_WITH(rice_scores(rice, missing, one_layer()), ContainsSubstring("the marker 'c'"));
}

TEST_CASE("RICE finds experts on written traces, and its published setting is reported beside the chosen one",
          "[experiments]") {
  const WrittenStudy written;
  // A random model marks no thinking, but every trace holds its prompt.
  const StudyConfig study = rice_study(written, "markers: [\"A:\"], coefficients: [1]");
  store::Store store = written.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  CHECK(count_of(store,
                 "SELECT count(*) FROM cell WHERE method = 'marked' AND mode = 'weight_scale_renorm'") == 2);
  CHECK(count_of(store,
                 "SELECT count(*) FROM cell WHERE method = 'marked_published' AND n_steered = 2 AND "
                 "alpha = 64 AND mode = 'weight_scale'") == 1);
  CHECK(count_of(store, "SELECT count(*) FROM comparison WHERE method LIKE 'marked%' AND draw = 0") == 2);
  const std::string trace = "FROM discovery_run WHERE json_extract(settings, '$.trace.marker') = 'A:'";
  CHECK(count_of(store, "SELECT count(*) " + trace) == 1);
  // One marker a trace, and every token of it selects two experts in two layers.
  CHECK(count_of(store, "SELECT sum(n_important) FROM routing_count WHERE run = (SELECT id " + trace + ")") ==
        4 * count_of(store, "SELECT n_questions " + trace));
  CHECK(count_of(store, "SELECT sum(n) FROM routing_count WHERE run = (SELECT id " + trace + ")") ==
        4 * count_of(store, "SELECT n_tokens " + trace));
  CHECK(count_of(store, "SELECT count(*) FROM expert_score WHERE score LIKE 'rice/+1A:@%'") == 16);
  // A run beside the marker's tells what was written, at most eight tokens an answer, from the prompts.
  const std::string written_run =
      "FROM discovery_run WHERE json_extract(settings, '$.trace.part') = 'written'";
  CHECK(count_of(store, "SELECT count(*) " + written_run) == 1);
  const std::string counts = "FROM routing_count WHERE run = (SELECT id " + written_run + ")";
  const std::int64_t answers = count_of(store, "SELECT sum(n_important) " + counts);
  CHECK(answers >= 4 * 8);
  CHECK(answers <= 4 * 8 * 8);
  CHECK(count_of(store, "SELECT sum(n_important + n_unimportant) " + counts) ==
        4 * count_of(store, "SELECT n_tokens " + written_run));
  // Both methods that rank by the traces note both runs.
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'trace'") == 4);
  CHECK(run_study(study, store).samples_new == 0);
  CHECK(count_of(store, "SELECT count(*) " + trace) == 1);
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'trace'") == 4);
  // A store that has the marker's run alone: traces are not written again for the other.
  store.database().run(
      "UPDATE discovery_run SET key = 'another' WHERE json_extract(settings, '$.trace.part') = 'written'");
  CHECK(run_study(study, store).samples_new == 0);
  CHECK(count_of(store, "SELECT count(*) " + written_run) == 1);
  // Where the marker's run is made, so is the other.
  store.database().run(
      "UPDATE discovery_run SET key = 'one more' WHERE json_extract(settings, '$.trace.marker') = 'A:'");
  CHECK(run_study(study, store).samples_new == 0);
  CHECK(count_of(store, "SELECT count(*) " + written_run) == 2);
  CHECK(count_of(store, "SELECT count(*) " + trace) == 2);
}

TEST_CASE("Traces without markers fail RICE's cells with the reason, and nothing else", "[experiments]") {
  const WrittenStudy written;
  const StudyConfig study = rice_study(written, "markers: [<think>, </think>], coefficients: [1, -1]");
  store::Store store = written.open("study.db");
  CHECK(run_study(study, store).cells_failed == 2 + 1 + 2);
  CHECK_THAT(*store.query("SELECT error FROM cell WHERE method = 'marked'").rows.at(0).at(0),
             ContainsSubstring("holds the marker '<think>'"));
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE method = 'original' AND status = 'done'") == 1);
}

TEST_CASE("RICE without written answers or with markers that lack a coefficient is refused",
          "[experiments]") {
  const WrittenStudy written;
  CHECK_THROWS_WITH(written.bind({"axes.method=[original,rice]"}),
                    ContainsSubstring("reads written answers"));
  CHECK_THROWS_WITH(rice_study(written, "markers: [a, b], coefficients: [1]"),
                    ContainsSubstring("rice.coefficients"));
}

}  // namespace moelab::experiments
