#include "experiments/import_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/text/thinking.h"
#include "evaluators/registry.h"
#include "experiments/analyse.h"
#include "experiments/private_sets.h"
#include "experiments/rescore.h"
#include "experiments/version.h"

namespace moelab::experiments {

namespace {

using store::Id;

// Metrics count a question's samples in a byte.
constexpr std::int64_t kMostRepeats = 255;

// The samples of a question are its repeats; all questions must have the same number of them.
std::int64_t repeats_of(const ImportedRun& run) {
  std::map<std::string, std::set<int>> repeats;
  for (const ImportedSample& sample : run.samples)
    if (!repeats[sample.question].insert(sample.repeat).second)
      throw ConfigError("question {} has two samples of repeat {}", sample.question, sample.repeat + 1);
  const auto wanted = std::ssize(repeats.begin()->second);
  for (const auto& [question, numbers] : repeats)
    if (std::ssize(numbers) != wanted || *numbers.begin() != 0 || *numbers.rbegin() != wanted - 1)
      throw ConfigError("question {} has {} samples, {} has {}; a study needs as many of each", question,
                        numbers.size(), repeats.begin()->first, wanted);
  if (wanted > kMostRepeats)
    throw ConfigError("{} samples a question; at most {} can be imported", wanted, kMostRepeats);
  return wanted;
}

using Judges = std::vector<const evaluators::Evaluator*>;

// The evaluator of the comparisons: the tool's first scorer where it judged every sample, else the first of
// ours. The harness judges only the first of several replies.
std::string evaluator_of(const ImportedRun& run, const Judges& judges) {
  const auto& verdicts = run.samples.front().verdicts;
  const auto has_first = [&](const ImportedSample& sample) {
    return std::any_of(sample.verdicts.begin(), sample.verdicts.end(),
                       [&](const ToolVerdict& each) { return each.evaluator == verdicts.front().evaluator; });
  };
  if (!verdicts.empty() && std::all_of(run.samples.begin(), run.samples.end(), has_first))
    return verdicts.front().evaluator;
  if (!judges.empty()) return std::string(judges.front()->name);
  throw ConfigError(
      "the log has no verdict of 0 or 1 on every sample, and no evaluator of ours was made for its task; "
      "give evaluator=NAME");
}

// What the tables need of a study's config.
std::string study_config(const ImportedRun& run, std::int64_t repeats, const std::string& thinking,
                         const std::string& evaluator) {
  const Json benchmark = {{"name", run.task},
                          {"prompt", "written"},
                          {"generation", {{"repeats", repeats}, {"thinking", thinking}}}};
  return canonical_json(
      Json{{"name", run.task},
           {"imported_from", run.tool},
           {"evaluator", evaluator},
           {"options", {{"benchmark", Json::array({benchmark})}, {"model", Json::array()}}}});
}

Id study_of(store::Store& store, const std::string& name, const std::string& config) {
  const std::string hash = sha256(config);
  if (const auto found = store.find_study(name); found && store.study(*found).config_hash != hash)
    throw ConfigError(
        "the study '{}' is there and was not made by importing this task with this tool, thinking and "
        "number of samples; give another study=NAME",
        name);
  store::StudyRow row;
  row.name = name;
  row.config = config;
  row.config_hash = hash;
  row.protocol = "paper";
  row.code_version = kVersion;
  return store.put_study(row);
}

// Of a private set neither text nor options, but for their number.
store::QuestionRow question_row_of(const ImportedSample& sample, const std::string& benchmark,
                                   bool is_private) {
  store::QuestionRow row;
  row.set_name = benchmark;
  row.name = sample.question;
  row.group_id = sample.question;
  row.domain = sample.domain;
  row.text = is_private ? kTextNotStored : sample.text;
  row.options = sample.options;
  if (is_private) row.options.assign(sample.options.size(), kNotStored);
  row.gold = sample.gold;
  row.text_digest = sha256(Json{sample.text, sample.options, sample.gold}.dump());
  return row;
}

// Why an evaluator cannot judge a sample; "" where it can.
std::string misfit(const evaluators::Evaluator& each, const ImportedSample& sample) {
  const bool is_letter = each.kind == evaluators::AnswerKind::letter;
  if (is_letter && sample.options.empty()) return "it looks for letters, and the question has no options";
  if (!is_letter && !sample.options.empty()) return "it compares numbers, and the question has options";
  try {
    // A text with an answer, so that the right one is looked at too.
    evaluators::judge_written(each, {"\\boxed{1}"}, {sample.gold, sample.options});
  } catch (const Error& problem) {
    return problem.what();
  }
  return "";
}

// Those that were asked for, else those that the task's name begins or continues with and that can judge it.
Judges judges_of(const ImportedRun& run, const ImportRequest& request) {
  Judges judges;
  for (const std::string& name : request.evaluators) {
    judges.push_back(&evaluators::find_evaluator(name));
    for (const ImportedSample& sample : run.samples)
      if (const std::string problem = misfit(*judges.back(), sample); !problem.empty())
        throw ConfigError("{} cannot judge question {}: {}; give another evaluator=NAME", name,
                          sample.question, problem);
  }
  if (!judges.empty()) return judges;
  const auto can_judge = [&](const evaluators::Evaluator& each) {
    return std::all_of(run.samples.begin(), run.samples.end(),
                       [&](const ImportedSample& sample) { return misfit(each, sample).empty(); });
  };
  for (const evaluators::Evaluator& each : evaluators::all_evaluators()) {
    const std::string family(each.name.substr(0, each.name.find('/')));
    if (run.task.find(family) != std::string::npos && can_judge(each)) judges.push_back(&each);
  }
  if (!judges.empty()) return judges;
  for (const char* fallback : {"choice/inspect", "mcq_generated", "aime/exact"})
    if (can_judge(evaluators::find_evaluator(fallback)))
      judges.push_back(&evaluators::find_evaluator(fallback));
  return judges;
}

// Writes one run; knows what its cells share.
class RunWriter {
 public:
  RunWriter(store::Store& store, const ImportedRun& run, const ImportRequest& request, Id study,
            const Judges& judges)
      : store_(store), run_(run), request_(request), study_(study), judges_(judges) {
    store::ModelRow row;
    row.name = request.model.empty() ? run.model : request.model;
    if (row.name.empty()) throw ConfigError("the log does not name its model; give model=NAME");
    row.digest = sha256(fmt::format("imported model {}", row.name));
    model_ = store_.put_model(row);
  }

  void write(ImportSummary& summary) {
    std::map<std::string, std::vector<const ImportedSample*>> domains;
    for (const ImportedSample& sample : run_.samples) domains[sample.domain].push_back(&sample);
    for (const auto& [domain, samples] : domains) write_domain(domain, samples, summary);
    summary.cells = std::ssize(domains);
    for (const auto* judge : judges_) summary.evaluators.emplace_back(judge->name);
  }

 private:
  Id put_cell(const std::string& domain) {
    store::CellRow cell;
    const Json condition = {{"imported_from", run_.tool},
                            {"task", run_.task},
                            {"domain", domain},
                            {"model", model_},
                            {"thinking", request_.thinking}};
    cell.condition = sha256(canonical_json(condition));
    cell.key = sha256(cell.condition + " " + request_.method);
    cell.model = model_;
    cell.benchmark = run_.task;
    cell.domain = domain;
    cell.method = request_.method;
    cell.mode = "imported";
    if (request_.method != "original") cell.steered_domain = domain;
    cell.status = "pending";
    cell.provenance =
        canonical_json(Json{{"imported_from", run_.tool}, {"generation", {{"thinking", request_.thinking}}}});
    const Id id = store_.put_cell(cell);
    store_.add_to_study(study_, id, request_.method == "original" ? "original" : "grid");
    return id;
  }

  void write_domain(const std::string& domain, const std::vector<const ImportedSample*>& samples,
                    ImportSummary& summary) {
    const Id cell = put_cell(domain);
    const store::CellRow stored = store_.cell(cell);
    std::set<Id> questions;
    for (const ImportedSample* sample : samples) {
      const store::QuestionRow question =
          question_row_of(*sample, run_.task, run_.is_private || is_private_set(run_.task));
      const Id id = store_.put_questions({&question, 1}).front();
      questions.insert(id);
      write_sample(stored, id, question, *sample, summary);
    }
    std::vector<store::SplitRow> splits;
    for (const Id question : questions) splits.push_back({question, 0, "test", -1});
    store_.put_splits(study_, splits);
    // A later run of fewer questions takes nothing away.
    const bool is_done = run_.is_complete || stored.status == "done";
    const auto held =
        store_.database().find<std::int64_t>("SELECT count(*) FROM sample WHERE cell = ?1", cell);
    store_.set_outcome(cell, {is_done ? "done" : "partial", *held, 0, 0, "", stored.provenance});
    summary.questions += std::ssize(questions);
    summary.samples += std::ssize(samples);
  }

  void write_sample(const store::CellRow& cell, Id question, const store::QuestionRow& asked,
                    const ImportedSample& sample, ImportSummary& summary) {
    store::SampleRow row;
    row.cell = cell.id;
    row.question = question;
    row.repeat = sample.repeat;
    row.key = sha256(fmt::format("{} {} {}", cell.key, asked.text_digest, sample.repeat));
    row.n_think = sample.n_think;
    row.n_answer = sample.n_answer;
    row.truncated = sample.truncated;
    row.stop = sample.stop;
    row.output = sample.output;
    row.closed = is_closed(sample);
    std::vector<store::VerdictRow> verdicts;
    for (const ToolVerdict& each : sample.verdicts)
      verdicts.push_back({0, each.evaluator, 1, each.answer, "imported", each.correct, false});
    const std::string answer = stored_answer(row, output_format(cell));
    for (const evaluators::Evaluator* judge : judges_) {
      const evaluators::Verdict verdict =
          evaluators::judge_written(*judge, {answer, row.closed}, {sample.gold, sample.options});
      verdicts.push_back({0, verdict.evaluator, verdict.version,
                          verdict.answer.empty() ? std::nullopt : std::optional(verdict.answer), verdict.rule,
                          verdict.correct, false});
    }
    store_.put_sample(row, verdicts);
    summary.verdicts += std::ssize(verdicts);
  }

  bool is_closed(const ImportedSample& sample) const {
    const text::ThinkingSplitter splitter(text::thinking_format(request_.thinking));
    return splitter.split_text(sample.output, {.ended = !sample.truncated}).closed;
  }

  store::Store& store_;
  const ImportedRun& run_;
  const ImportRequest& request_;
  Id study_ = 0, model_ = 0;
  const Judges& judges_;
};

}  // namespace

ImportSummary import_run(store::Store& store, const ImportedRun& run, const ImportRequest& request) {
  ImportSummary summary;
  summary.repeats = repeats_of(run);
  summary.study_name = request.study.empty() ? fmt::format("{}-{}", run.tool, run.task) : request.study;
  const Judges judges = judges_of(run, request);
  const std::string config = study_config(run, summary.repeats, request.thinking, evaluator_of(run, judges));
  store::Transaction transaction = store.begin();
  summary.study = study_of(store, summary.study_name, config);
  RunWriter(store, run, request, summary.study, judges).write(summary);
  for (const auto& [cell, role] : store.cells(summary.study))
    summary.has_original = summary.has_original || role == "original";
  analyse_study(store, summary.study);
  transaction.commit();
  return summary;
}

}  // namespace moelab::experiments
