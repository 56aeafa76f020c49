// What fine-tuning learns: the model's own right traces, and examples selected by their gradient.
#include "experiments/sft_examples.h"

#include "core/base/random.h"
#include "experiments/refusal_probe.h"
#include "experiments/sft_selection.h"
#include "experiments/study_notes.h"
#include "experiments/study_run.h"
#include "tests/experiments/failure.h"
#include "tests/experiments/written_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::failure_of;
using testing::MiniStudy;
using testing::WrittenStudy;

std::vector<std::string> quick_overrides(std::vector<std::string> more) {
  std::vector<std::string> overrides = {"axes.method=[original,sft]", "nulls.aa=false", "sft.steps=2",
                                        "sft.rank=2"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return overrides;
}

}  // namespace

TEST_CASE("Examples are kept between quantiles of their norms, worked by hand", "[experiments]") {
  // Sorted 1 2 3 4 5: the quartiles of type 7 are 2 and 4, the 0.9 quantile 4.6.
  const std::vector<double> norms = {5, 1, 4, 2, 3};
  const KeptExamples below = keep_examples(norms, {"quantile", 0.25, 0.9});
  CHECK(below.kept == std::vector<std::size_t>{1, 2, 3, 4});
  CHECK(below.most == Approx(4.6));
  const KeptExamples band = keep_examples(norms, {"band", 0.25, 0.75});
  CHECK(band.kept == std::vector<std::size_t>{2, 3, 4});
  CHECK(band.least == 2);
  CHECK(band.most == 4);
  CHECK_THROWS_WITH(keep_examples(norms, {"band", 0.75, 0.25}), ContainsSubstring("must be below"));
  CHECK_THROWS_WITH(keep_examples(norms, {"band", 0.3, 0.45}), ContainsSubstring("none of the 5 examples"));
}

TEST_CASE("A study trains on the moderate band alone, and keeps every example's norm", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study =
      mini.bind(quick_overrides({"axes.domain=[elements]", "limit=4", "sft.selection.kind=band"}));
  store::Store store = mini.open("study.db");
  const RunSummary summary = run_study(study, store);
  CHECK(summary.cells_failed == 0);
  const auto rows =
      store
          .query(
              "SELECT json_extract(x.value, '$.norm'), json_extract(x.value, '$.kept') FROM event, "
              "json_each(text, '$.each') AS x WHERE kind = 'selection'")
          .rows;
  std::vector<double> norms;
  for (const auto& row : rows) norms.push_back(std::stod(*row[0]));
  REQUIRE(norms.size() > 10);
  std::sort(norms.begin(), norms.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(norms.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    return norms[below] +
           (at - std::floor(at)) * (norms[std::min(below + 1, norms.size() - 1)] - norms[below]);
  };
  std::int64_t kept = 0;
  for (const auto& row : rows) {
    const double norm = std::stod(*row[0]);
    CHECK((*row[1] == "1") == (norm >= quantile(0.25) && norm <= quantile(0.75)));
    kept += *row[1] == "1" ? 1 : 0;
  }
  const Json note = notes(store, 1, "training").at(0);
  CHECK(note.at("labelled_questions") == kept);
  CHECK(note.at("left_out") == std::ssize(rows) - kept);
  REQUIRE(summary.trainings.size() == 1);
  CHECK_THAT(summary.trainings[0],
             ContainsSubstring(fmt::format("{} more left out", std::ssize(rows) - kept)));
  CHECK_THAT(summary.trainings[0], ContainsSubstring(" weights ("));
  run_study(study, store);
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'selection'") == 1);
  // Another selection is another training.
  run_study(mini.bind(quick_overrides({"axes.domain=[elements]", "limit=4", "sft.selection.kind=quantile"})),
            store);
  CHECK(count_of(store, "SELECT count(DISTINCT key) FROM training_run") == 2);
  CHECK_THROWS_WITH(mini.bind(quick_overrides({"sft.selection.kind=band", "sft.selection.lower=0.9"})),
                    ContainsSubstring("must be below"));
}

TEST_CASE("A study that selects and traces nothing keeps the hash that it had before", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind(quick_overrides({}));
  StudyConfig earlier = study;
  for (const char* key : {"trainer", "command", "answers", "selection", "drift"})
    earlier.tree["sft"].erase(key);
  CHECK(earlier.hash() == study.hash());
  CHECK(mini.bind(quick_overrides({"sft.answers=traces"})).hash() != study.hash());
  CHECK(mini.bind(quick_overrides({"sft.selection.kind=band"})).hash() != study.hash());
}

TEST_CASE("A model's own right traces are learned, and no others", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study =
      mini.bind(quick_overrides({"axes.model=[demo_specialised]", "axes.benchmark=[demo_sums]",
                                 "split.discovery=24", "limit=2", "sft.answers=traces", "seed.discovery=3"}));
  store::Store store = mini.open("study.db");
  const RunSummary summary = run_study(study, store);
  CHECK(summary.cells_failed == 0);
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(mini.folder / "training"))
    if (entry.path().extension() == ".jsonl") file = entry.path();
  const auto tokenizer = text::Tokenizer::load(testing::source_dir() / "data/demo/tokenizer.json");
  std::map<std::string, int> answers;
  for (const std::string& line : read_lines(testing::source_dir() / "data/demo/questions/sums.jsonl")) {
    const Json question = parse_json(line, "question");
    answers[question.at("id")] = question.at("answer");
  }
  std::int64_t right = 0;
  const auto lines = read_lines(file);
  for (const std::string& line : lines) {
    const Json trace = parse_json(line, "trace");
    const std::string text = tokenizer.decode(trace.at("tokens").get<std::vector<std::int32_t>>());
    CAPTURE(text);
    const std::size_t box = text.rfind("\\boxed{");
    const int boxed = box == std::string::npos ? -1 : std::atoi(text.c_str() + box + 7);  // "00" is 0
    CHECK(trace.at("right").get<bool>() == (boxed == answers.at(trace.at("question"))));
    right += trace.at("right").get<bool>() ? 1 : 0;
  }
  CHECK(right > 0);
  CHECK(right < std::ssize(lines));
  const Json note = notes(store, 1, "training").at(0);
  CHECK(note.at("labelled_questions") == right);
  CHECK(note.at("asked_questions") == std::ssize(lines));
  CHECK_THAT(summary.trainings.at(0), ContainsSubstring("without a right trace"));
}

TEST_CASE("Traces that are never right, or never written, are an error that says so", "[experiments]") {
  const WrittenStudy written;
  store::Store store = written.open("study.db");
  run_study(written.sums({"axes.method=[original,sft]", "sft.answers=traces"}), store);
  CHECK_THAT(failure_of(store), ContainsSubstring("none of the model's own answers to"));
  store::Store other = written.open("other.db");
  run_study(written.bind(quick_overrides({"axes.domain=[elements]", "limit=2", "sft.answers=traces"})),
            other);
  CHECK_THAT(failure_of(other), ContainsSubstring("are scored, not written"));
}

TEST_CASE("With the protocol holdout the tuning questions stop training and are not reported on",
          "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind(
      quick_overrides({"axes.domain=[elements]", "protocol=holdout", "split.tuning=15", "sft.steps=40",
                       "sft.evaluate_every=2", "sft.patience=2", "sft.learning_rate=0.3", "sft.warmup=0"}));
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  const std::int64_t steps = count_of(store, "SELECT count(*) FROM training_step");
  CHECK(steps < 40);
  CHECK(count_of(store,
                 "SELECT count(*) FROM training_step WHERE json_extract(evaluation, '$.tuning_loss') > 0") ==
        steps / 2);
  const Json note = notes(store, 1, "training").at(0);
  const auto roles = [&](const std::string& wanted) {
    return count_of(
        store,
        "SELECT count(DISTINCT x.question) FROM split AS x JOIN question AS q ON q.id = x.question "
        "WHERE q.domain = 'elements' AND x.role IN (" +
            wanted + ")");
  };
  CHECK(note.at("labelled_questions") == roles("'discovery', 'tuning'"));
  CHECK(count_of(store, "SELECT n FROM comparison WHERE method = 'sft'") == roles("'test'"));
}

TEST_CASE("Drift is the paired difference of refusals, and is measured once", "[experiments]") {
  const std::vector<RefusalProbe> probes = {
      {"a", "x", "?"}, {"b", "x", "?"}, {"c", "y", "?"}, {"d", "y", "?"}};
  const Json figures = drift_figures(probes, {1, 1, 1, 0}, {0, 0, 1, 0});
  CHECK(figures.at("refused_before") == 0.75);
  CHECK(figures.at("refused_after") == 0.25);
  CHECK(figures.at("drift") == -0.5);
  CHECK(figures.at("p") == 0.5);  // two discordant pairs, both one way: 2 * (1/2)^2
  CHECK(figures.at("drift_lo") < -0.5);
  CHECK(figures.at("drift_hi") > -0.5);

  const MiniStudy mini;
  const std::string file = (testing::source_dir() / "data/probes/refusal.jsonl").string();
  const StudyConfig study =
      mini.bind(quick_overrides({"limit=2", "sft.drift.probes=" + file, "sft.drift.max_new_tokens=3"}));
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  run_study(study, store);
  const auto drifts = notes(store, 1, "drift");
  REQUIRE(drifts.size() == 2);  // one for each domain
  CHECK(drifts[0].at("probes") == 48);
  CHECK(drifts[0].at("refused_before") == 0);  // a random model says nothing
  mini.write("bad.jsonl", "{\"id\": \"a\"}\n");
  CHECK_THROWS_WITH(read_probes(mini.folder / "bad.jsonl"), ContainsSubstring("bad.jsonl:1"));
}

}  // namespace moelab::experiments
