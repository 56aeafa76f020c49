// The metrics table: accuracy over repeats with its clustered interval, pass@k, maj@k, and how answers end.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/answer_states.h"
#include "experiments/line_cells.h"
#include "experiments/statistics/ranks.h"
#include "experiments/statistics/repeats.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

// One line's samples: a cell's, or those of all draws of a null.
struct SampleFigures {
  std::int64_t questions = 0, repeats = 1, samples = 0;
  statistics::ClusteredMean accuracy;        // avg@n
  std::vector<double> pass_at, majority_at;  // [k] as asked
  double cut_off = 0, no_answer = 0, closed = 0;
  double mean_think = 0, median_think = 0, mean_answer = 0, median_answer = 0;
};

// The samples of one question in one cell.
using QuestionSamples = std::vector<SampleState>;

// Every question and cell with all of its samples, on the common questions.
std::vector<QuestionSamples> samples_by_question(store::Store& store, const std::vector<store::Id>& cells,
                                                 const Questions& questions, const std::string& evaluator,
                                                 std::int64_t repeats) {
  std::vector<QuestionSamples> groups;
  for (const store::Id cell : cells) {
    std::map<store::Id, QuestionSamples> by_question;
    for (SampleState& sample : sample_states(store, cell, evaluator))
      if (questions.contains(sample.question) && sample.repeat < repeats)
        by_question[sample.question].push_back(std::move(sample));
    for (auto& [question, samples] : by_question)
      if (std::ssize(samples) == repeats) groups.push_back(std::move(samples));
  }
  return groups;
}

double majority_of(const QuestionSamples& samples, std::int64_t k) {
  std::map<std::pair<std::string, bool>, std::int64_t> votes;
  std::int64_t unparsed = 0;
  for (const SampleState& sample : samples) {
    if (sample.state.is_parsed) {
      ++votes[{sample.answer, sample.state.is_right}];
    } else {
      ++unparsed;
    }
  }
  std::vector<statistics::VoteClass> classes;
  for (const auto& [answer, count] : votes) classes.push_back({count, answer.second});
  return statistics::majority_at_k(classes, unparsed, k);
}

void add_ends(const std::vector<QuestionSamples>& groups, SampleFigures& figures) {
  std::vector<double> think, answer;
  for (const QuestionSamples& samples : groups)
    for (const SampleState& sample : samples) {
      figures.cut_off += sample.state.is_cut_off ? 1 : 0;
      figures.no_answer += sample.state.is_parsed ? 0 : 1;
      figures.closed += sample.closed ? 1 : 0;
      think.push_back(static_cast<double>(sample.n_think));
      answer.push_back(static_cast<double>(sample.n_answer));
      figures.mean_think += think.back();
      figures.mean_answer += answer.back();
    }
  const double samples = static_cast<double>(figures.samples);
  for (double* sum :
       {&figures.cut_off, &figures.no_answer, &figures.closed, &figures.mean_think, &figures.mean_answer})
    *sum /= samples;
  figures.median_think = statistics::median(think);
  figures.median_answer = statistics::median(answer);
}

SampleFigures sample_figures(const std::vector<QuestionSamples>& groups, std::int64_t repeats,
                             const std::vector<std::int64_t>& ks) {
  SampleFigures figures;
  figures.repeats = repeats;
  figures.pass_at.assign(ks.size(), 0);
  figures.majority_at.assign(ks.size(), 0);
  if (groups.empty()) return figures;
  std::vector<std::uint8_t> right;
  std::set<store::Id> questions;
  for (const QuestionSamples& samples : groups) {
    questions.insert(samples.front().question);
    std::uint8_t count = 0;
    for (const SampleState& sample : samples)
      count = static_cast<std::uint8_t>(count + (sample.state.is_right ? 1 : 0));
    right.push_back(count);
    for (std::size_t i = 0; i < ks.size(); ++i) {
      figures.pass_at[i] += statistics::pass_at_k(repeats, count, ks[i]) / static_cast<double>(groups.size());
      figures.majority_at[i] += majority_of(samples, ks[i]) / static_cast<double>(groups.size());
    }
  }
  figures.questions = std::ssize(questions);
  figures.samples = std::ssize(groups) * repeats;
  figures.accuracy = statistics::clustered_mean(statistics::count_right(right, repeats));
  add_ends(groups, figures);
  return figures;
}

struct MetricsRow {
  MethodRow method;
  SampleFigures figures;
  bool is_null = false;  // several cells: its questions are no clusters of one plan, so it has no interval
};

// The k of a line: those that are asked for, else all of its samples.
std::vector<std::int64_t> ks_of(const MetricsRequest& request, std::int64_t repeats) {
  std::vector<std::int64_t> ks = request.k;
  if (ks.empty() && repeats > 1) ks = {repeats};
  for (const std::int64_t k : ks)
    if (k < 1 || k > repeats)
      throw ConfigError("k={}: the study has {} samples a question, so k lies between 1 and {}", k, repeats,
                        repeats);
  return ks;
}

std::vector<MetricsRow> metrics_rows(store::Store& store, const MetricsRequest& request) {
  const std::string evaluator = choose_evaluator(store, request.table);
  const auto cells = cells_of_lines(store, request.table, evaluator);
  const auto common = common_questions(store, cells);
  std::vector<MetricsRow> rows;
  std::int64_t samples = 0;
  for (MethodRow& line : method_rows(store, request.table)) {
    const auto found = cells.find(name_of_line(line));
    if (found == cells.end()) continue;
    const auto groups = samples_by_question(store, found->second, common.at(domain_of_line(found->first)),
                                            evaluator, line.repeats);
    const auto ks = ks_of(request, line.repeats);
    rows.push_back({line, sample_figures(groups, line.repeats, ks), found->second.size() > 1});
    samples += rows.back().figures.samples;
  }
  if (samples == 0)
    throw ConfigError("the study '{}' scored options: nothing was written, so there are no samples to count",
                      store.study(request.table.study).name);
  return rows;
}

std::string accuracy_text_of(const MetricsRow& row) {
  const statistics::ClusteredMean& accuracy = row.figures.accuracy;
  if (row.method.is_small_gpqa) return right_count_text(accuracy.mean, row.figures.samples);
  if (row.is_null) return percent(accuracy.mean);
  return fmt::format("{} [{}, {}]", percent(accuracy.mean), percent(accuracy.interval.lo),
                     percent(accuracy.interval.hi));
}

bool has_bootstrap(const MetricsRow& row) { return !std::isnan(row.method.gain_bootstrap.lo); }

std::string gain_text_of(const MetricsRow& row) {
  if (std::isnan(row.method.gain)) return "";
  const std::string gain = points(row.method.gain);
  if (!has_bootstrap(row) || row.is_null) return gain;
  return fmt::format("{} [{}, {}]", gain, points(row.method.gain_bootstrap.lo),
                     points(row.method.gain_bootstrap.hi));
}

TextTable metrics_records(const std::vector<MetricsRow>& rows, const MetricsRequest& request) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "domain", "method", "evaluator"})
    table.columns.push_back({name, true});
  for (const char* name :
       {"questions", "repeats", "chance", "accuracy", "accuracy_lo", "accuracy_hi", "k", "pass_at_k",
        "maj_at_k", "truncated", "no_answer", "closed", "thinking_mean", "thinking_median", "answer_mean",
        "answer_median", "gain", "gain_bootstrap_lo", "gain_bootstrap_hi"})
    table.columns.push_back({name});
  for (const MetricsRow& row : rows) {
    const SampleFigures& f = row.figures;
    std::vector<std::int64_t> ks = ks_of(request, row.method.repeats);
    const bool has_k = !ks.empty();
    if (!has_k) ks = {1};
    for (std::size_t i = 0; i < ks.size(); ++i)
      table.add({row.method.model,
                 row.method.benchmark,
                 row.method.domain,
                 row.method.method,
                 row.method.evaluator,
                 fmt::to_string(f.questions),
                 fmt::to_string(f.repeats),
                 known_text(row.method.chance),
                 known_text(f.accuracy.mean),
                 row.is_null ? "" : known_text(f.accuracy.interval.lo),
                 row.is_null ? "" : known_text(f.accuracy.interval.hi),
                 has_k ? fmt::to_string(ks[i]) : "",
                 has_k ? known_text(f.pass_at[i]) : "",
                 has_k ? known_text(f.majority_at[i]) : "",
                 known_text(f.cut_off),
                 known_text(f.no_answer),
                 known_text(f.closed),
                 known_text(f.mean_think),
                 known_text(f.median_think),
                 known_text(f.mean_answer),
                 known_text(f.median_answer),
                 known_text(row.method.gain),
                 row.is_null ? "" : known_text(row.method.gain_bootstrap.lo),
                 row.is_null ? "" : known_text(row.method.gain_bootstrap.hi)});
  }
  return table;
}

std::vector<std::string> line_of(const MetricsRow& row, std::size_t n_k, bool with_gain) {
  const SampleFigures& f = row.figures;
  std::vector<std::string> line = {"  " + row.method.method, accuracy_text_of(row)};
  if (with_gain) line.push_back(gain_text_of(row));
  for (std::size_t i = 0; i < n_k; ++i) {
    line.push_back(percent(f.pass_at[i]));
    line.push_back(percent(f.majority_at[i]));
  }
  for (const double share : {f.cut_off, f.no_answer, f.closed}) line.push_back(percent(share));
  line.push_back(fmt::format("{:.1f} / {:.1f}", f.mean_think, f.median_think));
  line.push_back(fmt::format("{:.1f} / {:.1f}", f.mean_answer, f.median_answer));
  return line;
}

}  // namespace

TextTable metrics_table(store::Store& store, const MetricsRequest& request, bool as_records) {
  const std::vector<MetricsRow> rows = metrics_rows(store, request);
  if (as_records) return metrics_records(rows, request);
  TextTable table;
  table.title = fmt::format("Metrics, study {}", store.study(request.table.study).name);
  table.columns = {{"method", true}, {"accuracy"}};
  const bool with_gain = std::any_of(rows.begin(), rows.end(), has_bootstrap);
  if (with_gain) table.columns.push_back({"gain [bootstrap]"});
  const std::vector<std::int64_t> ks = ks_of(request, rows.front().method.repeats);
  for (const std::int64_t k : ks) {
    table.columns.push_back({fmt::format("pass@{}", k)});
    table.columns.push_back({fmt::format("maj@{}", k)});
  }
  for (const char* name : {"cut off", "no answer", "closed", "thinking tokens", "answer tokens"})
    table.columns.push_back({name});
  std::string group;
  for (const MetricsRow& row : rows) {
    const MethodRow& m = row.method;
    const std::string next = fmt::format("{} / {} / {}: {} questions, {} {} each, chance {}", m.model,
                                         m.benchmark, m.domain, row.figures.questions, m.repeats,
                                         m.repeats == 1 ? "sample" : "samples", percent(m.chance));
    if (next != group) table.add_heading(next);
    group = next;
    if (ks_of(request, m.repeats) != ks)
      throw ConfigError("the study's benchmarks have different numbers of samples; give k=, or one domain=");
    table.add(line_of(row, ks.size(), with_gain));
  }
  table.footers = {
      fmt::format(
          "Evaluator {}; shares in %. Accuracy over all samples (avg@n), [95 % interval: Wilson's with one "
          "sample, clustered by question with more].",
          rows.front().method.evaluator),
      "pass@k: unbiased (Chen et al. 2021); maj@k: over all choices of k samples, ties share the vote.",
      "Tokens: mean / median over samples. Methods at the settings that were chosen most often, random over "
      "all draws; methods has their tests."};
  if (with_gain)
    table.footers.emplace_back(
        "gain [bootstrap]: over the original in points, [95 % percentile interval over whole questions].");
  return table;
}

}  // namespace moelab::experiments
