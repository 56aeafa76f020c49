// moelab train: trains or damages a model as configs/train says; the loss curve goes to the database.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/hash.h"
#include "core/config/nearest.h"
#include "core/train/train.h"
#include "experiments/cli.h"
#include "experiments/machine.h"
#include "experiments/progress_line.h"
#include "experiments/signals.h"
#include "experiments/text_table.h"
#include "experiments/version.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

constexpr std::size_t kStoreEvery = 20;  // steps of the loss curve that one transaction stores

struct ComposedTraining {
  std::string name;
  Json config;
};

// train=NAME is the file configs/train/NAME.yaml; the other overrides change its values.
ComposedTraining compose(const Arguments& arguments) {
  const config::Tree tree(config_directories(arguments));
  std::vector<std::string> overrides;
  std::string name;
  for (const std::string& text : arguments.overrides) {
    if (text.starts_with("train=")) {
      name = text.substr(6);
    } else {
      overrides.push_back(text);
    }
  }
  const std::vector<std::string> options = tree.options("train");
  if (name.empty())
    throw ConfigError("train=NAME is missing; NAME is one of {}", config::join_names(options));
  if (std::find(options.begin(), options.end(), name) == options.end()) {
    throw ConfigError("'{}' is no option of configs/train{}", name, config::did_you_mean(name, options));
  }
  config::Composed composed = tree.compose("train/" + name, overrides);
  config::resolve(composed);
  return {name, composed.tree};
}

// Stores the loss curve in pieces, shows progress, and stops the run when a signal asks for it.
class Recorder {
 public:
  Recorder(store::Store& store, const ComposedTraining& choice, std::int64_t total)
      : store_(store), total_(total) {
    store::TrainingRow row;
    row.name = choice.name;
    row.config = canonical_json(choice.config);
    row.key = sha256(row.config);
    row.code_version = kVersion;
    row.device = "cpu";
    run_ = store_.put_training(row);
    const auto stored = store_.training_steps(run_);
    if (!stored.empty()) earlier_ = stored;
  }

  void add(const train::StepReport& report) {
    if (waiting_.empty() && !has_started_) start_after(report.step - 1);
    tokens_ += report.tokens;
    seconds_ += report.seconds;
    here_ += report.seconds;
    ++steps_here_;
    store::TrainingStepRow row;
    row.step = report.step;
    row.tokens = tokens_;
    row.loss = report.loss;
    row.balance = report.balance;
    row.plant = report.planting;
    row.learning_rate = report.learning_rate;
    row.gradient_norm = report.gradient_norm;
    row.seconds = seconds_;
    Json measured = Json::object();
    if (report.accuracy >= 0) measured["accuracy"] = report.accuracy;
    if (report.similarity >= 0) measured["similarity"] = report.similarity;
    if (!measured.empty()) row.evaluation = canonical_json(measured);
    waiting_.push_back(row);
    if (waiting_.size() >= kStoreEvery) flush();
    show(report);
    if (signals_.stop_wanted()) {
      flush();
      throw Interrupted("stopped after step {}; the same command goes on from the last checkpoint",
                        report.step);
    }
  }

  void finish() {
    flush();
    store_.finish_training(run_);
    line_.finish();
  }

 private:
  // A resumed run continues the counts of the step before its first one.
  void start_after(std::int64_t step) {
    has_started_ = true;
    for (const store::TrainingStepRow& row : earlier_) {
      if (row.step > step) break;
      tokens_ = row.tokens;
      seconds_ = row.seconds;
    }
  }

  void flush() {
    store_.put_training_steps(run_, waiting_);
    waiting_.clear();
  }

  void show(const train::StepReport& report) {
    ProgressFigures figures;
    figures.unit = "steps";
    figures.samples_done = report.step;
    figures.samples_total = total_;
    figures.tokens_per_second = report.seconds > 0 ? static_cast<double>(report.tokens) / report.seconds : 0;
    figures.seconds_left =
        here_ / static_cast<double>(steps_here_) * static_cast<double>(total_ - report.step);
    figures.what = fmt::format("loss {:.4f}", report.loss);
    line_.show(figures);
  }

  store::Store& store_;
  StopSignals signals_;
  ProgressLine line_;
  store::Id run_ = 0;
  std::int64_t total_, tokens_ = 0, steps_here_ = 0;
  double seconds_ = 0, here_ = 0;
  bool has_started_ = false;
  std::vector<store::TrainingStepRow> earlier_, waiting_;
};

void find_inputs(train::EvaluationOptions& evaluation) {
  for (std::filesystem::path& file : evaluation.questions) file = find_path(file);
}

void run_training(store::Store& store, const ComposedTraining& choice) {
  train::TrainOptions options = train::train_options(choice.config);
  options.model_config = find_path(options.model_config);
  options.tokenizer = find_path(options.tokenizer);
  options.corpus = find_path(options.corpus);
  find_inputs(options.evaluation);
  train::validate(options);
  Recorder recorder(store, choice, options.steps);
  const train::TrainResult result =
      train::train(options, [&](const train::StepReport& report) { recorder.add(report); });
  recorder.finish();
  fmt::print("{}: {} steps (from step {}), {:.2f} M parameters, loss {:.4f}, {} tokens in {}\n", choice.name,
             result.steps, result.first_step, static_cast<double>(result.parameters) / 1e6, result.loss,
             result.tokens, duration_text(result.seconds));
  if (result.accuracy >= 0) fmt::print("accuracy {} %\n", percent(result.accuracy));
  if (!options.output.empty()) fmt::print("saved in {}\n", options.output.string());
}

void run_damage(store::Store& store, const ComposedTraining& choice) {
  train::DamageOptions options = train::damage_options(choice.config);
  options.source = find_path(options.source);
  if (!options.corpus.empty()) options.corpus = find_path(options.corpus);
  find_inputs(options.evaluation);
  train::validate(options);
  Recorder recorder(store, choice, options.max_steps);
  const train::DamageResult result =
      train::damage(options, [&](const train::StepReport& report) { recorder.add(report); });
  recorder.finish();
  fmt::print("{}: accuracy {} to {} % after {} steps in {}\nsaved in {}\n", choice.name,
             percent(result.accuracy_before), percent(result.accuracy_after), result.steps,
             duration_text(result.seconds), options.output.string());
}

int train_command(const Arguments& arguments) {
  const ComposedTraining choice = compose(arguments);
  const bool is_given = arguments.has("--db");
  store::Store store =
      store::Store::open(database_path(is_given ? std::optional(arguments.flag("--db", "")) : std::nullopt),
                         store::Mode::read_write_create);
  // Damage starts from a trained model; training makes one from a configuration.
  const bool is_damage = choice.config.contains("source");
  is_damage ? run_damage(store, choice) : run_training(store, choice);
  return kExitDone;
}

}  // namespace

Verb verb_train() {
  VerbSpec spec;
  spec.name = "train";
  spec.summary = "train a model, or damage its router, as configs/train says";
  spec.usage = "train=NAME [key=value ...] [--db PATH]";
  spec.text =
      "NAME is a file of configs/train; key=value changes its values. The loss curve is stored in "
      "training_step. A run\n"
      "that was stopped goes on from its last checkpoint.";
  spec.takes_overrides = true;
  spec.flags = {{"--db", "PATH", "the results database (default: results/moelab.db)"}, config_dir_flag()};
  spec.examples = {"moelab train train=miniature", "moelab train train=miniature steps=100 threads=1",
                   "moelab query \"SELECT step, loss FROM training_step ORDER BY run DESC, step LIMIT 20\""};
  return {spec, train_command};
}

}  // namespace moelab::experiments
