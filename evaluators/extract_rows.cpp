#include "evaluators/extract_rows.h"

#include <fmt/format.h>

#include <istream>
#include <optional>
#include <ostream>
#include <string>

#include "core/base/json.h"

namespace moelab::evaluators {
namespace {

struct ExtractRow {
  std::string text;
  std::vector<std::string> options;
  std::optional<std::string> gold;
  bool closed = true;
};

std::optional<std::string> gold_of(const Json& row, std::string_view origin) {
  const auto found = row.find("gold");
  if (found == row.end() || found->is_null()) return std::nullopt;
  if (found->is_number_integer()) return found->dump();
  return json_get<std::string>(row, "gold", origin);
}

ExtractRow read_row(const std::string& line, const std::string& origin) {
  const Json row = parse_json(line, origin);
  if (!row.is_object())
    throw FileError("{}: the row is {}, not an object with a 'text'", origin, row.type_name());
  for (const auto& [key, value] : row.items())
    if (key != "text" && key != "options" && key != "gold" && key != "closed")
      throw FileError("{}: the field '{}' is unknown; known are text, options, gold, closed", origin, key);
  return {json_get<std::string>(row, "text", origin),
          json_get_or<std::vector<std::string>>(row, "options", {}, origin), gold_of(row, origin),
          json_get_or<bool>(row, "closed", true, origin)};
}

// What the evaluator finds, without a right answer to compare it with.
Verdict find_answer(const Evaluator& evaluator, const ExtractRow& row) {
  Verdict verdict;
  verdict.rule = "unclosed";
  if (!row.closed) return verdict;
  const Extraction found = evaluator.extract(row.text, {"", row.options});
  verdict.answer = found.answer;
  verdict.rule = std::string(found.rule);
  verdict.begin = found.begin;
  verdict.end = found.end;
  return verdict;
}

Verdict judge_row(const Evaluator& evaluator, const ExtractRow& row, const std::string& origin) {
  try {
    if (evaluator.kind == AnswerKind::letter && row.options.empty())
      throw Error("{} needs the question's options", evaluator.name);
    if (!row.gold) return find_answer(evaluator, row);
    return judge_written(evaluator, {row.text, row.closed}, {*row.gold, row.options});
  } catch (const FileError&) {
    throw;
  } catch (const Error& problem) {
    throw FileError("{}: {}", origin, problem.what());
  }
}

bool is_found(const Verdict& verdict) { return verdict.rule != "none" && verdict.rule != "unclosed"; }

Json row_of(const Verdict& verdict, bool has_gold) {
  Json row;
  row["answer"] = is_found(verdict) ? Json(verdict.answer) : Json();
  row["rule"] = verdict.rule;
  row["span"] = is_found(verdict) && verdict.end > verdict.begin ? Json{verdict.begin, verdict.end} : Json();
  row["correct"] = has_gold ? Json(verdict.correct) : Json();
  return row;
}

}  // namespace

ExtractCounts extract_rows(std::istream& in, std::ostream& out, const Evaluator& evaluator,
                           std::string_view origin) {
  ExtractCounts counts;
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = fmt::format("{}, row {}", origin, number);
    const ExtractRow row = read_row(line, place);
    const Verdict verdict = judge_row(evaluator, row, place);
    // A rule that counts bytes may cut a character in two.
    out << row_of(verdict, row.gold.has_value()).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    ++counts.rows;
    counts.answered += is_found(verdict) ? 1 : 0;
    counts.correct += verdict.correct ? 1 : 0;
  }
  if (in.bad()) throw FileError("{}: cannot be read to its end", origin);
  return counts;
}

}  // namespace moelab::evaluators
