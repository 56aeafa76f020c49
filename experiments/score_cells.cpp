#include "experiments/score_cells.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/stopwatch.h"
#include "evaluators/mcq.h"
#include "experiments/cell_keys.h"
#include "experiments/cell_outcome.h"

namespace moelab::experiments {
namespace {

constexpr std::size_t kSamplesAChunk = 4096;  // about a second of work for a small model
constexpr std::size_t kQuestionsAChunk = 64;

// Questions that the same tasks still miss, so that a chunk's effects belong to all of its samples.
struct Chunk {
  std::vector<std::size_t> questions;  // indices into setup.questions
  std::vector<std::size_t> tasks;
};

// For each question which tasks miss it, as a text of '0' and '1'.
std::vector<std::string> missing_tasks(const ScoreSetup& setup, std::vector<CellTask>& tasks,
                                       store::Store& store) {
  std::vector<std::string> missing(setup.questions.size(), std::string(tasks.size(), '0'));
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto answered = store.answered(tasks[t].cell);
    tasks[t].stored = static_cast<std::int64_t>(answered.size());
    for (std::size_t q = 0; q < missing.size(); ++q) {
      if (std::binary_search(answered.begin(), answered.end(), store::SampleKey{setup.questions[q].id, 0}))
        continue;
      missing[q][t] = '1';
      ++tasks[t].missing;
    }
  }
  return missing;
}

std::vector<Chunk> make_chunks(const std::vector<std::string>& missing) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t q = 0; q < missing.size(); ++q)
    if (missing[q].find('1') != std::string::npos) groups[missing[q]].push_back(q);
  std::vector<Chunk> chunks;
  for (const auto& [pattern, questions] : groups) {
    std::vector<std::size_t> tasks;
    for (std::size_t t = 0; t < pattern.size(); ++t)
      if (pattern[t] == '1') tasks.push_back(t);
    const std::size_t size = std::clamp<std::size_t>(kSamplesAChunk / tasks.size(), 8, kQuestionsAChunk);
    for (std::size_t first = 0; first < questions.size(); first += size) {
      const auto begin = questions.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end =
          questions.begin() + static_cast<std::ptrdiff_t>(std::min(first + size, questions.size()));
      chunks.push_back({{begin, end}, tasks});
    }
  }
  std::stable_sort(chunks.begin(), chunks.end(),
                   [](const Chunk& a, const Chunk& b) { return a.questions.front() < b.questions.front(); });
  return chunks;
}

// A chunk's distinct plans and the scores of the original (0) and of each plan (from 1).
struct ChunkScores {
  std::map<std::string, std::size_t> plan_index;  // by content; the original is 0
  engine::ScoreReport report;
};

std::vector<engine::ScoreItem> items_of(const ScoreSetup& setup, const Chunk& chunk) {
  std::vector<engine::ScoreItem> items;
  for (const std::size_t q : chunk.questions) items.push_back(setup.questions[q].item);
  return items;
}

ChunkScores score_chunk(const ScoreSetup& setup, const Chunk& chunk, const std::vector<CellTask>& tasks,
                        const ScoreHooks& hooks) {
  ChunkScores scores;
  std::vector<steering::Plan> plans;
  for (const std::size_t t : chunk.tasks) {
    const CellTask& task = tasks[t];
    if (scores.plan_index.contains(task.plan_key)) continue;
    if (!task.plan.entries.empty()) plans.push_back(task.plan);
    scores.plan_index[task.plan_key] = task.plan.entries.empty() ? 0 : plans.size();
  }
  scores.report = setup.engine->score(items_of(setup, chunk), plans, hooks.inside);
  return scores;
}

std::vector<store::VerdictRow> verdicts_of(const ScoreSetup& setup, const ScoredQuestion& question,
                                           std::span<const evaluators::OptionScore> options) {
  std::vector<store::VerdictRow> rows;
  for (const std::string& evaluator : evaluators_of(setup.prompt)) {
    const evaluators::Verdict verdict = evaluators::judge_options(evaluator, options, question.answer);
    store::VerdictRow row;
    row.evaluator = verdict.evaluator;
    row.version = verdict.version;
    row.answer = verdict.answer;
    row.rule = verdict.rule;
    row.correct = verdict.correct;
    rows.push_back(std::move(row));
  }
  return rows;
}

void store_sample(const ScoreSetup& setup, const CellTask& task, const ScoredQuestion& question,
                  std::span<const double> log_probabilities, double seconds, store::Store& store) {
  std::vector<evaluators::OptionScore> options;
  for (std::size_t o = 0; o < log_probabilities.size(); ++o)
    options.push_back({evaluators::rounded(log_probabilities[o]),
                       static_cast<std::int64_t>(question.item.options[o].size()), question.option_bytes[o]});
  store::SampleRow row;
  row.cell = task.cell;
  row.question = question.id;
  row.key = sample_key(setup.condition, task.plan_key, question.key);
  row.prompt_tokens = static_cast<std::int64_t>(question.item.prompt.size());
  row.stop = "scored";
  row.seconds = seconds;
  row.scores = evaluators::to_json(options);
  store.put_sample(row, verdicts_of(setup, question, options));
}

void store_chunk(const ScoreSetup& setup, const Chunk& chunk, std::vector<CellTask>& tasks,
                 const ChunkScores& scores, double seconds, store::Store& store) {
  const double each = seconds / static_cast<double>(chunk.questions.size() * chunk.tasks.size());
  store::Transaction transaction = store.begin();
  for (const std::size_t t : chunk.tasks) {
    const std::size_t plan = scores.plan_index.at(tasks[t].plan_key);
    for (std::size_t i = 0; i < chunk.questions.size(); ++i)
      store_sample(setup, tasks[t], setup.questions[chunk.questions[i]],
                   scores.report.items[i].log_probabilities[plan], each, store);
    add_effects(tasks[t].cell, scores.report.effects[plan], store);
    const auto samples = static_cast<std::int64_t>(chunk.questions.size());
    tasks[t].stored += samples;
    tasks[t].missing -= samples;
    update_outcome(setup, tasks[t],
                   {setup.provenance, each * static_cast<double>(samples), scores.report.prompt_tokens},
                   store);
  }
  transaction.commit();
}

// Finds the tasks whose plans fail by running each alone, marks them and returns the others.
std::vector<std::size_t> drop_failing(const ScoreSetup& setup, const Chunk& chunk,
                                      const std::vector<CellTask>& tasks, store::Store& store) {
  const auto items = items_of(setup, chunk);
  setup.engine->score(items, {});  // throws when it is the model that fails
  std::map<std::string, std::string> error_of;
  std::vector<std::size_t> kept;
  for (const std::size_t t : chunk.tasks) {
    const auto [known, is_new] = error_of.try_emplace(tasks[t].plan_key);
    if (is_new) {
      try {
        setup.engine->score(items, {&tasks[t].plan, 1});
      } catch (const std::exception& problem) {
        known->second = problem.what();
      }
    }
    if (known->second.empty())
      kept.push_back(t);
    else
      mark_failed(setup, tasks[t].cell, known->second, store);
  }
  return kept;
}

// Scores a chunk without the tasks that fail; those are flagged in `failed`. Nothing when all failed.
std::optional<ChunkScores> score_what_works(const ScoreSetup& setup, Chunk& chunk,
                                            const std::vector<CellTask>& tasks, std::vector<bool>& failed,
                                            store::Store& store, const ScoreHooks& hooks) {
  std::string reason;
  try {
    return score_chunk(setup, chunk, tasks, hooks);
  } catch (const std::exception& problem) {
    reason = problem.what();
  }
  const auto kept = drop_failing(setup, chunk, tasks, store);
  if (kept.size() == chunk.tasks.size()) throw Error("{}", reason);
  for (const std::size_t t : chunk.tasks) failed[t] = std::find(kept.begin(), kept.end(), t) == kept.end();
  chunk.tasks = kept;
  if (kept.empty()) return std::nullopt;
  return score_chunk(setup, chunk, tasks, hooks);
}

}  // namespace

const steering::Plan& CellTask::plan_for(store::Id question) const {
  static const steering::Plan original;
  if (!by_question) return plan;
  const auto own = by_question->find(question);
  return own == by_question->end() ? original : own->second;
}

std::string CellTask::plan_key_for(store::Id question) const {
  if (!by_question) return plan_key;
  const steering::Plan& own = plan_for(question);
  return own.entries.empty() ? "original" : steering::digest(own);
}

std::int64_t longest_prompt(std::span<const ScoredQuestion> questions) {
  std::int64_t longest = 0;
  for (const ScoredQuestion& question : questions)
    longest = std::max({longest, std::ssize(question.item.prompt), longest_prompt(question.again)});
  return longest;
}

ScoreSummary score_cells(const ScoreSetup& setup, std::vector<CellTask> tasks, store::Store& store,
                         const ScoreHooks& hooks) {
  ScoreSummary summary;
  if (std::any_of(tasks.begin(), tasks.end(),
                  [](const CellTask& task) { return task.by_question.has_value(); }))
    throw Error("plans that differ by question need answers that are written");
  std::vector<bool> failed(tasks.size(), false);
  const auto chunks = make_chunks(missing_tasks(setup, tasks, store));
  for (const CellTask& task : tasks)
    if (task.missing == 0) ++summary.complete_before;
  for (Chunk chunk : chunks) {
    std::erase_if(chunk.tasks, [&](std::size_t t) { return failed[t]; });
    if (chunk.tasks.empty()) continue;
    const auto start = Clock::now();
    const auto scores = score_what_works(setup, chunk, tasks, failed, store, hooks);
    if (!scores) continue;
    const double seconds = seconds_since(start);
    store_chunk(setup, chunk, tasks, *scores, seconds, store);
    for (const std::size_t t : chunk.tasks)
      if (tasks[t].missing == 0) ++summary.completed;
    if (hooks.chunk_done)
      hooks.chunk_done({static_cast<std::int64_t>(chunk.questions.size() * chunk.tasks.size()),
                        scores->report.forward_tokens, seconds});
  }
  // A cell that missed nothing may carry the status of a study that asked for other questions.
  for (std::size_t t = 0; t < tasks.size(); ++t)
    if (!failed[t]) update_outcome(setup, tasks[t], {}, store);
  return summary;
}

}  // namespace moelab::experiments
