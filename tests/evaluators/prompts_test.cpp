#include "core/base/files.h"
#include "core/base/hash.h"
#include "evaluators/mcq.h"
#include "evaluators/prompts/prompt.h"
#include "evaluators/registry.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::prompts {
namespace {

using Catch::Matchers::ContainsSubstring;

data::QuestionSet read_set(const std::string& name) {
  const std::filesystem::path file = testing::data_dir() / "sets" / name;
  return data::read_question_set({&file, 1});
}

// The made-up file whose rows a prompt was built from; `question` may name it before a '#'.
std::string file_of(const std::string& prompt, const std::string& question) {
  const auto mark = question.find('#');
  if (mark != std::string::npos) return question.substr(0, mark);
  return prompt.starts_with("gpqa/") ? "gpqa.csv" : "mmlu_pro_test.parquet";
}

// Prompts whose rows are in Parquet files alone.
bool needs_parquet(std::string_view prompt) {
  return prompt == "mmlu/lm_eval" || prompt.starts_with("mmlu_pro/");
}

// By the id of the row, or by its place behind '#'.
std::size_t row_of(const data::QuestionSet& set, const std::string& question) {
  const auto mark = question.find('#');
  if (mark != std::string::npos) return std::stoul(question.substr(mark + 1));
  for (std::size_t i = 0; i < set.questions.size(); ++i)
    if (set.questions[i].name.ends_with("-" + question)) return i;
  FAIL("no row " << question);
  return 0;
}

struct PutSet {
  data::QuestionSet set;
  std::vector<PutQuestion> put;
};

constexpr std::size_t kRepeats = 4;

PutSet put_file(const Prompt& prompt, const std::string& file, std::size_t shots) {
  PutSet all{read_set(file), {}};
  const std::vector<data::SetQuestion> rows = all.set.questions;
  for (std::size_t i = 1; prompt.redraws && i < kRepeats; ++i)
    all.set.questions.insert(all.set.questions.end(), rows.begin(), rows.end());
  data::QuestionSet examples;
  if (prompt.kind == data::SetKind::mmlu_pro) examples = read_set("mmlu_pro_validation.parquet");
  if (prompt.draws_examples && shots > 0) examples = read_set("gsm8k_train.jsonl");
  all.put = put_questions(prompt, all.set, &examples, shots);
  return all;
}

}  // namespace

TEST_CASE("Prompts are those that the makers' code builds from the same rows", "[evaluators]") {
  const auto lines = read_lines(testing::data_dir() / "prompts/prompts.jsonl");
  std::map<std::string, PutSet> sets;
  std::set<std::string> covered;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const Json line = parse_json(lines[i], "prompts.jsonl");
    const std::string name = line.at("prompt");
    const std::string question =
        line.at("question").is_string() ? line.at("question").get<std::string>() : line.at("question").dump();
    const std::string file = file_of(name, question);
    if (find_prompt(name).has_own_examples) continue;  // tests/experiments/own_examples_test.cpp
    if (file.ends_with(".parquet") && !data::reads_parquet()) continue;
    const std::size_t shots = line.at("shots");
    const std::size_t most = name == "mmlu_pro/official" ? 5 : shots;  // fewer shots are the first of five
    PutSet& all = sets[fmt::format("{} {} {}", name, file, most)];
    if (all.put.empty()) all = put_file(find_prompt(name), file, most);
    const std::size_t rows = all.put.size() / (find_prompt(name).redraws ? kRepeats : 1);
    const std::size_t repeat = line.value("repeat", 0);
    const PutQuestion& put = all.put.at(repeat * rows + row_of(all.set, question));
    const std::string text = put.text(shots);
    INFO(name << ", " << shots << " shots, " << question);
    if (line.contains("text")) CHECK(text == line.at("text").get<std::string>());
    if (line.contains("sha256")) CHECK(sha256(text) == line.at("sha256").get<std::string>());
    if (line.at("letter").is_string())
      CHECK(evaluators::option_letter(put.shown.answer) == line.at("letter").get<std::string>());
    covered.insert(name);
  }
  for (const Prompt& prompt : all_prompts()) {
    INFO(prompt.name);
    const bool is_excused = prompt.has_own_examples || (!data::reads_parquet() && needs_parquet(prompt.name));
    CHECK(covered.contains(std::string(prompt.name)) == (prompt.source != "moelab" && !is_excused));
  }
}

TEST_CASE("Every prompt has an evaluator that knows its answers", "[evaluators]") {
  for (const Prompt& prompt : all_prompts()) {
    INFO(prompt.name);
    CHECK(&find_prompt(prompt.name) == &prompt);
    CHECK((prompt.is_scored || evaluators::find_evaluator(prompt.evaluator).name == prompt.evaluator));
    CHECK((prompt.takes_examples || prompt.shots == 0));
  }
}

TEST_CASE("AIME's boxed prompt asks for the box", "[evaluators]") {
  const data::QuestionSet set = read_set("math_ai.jsonl");
  const auto put = put_questions(find_prompt("aime/boxed"), set, nullptr, 0);
  CHECK(put[0].text(0) ==
        set.questions[0].text + "\n\nReason step by step, and put your final answer within \\boxed{}.");
  CHECK_THROWS_WITH(put[0].text(1), ContainsSubstring("there are 0"));
}

TEST_CASE("Prompts that cannot be put say why", "[evaluators]") {
  const data::QuestionSet aime = read_set("math_ai.jsonl");
  CHECK_THROWS_WITH(find_prompt("aime/box"), ContainsSubstring("aime/boxed"));
  CHECK_THROWS_WITH(put_questions(find_prompt("gpqa/official"), aime, nullptr, 0),
                    ContainsSubstring("is for gpqa") && ContainsSubstring("math-ai/aime25"));
  CHECK_THROWS_WITH(put_questions(find_prompt("aime/boxed"), aime, nullptr, 2),
                    ContainsSubstring("takes no examples"));
  data::QuestionSet train = read_set("gsm8k_train.jsonl");
  train.questions.resize(4);
  CHECK_THROWS_WITH(put_questions(find_prompt("gsm8k/lm_eval"), train, &train, 5),
                    ContainsSubstring("draws 5 examples") && ContainsSubstring("has 4"));
  if (!data::reads_parquet()) return;
  const data::QuestionSet test = read_set("mmlu_pro_test.parquet");
  const Prompt& official = find_prompt("mmlu_pro/official");
  CHECK_THROWS_WITH(put_questions(official, test, nullptr, 5), ContainsSubstring("'examples'"));
  CHECK_THROWS_WITH(put_questions(official, test, &test, 5), ContainsSubstring("no worked solution"));
  data::QuestionSet few = read_set("mmlu_pro_validation.parquet");
  few.questions.resize(7);  // five of biology, two of business
  CHECK_THROWS_WITH(put_questions(official, test, &few, 5),
                    ContainsSubstring("'business'") && ContainsSubstring("has 2"));
}

}  // namespace moelab::prompts
