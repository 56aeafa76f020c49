#include "evaluators/data/question_set.h"

#include <fstream>

#include "evaluators/data/near_duplicates.h"
#include "evaluators/data/set_report.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::data {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::ScratchDir;

QuestionSet read_set(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) files.push_back(testing::data_dir() / "sets" / name);
  return read_question_set(files);
}

std::string set_error(const std::string& lines) {
  const ScratchDir folder;
  const std::filesystem::path file = folder / "set.jsonl";
  std::ofstream(file) << lines;
  try {
    read_question_set({&file, 1});
  } catch (const FileError& problem) {
    return problem.what();
  }
  return "no error";
}

constexpr const char* kMmluPro =
    R"({"question_id": 70, "question": "Which?", "options": ["x", "N/A", "y"], "answer": "C", "answer_index": 2,)"
    R"( "cot_content": "", "category": "law"})";

std::string changed(const std::string& line, const std::string& column, const Json& value) {
  Json row = parse_json(line, "line");
  row[column] = value;
  return row.dump() + "\n";
}

std::vector<std::string> groups_of(const std::vector<std::string>& texts, const GroupOptions& options = {}) {
  std::vector<GroupItem> items;
  for (std::size_t i = 0; i < texts.size(); ++i)
    items.push_back({std::string(1, static_cast<char>('a' + i)), texts[i]});
  return duplicate_groups(items, options);
}

}  // namespace

TEST_CASE("Each AIME set in use is known by its columns", "[evaluators]") {
  CHECK(read_set({"math_ai.jsonl"}).layout == "math-ai/aime25");
  CHECK(read_set({"yentinglin.json"}).layout == "HuggingFaceH4/aime_2024 or yentinglin/aime_2025");
  const QuestionSet two_halves = read_set({"opencompass.jsonl"});
  CHECK(two_halves.layout == "opencompass/AIME2025");
  CHECK(two_halves.questions.back().number == "336");  // "336^\circ" in the file
  for (const SetQuestion& question : two_halves.questions) {
    CHECK(question.options.empty());
    CHECK(question.domain == "aime");
    CHECK((question.number == "0" || question.number.front() != '0'));
  }
}

TEST_CASE("GPQA's CSV gives the correct answer first, domains and subdomains", "[evaluators]") {
  const QuestionSet set = read_set({"gpqa.csv"});
  CHECK(set.is_private());
  REQUIRE(set.questions.size() == 14);
  CHECK(set.questions[3].name == "gpqa-rec0003");
  for (const SetQuestion& question : set.questions) {
    CHECK(question.options.size() == 4);
    CHECK(question.answer == 0);
    CHECK((question.domain == "Physics" || question.domain == "Chemistry" || question.domain == "Biology"));
    CHECK(!question.subdomain.empty());
  }
}

TEST_CASE("Parquet sets are read by their own columns", "[evaluators]") {
  if (!reads_parquet()) return;
  const QuestionSet mmlu_pro = read_set({"mmlu_pro_test.parquet"});
  CHECK(mmlu_pro.layout == "TIGER-Lab/MMLU-Pro");
  CHECK(mmlu_pro.questions.front().name == "mmlu_pro-70");
  CHECK(report_on(mmlu_pro).domains.size() == 14);
  CHECK(report_on(read_set({"mmlu_pro_validation.parquet"})).with_solution == 70);
  CHECK(read_set({"maxwell_jia.parquet"}).layout == "Maxwell-Jia/AIME_2024");
  CHECK(read_set({"hugging_face_h4.parquet"}).kind == SetKind::aime);
  const QuestionSet gsm8k = read_set({"gsm8k.parquet"});
  CHECK(gsm8k.kind == SetKind::gsm8k);
  CHECK(gsm8k.questions.at(1).number == "5,600");
  CHECK(read_set({"mmlu.parquet"}).questions.front().domain == "abstract_algebra");
  CHECK(set_digest(read_set({"gpqa.parquet"})) == set_digest(read_set({"gpqa.csv"})));
}

TEST_CASE("A set's digest and names do not depend on the order of its rows", "[evaluators]") {
  const ScratchDir folder;
  const QuestionSet before = read_set({"opencompass.jsonl"});
  const Table table = read_table(testing::data_dir() / "sets/opencompass.jsonl");
  const std::filesystem::path turned = folder / "turned.jsonl";
  {
    std::ofstream out(turned);
    for (std::size_t i = table.rows.size(); i > 0; --i) out << table.rows[i - 1].dump() << "\n";
  }
  const QuestionSet after = read_question_set({&turned, 1});
  CHECK(set_digest(after) == set_digest(before));
  CHECK(after.questions.back().name == before.questions.front().name);
}

TEST_CASE("Rows that cannot be what they say are refused with their place", "[evaluators]") {
  CHECK(set_error(std::string(kMmluPro) + "\n") == "no error");
  CHECK_THAT(set_error(changed(kMmluPro, "answer_index", 3)),
             ContainsSubstring("set.jsonl:1: 'answer_index' is 3") && ContainsSubstring("0 to 2"));
  CHECK_THAT(set_error(changed(kMmluPro, "answer", "B")), ContainsSubstring("'answer' is 'B'"));
  CHECK_THAT(set_error(changed(kMmluPro, "options", {"x"})), ContainsSubstring("'answer_index' is 2"));
  CHECK_THAT(set_error(changed(kMmluPro, "question", " \n")), ContainsSubstring("'question' is empty"));
  CHECK_THAT(set_error(std::string(kMmluPro) + "\n" + kMmluPro + "\n"),
             ContainsSubstring("set.jsonl:2: the id 'mmlu_pro-70' is there twice"));
  CHECK_THAT(set_error(R"({"id": 1, "problem": "P", "answer": "1000"})"), ContainsSubstring("0 to 999"));
  CHECK_THAT(set_error(R"({"id": 1, "problem": "P", "answer": "-1"})"), ContainsSubstring("0 to 999"));
  CHECK_THAT(set_error(R"({"question": "Q", "answer": "so #### 4"})"
                       "\n"
                       R"({"question": "Q", "answer": "4"})"),
             ContainsSubstring("set.jsonl:2") && ContainsSubstring("####"));
  CHECK_THAT(
      set_error(R"({"question": "Q", "reply": "4"})"),
      ContainsSubstring("'question', 'reply'") && ContainsSubstring("TIGER-Lab/MMLU-Pro: 'question_id'"));
  const QuestionSet mixed = read_set({"math_ai.jsonl", "opencompass.jsonl"});
  CHECK(mixed.questions.size() == 12);
  CHECK_THROWS_WITH(read_set({"math_ai.jsonl", "gpqa.csv"}), ContainsSubstring("holds gpqa"));
}

TEST_CASE("A report on GPQA holds no text of a question", "[evaluators]") {
  const QuestionSet set = read_set({"gpqa.csv"});
  const std::string text = report_text(report_on(set));
  CHECK_THAT(text, ContainsSubstring("questions   14") && ContainsSubstring("14 with 4") &&
                       ContainsSubstring(set_digest(set)));
  for (const SetQuestion& question : set.questions) {
    CHECK_THAT(text, !ContainsSubstring(question.text));
    CHECK_THAT(text, !ContainsSubstring("answers"));
  }
}

TEST_CASE("Texts are compared without case, marks and spaces", "[evaluators]") {
  CHECK(normalized_text("  What IS\tit?\n(Größe: 3.5) ") == "what is it größe 3 5");
  CHECK(normalized_text("?! ") == "");
}

TEST_CASE("Near-duplicates and shared stems are one group, whatever their order", "[evaluators]") {
  CHECK(groups_of({"What is it?", "what  is it", "What was it?"}) == std::vector<std::string>{"a", "a", "c"});
  // 12 words have 10 triples; one changed last word leaves 9 of 11 in common: 0.82.
  const std::string twelve = "one two three four five six seven eight nine ten eleven twelve";
  const std::string last = "one two three four five six seven eight nine ten eleven other";
  const std::string first =
      "one two three four five other seven eight nine ten eleven twelve";  // 7 of 13: 0.54
  CHECK(groups_of({twelve, first, last}) == std::vector<std::string>{"a", "b", "a"});
  CHECK(groups_of({twelve, first, last}, {.similarity = 0.5}) == std::vector<std::string>{"a", "a", "a"});
  CHECK(groups_of({twelve, first, last}, {.similarity = 0.83}) == std::vector<std::string>{"a", "b", "c"});
  CHECK(groups_of({twelve + " red", twelve + " blue green grey"}, {.similarity = 1, .stem_words = 12}) ==
        std::vector<std::string>{"a", "a"});
  CHECK(groups_of({twelve + " red", twelve + " blue green grey"}, {.similarity = 1, .stem_words = 13}) ==
        std::vector<std::string>{"a", "b"});
  CHECK_THROWS_WITH(groups_of({"x"}, {.similarity = 0}), ContainsSubstring("above 0"));
}

}  // namespace moelab::data
