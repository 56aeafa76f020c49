// Gains split into their parts and metrics over repeats, from written samples whose every figure is worked
// out by hand.
#include "core/base/json.h"
#include "experiments/analyse.h"
#include "experiments/statistics/repeats.h"
#include "experiments/tables.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

constexpr const char* kJudge = "aime/exact";

// A study of three questions with two samples each. One letter a sample: r right, w wrong, u without an
// answer, and R, W, U the same in a text that was cut off; the answers are "7" where right, "3" where wrong.
struct TwoSamples {
  TwoSamples() {
    const Json benchmark = {{"name", "sums"}, {"prompt", "worked"}, {"generation", {{"repeats", 2}}}};
    const Json config = {{"evaluator", kJudge},
                         {"options", {{"benchmark", Json::array({benchmark})}, {"model", Json::array()}}}};
    store::StudyRow row;
    row.name = "written";
    row.config = config.dump();
    row.protocol = "paper";
    study = store.put_study(row);
    store::ModelRow model_row;
    model_row.digest = model_row.name = "m";
    model = store.put_model(model_row);
    std::vector<store::SplitRow> splits;
    for (int i = 0; i < 3; ++i) {
      store::QuestionRow question;
      question.set_name = "sums";
      question.name = question.group_id = question.text_digest = fmt::format("q{}", i);
      question.domain = "d";
      question.gold = "7";
      questions.push_back(store.put_questions({&question, 1}).front());
      splits.push_back({questions.back(), 0, "test", -1});
    }
    store.put_splits(study, splits);
  }

  void add_cell(const std::string& method, const std::string& samples) {
    store::CellRow cell;
    cell.key = method;
    cell.condition = "c";
    cell.model = model;
    cell.benchmark = "sums";
    cell.domain = "d";
    cell.method = method;
    cell.mode = "logit_shift";
    cell.n_steered = method == "original" ? 0 : 2;
    cell.steered_domain = method == "original" ? "" : "d";
    cell.status = "done";
    const store::Id id = store.put_cell(cell);
    store.add_to_study(study, id, method == "original" ? "original" : "grid");
    for (std::size_t i = 0; i < samples.size(); ++i) add_sample(id, i, samples[i]);
  }

  void add_sample(store::Id cell, std::size_t at, char kind) {
    const char small = static_cast<char>(kind | 0x20);
    store::SampleRow sample;
    sample.cell = cell;
    sample.question = questions[at / 2];
    sample.repeat = static_cast<int>(at % 2);
    sample.key = fmt::format("{} {}", cell, at);
    sample.output = "text";
    sample.stop = small == kind ? "eos" : "length";
    sample.truncated = small != kind;
    sample.n_think = static_cast<std::int64_t>(10 * at);
    sample.n_answer = 5;
    store::VerdictRow verdict;
    verdict.evaluator = kJudge;
    if (small != 'u') verdict.answer = small == 'r' ? "7" : "3";
    verdict.rule = small == 'u' ? "none" : "boxed";
    verdict.correct = small == 'r';
    store.put_sample(sample, {&verdict, 1});
  }

  TableRequest request() const {
    TableRequest wanted;
    wanted.study = study;
    return wanted;
  }

  testing::ScratchDir folder;
  store::Store store = store::Store::open(folder / "study.db", store::Mode::read_write_create);
  store::Id study = 0, model = 0;
  std::vector<store::Id> questions;
};

}  // namespace

TEST_CASE("A written gain is split exactly into format, truncation and content", "[experiments]") {
  TwoSamples made;
  // Question by question:  w>r content+, r>r   | u>r format+, W>r truncation+ | r>W truncation-, r>u format-.
  made.add_cell("original", "wruWrr");
  made.add_cell("ours", "rrrrWu");
  analyse_study(made.store, made.study);
  const std::vector<store::ComparisonRow> rows = made.store.comparisons(made.study);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].gain == Approx(1.0 / 6).epsilon(1e-12));
  const Json parts = parse_json(rows[0].settings, "settings").at("gain_parts");
  CHECK(parts == Json::parse(R"({"content": [1, 0], "format": [1, 1], "n": 6, "truncation": [1, 1]})"));
  const std::string csv = render(decomposition_table(made.store, made.request(), true), TableFormat::csv);
  CHECK(csv ==
        "model,benchmark,domain,method,evaluator,question_repeats,gain,net,format_gained,format_lost,"
        "truncation_gained,truncation_lost,content_gained,content_lost\n"
        "m,sums,d,ours,aime/exact,6,0.166667,1,1,1,1,1,1,0\n");
  const std::string text = render(decomposition_table(made.store, made.request(), false), TableFormat::text);
  CHECK_THAT(text, ContainsSubstring("+16.7") && ContainsSubstring("+0.0 (+1 / -1)") &&
                       ContainsSubstring("+16.7 (+1 / -0)"));
}

TEST_CASE("Repeats give clustered intervals and a bootstrap of the gain", "[experiments]") {
  TwoSamples made;
  made.add_cell("original", "wruWrr");
  made.add_cell("ours", "rrrrWu");
  analyse_study(made.store, made.study);
  const Json settings = parse_json(made.store.comparisons(made.study).front().settings, "settings");
  // Right samples a question: 1, 0, 2 of the original and 2, 2, 0 of ours; both have the mean share and
  // spread of their questions, whose interval tests/statistics holds against statsmodels.
  const std::vector<std::uint8_t> before{1, 0, 2}, after{2, 2, 0};
  const auto original = statistics::clustered_mean(statistics::count_right(before, 2)).interval;
  const auto ours = statistics::clustered_mean(statistics::count_right(after, 2)).interval;
  CHECK(settings.at("lo_original").get<double>() == original.lo);
  CHECK(settings.at("hi_original").get<double>() == original.hi);
  CHECK(settings.at("hi_accuracy").get<double>() == ours.hi);
  // Changes +1, +2, -2 of two samples: the smallest mean of three draws is -1, the largest +1.
  CHECK(settings.at("gain_bootstrap").at(0).get<double>() == Approx(-1));
  CHECK(settings.at("gain_bootstrap").at(1).get<double>() == Approx(1));
  CHECK(settings.at("evaluator_versions").at(kJudge) == 1);
}

TEST_CASE("The metrics table has pass@k, maj@k and how the samples ended", "[experiments]") {
  TwoSamples made;
  made.add_cell("original", "wruWrr");
  made.add_cell("ours", "rrrrWu");
  analyse_study(made.store, made.study);
  const TextTable table = metrics_table(made.store, {made.request(), {1, 2}}, true);
  const auto value = [&](std::size_t row, const std::string& name) {
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      if (table.columns[c].name == name) return table.rows.at(row).cells.at(c);
    return std::string("no such column");
  };
  REQUIRE(table.rows.size() == 4);
  CHECK(value(0, "method") == "original");
  CHECK(value(0, "accuracy") == "0.5");
  CHECK(value(0, "pass_at_k") == "0.5");  // k = 1 is the accuracy
  CHECK(value(0, "maj_at_k") == "0.5");
  // k = 2: q0 has one right of two (a tie: one half), q1 none (its only answer is wrong), q2 both.
  CHECK(value(1, "k") == "2");
  CHECK(value(1, "pass_at_k") == number_text(2.0 / 3));
  CHECK(value(1, "maj_at_k") == "0.5");
  CHECK(value(1, "truncated") == number_text(1.0 / 6));
  CHECK(value(1, "no_answer") == number_text(1.0 / 6));
  CHECK(value(1, "thinking_mean") == "25");  // 0, 10, ... 50
  CHECK(value(1, "thinking_median") == "25");
  CHECK(value(1, "answer_mean") == "5");
  CHECK(value(3, "method") == "ours");
  CHECK(value(3, "pass_at_k") == number_text(2.0 / 3));
  const std::string text = render(metrics_table(made.store, {made.request(), {}}, false), TableFormat::text);
  CHECK_THAT(
      text, ContainsSubstring("pass@2") && ContainsSubstring("maj@2") && ContainsSubstring("2 samples each"));
  CHECK_THAT(text, ContainsSubstring("gain [bootstrap]") && ContainsSubstring("+16.7 [-100.0, +100.0]"));
  CHECK_THROWS_WITH(metrics_table(made.store, {made.request(), {3}}, true), ContainsSubstring("k=3"));
}

TEST_CASE("A small part of GPQA has counts in place of percentages", "[experiments]") {
  TwoSamples made;
  made.add_cell("original", "wruWrr");
  made.add_cell("ours", "rrrrWu");
  analyse_study(made.store, made.study);
  made.store.database().run("UPDATE question SET name = 'gpqa-' || name");
  const auto text = [&](const TextTable& table) { return render(table, TableFormat::text); };
  for (const std::string& shown : {text(metrics_table(made.store, {made.request(), {}}, false)),
                                   text(thinking_table(made.store, made.request(), false)),
                                   text(methods_table(made.store, made.request(), false))})
    CHECK_THAT(shown, ContainsSubstring("3 of 6") && ContainsSubstring("4 of 6"));
}

TEST_CASE("Verdicts of another evaluator give comparisons of their own", "[experiments]") {
  TwoSamples made;
  made.add_cell("original", "wruWrr");
  made.add_cell("ours", "rrrrWu");
  std::vector<store::VerdictRow> rows;
  for (const store::Id cell : {1, 2})
    for (const store::SampleRow& sample : made.store.samples(cell))
      rows.push_back({sample.id, "aime/lenient", 2, "7", "last_integer", cell == 2, false});
  made.store.put_verdicts(rows);
  analyse_study(made.store, made.study);
  TableRequest request = made.request();
  request.evaluator = "aime/lenient";
  const std::vector<MethodRow> lines = method_rows(made.store, request);
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].gain == 1);
  request.evaluator = kJudge;
  CHECK(method_rows(made.store, request)[1].gain == Approx(1.0 / 6));
  for (const store::ComparisonRow& row : made.store.comparisons(made.study))
    if (row.evaluator == "aime/lenient")
      CHECK(parse_json(row.settings, "s").at("evaluator_versions").at("aime/lenient") == 2);
}

}  // namespace moelab::experiments
