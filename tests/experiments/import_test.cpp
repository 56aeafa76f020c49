// Logs that lm-evaluation-harness and inspect_ai wrote (tests/reference/imports), against what the tools
// reported.
#include "core/base/files.h"
#include "core/base/json.h"
#include "experiments/import_runs.h"
#include "experiments/study_results.h"
#include "experiments/tables.h"
#include "tests/store/fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

std::filesystem::path import_file(const std::string& name) { return data_dir() / "imports" / name; }

std::filesystem::path log_of(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(import_file(folder)))
    if (entry.path().extension() == ".jsonl") return entry.path();
  throw Error("no log in {}", folder);
}

Json expected_figures() { return read_json(import_file("expected.json")); }

double accuracy_of(Scratch& scratch, const std::string& evaluator, const std::string& method) {
  return std::stod(scratch.value(
      "SELECT avg(v.correct) FROM cell AS c JOIN sample AS s ON s.cell = c.id JOIN verdict AS v "
      "ON v.sample = s.id WHERE v.evaluator = '" +
      evaluator + "' AND c.method = '" + method + "'"));
}

ImportRequest model_request(const std::string& model) {
  ImportRequest request;
  request.model = model;
  return request;
}

ImportSummary import_choices(Scratch& scratch, const std::string& method) {
  ImportRequest request;
  request.study = "colours";
  request.model = "list";
  request.method = method;
  request.thinking = "think";
  return import_run(scratch.store, read_lm_eval(log_of(method)), request);
}

}  // namespace

TEST_CASE("An lm-eval log gives the harness's accuracies by filter, and our evaluators agree",
          "[experiments]") {
  Scratch scratch;
  const ImportSummary summary = import_choices(scratch, "original");
  CHECK(summary.questions == 6);
  CHECK(summary.cells == 2);  // two high-level domains
  CHECK(summary.samples == 6);
  CHECK(summary.has_original);
  import_choices(scratch, "steered");
  const Json expected = expected_figures();
  for (const char* method : {"original", "steered"}) {
    const double strict = expected.at(method).at("strict-match");
    const double flexible = expected.at(method).at("flexible-extract");
    INFO(method);
    CHECK(accuracy_of(scratch, "lm-eval/strict-match/exact_match", method) == Approx(strict).epsilon(1e-12));
    CHECK(accuracy_of(scratch, "lm-eval/flexible-extract/exact_match", method) ==
          Approx(flexible).epsilon(1e-12));
    // The harness got the thinking too, which holds no other option; ours judge without it.
    CHECK(accuracy_of(scratch, "gpqa/lm_eval_strict", method) == Approx(strict).epsilon(1e-12));
    CHECK(accuracy_of(scratch, "gpqa/lm_eval_flexible", method) == Approx(flexible).epsilon(1e-12));
  }
}

TEST_CASE("An imported steered run is compared with the imported original", "[experiments]") {
  Scratch scratch;
  import_choices(scratch, "original");
  const store::Id study = import_choices(scratch, "steered").study;
  TableRequest request;
  request.study = study;
  request.evaluator = "lm-eval/flexible-extract/exact_match";
  double gain = 0, n = 0;
  for (const MethodRow& row : method_rows(scratch.store, request)) {
    if (row.method != "steered") continue;
    gain += row.gain * static_cast<double>(row.n);
    n += static_cast<double>(row.n);
  }
  const Json expected = expected_figures();
  const double wanted = expected.at("steered").at("flexible-extract").get<double>() -
                        expected.at("original").at("flexible-extract").get<double>();
  REQUIRE(n == 6);
  CHECK(gain / n == Approx(wanted).margin(1e-12));
  const TextTable parts = decomposition_table(scratch.store, request, false);
  CHECK_FALSE(parts.rows.empty());
}

TEST_CASE("Importing the same log again adds nothing", "[experiments]") {
  Scratch scratch;
  import_choices(scratch, "original");
  const std::string counts =
      "SELECT (SELECT count(*) FROM sample) || ' ' || (SELECT count(*) FROM verdict) || ' ' || "
      "(SELECT count(*) FROM cell) || ' ' || (SELECT count(*) FROM question)";
  const std::string before = scratch.value(counts);
  import_choices(scratch, "original");
  CHECK(scratch.value(counts) == before);
}

TEST_CASE("Numbers of a worked solution are judged by the task's evaluators", "[experiments]") {
  Scratch scratch;
  const ImportSummary summary =
      import_run(scratch.store, read_lm_eval(log_of("sums")), model_request("list"));
  CHECK(summary.study_name == "lm-eval-gsm8k_mini");
  CHECK(summary.evaluators == std::vector<std::string>{"gsm8k/lm_eval_flexible", "gsm8k/lm_eval_strict"});
  const double strict = expected_figures().at("sums").at("strict-match");
  CHECK(accuracy_of(scratch, "lm-eval/strict-match/exact_match", "original") ==
        Approx(strict).epsilon(1e-12));
  CHECK(accuracy_of(scratch, "gsm8k/lm_eval_strict", "original") == Approx(strict).epsilon(1e-12));
  CHECK(scratch.value("SELECT group_concat(gold, ' ') FROM (SELECT gold FROM question ORDER BY name)") ==
        "0 2 4 6");
}

TEST_CASE("An inspect_ai log gives every epoch with its score, stop reason and tokens", "[experiments]") {
  Scratch scratch;
  const ImportedRun run = read_inspect(import_file("colours.json"));
  CHECK(run.task == "colours");
  CHECK(run.is_complete);
  ImportRequest request;
  request.evaluators = {"choice/inspect"};
  const ImportSummary summary = import_run(scratch.store, run, request);
  CHECK(summary.questions == 6);
  CHECK(summary.repeats == 2);
  CHECK(summary.samples == 12);
  const double accuracy = expected_figures().at("inspect").at("accuracy");
  CHECK(accuracy_of(scratch, "inspect/choice", "original") == Approx(accuracy).epsilon(1e-12));
  CHECK(accuracy_of(scratch, "choice/inspect", "original") == Approx(accuracy).epsilon(1e-12));
  CHECK(scratch.value("SELECT sum(truncated) FROM sample") == "1");
  CHECK(scratch.value("SELECT max(n_think) || ' ' || max(n_answer) FROM sample") == "8 4");
  CHECK(scratch.value("SELECT count(*) FROM sample WHERE output LIKE '%red, so A%'") == "0");
}

TEST_CASE("A log that cannot be imported says what is wrong, and nothing is stored", "[experiments]") {
  Scratch scratch;
  CHECK_THROWS_WITH(read_inspect(import_file("colours.eval")), ContainsSubstring("inspect log convert"));
  const std::string good = read_lines(log_of("original")).front();
  const auto problem = [&](const std::string& text) -> std::string {
    write_atomic(scratch.dir / "samples_gpqa_mini_2026-11-22T10-00-00.jsonl", text);
    try {
      import_run(scratch.store, read_lm_eval(scratch.dir / "samples_gpqa_mini_2026-11-22T10-00-00.jsonl"),
                 model_request("m"));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK_THAT(problem(good + "\n{\"doc_id\": 1"), ContainsSubstring("row 2"));
  CHECK_THAT(problem("{\"doc_id\": 1}"), ContainsSubstring("'doc' is missing; the row has doc_id"));
  Json row = Json::parse(good);
  row["target"] = "(E)";
  CHECK_THAT(problem(row.dump()), ContainsSubstring("'E' is none of the 4 options"));
  row = Json::parse(good);
  row["resps"] = Json::array({Json::array({Json::array({-1.5, false})})});
  CHECK_THAT(problem(row.dump()), ContainsSubstring("generate_until"));
  row = Json::parse(good);
  row["resps"] = Json::array({Json::array({"another reply"})});
  CHECK_THAT(problem(good + "\n" + row.dump()), ContainsSubstring("another reply or question"));
  CHECK_THAT(problem(""), ContainsSubstring("no samples"));
  CHECK(scratch.value("SELECT count(*) FROM sample") == "0");
}

TEST_CASE("A study takes more runs of its own task only", "[experiments]") {
  Scratch scratch;
  import_choices(scratch, "original");
  ImportRequest request;
  request.study = "colours";
  request.model = "list";
  CHECK_THROWS_WITH(import_run(scratch.store, read_lm_eval(log_of("sums")), request),
                    ContainsSubstring("another study=NAME"));
  request.study = "";
  request.model = "";
  CHECK_THROWS_WITH(import_run(scratch.store, read_lm_eval(log_of("sums")), request),
                    ContainsSubstring("give model=NAME"));
  CHECK(scratch.value("SELECT count(*) FROM study") == "1");
  // A changed reply under the same name is a conflict.
  ImportedRun run = read_lm_eval(log_of("original"));
  run.samples[0].output = "changed";
  request.study = "colours";
  request.model = "list";
  request.thinking = "think";
  CHECK_THROWS_WITH(import_run(scratch.store, run, request), ContainsSubstring("another output"));
}

TEST_CASE("Of several replies a question the tool judged one, so ours compares", "[experiments]") {
  Scratch scratch;
  ImportedRun run = read_lm_eval(log_of("sums"));
  const std::size_t n = run.samples.size();
  for (std::size_t i = 0; i < n; ++i) {
    run.samples.push_back(run.samples[i]);
    run.samples.back().repeat = 1;
    run.samples.back().verdicts.clear();
  }
  ImportRequest request = model_request("list");
  const ImportSummary summary = import_run(scratch.store, run, request);
  CHECK(summary.repeats == 2);
  CHECK(scratch.value("SELECT json_extract(config, '$.evaluator') FROM study") == "gsm8k/lm_eval_flexible");
  request.evaluators = {"gpqa/official"};
  CHECK_THROWS_WITH(import_run(scratch.store, run, request),
                    ContainsSubstring("gpqa/official cannot judge question gsm8k_mini-"));
}

TEST_CASE("Neither text nor options of GPQA are stored", "[experiments]") {
  Scratch scratch;
  import_choices(scratch, "original");
  CHECK(scratch.value("SELECT count(*) FROM question WHERE text = '(this set''s text is not stored)'") ==
        "6");
  CHECK(scratch.value("SELECT count(*) FROM question WHERE options LIKE '%not stored%'") == "6");
}

TEST_CASE("A later, smaller import leaves a cell done, and other thinking makes another cell",
          "[experiments]") {
  Scratch scratch;
  ImportedRun run = read_lm_eval(log_of("sums"));
  const std::string all = std::to_string(run.samples.size());
  import_run(scratch.store, run, model_request("list"));
  run.samples.pop_back();
  run.is_complete = false;
  import_run(scratch.store, run, model_request("list"));
  CHECK(scratch.value("SELECT status || ' ' || n_samples FROM cell") == "done " + all);
  ImportRequest request = model_request("list");
  request.thinking = "think";
  CHECK_THROWS_WITH(import_run(scratch.store, run, request), ContainsSubstring("thinking and number"));
  request.study = "thinking";
  import_run(scratch.store, run, request);
  CHECK(scratch.value("SELECT count(*) FROM cell") == "2");
}
