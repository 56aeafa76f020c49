#include "experiments/generate_cells.h"

#include <algorithm>
#include <map>

#include "core/base/stopwatch.h"
#include "experiments/cell_keys.h"
#include "experiments/cell_outcome.h"
#include "experiments/generate_runs.h"

namespace moelab::experiments {
namespace {

// Which tasks miss a sample, as a text of '0' and '1', for each question and repeat. Fills in the tasks'
// counts.
std::vector<std::pair<QuestionRepeat, std::string>> missing_samples(const GenerateSetup& setup,
                                                                    std::vector<CellTask>& tasks,
                                                                    store::Store& store) {
  std::vector<std::pair<QuestionRepeat, std::string>> missing;
  const auto repeats = static_cast<int>(setup.generation.repeats);
  for (std::size_t q = 0; q < setup.cells.questions.size(); ++q)
    for (int repeat = 0; repeat < repeats; ++repeat)
      missing.push_back({{q, repeat}, std::string(tasks.size(), '0')});
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    const auto answered = store.answered(tasks[t].cell);
    tasks[t].stored = std::count_if(answered.begin(), answered.end(),
                                    [&](const auto& key) { return key.repeat < repeats; });
    for (auto& [unit, pattern] : missing) {
      const store::SampleKey key{setup.cells.questions[unit.question].id, unit.repeat};
      if (std::binary_search(answered.begin(), answered.end(), key)) continue;
      pattern[t] = '1';
      ++tasks[t].missing;
    }
  }
  return missing;
}

std::vector<SampleChunk> chunks_of(const std::vector<std::pair<QuestionRepeat, std::string>>& missing,
                                   std::size_t chunk_size) {
  std::map<std::string, std::vector<QuestionRepeat>> groups;
  for (const auto& [unit, pattern] : missing)
    if (pattern.find('1') != std::string::npos) groups[pattern].push_back(unit);
  std::vector<SampleChunk> chunks;
  for (const auto& [pattern, units] : groups) {
    std::vector<std::size_t> tasks;
    for (std::size_t t = 0; t < pattern.size(); ++t)
      if (pattern[t] == '1') tasks.push_back(t);
    const std::size_t size = std::max<std::size_t>(1, chunk_size / tasks.size());
    for (std::size_t first = 0; first < units.size(); first += size) {
      const auto begin = units.begin() + static_cast<std::ptrdiff_t>(first);
      chunks.push_back(
          {{begin, units.begin() + static_cast<std::ptrdiff_t>(std::min(first + size, units.size()))},
           tasks});
    }
  }
  return chunks;
}

std::vector<PlanRun> plan_runs(const SampleChunk& chunk, const std::vector<CellTask>& tasks) {
  std::map<std::string, std::size_t> index;
  std::vector<PlanRun> runs;
  for (const std::size_t t : chunk.tasks) {
    const auto [known, is_new] = index.try_emplace(tasks[t].plan_key, runs.size());
    if (is_new) runs.emplace_back();
    runs[known->second].tasks.push_back(t);
  }
  return runs;
}

// Writes chunks; knows what all of them share.
class ChunkWriter {
 public:
  ChunkWriter(const GenerateSetup& setup, const AnswerReader& reader, store::Store& store)
      : setup_(setup), reader_(reader), store_(store) {}

  // One transaction for all of the chunk's tasks. Returns the number of samples.
  std::int64_t write(const SampleChunk& chunk, const std::vector<PlanRun>& runs, std::vector<CellTask>& tasks,
                     double seconds) {
    const double each = seconds / static_cast<double>(chunk.units.size() * chunk.tasks.size());
    std::int64_t stored = 0;
    store::Transaction transaction = store_.begin();
    for (const PlanRun& run : runs)
      for (const std::size_t t : run.tasks) stored += write_task(chunk, run, tasks[t], each);
    transaction.commit();
    return stored;
  }

 private:
  std::int64_t write_task(const SampleChunk& chunk, const PlanRun& run, CellTask& task, double seconds) {
    std::int64_t samples = 0, tokens = 0;
    for (std::size_t u = 0; u < chunk.units.size(); ++u) {
      const MadeSample& made = run.samples[u];
      if (setup_.prompts == nullptr ? !made.first : !made.second) continue;
      const ScoredQuestion& question = question_of(setup_, chunk.units[u]);
      write_sample(task, question, chunk.units[u].repeat, made, seconds);
      ++samples;
      tokens += std::ssize(question.item.prompt) + std::ssize(made.first->tokens);
      if (made.second) tokens += made.second->prompt_tokens + std::ssize(made.second->made.tokens);
    }
    task.stored += samples;
    task.missing -= samples;
    if (run.error.empty())
      for (const steering::Effect& effect : run.effects)
        add_effects(task.cell, task.by_question ? on_all_layers(effect, setup_.cells.engine->spec()) : effect,
                    store_);
    const double spent = seconds * static_cast<double>(samples);
    update_outcome(setup_.cells, task, {setup_.cells.provenance, spent, tokens}, store_);
    if (!run.error.empty()) mark_failed(setup_.cells, task.cell, run.error, store_);
    return samples;
  }

  void write_sample(const CellTask& task, const ScoredQuestion& question, int repeat, const MadeSample& made,
                    double seconds) {
    WrittenSample sample =
        made.second ? reader_.read(question, *made.first, *made.second) : reader_.read(question, *made.first);
    sample.row.cell = task.cell;
    sample.row.question = question.id;
    sample.row.repeat = repeat;
    sample.row.key = sample_key(setup_.cells.condition, task.plan_key_for(question.id), question.key, repeat);
    sample.row.prompt_tokens = static_cast<std::int64_t>(question.item.prompt.size());
    sample.row.seconds = seconds;
    std::vector<store::VerdictRow> verdicts = {std::move(sample.verdict)};
    verdicts.insert(verdicts.end(), sample.more.begin(), sample.more.end());
    store_.put_sample(sample.row, verdicts);
  }

  const GenerateSetup& setup_;
  const AnswerReader& reader_;
  store::Store& store_;
};

}  // namespace

ScoreSummary generate_cells(const GenerateSetup& setup, std::vector<CellTask> tasks, store::Store& store,
                            const ScoreHooks& hooks) {
  ScoreSummary summary;
  std::vector<bool> failed(tasks.size(), false);
  const auto chunks = chunks_of(missing_samples(setup, tasks, store), samples_a_chunk(setup));
  for (const CellTask& task : tasks)
    if (task.missing == 0) ++summary.complete_before;
  const AnswerReader reader(*setup.tokenizer, setup.cells.prompt, setup.generation,
                            setup.cells.engine->spec().eos_ids, setup.cells.evaluators);
  ChunkWriter writer(setup, reader, store);
  for (SampleChunk chunk : chunks) {
    std::erase_if(chunk.tasks, [&](std::size_t t) { return failed[t]; });
    if (chunk.tasks.empty()) continue;
    const auto start = Clock::now();
    std::vector<PlanRun> runs = plan_runs(chunk, tasks);
    const std::int64_t tokens = generate_what_works(setup, reader, chunk, tasks, runs, hooks);
    const double seconds = seconds_since(start);
    const std::int64_t stored = writer.write(chunk, runs, tasks, seconds);
    for (const PlanRun& run : runs)
      for (const std::size_t t : run.tasks) {
        failed[t] = !run.error.empty();
        if (!failed[t] && tasks[t].missing == 0) ++summary.completed;
      }
    if (hooks.chunk_done) hooks.chunk_done({stored, tokens, seconds});
  }
  // A cell that missed nothing may carry the status of a study that asked for other questions.
  for (std::size_t t = 0; t < tasks.size(); ++t)
    if (!failed[t]) update_outcome(setup.cells, tasks[t], {}, store);
  return summary;
}

}  // namespace moelab::experiments
