#include "experiments/generate_runs.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/engine/generate.h"
#include "experiments/generation_memory.h"
#include "experiments/guarded.h"

namespace moelab::experiments {
namespace {

constexpr std::size_t kRoundsAChunk = 4;  // a chunk fills every row that often: the last round leaves gaps

void limit_thinking(const GenerateSetup& setup, text::ThinkingOptions::Opened opened,
                    engine::GenerateRequest& request) {
  if (setup.generation.thinking_budget >= 0)
    request.thinking =
        thinking_budget(setup.generation.thinking_budget, text::thinking_format(setup.generation.thinking),
                        *setup.tokenizer, opened);
}

engine::GenerateRequest request_of(const GenerateSetup& setup, const QuestionRepeat& unit) {
  const ScoredQuestion& question = question_of(setup, unit);
  engine::GenerateRequest request;
  request.question = question.name;
  request.first_repeat = unit.repeat;
  request.prompt = question.item.prompt;
  request.sampling = sampling_of(setup.generation);
  request.max_new_tokens = setup.generation.max_new_tokens;
  request.stop_strings = setup.generation.stop;
  request.seed = setup.seed;
  limit_thinking(setup, question.opened, request);
  return request;
}

// The KV cache of a batch, and the rows that it holds side by side.
model::CachePlan cache_plan(const GenerateSetup& setup) {
  const engine::Engine& engine = *setup.cells.engine;
  const model::CacheNeeds needs =
      cache_needs(longest_prompt(setup.cells.questions), setup.generation.max_new_tokens,
                  setup.prompts == nullptr ? 0 : setup.prompts->follow_up_tokens());
  return plan_rows(engine.spec(), engine.model().dtype(), engine.options(), needs, setup.cache_bytes);
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

// The plans of a chunk's runs as generation takes them.
struct RunPlans {
  std::vector<steering::Plan> plans;
  std::vector<std::vector<std::int64_t>> plan_of;  // [runs][units]: 0 for the original
};

RunPlans plans_of(const GenerateSetup& setup, const SampleChunk& chunk, std::span<const PlanRun> runs,
                  const std::vector<CellTask>& tasks) {
  RunPlans all;
  for (const PlanRun& run : runs) {
    const CellTask& task = tasks[run.tasks.front()];
    std::map<std::string, std::int64_t> known;  // of this run: effects of two runs are counted apart
    auto& plan_of = all.plan_of.emplace_back();
    for (const QuestionRepeat& unit : chunk.units) {
      const store::Id question = question_of(setup, unit).id;
      const steering::Plan& plan = task.plan_for(question);
      if (plan.entries.empty()) {
        plan_of.push_back(0);
        continue;
      }
      const auto [place, is_new] = known.try_emplace(task.plan_key_for(question), std::ssize(all.plans) + 1);
      if (is_new) all.plans.push_back(plan);
      plan_of.push_back(place->second);
    }
  }
  return all;
}

// One call of all requests in one batch. `take` is given each sample as it ends; the effects go to the runs.
std::int64_t call_model(const GenerateSetup& setup, const RunPlans& plans, std::span<PlanRun> runs,
                        const std::vector<engine::GenerateRequest>& requests,
                        const std::function<void(const engine::Generation&)>& take) {
  engine::GenerateOptions options = generate_options(setup);
  options.on_finished = take;
  const engine::GenerateReport report = engine::generate(*setup.cells.engine, plans.plans, requests, options);
  for (std::size_t r = 0; r < runs.size(); ++r)
    for (const std::int64_t plan : std::set(plans.plan_of[r].begin(), plans.plan_of[r].end()))
      runs[r].effects.push_back(report.effects[static_cast<std::size_t>(plan)]);
  return report.forward_tokens;
}

// The second call of every sample, behind its first reply. Where that fills the model's context nothing more
// is generated, and the empty reply counts as cut off.
class SecondCalls {
 public:
  SecondCalls(const GenerateSetup& setup, const AnswerReader& reader, const SampleChunk& chunk,
              const RunPlans& plans, std::span<PlanRun> runs)
      : runs_(runs) {
    for (std::size_t u = 0; u < chunk.units.size(); ++u)
      for (std::size_t r = 0; r < runs.size(); ++r) {
        add(setup, reader, chunk.units[u], runs[r].samples[u]);
        if (requests_.size() == places_.size()) continue;
        requests_.back().plan = plans.plan_of[r][u];
        places_.emplace_back(u, r);
      }
  }

  const std::vector<engine::GenerateRequest>& requests() const { return requests_; }

  // Stores what a request gave. Returns the run that it belongs to.
  const PlanRun& take(const engine::Generation& made) {
    const auto& [unit, run] = places_[made.request];
    MadeSample& sample = runs_[run].samples[unit];
    sample.second = pending_[made.request];
    sample.second->made = made;
    return runs_[run];
  }

 private:
  void add(const GenerateSetup& setup, const AnswerReader& reader, const QuestionRepeat& unit,
           MadeSample& sample) {
    const ScoredQuestion& question = question_of(setup, unit);
    const QuestionTokens put =
        setup.prompts->put_again(question.name, question.asked, reader.reply(question, *sample.first));
    SecondCall call{{}, setup.prompts->follow_up(), put.opened, std::ssize(put.item.prompt)};
    if (call.prompt_tokens >= setup.cells.engine->spec().max_positions) {
      call.made.reason = engine::StopReason::context;
      sample.second = call;
      return;
    }
    engine::GenerateRequest request = request_of(setup, unit);
    request.question += " (asked again)";  // random streams of its own
    request.prompt = put.item.prompt;
    limit_thinking(setup, put.opened, request);
    requests_.push_back(std::move(request));
    pending_.push_back(call);
  }

  std::span<PlanRun> runs_;
  std::vector<engine::GenerateRequest> requests_;
  std::vector<SecondCall> pending_;                          // as requests_
  std::vector<std::pair<std::size_t, std::size_t>> places_;  // as requests_: unit and run
};

// Generates all units under the plans of `runs` in one batch, or two where the prompt asks twice. What ended
// is in the runs even when it throws.
std::int64_t generate_runs(const GenerateSetup& setup, const AnswerReader& reader, const SampleChunk& chunk,
                           const std::vector<CellTask>& tasks, std::span<PlanRun> runs,
                           const ScoreHooks& hooks) {
  const RunPlans plans = plans_of(setup, chunk, runs, tasks);
  for (PlanRun& run : runs) {
    run.samples.assign(chunk.units.size(), {});
    run.effects.clear();
  }
  std::vector<engine::GenerateRequest> requests;  // [unit][run]
  for (std::size_t u = 0; u < chunk.units.size(); ++u)
    for (const auto& plan_of : plans.plan_of) {
      requests.push_back(request_of(setup, chunk.units[u]));
      requests.back().plan = plan_of[u];
    }
  std::int64_t done = 0;
  const auto count = [&](const PlanRun& run) {
    done += std::ssize(run.tasks);
    if (hooks.inside) hooks.inside(done);
  };
  const std::int64_t tokens = call_model(setup, plans, runs, requests, [&](const engine::Generation& made) {
    PlanRun& run = runs[made.request % runs.size()];
    run.samples[made.request / runs.size()].first = made;
    if (setup.prompts == nullptr) count(run);
  });
  if (setup.prompts == nullptr) return tokens;
  SecondCalls second(setup, reader, chunk, plans, runs);
  if (second.requests().empty()) return tokens;
  return tokens + call_model(setup, plans, runs, second.requests(),
                             [&](const engine::Generation& made) { count(second.take(made)); });
}

}  // namespace

const ScoredQuestion& question_of(const GenerateSetup& setup, const QuestionRepeat& unit) {
  return setup.cells.questions[unit.question].in_repeat(unit.repeat);
}

std::int64_t generate_what_works(const GenerateSetup& setup, const AnswerReader& reader,
                                 const SampleChunk& chunk, const std::vector<CellTask>& tasks,
                                 std::vector<PlanRun>& runs, const ScoreHooks& hooks) {
  std::int64_t tokens = 0;
  std::string error;
  guarded([&] { tokens = generate_runs(setup, reader, chunk, tasks, runs, hooks); },
          [&](const std::string& problem) { error = problem; });
  if (error.empty()) return tokens;
  if (runs.size() == 1) {
    runs.front().error = error;
    return 0;
  }
  for (PlanRun& run : runs)
    guarded(
        [&] {
          tokens += generate_runs(setup, reader, chunk, tasks, {&run, 1}, {});
        },
        [&](const std::string& problem) { run.error = problem; });
  return tokens;
}

std::size_t samples_a_chunk(const GenerateSetup& setup) {
  return kRoundsAChunk * static_cast<std::size_t>(cache_plan(setup).rows);
}

GenerateSetup original_setup(const engine::Engine& engine, const ModelSession& session,
                             std::span<const ScoredQuestion> questions, const GenerationConfig& generation,
                             std::int64_t seed) {
  GenerateSetup setup;
  setup.cells.engine = &engine;
  setup.cells.questions = questions;
  setup.generation = generation;
  setup.tokenizer = &session.tokenizer();
  setup.seed = static_cast<std::uint64_t>(seed);
  setup.cache_bytes = session.cache_bytes();
  return setup;
}

std::vector<engine::Generation> generate_original(const GenerateSetup& setup,
                                                  const std::function<void()>& before_chunk) {
  std::vector<engine::Generation> samples;
  const std::size_t count = setup.cells.questions.size(), chunk = samples_a_chunk(setup);
  for (std::size_t first = 0; first < count; first += chunk) {
    before_chunk();
    std::vector<engine::GenerateRequest> requests;
    for (std::size_t q = first; q < std::min(first + chunk, count); ++q)
      requests.push_back(request_of(setup, {q, 0}));
    for (engine::Generation& made :
         engine::generate(*setup.cells.engine, {}, requests, generate_options(setup)).samples) {
      made.request += first;
      samples.push_back(std::move(made));
    }
  }
  return samples;
}

}  // namespace moelab::experiments
