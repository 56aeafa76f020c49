#include "experiments/sft_examples.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/train/save.h"
#include "experiments/generate_runs.h"
#include "experiments/question_prompt.h"
#include "experiments/refusal_probe.h"
#include "experiments/study_setup.h"
#include "experiments/workspace.h"
#include "experiments/written_sample.h"

namespace moelab::experiments {
namespace {

using Indices = std::vector<std::size_t>;  // into a domain's questions

// Digests of all questions that the study reports on, with their names.
std::map<std::string, std::string> test_questions(const StoredBenchmark& stored, Protocol protocol) {
  std::map<std::string, std::string> tested;
  for (const std::string& domain : stored.domains.tested) {
    const DomainSplit& split = stored.splits.at(domain);
    const Indices tuning = protocol == Protocol::holdout ? split.tuning : Indices{};
    for (const std::size_t i : split.scored) {
      if (std::find(tuning.begin(), tuning.end(), i) != tuning.end()) continue;
      const Question& question = stored.benchmark.domain(domain)[i];
      tested.emplace(question.digest, domain + "/" + question.name);
    }
  }
  return tested;
}

void require_untested(const SftJob& job, const Indices& indices,
                      const std::map<std::string, std::string>& tested) {
  for (const std::size_t i : indices) {
    const Question& question = job.stored->benchmark.domain(job.domain)[i];
    const auto found = tested.find(question.digest);
    if (found != tested.end())
      throw ConfigError(
          "the question '{}/{}' would be trained on, but it is the test question '{}' too: take it "
          "out of the question set",
          job.domain, question.name, found->second);
  }
}

void add_example(ExampleSet& set, const std::string& name, const QuestionTokens& put,
                 std::pair<std::vector<std::int32_t>, std::string> answer) {
  set.examples.push_back(train::make_example(name, put.item.prompt, answer.first));
  set.texts.push_back({put.rendered.prompt, std::move(answer.second)});
}

// The right option as the benchmark scores it, or the answer as a model would write it.
ExampleSet gold_examples(const SftJob& job, const Indices& indices) {
  const QuestionPrompts prompts(job.stored->benchmark, job.session->tokenizer(), job.session->directory());
  ExampleSet set;
  for (const std::size_t i : indices) {
    const Question& question = job.stored->benchmark.domain(job.domain)[i];
    const QuestionTokens put = prompts.put(question);
    const std::string text = put.item.options.empty() ? " " + question.answer_text()
                                                      : put.rendered.continuations.at(question.answer);
    add_example(set, question.name, put,
                {put.item.options.empty() ? job.session->tokenizer().encode(text)
                                          : put.item.options.at(question.answer),
                 text});
  }
  return set;
}

// An answer of the model's own to one question.
struct Trace {
  std::vector<std::int32_t> tokens;
  bool is_right = false;  // and not cut off
};

// The file that holds the traces of these questions.
std::filesystem::path trace_file(const SftJob& job, const StudyConfig& study, const Indices& indices) {
  const LoadedModel model = job.session->loaded(0);
  std::vector<std::string> questions;
  for (const std::size_t i : indices) questions.push_back(job.stored->benchmark.domain(job.domain)[i].digest);
  const Json key = {
      {"kind", "own_traces/1"},
      {"model", model.digest},
      {"tokenizer", model.tokenizer->digest()},
      {"dtype", model.dtype},
      {"prompt", template_of(job.stored->benchmark)},
      {"generation", generation_key(job.stored->benchmark.config.generation, study.seed.sampling)},
      {"evaluator", study.evaluator},
      {"questions", questions}};
  return job.folder / fmt::format("traces-{}.jsonl", sha256(canonical_json(key)).substr(0, 16));
}

std::vector<Trace> read_traces(const std::filesystem::path& path) {
  std::vector<Trace> traces;
  for (const std::string& line : read_lines(path)) {
    const Json row = parse_json(line, path.string());
    traces.push_back({json_get<std::vector<std::int32_t>>(row, "tokens", path.string()),
                      json_get<bool>(row, "right", path.string())});
  }
  return traces;
}

void save_traces(const std::filesystem::path& path, const std::vector<ScoredQuestion>& questions,
                 const std::vector<Trace>& traces) {
  std::string lines;
  for (std::size_t i = 0; i < traces.size(); ++i)
    lines +=
        Json{{"question", questions[i].name}, {"right", traces[i].is_right}, {"tokens", traces[i].tokens}}
            .dump() +
        "\n";
  write_atomic(path, lines);
}

bool is_right(const WrittenSample& sample, const std::string& evaluator) {
  for (const store::VerdictRow& verdict : sample.more)
    if (verdict.evaluator == evaluator) return verdict.correct;
  return sample.verdict.correct;
}

// The model's answers to all of the questions, judged.
std::vector<Trace> write_traces(const SftJob& job, const StudyConfig& study,
                                const std::vector<ScoredQuestion>& questions) {
  const BenchmarkConfig& benchmark = job.stored->benchmark.config;
  const AnswerReader reader(job.session->tokenizer(), benchmark.prompt, benchmark.generation,
                            job.session->engine().spec().eos_ids, evaluators_of(benchmark));
  const GenerateSetup setup = original_setup(job.session->engine(), *job.session, questions,
                                             benchmark.generation, study.seed.sampling);
  std::vector<Trace> traces;
  for (const engine::Generation& made : generate_original(setup, job.check_stop)) {
    const WrittenSample sample = reader.read(questions[made.request], made);
    traces.push_back({made.tokens, is_right(sample, study.evaluator) && !sample.row.truncated});
  }
  return traces;
}

ExampleSet trace_examples(const SftJob& job, const StudyConfig& study, const Indices& indices) {
  const auto questions =
      ready_questions(*job.stored, job.domain, indices, {job.session->tokenizer(), job.session->directory()});
  const auto path = trace_file(job, study, indices);
  std::vector<Trace> traces;
  if (std::filesystem::exists(path)) traces = read_traces(path);
  if (traces.size() != indices.size()) {
    traces = write_traces(job, study, questions);
    save_traces(path, questions, traces);
  }
  const QuestionPrompts prompts(job.stored->benchmark, job.session->tokenizer(), job.session->directory());
  ExampleSet set;
  for (std::size_t i = 0; i < indices.size(); ++i)
    if (traces[i].is_right)
      add_example(set, questions[i].name, prompts.put(job.stored->benchmark.domain(job.domain)[indices[i]]),
                  {traces[i].tokens, job.session->tokenizer().decode(traces[i].tokens)});
  if (set.size() == 0)
    throw ConfigError(
        "sft.answers=traces: none of the model's own answers to {} questions of '{}' is right and complete; "
        "learn from the right ones with sft.answers=gold, or raise generation.max_new_tokens",
        indices.size(), job.domain);
  return set;
}

}  // namespace

ExampleSet ExampleSet::picked(const std::vector<std::size_t>& indices) const {
  ExampleSet set;
  for (const std::size_t i : indices) {
    set.examples.push_back(examples.at(i));
    set.texts.push_back(texts.at(i));
  }
  return set;
}

void require_trainable(const StudyConfig& study) {
  validate(study.sft);
  if (!study.sft.drift.probes.empty()) read_probes(find_path(study.sft.drift.probes));
  if (study.sft.answers != "traces") return;
  for (const BenchmarkConfig& benchmark : study.benchmarks) {
    if (!is_generated(benchmark.prompt))
      throw ConfigError("sft.answers=traces: the answers of the benchmark '{}' are scored, not written",
                        benchmark.name);
    if (benchmark.published != nullptr && !benchmark.published->follow_up.empty())
      throw ConfigError(
          "sft.answers=traces: the prompt '{}' of the benchmark '{}' asks twice, and what is learned is one "
          "answer to one prompt; learn the right answers with sft.answers=gold, or take another prompt",
          benchmark.published->name, benchmark.name);
  }
}

SftQuestions sft_questions(const SftJob& job, const StudyConfig& study) {
  const bool is_own = study.sft.answers == "traces";
  const DomainSplit& split = job.stored->splits.at(job.domain);
  const Indices tuning = study.protocol == Protocol::holdout ? split.tuning : Indices{};
  const auto tested = test_questions(*job.stored, study.protocol);
  const auto read = [&](const Indices& indices) {
    require_untested(job, indices, tested);
    if (indices.empty()) return ExampleSet{};
    return is_own ? trace_examples(job, study, indices) : gold_examples(job, indices);
  };
  train::make_directory(job.folder);
  SftQuestions questions{read(split.discovery), read(tuning)};
  questions.asked = static_cast<std::int64_t>(split.discovery.size() + tuning.size());
  return questions;
}

}  // namespace moelab::experiments
