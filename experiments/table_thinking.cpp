// The thinking table: tokens of thinking and answer of every method by model and domain, from written
// samples.
#include <fmt/format.h>

#include <cmath>

#include "experiments/answer_states.h"
#include "experiments/line_cells.h"
#include "experiments/statistics/paired_repeats.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

// Means over questions, each the mean of its samples.
struct WrittenFigures {
  std::int64_t questions = 0, samples = 0;
  double thinking = 0, answer = 0;
  statistics::Interval thinking_interval;
  double closed = 0, truncated = 0, no_answer = 0;  // shares of the samples
};

WrittenFigures figures_of(store::Store& store, const std::vector<store::Id>& cells,
                          const Questions& questions, const std::string& evaluator) {
  std::map<store::Id, std::vector<double>> thinking;
  WrittenFigures figures;
  for (const store::Id cell : cells) {
    for (const SampleState& sample : sample_states(store, cell, evaluator)) {
      if (!questions.contains(sample.question)) continue;
      ++figures.samples;
      thinking[sample.question].push_back(static_cast<double>(sample.n_think));
      figures.answer += static_cast<double>(sample.n_answer);
      figures.closed += sample.closed ? 1 : 0;
      figures.truncated += sample.state.is_cut_off ? 1 : 0;
      figures.no_answer += sample.state.is_parsed ? 0 : 1;
    }
  }
  if (figures.samples == 0) return figures;
  std::vector<double> means;
  for (const auto& [question, counts] : thinking) {
    double sum = 0;
    for (const double count : counts) sum += count;
    means.push_back(sum / static_cast<double>(counts.size()));
    figures.thinking += means.back();
  }
  figures.questions = static_cast<std::int64_t>(means.size());
  figures.thinking /= static_cast<double>(means.size());
  figures.thinking_interval = statistics::mean_interval(means);
  for (double* sum : {&figures.answer, &figures.closed, &figures.truncated, &figures.no_answer})
    *sum /= static_cast<double>(figures.samples);
  return figures;
}

struct ThinkingRow {
  MethodRow method;
  WrittenFigures written;
};

std::vector<ThinkingRow> thinking_rows(store::Store& store, const TableRequest& request) {
  std::vector<ThinkingRow> rows;
  const std::string evaluator = choose_evaluator(store, request);
  const auto cells = cells_of_lines(store, request, evaluator);
  const auto common = common_questions(store, cells);
  bool is_written = false;
  for (MethodRow& line : method_rows(store, request)) {
    const auto found = cells.find(name_of_line(line));
    WrittenFigures figures;
    if (found != cells.end())
      figures = figures_of(store, found->second, common.at(domain_of_line(name_of_line(line))), evaluator);
    is_written = is_written || figures.samples > 0;
    rows.push_back({std::move(line), figures});
  }
  if (!is_written)
    throw ConfigError("the study '{}' scored options: nothing was written, so there is no thinking to count",
                      store.study(request.study).name);
  return rows;
}

std::string tokens_text(const WrittenFigures& figures) {
  return fmt::format("{:.1f} [{:.1f}, {:.1f}]", figures.thinking, figures.thinking_interval.lo,
                     figures.thinking_interval.hi);
}

TextTable thinking_records(const std::vector<ThinkingRow>& rows) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "domain", "method", "evaluator"})
    table.columns.push_back({name, true});
  for (const char* name :
       {"questions", "samples", "accuracy", "gain", "thinking_tokens", "thinking_tokens_lo",
        "thinking_tokens_hi", "answer_tokens", "closed", "truncated", "no_answer"})
    table.columns.push_back({name});
  for (const auto& [method, written] : rows) {
    std::vector<std::string> line = {method.model,
                                     method.benchmark,
                                     method.domain,
                                     method.method,
                                     method.evaluator,
                                     fmt::to_string(written.questions),
                                     fmt::to_string(written.samples)};
    for (const double value :
         {method.accuracy, method.gain, written.thinking, written.thinking_interval.lo,
          written.thinking_interval.hi, written.answer, written.closed, written.truncated, written.no_answer})
      line.push_back(known_text(value));
    table.add(std::move(line));
  }
  return table;
}

}  // namespace

TextTable thinking_table(store::Store& store, const TableRequest& request, bool as_records) {
  const std::vector<ThinkingRow> rows = thinking_rows(store, request);
  if (as_records) return thinking_records(rows);
  TextTable table;
  table.title = fmt::format("Thinking, study {}", store.study(request.study).name);
  table.columns = {{"method", true}, {"accuracy"}, {"gain"},      {"thinking tokens"}, {"answer tokens"},
                   {"closed"},       {"cut off"},  {"no answer"}, {"samples"}};
  std::string group;
  for (const auto& [method, written] : rows) {
    const std::string next =
        fmt::format("{} / {} / {}: {} questions", method.model, method.benchmark, method.domain, method.n);
    if (next != group) table.add_heading(next);
    group = next;
    table.add({"  " + method.method,
               method.is_small_gpqa ? right_count_text(method.accuracy, method.n * method.repeats)
                                    : percent(method.accuracy),
               method.method == "original" ? "" : points(method.gain), tokens_text(written),
               fmt::format("{:.1f}", written.answer), percent(written.closed), percent(written.truncated),
               percent(written.no_answer), fmt::to_string(written.samples)});
  }
  table.footers = {
      fmt::format("Evaluator {}; accuracy and the last three in %, gain in points (methods has its tests).",
                  rows.front().method.evaluator),
      "Tokens: means over questions, each the mean of its samples, with Student's 95 % interval by question.",
      "closed: thinking that was ended, or none; cut off: by max_new_tokens or the context; no answer: none "
      "found.",
      "Methods at the settings that were chosen most often, random over all draws. " +
          cell_count_text(cell_counts(store, request.study)) + "."};
  return table;
}

}  // namespace moelab::experiments
