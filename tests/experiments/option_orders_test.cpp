// Questions whose options stand in an order of their own in each repeat.
#include "experiments/published_questions.h"
#include "experiments/rescore.h"
#include "experiments/shown_options.h"
#include "experiments/study_setup.h"
#include "experiments/written_sample.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::MiniStudy;

// Four short questions: the made-up ones of tests/data/sets do not fit the tiny model's context.
constexpr const char* kRows =
    "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,High-level "
    "domain,Subdomain,Record ID\n"
    "Which metal is Fe?,iron,gold,lead,tin,Chemistry,General,r0\n"
    "What is 47+8?,55,45,54,65,Physics,General,r1\n"
    "Who eats grass?,cows,cats,owls,eels,Biology,General,r2\n"
    "Which gas is He?,helium,argon,neon,xenon,Chemistry,General,r3\n";

struct Orders : MiniStudy {
  Orders() { write("short.csv", kRows); }

  StudyConfig study(std::int64_t repeats) const {
    write(
        "configs/benchmark/orders.yaml",
        "files: [" + (folder / "short.csv").string() +
            "]\nprompt: gpqa/simple_evals\ndomain_by: all\ngeneration: {max_new_tokens: 3, temperature: 0.8, "
            "repeats: " +
            std::to_string(repeats) + "}\n");
    return bind({"axes.benchmark=[orders]", "axes.method=[original]", "protocol=paper", "nulls.aa=false",
                 "split.discovery=0"});
  }
};

// random.Random(0), sample(range(4), 4) drawn eight times by CPython 3.11: twice over the four questions.
// Each shows the options [correct, incorrect 1, 2, 3]; so the right letters are C D C B, then C C C D.
const std::vector<std::string> kGold = {"C", "D", "C", "B", "C", "C", "C", "D"};

}  // namespace

TEST_CASE("Each repeat has the order and the right letter that simple-evals draws for it", "[experiments]") {
  const Orders orders;
  const Benchmark benchmark = load_benchmark(orders.study(4).benchmarks.at(0));
  CHECK(template_of(benchmark) == "gpqa/simple_evals/2");
  const auto& questions = benchmark.domain("orders");
  REQUIRE(questions.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(questions[i].again.size() == 3);
    for (std::size_t repeat = 0; repeat < 2; ++repeat) {
      const Question put = in_repeat(questions[i], repeat);
      CHECK(question_row(put, "orders").gold == kGold[4 * repeat + i]);
      CHECK_THAT(render_prompt(put, PromptStyle::published).prompt,
                 ContainsSubstring(kGold[4 * repeat + i] + ") " + put.right_text));
    }
    CHECK_FALSE(option_order(questions[i], 0));
  }
  // One repeat fewer changes none of the others.
  const Benchmark fewer = load_benchmark(orders.study(3).benchmarks.at(0));
  CHECK(in_repeat(fewer.domain("orders")[2], 2).options == in_repeat(questions[2], 2).options);
}

TEST_CASE("Samples are judged by the right letter of their own repeat", "[experiments]") {
  const Orders orders;
  store::Store store = orders.open("study.db");
  REQUIRE(run_study(orders.study(1), store).cells_failed == 0);
  REQUIRE(count_of(store, "SELECT count(*) FROM sample") == 4);
  REQUIRE(run_study(orders.study(2), store).samples_new == 4);  // further repeats only add
  CHECK(count_of(store, "SELECT count(*) FROM cell") == 1);
  std::string gold;
  for (const auto& row : store.query("SELECT gold FROM judged_sample ORDER BY repeat, name").rows)
    gold += *row[0];
  std::string expected;
  for (const std::string& letter : kGold) expected += letter;
  CHECK(gold == expected);  // the names end in r0 to r3
  // What a model may have written, judged anew from what is stored.
  store.database().run("UPDATE sample SET output = 'Answer: C', closed = 1, truncated = 0, stop = 'eos'");
  store.database().run("DELETE FROM verdict");
  RescoreRequest request;
  request.evaluator = &evaluators::find_evaluator("gpqa/simple_evals");
  CHECK(rescore(store, request).added == 8);
  std::string right;
  for (const auto& row : store.query("SELECT correct FROM judged_sample ORDER BY repeat, name").rows)
    right += *row[0];
  CHECK(right == "10101110");
}

TEST_CASE("A sample is judged at once by the right letter of its repeat", "[experiments]") {
  const Orders orders;
  const StudyConfig study = orders.study(2);
  store::Store store = orders.open("study.db");
  const PreparedStudy prepared = prepare_study(study, store);
  const auto tokenizer = text::Tokenizer::load(orders.folder / "tiny/tokenizer.json");
  const auto questions =
      scored_questions(prepared.benchmarks.at(0), "orders", {tokenizer, orders.folder / "tiny"});
  const AnswerReader reader(tokenizer, PromptStyle::published, study.benchmarks.at(0).generation, {},
                            {"gpqa/simple_evals"});
  engine::Generation made;
  made.tokens = tokenizer.encode("It is clear. Answer: C");
  std::string right, orders_seen;
  for (const ScoredQuestion& question : questions)
    for (const int repeat : {0, 1}) {
      const WrittenSample sample = reader.read(question.in_repeat(repeat), made);
      right += sample.verdict.correct ? '1' : '0';
      orders_seen += sample.row.option_order ? 'x' : '-';
    }
  CHECK(right == "11011100");  // C is wrong in the first repeat of r1, and right in its second
  CHECK(orders_seen.find("x") != std::string::npos);
  CHECK(questions[0].in_repeat(1).key != questions[0].key);
  CHECK(longest_prompt(questions) >= std::ssize(questions[0].in_repeat(1).item.prompt));
}

TEST_CASE("Options and answers are read in a sample's order", "[experiments]") {
  store::QuestionRow question;
  question.name = "q";
  question.options = {"one", "two", "three", "four"};
  question.gold = "B";
  CHECK(as_shown(question, std::nullopt).gold == "B");
  // Shown A is the third, B the first, C the fourth, D the second, which is right.
  const store::QuestionRow shown = as_shown(question, "CADB");
  CHECK(shown.options == std::vector<std::string>{"three", "one", "four", "two"});
  CHECK(shown.gold == "D");
  CHECK(own_answer("D", "CADB") == "B");
  CHECK(own_answer("(A)", "CADB") == "C");
  CHECK(own_answer("E", "CADB") == "E");
  CHECK(own_answer("two", "CADB") == "two");
  CHECK(own_answer("D", std::nullopt) == "D");
  CHECK(own_answer("(A)", std::nullopt) == "A");
  // Small letters are answers of their own, which evaluators that keep them judge wrong.
  CHECK(own_answer("d", "CADB") == "b");
  CHECK(own_answer("(a)", "CADB") == "c");
  CHECK(own_answer("d", std::nullopt) == "d");
  CHECK(own_answer("7", "CADB") == "7");
  CHECK(own_answer("(7)", std::nullopt) == "(7)");
  CHECK_THROWS_WITH(as_shown(question, "CAD"), ContainsSubstring("'CAD'") && ContainsSubstring("4 options"));
  CHECK_THROWS_WITH(as_shown(question, "CAXB"), ContainsSubstring("not there"));
}

TEST_CASE("An order of equal options names each once, and the right one as the right one", "[experiments]") {
  Question question;
  question.name = "q";
  question.options = {"cows", "cows", "owls"};
  question.answer = 1;
  question.again.resize(2);
  question.again[0].shown = {{"owls", "cows", "cows"}, 1};
  question.again[1].shown = {{"owls", "cows", "cows"}, 2};
  CHECK_FALSE(option_order(question, 0));
  const store::QuestionRow row = question_row(question, "equal");
  CHECK(option_order(question, 1) == "CBA");
  CHECK(as_shown(row, option_order(question, 1)).gold == "B");
  CHECK(option_order(question, 2) == "CAB");
  CHECK(as_shown(row, option_order(question, 2)).gold == "C");
  question.again[1].shown.options[0] = "eels";
  CHECK_THROWS_WITH(option_order(question, 2),
                    ContainsSubstring("question q") && ContainsSubstring("'eels'"));
}

}  // namespace moelab::experiments
