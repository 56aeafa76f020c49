#include "evaluators/data/question_set.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/base/ascii.h"
#include "core/base/hash.h"

namespace moelab::data {
namespace {

using Columns = std::vector<std::string_view>;

// Which column holds what; empty where the set has no such column.
struct Layout {
  std::string_view name;
  SetKind kind = SetKind::aime;
  Columns columns;  // by which the set is known; it may have more
  std::string_view id, text, answer;
};

// The first that fits counts, so that those with more columns stand first.
const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"TIGER-Lab/MMLU-Pro",
       SetKind::mmlu_pro,
       {"question_id", "question", "options", "answer", "answer_index", "cot_content", "category"},
       "question_id",
       "question",
       "answer_index"},
      {"Idavidrein/gpqa",
       SetKind::gpqa,
       {"Record ID", "Question", "Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2",
        "Incorrect Answer 3", "High-level domain", "Subdomain"},
       "Record ID",
       "Question",
       ""},
      {"cais/mmlu", SetKind::mmlu, {"question", "subject", "choices", "answer"}, "", "question", "answer"},
      {"Maxwell-Jia/AIME_2024", SetKind::aime, {"ID", "Problem", "Answer"}, "ID", "Problem", "Answer"},
      {"HuggingFaceH4/aime_2024 or yentinglin/aime_2025",
       SetKind::aime,
       {"id", "problem", "solution", "answer", "url", "year"},
       "id",
       "problem",
       "answer"},
      {"math-ai/aime25", SetKind::aime, {"id", "problem", "answer"}, "id", "problem", "answer"},
      {"openai/gsm8k", SetKind::gsm8k, {"question", "answer"}, "", "question", "answer"},
      {"opencompass/AIME2025", SetKind::aime, {"question", "answer"}, "", "question", "answer"},
  };
  return all;
}

bool has_columns(const Table& table, const Columns& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](std::string_view column) {
    return std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end();
  });
}

const Layout& find_layout(const Table& table) {
  for (const Layout& layout : layouts()) {
    if (!has_columns(table, layout.columns)) continue;
    // GSM8K and opencompass/AIME2025 share their columns; GSM8K's answers end in "#### 42".
    const bool is_gsm8k = layout.kind == SetKind::gsm8k;
    if (is_gsm8k && table.rows.front()[std::string(layout.answer)]
                            .dump(-1, ' ', false, Json::error_handler_t::replace)
                            .find("####") == std::string::npos)
      continue;
    return layout;
  }
  std::string known;
  for (const Layout& layout : layouts())
    known += fmt::format("\n  {}: '{}'", layout.name, fmt::join(layout.columns, "', '"));
  throw FileError("{}: the columns '{}' are those of no known set; these are known:{}", table.path.string(),
                  fmt::join(table.columns, "', '"), known);
}

// An id is a text or a number.
std::string id_value(const Table& table, std::size_t row, std::string_view column) {
  const auto found = table.rows[row].find(std::string(column));
  if (found != table.rows[row].end() && found->is_number_integer())
    return fmt::to_string(integer_value(table, row, column));
  std::string id = text_value(table, row, column);
  if (id.empty()) throw FileError("{}: '{}' is empty", table.where(row), column);
  return id;
}

// The integer of an AIME answer without "$", spaces and degree signs, and without leading zeros.
std::string aime_number(const Table& table, std::size_t row, std::string_view column) {
  const auto found = table.rows[row].find(std::string(column));
  std::string text = found != table.rows[row].end() && found->is_number_integer()
                         ? fmt::to_string(integer_value(table, row, column))
                         : text_value(table, row, column);
  const std::string given = text;
  for (const std::string_view mark : {"^{\\circ}", "^\\circ", "\u00B0", "$", " ", "\n"})
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark))
      text.erase(at, mark.size());
  text.erase(0, std::min(text.find_first_not_of('0'), text.empty() ? 0 : text.size() - 1));
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), is_digit))
    throw FileError("{}: '{}' is '{}', an integer from 0 to 999 was expected", table.where(row), column,
                    given);
  return text;
}

std::string gsm8k_number(const Table& table, std::size_t row, std::string_view column) {
  const std::string text = text_value(table, row, column);
  const auto mark = text.rfind("#### ");
  if (mark == std::string::npos || mark + 5 == text.size())
    throw FileError("{}: '{}' does not end in \"#### \" and a number", table.where(row), column);
  return text.substr(mark + 5);
}

void read_mmlu_pro(const Table& table, std::size_t row, SetQuestion& question) {
  question.options = texts_value(table, row, "options");
  question.domain = text_value(table, row, "category");
  question.solution = text_value(table, row, "cot_content");
  const std::int64_t index = integer_value(table, row, "answer_index");
  const std::string letter = text_value(table, row, "answer");
  if (index < 0 || index >= static_cast<std::int64_t>(question.options.size()))
    throw FileError("{}: 'answer_index' is {}, the options have the indices 0 to {}", table.where(row), index,
                    static_cast<std::int64_t>(question.options.size()) - 1);
  if (letter != std::string(1, static_cast<char>('A' + index)))
    throw FileError("{}: 'answer' is '{}', but 'answer_index' is {}", table.where(row), letter, index);
  question.answer = static_cast<std::size_t>(index);
}

void read_gpqa(const Table& table, std::size_t row, SetQuestion& question) {
  for (const std::string_view column :
       {"Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"}) {
    question.options.push_back(text_value(table, row, column));
    if (question.options.back().empty()) throw FileError("{}: '{}' is empty", table.where(row), column);
  }
  question.domain = text_value(table, row, "High-level domain");
  question.subdomain = text_value(table, row, "Subdomain");
}

void read_mmlu(const Table& table, std::size_t row, SetQuestion& question) {
  question.options = texts_value(table, row, "choices");
  question.domain = text_value(table, row, "subject");
  const std::int64_t index = integer_value(table, row, "answer");
  if (index < 0 || index >= static_cast<std::int64_t>(question.options.size()))
    throw FileError("{}: 'answer' is {}, the options have the indices 0 to {}", table.where(row), index,
                    static_cast<std::int64_t>(question.options.size()) - 1);
  question.answer = static_cast<std::size_t>(index);
}

std::string content_digest(const SetQuestion& question) {
  return sha256(canonical_json({{"text", question.text},
                                {"options", question.options},
                                {"answer", question.answer},
                                {"number", question.number},
                                {"domain", question.domain}}));
}

SetQuestion read_question_row(const Table& table, std::size_t row, const Layout& layout) {
  SetQuestion question;
  question.text = text_value(table, row, layout.text);
  if (question.text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw FileError("{}: '{}' is empty", table.where(row), layout.text);
  question.domain = name_of(layout.kind);
  if (layout.kind == SetKind::mmlu_pro) read_mmlu_pro(table, row, question);
  if (layout.kind == SetKind::gpqa) read_gpqa(table, row, question);
  if (layout.kind == SetKind::mmlu) read_mmlu(table, row, question);
  if (layout.kind == SetKind::aime) question.number = aime_number(table, row, layout.answer);
  if (layout.kind == SetKind::gsm8k) {
    question.number = gsm8k_number(table, row, layout.answer);
    question.solution = text_value(table, row, layout.answer);
  }
  if (question.number.empty() && question.options.size() < 2)
    throw FileError("{}: the question has {} options, at least 2 are needed", table.where(row),
                    question.options.size());
  const std::string id =
      layout.id.empty() ? content_digest(question).substr(0, 12) : id_value(table, row, layout.id);
  question.name = fmt::format("{}-{}", name_of(layout.kind), id);
  return question;
}

// An id that is there twice is an error; a repeated question of a set without ids gets a number behind it.
void add_question(SetQuestion question, const Layout& layout, const std::string& where,
                  std::map<std::string, int>& seen, QuestionSet& set) {
  const int before = seen[question.name]++;
  if (before > 0 && !layout.id.empty())
    throw FileError("{}: the id '{}' is there twice", where, question.name);
  if (before > 0) question.name += fmt::format("-{}", before + 1);
  set.questions.push_back(std::move(question));
}

}  // namespace

std::string_view name_of(SetKind kind) {
  constexpr std::array<std::string_view, 5> names = {"mmlu_pro", "gpqa", "aime", "gsm8k", "mmlu"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view layout_of(const Table& table) { return find_layout(table).name; }

QuestionSet read_question_set(std::span<const std::filesystem::path> files, const ReadLimits& limits) {
  if (files.empty()) throw ConfigError("no file with questions is named");
  QuestionSet set;
  std::map<std::string, int> seen;
  for (const std::filesystem::path& file : files) {
    const Table table = read_table(file, limits);
    const Layout& layout = find_layout(table);
    if (!set.questions.empty() && set.kind != layout.kind)
      throw FileError("{}: holds {}, the files before it {}", file.string(), name_of(layout.kind),
                      name_of(set.kind));
    set.kind = layout.kind;
    set.layout = layout.name;
    for (std::size_t row = 0; row < table.rows.size(); ++row)
      add_question(read_question_row(table, row, layout), layout, table.where(row), seen, set);
  }
  return set;
}

std::string set_digest(const QuestionSet& set) {
  std::vector<std::string> lines;
  for (const SetQuestion& question : set.questions)
    lines.push_back(question.name + " " + content_digest(question) + "\n");
  std::sort(lines.begin(), lines.end());
  return sha256(fmt::format("{}", fmt::join(lines, "")));
}

}  // namespace moelab::data
