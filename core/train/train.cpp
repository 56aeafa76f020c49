#include "core/train/train.h"

#include <ATen/Parallel.h>

#include <optional>

#include "core/base/hash.h"
#include "core/base/stopwatch.h"
#include "core/train/evaluate.h"
#include "core/train/save.h"

namespace moelab::train {
namespace {

// Everything that decides the weights after a step, so that a checkpoint is never continued by another run.
std::string run_name(const TrainOptions& options, const Json& config) {
  const LossOptions& loss = options.loss;
  std::string name = fmt::format(
      "{}|{}|{}|{} {} {} {}|{} {} {}|{} {} {} {} {}|{}|{} {} {}", canonical_json(config),
      sha256_file(options.tokenizer), sha256_file(options.corpus), options.seed, options.steps, options.batch_rows,
      options.sequence_length, options.init.embedding_std, options.init.router_std, options.init.output_scale,
      loss.language_weight, loss.answer_weight, loss.balance, loss.balance_over, loss.z_loss,
      text_of(options.optimizer), options.planting.coefficient, options.planting.cap, options.planting.exclusive);
  for (const std::int64_t layer : options.planting.layers) name += fmt::format("|{}", layer);
  for (const PlantedExpert& planted : options.planting.experts)
    name += fmt::format("|{} {} {}", planted.domain, planted.expert, planted.kind);
  // Only where it acts, so that older checkpoints are gone on with.
  if (const SimilarityLossOptions& alike = loss.similarity; alike.coefficient > 0)
    name += fmt::format("|similarity {} {} {} {}", alike.coefficient, alike.threshold, alike.pairs, alike.tokens);
  return name;
}

void require_vocabulary(const text::Tokenizer& tokenizer, const model::ModelSpec& spec, const std::string& where) {
  if (static_cast<std::int64_t>(tokenizer.vocab_size()) > spec.vocab_size)
    throw ConfigError("{}: the tokenizer has {} tokens, the model's vocab_size is {}", where, tokenizer.vocab_size(),
                      spec.vocab_size);
}

double accuracy_of(const Trainer& trainer, const std::vector<ScoredQuestion>& questions) {
  return mean_accuracy(engine::Engine(trainer.model(), {}), questions);
}

}  // namespace

TrainResult train(const TrainOptions& options, const StepCallback& report) {
  validate(options);
  const auto start = Clock::now();
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const Json config = read_json(options.model_config);
  const text::Tokenizer tokenizer = text::Tokenizer::load(options.tokenizer);
  const model::ModelSpec spec = model::read_spec(options.model_config);
  require_vocabulary(tokenizer, spec, options.model_config.string());
  const Sampler sampler(read_corpus(options.corpus, tokenizer),
                        {options.seed, options.batch_rows, options.sequence_length});
  const auto questions = read_questions(options.evaluation, tokenizer);
  Trainer trainer(Parameters::initialise(spec, options.init, options.seed),
                  {options.loss, options.planting, options.optimizer, options.steps}, sampler.corpus().domains);
  const std::string run = run_name(options, config);
  const bool keeps = !options.checkpoint.empty();
  if (keeps && std::filesystem::exists(options.checkpoint)) trainer.load_checkpoint(options.checkpoint, run);
  TrainResult result;
  result.first_step = trainer.steps_done();
  for (const FlatGroup& group : trainer.parameters().groups()) result.parameters += group.weight.numel();
  while (trainer.steps_done() < options.steps) {
    const auto step_start = Clock::now();
    StepReport done = trainer.step(sampler.batch(trainer.steps_done()));
    done.seconds = seconds_since(step_start);
    const bool last = done.step == options.steps;
    const bool due = options.evaluation.every > 0 && done.step % options.evaluation.every == 0;
    if (!questions.empty() && (last || due)) done.accuracy = accuracy_of(trainer, questions);
    if (keeps && (last || done.step % options.checkpoint_every == 0)) trainer.save_checkpoint(options.checkpoint, run);
    result.tokens += done.tokens;
    result.loss = done.loss;
    result.accuracy = done.accuracy;
    if (report) report(done);
  }
  result.steps = trainer.steps_done();
  if (!options.output.empty()) {
    save_model(options.output, trainer.parameters(), config, options.tokenizer, options.save_dtype);
    if (!options.verdict.empty()) save_truth(options.output, options.verdict, options.planting);
  }
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace moelab::train
