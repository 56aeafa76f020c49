#include "experiments/sft_study.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/train/peft.h"
#include "core/train/sample_norms.h"
#include "core/train/save.h"
#include "core/train/save_tuned.h"
#include "experiments/external_training.h"
#include "experiments/version.h"

namespace moelab::experiments {
namespace {

// Everything that decides the trained weights.
Json run_config(const SftJob& job, const StudyConfig& study, const SftQuestions& questions) {
  const auto digest_of = [](const ExampleSet& set) {
    std::string text;
    for (const train::SftExample& example : set.examples) {
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
          {"sft", training_json(study.sft)}};
}

// The loss curve of one run, stored step by step as training goes on.
class Curve {
 public:
  Curve(store::Store& store, const Json& config, const std::string& name, const std::string& device)
      : store_(store) {
    store::TrainingRow row;
    row.name = name;
    row.config = canonical_json(config);
    row.key = key_ = sha256(row.config);
    row.code_version = kVersion;
    row.device = device;
    run_ = store_.put_training(row);
    for (const store::TrainingStepRow& step : store_.training_steps(run_)) earlier_[step.step] = step;
  }

  store::Id run() const { return run_; }
  const std::string& key() const { return key_; }
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
  std::string key_;
  std::map<std::int64_t, store::TrainingStepRow> earlier_;
};

train::TunedModel load_tuned(const SftJob& job, const SftConfig& sft) {
  const model::Model& base = job.session->engine().model();
  model::LoadOptions load;
  load.device = base.device();
  load.dtype = base.dtype();
  return train::TunedModel::load(job.session->directory(), sft.tune_options(job.seed), load);
}

// Leaves examples out by their gradients at the start of training; what was measured, for the study's log.
Json select_examples(train::TunedModel& tuned, const SftConfig& sft, ExampleSet& set) {
  const auto norms = train::gradient_norms(tuned, set.examples, sft.recompute);
  const KeptExamples kept = keep_examples(norms, sft.selection);
  Json each = Json::array();
  for (std::size_t i = 0; i < norms.size(); ++i)
    each.push_back({{"question", set.examples[i].name},
                    {"norm", norms[i]},
                    {"kept", std::binary_search(kept.kept.begin(), kept.kept.end(), i)}});
  set = set.picked(kept.kept);
  return {{"kind", sft.selection.kind},
          {"least", kept.least},
          {"most", kept.most},
          {"examples", norms.size()},
          {"left_out", norms.size() - kept.kept.size()},
          {"each", each}};
}

// One training in work.
struct Training {
  const SftJob& job;
  const SftConfig& sft;
  SftQuestions questions;
  Curve& curve;
  std::filesystem::path folder;  // keeps the checkpoint and the result
  SftOutcome outcome{};
};

// moelab's own trainer.
void train_here(Training& training, train::TunedModel& tuned) {
  const SftJob& job = training.job;
  SftOutcome& outcome = training.outcome;
  train::SftOptions options = training.sft.sft_options(job.seed);
  options.run = training.curve.key();
  options.checkpoint = training.folder / "state.safetensors";
  const SftQuestions& questions = training.questions;
  outcome.result = train::fine_tune(tuned, questions.examples.examples, questions.tuning.examples, options,
                                    [&](const train::SftStep& step) {
                                      training.curve.add(step);
                                      job.check_stop();
                                    });
  if (outcome.result.end == train::SftEnd::exploded)
    throw Error("training on '{}': {}", job.domain, outcome.result.message);
  if (tuned.sites().empty())
    train::save_tuned_model(training.folder / "model", tuned, job.session->directory());
  else
    train::save_adapter(training.folder, tuned, job.session->row().name);
  outcome.model = tuned.merged();
  outcome.digest = train::trained_digest(tuned);
  outcome.trained = tuned.trained();
}

void train_by_command(Training& training) {
  ExternalResult made = train_externally({training.sft.command, training.folder, training.curve.key()},
                                         training.job, training.questions);
  training.outcome.model = std::move(made.model);
  training.outcome.digest = made.digest;
  training.outcome.trained = made.trained;
  training.outcome.command_seconds = made.seconds;
}

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

SftOutcome run_sft(const SftJob& job, const StudyConfig& study, store::Store& store) {
  const SftConfig& sft = study.sft;
  SftQuestions questions = sft_questions(job, study);
  const Json config = run_config(job, study, questions);
  Curve curve(store, config, fmt::format("sft/{}/{}", job.domain, job.seed), study.engine.device);
  Training training{job, sft, std::move(questions), curve, job.folder / curve.key().substr(0, 16)};
  train::make_directory(training.folder);
  SftOutcome& outcome = training.outcome;
  if (!sft.is_external() || sft.selection.is_on()) {
    train::TunedModel tuned = load_tuned(job, sft);
    if (sft.selection.is_on()) outcome.selection = select_examples(tuned, sft, training.questions.examples);
    if (!sft.is_external()) train_here(training, tuned);
  }
  if (sft.is_external()) train_by_command(training);
  outcome.run = curve.run();
  outcome.asked = training.questions.asked;
  outcome.questions =
      static_cast<std::int64_t>(training.questions.examples.size() + training.questions.tuning.size());
  if (sft.selection.is_on()) outcome.left_out = outcome.selection.at("left_out").get<std::int64_t>();
  outcome.total = model::count_parameters(job.session->engine().spec()).total;
  curve.finish();
  return std::move(outcome);
}

}  // namespace moelab::experiments
