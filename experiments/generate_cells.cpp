#include "experiments/generate_cells.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "core/engine/generate.h"
#include "experiments/cell_keys.h"
#include "experiments/cell_outcome.h"
#include "experiments/generation_memory.h"
#include "experiments/guarded.h"
#include "experiments/written_sample.h"

namespace moelab::experiments {
namespace {

constexpr std::size_t kRoundsAChunk = 4;  // a chunk fills every row that often: the last round leaves gaps

struct QuestionRepeat {
  std::size_t question = 0;  // index into setup.cells.questions
  int repeat = 0;
};

// Samples that the same tasks still miss.
struct SampleChunk {
  std::vector<QuestionRepeat> units;
  std::vector<std::size_t> tasks;
};

// The tasks of a chunk that have one plan, and what was generated for them.
struct PlanRun {
  std::vector<std::size_t> tasks;
  std::vector<std::optional<engine::Generation>> samples;  // [units]; nothing for one that did not end
  steering::Effect effect;
  std::string error;
};

model::CachePlan cache_plan(const GenerateSetup& setup) {
  const engine::Engine& engine = *setup.cells.engine;
  model::CacheNeeds needs;
  needs.max_new_tokens = setup.generation.max_new_tokens;
  for (const ScoredQuestion& question : setup.cells.questions)
    needs.longest_prompt =
        std::max(needs.longest_prompt, static_cast<std::int64_t>(question.item.prompt.size()));
  return plan_rows(engine.spec(), engine.model().dtype(), engine.options(), needs, setup.cache_bytes);
}

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
                                   std::size_t samples_a_chunk) {
  std::map<std::string, std::vector<QuestionRepeat>> groups;
  for (const auto& [unit, pattern] : missing)
    if (pattern.find('1') != std::string::npos) groups[pattern].push_back(unit);
  std::vector<SampleChunk> chunks;
  for (const auto& [pattern, units] : groups) {
    std::vector<std::size_t> tasks;
    for (std::size_t t = 0; t < pattern.size(); ++t)
      if (pattern[t] == '1') tasks.push_back(t);
    const std::size_t size = std::max<std::size_t>(1, samples_a_chunk / tasks.size());
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

engine::GenerateRequest request_of(const GenerateSetup& setup, const QuestionRepeat& unit) {
  const ScoredQuestion& question = setup.cells.questions[unit.question];
  engine::GenerateRequest request;
  request.question = question.name;
  request.first_repeat = unit.repeat;
  request.prompt = question.item.prompt;
  request.sampling = sampling_of(setup.generation);
  request.max_new_tokens = setup.generation.max_new_tokens;
  request.stop_strings = setup.generation.stop;
  request.seed = setup.seed;
  if (setup.generation.thinking_budget >= 0)
    request.thinking =
        thinking_budget(setup.generation.thinking_budget, text::thinking_format(setup.generation.thinking),
                        *setup.tokenizer, question.opened);
  return request;
}

engine::GenerateOptions generate_options(const GenerateSetup& setup) {
  engine::GenerateOptions options;
  // Room for every row at its longest: a row that had to wait would be read, and its effects counted, twice.
  const model::CachePlan plan = cache_plan(setup);
  options.rows = plan.rows;
  options.cache = plan.cache;
  options.prefill_tokens = setup.cells.engine->options().batch_tokens;
  options.tokenizer = setup.tokenizer;
  return options;
}

// Generates all units under the plans of `runs` in one batch. What ended is in the runs even when it throws.
std::int64_t generate_runs(const GenerateSetup& setup, const SampleChunk& chunk,
                           const std::vector<CellTask>& tasks, std::span<PlanRun> runs,
                           const ScoreHooks& hooks) {
  std::vector<steering::Plan> plans;
  std::vector<std::size_t> plan_of;
  for (PlanRun& run : runs) {
    run.samples.assign(chunk.units.size(), std::nullopt);
    const steering::Plan& plan = tasks[run.tasks.front()].plan;
    if (!plan.entries.empty()) plans.push_back(plan);
    plan_of.push_back(plan.entries.empty() ? 0 : plans.size());
  }
  std::vector<engine::GenerateRequest> requests;  // [unit][run]
  for (const QuestionRepeat& unit : chunk.units)
    for (const std::size_t plan : plan_of) {
      requests.push_back(request_of(setup, unit));
      requests.back().plan = static_cast<std::int64_t>(plan);
    }
  engine::GenerateOptions options = generate_options(setup);
  std::int64_t done = 0;
  options.on_finished = [&](const engine::Generation& made) {
    PlanRun& run = runs[made.request % runs.size()];
    run.samples[made.request / runs.size()] = made;
    done += static_cast<std::int64_t>(run.tasks.size());
    if (hooks.inside) hooks.inside(done);
  };
  const engine::GenerateReport report = engine::generate(*setup.cells.engine, plans, requests, options);
  for (std::size_t r = 0; r < runs.size(); ++r) runs[r].effect = report.effects[plan_of[r]];
  return report.forward_tokens;
}

// All plans together; when that fails, one by one.
std::int64_t generate_what_works(const GenerateSetup& setup, const SampleChunk& chunk,
                                 const std::vector<CellTask>& tasks, std::vector<PlanRun>& runs,
                                 const ScoreHooks& hooks) {
  std::int64_t tokens = 0;
  std::string error;
  guarded([&] { tokens = generate_runs(setup, chunk, tasks, runs, hooks); },
          [&](const std::string& problem) { error = problem; });
  if (error.empty()) return tokens;
  if (runs.size() == 1) {
    runs.front().error = error;
    return 0;
  }
  for (PlanRun& run : runs)
    guarded(
        [&] {
          tokens += generate_runs(setup, chunk, tasks, {&run, 1}, {});
        },
        [&](const std::string& problem) { run.error = problem; });
  return tokens;
}

// Writes chunks; knows what all of them share.
class ChunkWriter {
 public:
  ChunkWriter(const GenerateSetup& setup, store::Store& store)
      : setup_(setup),
        store_(store),
        reader_(*setup.tokenizer, setup.cells.prompt, setup.generation, setup.cells.engine->spec().eos_ids,
                setup.cells.evaluators) {}

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
      if (!run.samples[u]) continue;
      const ScoredQuestion& question = setup_.cells.questions[chunk.units[u].question];
      write_sample(task, question, chunk.units[u].repeat, *run.samples[u], seconds);
      ++samples;
      tokens += static_cast<std::int64_t>(question.item.prompt.size() + run.samples[u]->tokens.size());
    }
    task.stored += samples;
    task.missing -= samples;
    if (run.error.empty()) add_effects(task.cell, run.effect, store_);
    const double spent = seconds * static_cast<double>(samples);
    update_outcome(setup_.cells, task, {setup_.cells.provenance, spent, tokens}, store_);
    if (!run.error.empty()) mark_failed(setup_.cells, task.cell, run.error, store_);
    return samples;
  }

  void write_sample(const CellTask& task, const ScoredQuestion& question, int repeat,
                    const engine::Generation& made, double seconds) {
    WrittenSample sample = reader_.read(question, made);
    sample.row.cell = task.cell;
    sample.row.question = question.id;
    sample.row.repeat = repeat;
    sample.row.key = sample_key(setup_.cells.condition, task.plan_key, question.key, repeat);
    sample.row.prompt_tokens = static_cast<std::int64_t>(question.item.prompt.size());
    sample.row.seconds = seconds;
    std::vector<store::VerdictRow> verdicts = {std::move(sample.verdict)};
    verdicts.insert(verdicts.end(), sample.more.begin(), sample.more.end());
    store_.put_sample(sample.row, verdicts);
  }

  const GenerateSetup& setup_;
  store::Store& store_;
  AnswerReader reader_;
};

}  // namespace

std::vector<engine::Generation> generate_original(const GenerateSetup& setup) {
  std::vector<engine::GenerateRequest> requests;
  for (std::size_t q = 0; q < setup.cells.questions.size(); ++q)
    requests.push_back(request_of(setup, {q, 0}));
  return engine::generate(*setup.cells.engine, {}, requests, generate_options(setup)).samples;
}

ScoreSummary generate_cells(const GenerateSetup& setup, std::vector<CellTask> tasks, store::Store& store,
                            const ScoreHooks& hooks) {
  using Clock = std::chrono::steady_clock;
  ScoreSummary summary;
  std::vector<bool> failed(tasks.size(), false);
  const std::size_t chunk_size = kRoundsAChunk * static_cast<std::size_t>(cache_plan(setup).rows);
  const auto chunks = chunks_of(missing_samples(setup, tasks, store), chunk_size);
  for (const CellTask& task : tasks)
    if (task.missing == 0) ++summary.complete_before;
  ChunkWriter writer(setup, store);
  for (SampleChunk chunk : chunks) {
    std::erase_if(chunk.tasks, [&](std::size_t t) { return failed[t]; });
    if (chunk.tasks.empty()) continue;
    const auto start = Clock::now();
    std::vector<PlanRun> runs = plan_runs(chunk, tasks);
    const std::int64_t tokens = generate_what_works(setup, chunk, tasks, runs, hooks);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
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
