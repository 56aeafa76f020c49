#include "experiments/sft_study.h"

#include <fstream>

#include "core/train/peft.h"
#include "evaluators/mcq.h"
#include "experiments/study_notes.h"
#include "experiments/study_run.h"
#include "tests/experiments/failure.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::failure_of;
using testing::MiniStudy;

std::vector<std::string> sft_overrides(std::vector<std::string> more = {}) {
  std::vector<std::string> overrides = {
      "axes.method=[original,sft]", "nulls.aa=false",         "sft.steps=6", "sft.rank=2",
      "sft.batch_rows=4",           "sft.learning_rate=0.01", "sft.warmup=0"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return overrides;
}

}  // namespace

TEST_CASE("A study fine-tunes on each domain, tests on all, and a second run adds nothing", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind(sft_overrides({"seed.training=[1,2]"}));
  store::Store store = mini.open("study.db");
  const RunSummary first = run_study(study, store);
  // A domain: the original, and two seeds trained on it and on the other one.
  CHECK(first.cells_done == 2 * (1 + 2 + 2));
  CHECK(first.cells_failed == 0);
  CHECK(count_of(store, "SELECT count(*) FROM training_run WHERE finished IS NOT NULL") == 4);
  CHECK(count_of(store, "SELECT count(*) FROM training_step") == 4 * 6);
  CHECK(count_of(store,
                 "SELECT count(*) FROM comparison WHERE method IN ('sft/1', 'sft/2') AND "
                 "steered_domain = domain AND gain_other_domains IS NOT NULL") == 2 * 2 * 2);
  const auto trainings = notes(store, 1, "training");
  REQUIRE(trainings.size() == 4);
  for (const Json& training : trainings) {
    // Whole groups are taken, so that a domain may give fewer questions than the 20 that are asked for.
    const std::string of_domain = training.at("domain");
    CHECK(
        training.at("labelled_questions") ==
        count_of(store,
                 "SELECT count(DISTINCT x.question) FROM split AS x JOIN question AS q ON q.id = x.question "
                 "WHERE x.role = 'discovery' AND q.domain = '" +
                     of_domain + "'"));
    CHECK(training.at("tokens").get<std::int64_t>() > 0);
  }
  const RunSummary second = run_study(study, store);
  CHECK(second.samples_new == 0);
  CHECK(second.cells_skipped == first.cells_done);
  CHECK(count_of(store, "SELECT count(*) FROM training_run") == 4);
}

TEST_CASE("A trained cell's scores are those of the adapter that lies beside the database", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind(sft_overrides({"axes.domain=[elements]", "limit=5"}));
  store::Store store = mini.open("study.db");
  run_study(study, store);
  std::filesystem::path adapter;
  for (const auto& entry : std::filesystem::directory_iterator(mini.folder / "training"))
    adapter = entry.path();
  const auto model = mini.folder / "tiny";
  const auto tuned = train::TunedModel::load(model, train::read_adapter(adapter, model::read_spec(model)));
  const engine::Engine engine(tuned.merged(), {}), plain = engine::Engine::load(model, {});
  const auto tokenizer = text::Tokenizer::load(model / "tokenizer.json");
  const auto rows = store.query(
      "SELECT q.text, q.options, s.scores FROM sample AS s JOIN question AS q ON q.id = s.question "
      "JOIN cell AS c ON c.id = s.cell WHERE c.method = 'sft'");
  REQUIRE(rows.rows.size() == 5);
  double moved = 0;
  for (const auto& row : rows.rows) {
    engine::ScoreItem item{tokenizer.encode("Q: " + *row[0] + "\nA:"), {}};
    const Json options = parse_json(*row[1], "options");
    for (const Json& option : options)
      item.options.push_back(tokenizer.encode(" " + option.get<std::string>()));
    const auto expected = engine.score({&item, 1}, {}).items[0].log_probabilities[0];
    const auto untrained = plain.score({&item, 1}, {}).items[0].log_probabilities[0];
    const auto stored = evaluators::from_json(*row[2], "scores");
    for (std::size_t o = 0; o < expected.size(); ++o) {
      CHECK(stored[o].log_probability == Approx(expected[o]).margin(1e-4));
      moved = std::max(moved, std::abs(expected[o] - untrained[o]));
    }
  }
  CHECK(moved > 0.1);
}

TEST_CASE("A question that would be trained on and tested is an error that names both", "[experiments]") {
  const MiniStudy mini;
  // The second domain asks what the first one asks, in groups of one, so that it is split otherwise.
  std::ofstream out(mini.folder / "questions" / "geography.jsonl");
  for (const std::string& line : read_lines(mini.folder / "questions" / "elements.jsonl")) {
    Json question = parse_json(line, "line");
    question["domain"] = "geography";
    question["id"] = "again-" + question.at("id").get<std::string>();
    question["group"] = question.at("id");
    out << question.dump() << "\n";
  }
  out.close();
  store::Store store = mini.open("study.db");
  run_study(mini.bind(sft_overrides()), store);
  const auto rows = store
                        .query(
                            "SELECT error FROM cell WHERE status = 'failed' AND domain = 'elements' AND "
                            "steered_domain = 'elements'")
                        .rows;
  REQUIRE(rows.size() == 1);
  REQUIRE_THAT(*rows[0][0],
               ContainsSubstring("would be trained on") && ContainsSubstring("'geography/again-"));
}

TEST_CASE("A training that explodes fails its cell and says which state is left", "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  const RunSummary summary = run_study(
      mini.bind(sft_overrides({"axes.domain=[elements]", "sft.learning_rate=1e30", "sft.clip=0"})), store);
  CHECK(summary.cells_failed == 1);
  REQUIRE_THAT(failure_of(store), ContainsSubstring("training stopped") && ContainsSubstring("after step"));
}

}  // namespace moelab::experiments
