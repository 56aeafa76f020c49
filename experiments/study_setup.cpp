#include "experiments/study_setup.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/text/tiktoken.h"
#include "evaluators/mcq.h"
#include "experiments/generation_memory.h"
#include "experiments/model_session.h"
#include "experiments/question_prompt.h"
#include "experiments/study_variants.h"
#include "experiments/version.h"

namespace moelab::experiments {
namespace {

store::Id put_study_row(const StudyConfig& study, store::Store& store) {
  store::StudyRow row;
  row.name = study.name;
  row.config = canonical_json(study.tree);
  row.config_hash = study.hash();
  row.protocol = std::string(name_of(study.protocol));
  row.code_version = kVersion;
  row.libraries = library_versions();
  row.device = study.engine.device;
  return store.put_study(row);
}

StoredBenchmark prepare_benchmark(const BenchmarkConfig& config, const StudyConfig& study) {
  StoredBenchmark stored;
  stored.benchmark = load_benchmark(config);
  stored.domains = study_domains(stored.benchmark, study);
  stored.splits = make_splits(stored.benchmark, study);
  return stored;
}

void store_benchmark(StoredBenchmark& stored, const StudyConfig& study, store::Id id, store::Store& store) {
  for (const std::string& domain : stored.domains.compared) {
    std::vector<store::QuestionRow> rows;
    for (const Question& question : stored.benchmark.domain(domain))
      rows.push_back(question_row(question, stored.benchmark.config.name));
    stored.ids[domain] = store.put_questions(rows);
    DomainSplit split = stored.splits.at(domain);
    const bool is_tested = std::find(stored.domains.tested.begin(), stored.domains.tested.end(), domain) !=
                           stored.domains.tested.end();
    if (!is_tested) split = {split.discovery, {}, {}, {}, 0};
    store.put_splits(id, split_rows(split, stored.ids[domain], study.protocol));
  }
}

std::string question_key(const Question& question, const engine::ScoreItem& item) {
  std::string text = question.digest;
  const auto append = [&](char mark, const engine::Tokens& tokens) {
    text += mark;
    for (const std::int32_t token : tokens) text += fmt::format(",{}", token);
  };
  append('p', item.prompt);
  for (const engine::Tokens& option : item.options) append('o', option);
  return sha256(text);
}

ScoredQuestion ready_question(const Question& question, store::Id id, const BenchmarkConfig& config,
                              const QuestionPrompts& prompts) {
  QuestionTokens put = prompts.put(question);
  ScoredQuestion ready;
  ready.id = id;
  ready.name = question.name;
  ready.answer = question.answer;
  ready.integer = question.integer;
  if (config.prompt == PromptStyle::published) {
    ready.expected.gold =
        question.options.empty() ? question.number : evaluators::option_letter(question.answer);
    ready.expected.options = question.options;
  }
  if (!prompts.follow_up().empty()) ready.asked = render_prompt(question, config.prompt).prompt;
  ready.item = std::move(put.item);
  ready.opened = put.opened;
  ready.key = question_key(question, ready.item);
  for (const std::string& text : put.rendered.continuations)
    ready.option_bytes.push_back(static_cast<std::int64_t>(text.size()));
  return ready;
}

}  // namespace

PreparedStudy prepare_study(const StudyConfig& study, store::Store& store) {
  PreparedStudy prepared;
  for (const BenchmarkConfig& config : study.benchmarks)
    prepared.benchmarks.push_back(prepare_benchmark(config, study));
  store::Transaction transaction = store.begin();
  prepared.id = put_study_row(study, store);
  for (StoredBenchmark& stored : prepared.benchmarks) store_benchmark(stored, study, prepared.id, store);
  transaction.commit();
  return prepared;
}

std::vector<ScoredQuestion> ready_questions(const StoredBenchmark& stored, const std::string& domain,
                                            std::span<const std::size_t> places,
                                            const QuestionContext& context) {
  const auto& questions = stored.benchmark.domain(domain);
  const QuestionPrompts prompts(stored.benchmark, context.tokenizer, context.model_directory);
  std::vector<ScoredQuestion> scored;
  for (const std::size_t i : places) {
    Question question = questions[i];
    question.text = context.hint + question.text;
    const store::Id id = stored.ids.at(domain)[i];
    ScoredQuestion ready = ready_question(in_repeat(question, 0), id, stored.benchmark.config, prompts);
    for (std::size_t repeat = 1; repeat <= question.again.size(); ++repeat) {
      ready.again.push_back(
          ready_question(in_repeat(question, repeat), id, stored.benchmark.config, prompts));
      ready.again.back().option_order = option_order(question, repeat);
    }
    scored.push_back(std::move(ready));
  }
  return scored;
}

std::vector<ScoredQuestion> scored_questions(const StoredBenchmark& stored, const std::string& domain,
                                             const QuestionContext& context) {
  return ready_questions(stored, domain, stored.splits.at(domain).scored, context);
}

void require_cache(const ModelConfig& model, std::span<const StoredBenchmark> benchmarks,
                   const StudyConfig& study) {
  const engine::EngineOptions& options = study.engine;
  const auto is_written = [](const StoredBenchmark& stored) {
    return is_generated(stored.benchmark.config.prompt);
  };
  if (std::none_of(benchmarks.begin(), benchmarks.end(), is_written)) return;
  if (!std::filesystem::is_directory(model.path)) return;  // loading says it better
  const model::ModelSpec spec = model::read_spec(model.path);
  const at::ScalarType dtype = planned_dtype(model.path, options);
  const auto tokenizer = text::load_tokenizer(model.path);
  const std::int64_t bytes = cache_bytes(spec, dtype, options, free_memory(options.device));
  for (const StoredBenchmark& stored : benchmarks) {
    if (!is_written(stored)) continue;
    const QuestionPrompts prompts(stored.benchmark, tokenizer, model.path);
    std::int64_t longest = 0;
    for (const std::string& domain : stored.domains.tested)
      for (const std::string& hint : hints_of(study, stored.domains.compared))
        longest = std::max(longest,
                           longest_prompt(scored_questions(stored, domain, {tokenizer, model.path, hint})));
    const std::int64_t max_new_tokens = stored.benchmark.config.generation.max_new_tokens;
    plan_rows(spec, dtype, options, cache_needs(longest, max_new_tokens, prompts.follow_up_tokens()), bytes);
  }
}

}  // namespace moelab::experiments
