// Prompts that ask again behind the first reply, against both calls made by hand with transformers.
#include <atomic>

#include "core/engine/generate.h"
#include "experiments/rescore.h"
#include "experiments/written_sample.h"
#include "tests/experiments/broken_model.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::MiniStudy;
using testing::Rows;

// tests/reference/cli/make_two_calls.py
Json two_calls() { return read_json(testing::data_dir() / "cli/two_calls.json"); }

// The reference's questions for the bundled model, with its plan as a file of experts.
struct TwoCalls : MiniStudy {
  TwoCalls() {
    std::string rows =
        "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,High-level "
        "domain,Subdomain,Record ID\n";
    const Json reference = two_calls();
    for (const Json& each : reference.at("cases"))
      rows += fmt::format("{},{},{},{},{},Physics,General,r{}\n", each.at("question").get<std::string>(),
                          each.at("correct").get<std::string>(), each.at("others")[0].get<std::string>(),
                          each.at("others")[1].get<std::string>(), each.at("others")[2].get<std::string>(),
                          rows_++);
    write("short.csv", rows);
    write("plan.csv", "layer,expert\n0,5\n1,9\n3,0\n");
    write("configs/benchmark/twice.yaml",
          "files: [" + (folder / "short.csv").string() +
              "]\nprompt: gpqa/official_cot\ndomain_by: all\ngeneration: {max_new_tokens: 24}\n");
  }

  StudyConfig study(std::vector<std::string> more = {}) const {
    std::vector<std::string> overrides = {"axes.model=[demo_mixed]",
                                          "axes.benchmark=[twice]",
                                          "axes.method=[original,file]",
                                          "axes.n_steered=[3]",
                                          "axes.alpha=[30]",
                                          "protocol=paper",
                                          "nulls.aa=false",
                                          "nulls.draws=0",
                                          "split.discovery=0",
                                          "plan=" + (folder / "plan.csv").string()};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return bind(overrides);
  }

 private:
  int rows_ = 0;
};

Rows samples_of(store::Store& store) {
  return store
      .query(
          "SELECT c.method, j.name, s.output, s.reply_at, j.reply, s.n_think + s.n_answer, s.stop, "
          "s.truncated, "
          "j.gold, j.evaluator, s.prompt_tokens FROM judged_sample AS j JOIN sample AS s ON s.id = j.sample "
          "JOIN "
          "cell AS c ON c.id = s.cell ORDER BY c.method = 'original' DESC, j.name")
      .rows;
}

}  // namespace

TEST_CASE("Both replies are those of transformers asked twice by hand, with and without a plan",
          "[experiments]") {
  const TwoCalls made;
  store::Store store = made.open("study.db");
  const RunSummary summary = run_study(made.study(), store);
  CHECK(summary.cells_failed == 0);
  const Json reference = two_calls();
  const std::string ask = reference.at("asked_then");
  const Rows rows = samples_of(store);
  REQUIRE(rows.size() == 8);
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const Json& each = reference.at("cases")[i % 4];
    const Json& calls = each.at(i < 4 ? "original" : "steered");
    const std::string first = calls.at("first"), second = calls.at("second");
    INFO(*rows[i][0] << " " << *rows[i][1]);
    CHECK(rows[i][2] == first + ask + second);
    CHECK(rows[i][3] == std::to_string((first + ask).size()));
    CHECK(rows[i][4] == second);
    CHECK(rows[i][5] == std::to_string(calls.at("tokens").get<int>()));
    CHECK(rows[i][6] == calls.at("stop").get<std::string>());
    CHECK(rows[i][7] == (calls.at("cut_off").get<bool>() ? "1" : "0"));
    CHECK(rows[i][8] == each.at("gold").get<std::string>());
    CHECK(rows[i][9] == "gpqa/official");
    // Every row that ended by itself read both prompts and wrote both replies with their end tokens.
    if (i < 4)
      tokens += std::stoll(*rows[i][10]) + calls.at("second_prompt_tokens").get<std::int64_t>() +
                calls.at("tokens").get<std::int64_t>() + 2;
  }
  CHECK(count_of(store, "SELECT tokens FROM cell WHERE method = 'original'") == tokens);
  CHECK(count_of(store,
                 "SELECT count(*) FROM effect_stat AS e JOIN cell AS c ON c.id = e.cell WHERE c.method = "
                 "'file' AND e.changed > 0") > 0);
  CHECK(run_study(made.study(), store).samples_new == 0);
  // The judged text is the second reply alone.
  RescoreRequest request;
  request.evaluator = &evaluators::find_evaluator("gpqa/official");
  CHECK(rescore(store, request).added == 0);
}

TEST_CASE("A run of two calls that was interrupted goes on to the same samples", "[experiments]") {
  const TwoCalls made;
  store::Store whole = made.open("whole.db"), parts = made.open("parts.db");
  const StudyConfig study = made.study({"engine.batch_tokens=300"});
  run_study(study, whole);
  int interruptions = 0;
  for (; interruptions < 20; ++interruptions) {
    std::atomic<bool> stop = false;
    RunHooks hooks;
    hooks.interrupt = &stop;
    hooks.progress = [&](const RunProgress& progress) { stop = progress.samples_done > 0; };
    try {
      run_study(study, parts, hooks);
      break;
    } catch (const Interrupted&) {
    }
  }
  CHECK(interruptions >= 2);
  CHECK((samples_of(parts) == samples_of(whole)));
  CHECK(count_of(parts, "SELECT sum(rows) FROM effect_stat") ==
        count_of(whole, "SELECT sum(rows) FROM effect_stat"));
}

TEST_CASE("A plan that fails in its second call keeps no half of a sample", "[experiments]") {
  const TwoCalls made;
  // "Based on the above": no first prompt has that token.
  const auto broken = text::Tokenizer::load(testing::source_dir() / "data/demo/tokenizer.json").encode(" on");
  REQUIRE(broken.size() == 1);
  testing::write_model_without(made.folder / "broken", broken.front());
  made.write("configs/model/broken.yaml", "name: broken\npath: " + (made.folder / "broken").string() + "\n");
  store::Store store = made.open("study.db");
  const RunSummary summary = run_study(
      made.study({"axes.model=[broken]", "axes.method=[original]", "engine.check_weights=false"}), store);
  CHECK(summary.cells_failed == 1);
  CHECK(count_of(store, "SELECT count(*) FROM sample") == 0);
  CHECK(count_of(store, "SELECT count(*) FROM effect_stat") == 0);
  CHECK(count_of(store, "SELECT error LIKE '%(asked again)%' FROM cell") == 1);
}

TEST_CASE("A second call that does not fit the context counts as cut off", "[experiments]") {
  const TwoCalls made;
  testing::write_tiny_model(made.folder / "narrow");
  Json config = read_json(made.folder / "narrow/config.json");
  config["max_position_embeddings"] = 100;  // room for every first prompt and reply, for no second prompt
  write_atomic(made.folder / "narrow/config.json", config.dump());
  made.write("configs/model/narrow.yaml", "name: narrow\npath: " + (made.folder / "narrow").string() + "\n");
  store::Store store = made.open("study.db");
  CHECK(run_study(made.study({"axes.model=[narrow]", "axes.method=[original]"}), store).cells_failed == 0);
  CHECK(count_of(
            store,
            "SELECT count(*) FROM judged_sample AS j JOIN sample AS s ON s.id = j.sample WHERE s.truncated "
            "AND s.stop = 'context' AND j.reply = '' AND NOT j.correct") == 4);
}

TEST_CASE("Of two replies the second is judged, and both are counted", "[experiments]") {
  const auto tokenizer = text::Tokenizer::load(testing::source_dir() / "data/demo/tokenizer.json");
  GenerationConfig config;
  config.thinking = "think";
  const AnswerReader reader(tokenizer, PromptStyle::published, config, {}, {"gpqa/official"});
  ScoredQuestion question;
  question.expected = {"B", {"one", "two", "three", "four"}};
  engine::Generation first;
  first.tokens = tokenizer.encode("<think>\nno\n</think>\nThe correct answer is (A).");
  first.reason = engine::StopReason::length;
  CHECK(reader.reply(question, first) == "\nThe correct answer is (A).");
  SecondCall second;
  second.follow_up = "\n\nSure?";
  second.made.tokens = tokenizer.encode("<think>\nhm\n</think>\nThe correct answer is (B).");
  second.made.reason = engine::StopReason::stop_id;
  const WrittenSample sample = reader.read(question, first, second);
  CHECK(sample.verdict.answer == "B");
  CHECK(sample.verdict.correct);
  const std::string before = "<think>\nno\n</think>\nThe correct answer is (A).\n\nSure?";
  CHECK(sample.row.output == before + "<think>\nhm\n</think>\nThe correct answer is (B).");
  CHECK(sample.row.reply_at == std::ssize(before));
  CHECK(sample.row.n_think ==
        std::ssize(tokenizer.encode("\nno\n")) + std::ssize(tokenizer.encode("\nhm\n")));
  CHECK(sample.row.closed);
  CHECK(sample.row.truncated);  // the first reply
  CHECK(sample.row.stop == "stop_id");
  // The same answer is found again in the stored text.
  CHECK(stored_answer(sample.row, {"think", {}}) == "\nThe correct answer is (B).");
}

}  // namespace moelab::experiments
