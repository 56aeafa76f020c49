#include "experiments/sft_study.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/train/peft.h"
#include "experiments/question_prompt.h"
#include "experiments/version.h"

namespace moelab::experiments {
namespace {

// Digests of all questions that the study reports on, with their names.
std::map<std::string, std::string> test_questions(const StoredBenchmark& stored, Protocol protocol) {
  std::map<std::string, std::string> tested;
  for (const std::string& domain : stored.domains.tested) {
    const DomainSplit& split = stored.splits.at(domain);
    const std::vector<std::size_t> tuning =
        protocol == Protocol::holdout ? split.tuning : std::vector<std::size_t>{};
    for (const std::size_t i : split.scored) {
      if (std::find(tuning.begin(), tuning.end(), i) != tuning.end()) continue;
      const Question& question = stored.benchmark.domain(domain)[i];
      tested.emplace(question.digest, domain + "/" + question.name);
    }
  }
  return tested;
}

// The right option as the benchmark scores it, or the answer as a model would write it.
train::SftExample example_of(const Question& question, const QuestionPrompts& prompts,
                             const text::Tokenizer& tokenizer) {
  const engine::ScoreItem item = prompts.put(question).item;
  return train::make_example(question.name, item.prompt,
                             item.options.empty() ? tokenizer.encode(" " + question.answer_text())
                                                  : item.options.at(question.answer));
}

Json sft_json(const SftConfig& c) {
  return {{"kind", c.kind},
          {"rank", c.rank},
          {"alpha", c.alpha},
          {"layout", c.layout},
          {"targets", c.targets},
          {"router", c.router},
          {"steps", c.steps},
          {"batch_rows", c.batch_rows},
          {"accumulation", c.accumulation},
          {"recompute", c.recompute},
          {"evaluate_every", c.evaluate_every},
          {"patience", c.patience},
          {"explosion", c.explosion},
          {"learning_rate", c.learning_rate},
          {"warmup", c.warmup},
          {"schedule", c.schedule},
          {"weight_decay", c.weight_decay},
          {"clip", c.clip}};
}

// Everything that decides the trained weights.
Json run_config(const SftJob& job, const StudyConfig& study, const SftQuestions& questions) {
  const auto digest_of = [](const std::vector<train::SftExample>& examples) {
    std::string text;
    for (const train::SftExample& example : examples) {
      for (const std::int32_t token : example.document.tokens) text += fmt::format("{},", token);
      for (const float weight : example.document.weight) text += weight > 0 ? '1' : '0';
    }
    return sha256(text);
  };
  const LoadedModel model = job.session->loaded(0);
  return {{"kind", "sft/1"},
          {"model", model.digest},
          {"tokenizer", model.tokenizer->digest()},
          {"dtype", model.dtype},
          {"benchmark", job.stored->benchmark.config.name},
          {"domain", job.domain},
          {"seed", job.seed},
          {"questions", questions.examples.size()},
          {"tuning_questions", questions.tuning.size()},
          {"examples", digest_of(questions.examples)},
          {"tuning", digest_of(questions.tuning)},
          {"sft", sft_json(study.sft)}};
}

// The loss curve of one run, stored step by step as training goes on.
class Curve {
 public:
  Curve(store::Store& store, const Json& config, const std::string& name, const std::string& device)
      : store_(store) {
    store::TrainingRow row;
    row.name = name;
    row.config = canonical_json(config);
    row.key = sha256(row.config);
    row.code_version = kVersion;
    row.device = device;
    run_ = store_.put_training(row);
    for (const store::TrainingStepRow& step : store_.training_steps(run_)) earlier_[step.step] = step;
  }

  store::Id run() const { return run_; }
  void finish() { store_.finish_training(run_); }

  void add(const train::SftStep& step) {
    const auto before = earlier_.find(step.step - 1);
    store::TrainingStepRow row;
    row.step = step.step;
    row.tokens = step.tokens + (before == earlier_.end() ? 0 : before->second.tokens);
    row.seconds = step.seconds + (before == earlier_.end() ? 0 : before->second.seconds);
    row.loss = step.loss;
    row.learning_rate = step.learning_rate;
    row.gradient_norm = step.gradient_norm;
    if (!std::isnan(step.tuning_loss)) row.evaluation = canonical_json({{"tuning_loss", step.tuning_loss}});
    store_.put_training_steps(run_, {&row, 1});
    earlier_[step.step] = row;
  }

 private:
  store::Store& store_;
  store::Id run_ = 0;
  std::map<std::int64_t, store::TrainingStepRow> earlier_;
};

}  // namespace

std::string sft_method_name(const MethodConfig& method, const StudyConfig& study, std::int64_t seed) {
  return study.seed.training.size() == 1 ? method.name : fmt::format("{}/{}", method.name, seed);
}

PlannedCell sft_cell(const std::string& method, const std::string& trained, const std::string& tested,
                     const std::string& digest, const std::string& error) {
  PlannedCell cell;
  cell.role = trained == tested ? "grid" : "other_domain";
  cell.method = method;
  cell.steered_domain = trained;
  cell.weights = digest;
  cell.error = error;
  return cell;
}

Json training_note(const SftJob& job, const SftOutcome& outcome, store::Id model, const std::string& method) {
  return {{"model", model},
          {"benchmark", job.stored->benchmark.config.name},
          {"domain", job.domain},
          {"method", method},
          {"run", outcome.run},
          {"weights", outcome.digest},
          {"labelled_questions", outcome.questions},
          {"tokens", outcome.result.tokens},
          {"steps", outcome.result.steps},
          {"kept_step", outcome.result.kept_step},
          {"trained_weights", outcome.trained},
          {"all_weights", outcome.total}};
}

SftQuestions sft_questions(const SftJob& job, Protocol protocol) {
  const auto tested = test_questions(*job.stored, protocol);
  const auto& all = job.stored->benchmark.domain(job.domain);
  const QuestionPrompts prompts(job.stored->benchmark, job.session->tokenizer(), job.session->directory());
  const auto add = [&](const std::vector<std::size_t>& indices, std::vector<train::SftExample>& examples) {
    for (const std::size_t i : indices) {
      const auto found = tested.find(all[i].digest);
      if (found != tested.end())
        throw ConfigError(
            "the question '{}/{}' would be trained on, but it is the test question '{}' too: take it "
            "out of the question set",
            job.domain, all[i].name, found->second);
      examples.push_back(example_of(all[i], prompts, job.session->tokenizer()));
    }
  };
  SftQuestions questions;
  const DomainSplit& split = job.stored->splits.at(job.domain);
  add(split.discovery, questions.examples);
  if (protocol == Protocol::holdout) add(split.tuning, questions.tuning);
  return questions;
}

SftOutcome run_sft(const SftJob& job, const StudyConfig& study, store::Store& store) {
  const SftQuestions questions = sft_questions(job, study.protocol);
  const Json config = run_config(job, study, questions);
  Curve curve(store, config, fmt::format("sft/{}/{}", job.domain, job.seed), study.engine.device);
  const model::Model& base = job.session->engine().model();
  model::LoadOptions load;
  load.device = base.device();
  load.dtype = base.dtype();
  train::TunedModel tuned =
      train::TunedModel::load(job.session->directory(), study.sft.tune_options(job.seed), load);
  train::SftOptions options = study.sft.sft_options(job.seed);
  options.run = sha256(canonical_json(config));
  const auto folder = store.database().path().parent_path() / "training" / options.run.substr(0, 16);
  std::filesystem::create_directories(folder);
  options.checkpoint = folder / "state.safetensors";
  const train::SftResult result =
      train::fine_tune(tuned, questions.examples, questions.tuning, options, [&](const train::SftStep& step) {
        curve.add(step);
        if (job.report) job.report(step);
      });
  if (result.end == train::SftEnd::exploded) throw Error("training on '{}': {}", job.domain, result.message);
  if (!tuned.sites().empty()) train::save_adapter(folder, tuned, job.session->row().name);
  curve.finish();
  return {tuned.merged(),
          train::trained_digest(tuned),
          curve.run(),
          result,
          static_cast<std::int64_t>(questions.examples.size() + questions.tuning.size()),
          tuned.trained(),
          tuned.total()};
}

}  // namespace moelab::experiments
