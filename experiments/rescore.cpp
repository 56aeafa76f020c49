#include "experiments/rescore.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/json.h"
#include "core/text/thinking.h"
#include "evaluators/gpqa.h"
#include "experiments/private_sets.h"
#include "experiments/shown_options.h"
#include "experiments/study_results.h"
#include "experiments/written_sample.h"

namespace moelab::experiments {

namespace {

using evaluators::Evaluator;
using store::Id;

std::vector<Id> fitting_cells(store::Store& store, const RescoreRequest& request) {
  std::vector<Id> cells;
  store::Statement row = store.database().prepare(
      "SELECT c.id, m.name, c.benchmark, c.domain FROM cell AS c JOIN model AS m ON m.id = c.model WHERE (?1 "
      "= 0 OR c.id = ?1) AND (?2 = 0 OR EXISTS (SELECT 1 FROM study_cell AS x WHERE x.cell = c.id AND "
      "x.study = ?2)) ORDER BY c.id");
  row.bind(request.cell, request.study);
  while (row.step())
    if (is_wanted(request.models, row.get<std::string>(1)) &&
        is_wanted(request.benchmarks, row.get<std::string>(2)) &&
        is_wanted(request.domains, row.get<std::string>(3)))
      cells.push_back(row.get<Id>(0));
  return cells;
}

std::set<Id> studies_of(store::Store& store, Id cell) {
  std::set<Id> studies;
  store::Statement row = store.database().prepare("SELECT study FROM study_cell WHERE cell = ?1");
  row.bind(cell);
  while (row.step()) studies.insert(row.get<Id>(0));
  return studies;
}

// The samples of a cell whose verdict of this version is there; true: it was a guess.
std::map<Id, bool> judged_before(store::Store& store, Id cell, const Evaluator& evaluator) {
  std::map<Id, bool> judged;
  store::Statement row = store.database().prepare(
      "SELECT v.sample, v.guessed FROM sample AS s CROSS JOIN verdict AS v ON v.sample = s.id AND "
      "v.evaluator = ?2 "
      "AND v.version = ?3 WHERE s.cell = ?1");
  row.bind(cell, evaluator.name, evaluator.version);
  while (row.step()) judged[row.get<Id>(0)] = row.get<bool>(1);
  return judged;
}

store::VerdictRow judge_sample(store::Store& store, const Evaluator& evaluator,
                               const store::SampleRow& sample, const OutputFormat& format) {
  const store::QuestionRow question = as_shown(store.question(sample.question), sample.option_order);
  const std::string answer = stored_answer(sample, format);
  try {
    if (evaluator.kind == evaluators::AnswerKind::number && !question.options.empty())
      throw Error("it compares numbers, and the question has options");
    if (evaluator.name == evaluators::kGpqaFlexible && !question.options.empty() &&
        question.options.front() == kNotStored)
      throw Error("it looks for the options' texts, which are not stored for this set");
    const evaluators::Verdict verdict =
        evaluators::judge_written(evaluator, {answer, sample.closed}, {question.gold, question.options});
    store::VerdictRow row = verdict_row(verdict);
    row.sample = sample.id;
    return row;
  } catch (const Error& problem) {
    throw ConfigError(
        "{} cannot judge question {} of cell {}: {}; choose cells with benchmark=, domain=, study= or cell=",
        evaluator.name, question.name, sample.cell, problem.what());
  }
}

// One transaction.
void rescore_cell(store::Store& store, Id cell, const Evaluator& evaluator, RescoreSummary& summary) {
  const OutputFormat format = output_format(store.cell(cell));
  const std::map<Id, bool> before = judged_before(store, cell, evaluator);
  std::vector<store::VerdictRow> rows;
  std::int64_t written = 0, added = 0;
  for (const store::SampleRow& sample : store.samples(cell)) {
    if (!sample.output) continue;
    ++written;
    const auto known = before.find(sample.id);
    if (known != before.end() && known->second) continue;
    rows.push_back(judge_sample(store, evaluator, sample, format));
    added += known == before.end() ? 1 : 0;
  }
  store.put_verdicts(rows);
  if (written == 0) {
    ++summary.scored;
    return;
  }
  ++summary.cells;
  summary.samples += std::ssize(rows);
  summary.added += added;
  summary.studies.merge(studies_of(store, cell));
}

}  // namespace

OutputFormat output_format(const store::CellRow& cell) {
  const std::string origin = fmt::format("cell {}, provenance", cell.id);
  const Json generation =
      json_get_or<Json>(parse_json(cell.provenance, origin), "generation", Json::object(), origin);
  return {json_get_or<std::string>(generation, "thinking", "none", origin),
          json_get_or<std::vector<std::string>>(generation, "stop", {}, origin)};
}

std::string stored_answer(const store::SampleRow& sample, const OutputFormat& format) {
  if (!sample.closed || !sample.output) return "";
  if (sample.reply_at.value_or(0) > std::ssize(*sample.output))
    throw StoreError("sample {} (cell {}): its reply is said to begin behind its text", sample.id,
                     sample.cell);
  const std::string output = sample.output->substr(static_cast<std::size_t>(sample.reply_at.value_or(0)));
  text::ThinkingOptions options;
  // Of two calls the first may be the one that was cut off.
  options.ended = sample.reply_at ? sample.stop != "length" && sample.stop != "context" : !sample.truncated;
  const text::ThinkingSplit split =
      text::ThinkingSplitter(text::thinking_format(format.thinking)).split_text(output, options);
  if (!split.closed)
    throw StoreError(
        "sample {} (cell {}, question {}, repeat {}): its text leaves the thinking ('{}') open, although it "
        "is stored as closed; judging it needs the model's tokens",
        sample.id, sample.cell, sample.question, sample.repeat, format.thinking);
  std::string answer;
  for (const text::TokenRange& range : split.answer)
    answer.append(output, range.begin, range.end - range.begin);
  std::size_t end = answer.size();
  for (const std::string& stop : format.stop) end = std::min(end, answer.find(stop));
  return answer.substr(0, end);
}

RescoreSummary rescore(store::Store& store, const RescoreRequest& request) {
  const std::vector<Id> cells = fitting_cells(store, request);
  if (cells.empty()) throw ConfigError("no cell fits; moelab status says what is stored");
  RescoreSummary summary;
  for (const Id cell : cells) rescore_cell(store, cell, *request.evaluator, summary);
  if (summary.cells == 0)
    throw ConfigError(
        "none of the {} cells that fit has a written answer: their options were scored, and a score needs no "
        "evaluator of texts",
        cells.size());
  return summary;
}

}  // namespace moelab::experiments
