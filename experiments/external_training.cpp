#include "experiments/external_training.h"

#include <algorithm>
#include <map>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/stopwatch.h"
#include "core/train/peft.h"
#include "core/train/save.h"
#include "experiments/child_process.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLastLines = 10;  // of what a command says when it fails

void write_examples(const fs::path& path, const ExampleSet& set) {
  std::string lines;
  for (const TextExample& text : set.texts)
    lines += Json{{"prompt", text.prompt}, {"completion", text.completion}}.dump() + "\n";
  write_atomic(path, lines);
}

// What the placeholders stand for; in capitals and behind MOELAB_ the environment's names.
std::map<std::string, std::string> values_of(const ExternalTraining& training, const SftJob& job) {
  const fs::path folder = fs::absolute(training.folder);
  return {{"model", fs::absolute(job.session->directory()).string()},
          {"train", (folder / "train.jsonl").string()},
          {"tuning", (folder / "tuning.jsonl").string()},
          {"output", (folder / "output").string()},
          {"seed", std::to_string(job.seed)}};
}

std::string filled(std::string word, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string place = "{" + name + "}";
    for (std::size_t at = word.find(place); at != std::string::npos; at = word.find(place, at + value.size()))
      word.replace(at, place.size(), value);
  }
  return word;
}

std::string last_lines(const fs::path& path) {
  const auto lines = read_lines(path);
  std::string text;
  for (std::size_t i = lines.size() - std::min(lines.size(), kLastLines); i < lines.size(); ++i)
    text += (text.empty() ? "" : "\n") + lines[i];
  return text.empty() ? "it wrote nothing to stderr" : "the last lines of its stderr:\n" + text;
}

void run_command(const ExternalTraining& training, const SftJob& job) {
  const auto values = values_of(training, job);
  std::vector<std::string> words;
  for (const std::string& word : training.command) words.push_back(filled(word, values));
  ChildOptions options;
  for (const auto& [name, value] : values) {
    std::string upper = name;
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    options.environment["MOELAB_" + upper] = value;
  }
  options.output = training.folder / "stdout.log";
  options.errors = training.folder / "stderr.log";
  options.check_stop = job.check_stop;
  const int status = run_child(words.front(), {words.begin() + 1, words.end()}, options);
  if (status != 0)
    throw Error("sft.command: '{}' ended with status {}; {}", words.front(), status,
                last_lines(options.errors));
}

ExternalResult load_output(const fs::path& output, const SftJob& job) {
  const model::Model& base = job.session->engine().model();
  model::LoadOptions load;
  load.device = base.device();
  load.dtype = base.dtype();
  if (fs::exists(output / "adapter_config.json")) {
    const train::TunedModel tuned =
        train::TunedModel::load(job.session->directory(), train::read_adapter(output, base.spec()), load);
    return {tuned.merged(), train::trained_digest(tuned), tuned.trained()};
  }
  if (!fs::exists(output / "config.json"))
    throw FileError(
        "{}: sft.command wrote neither an adapter (adapter_config.json) nor a model (config.json) here",
        output.string());
  model::Model model = model::Model::load(output, load);
  const model::ModelSpec &is = model.spec(), &was = base.spec();
  if (is.model_type != was.model_type || is.vocab_size != was.vocab_size || is.layers != was.layers ||
      is.router.experts != was.router.experts)
    throw FileError(
        "{}: is not the architecture that was given to sft.command, but {} with {} layers of {} experts and "
        "{} tokens",
        output.string(), is.model_type, is.layers, is.router.experts, is.vocab_size);
  const std::int64_t weights = model::count_parameters(is).total;
  return {std::move(model), model_digest(output), weights};
}

}  // namespace

ExternalResult train_externally(const ExternalTraining& training, const SftJob& job,
                                const SftQuestions& questions) {
  if (training.command.empty() || training.command.front().empty())
    throw ConfigError("sft.command: sft.trainer=external needs a command");
  if (job.stored->benchmark.is_private)
    throw ConfigError("sft.trainer=external: the questions of '{}' are not to be written to files",
                      job.stored->benchmark.config.name);
  const fs::path output = training.folder / "output", finished = training.folder / "finished.json";
  const bool is_there = fs::exists(finished) && read_json(finished).value("input", "") == training.input &&
                        fs::exists(output) && !fs::is_empty(output);
  double seconds = 0;
  if (!is_there) {
    fs::remove_all(output);
    train::make_directory(output);
    write_examples(training.folder / "train.jsonl", questions.examples);
    write_examples(training.folder / "tuning.jsonl", questions.tuning);
    const auto start = Clock::now();
    run_command(training, job);
    seconds = seconds_since(start);
  }
  ExternalResult result = load_output(output, job);
  if (!is_there)
    train::write_json(finished,
                      {{"input", training.input}, {"weights", result.digest}, {"seconds", seconds}});
  const Json record = read_json(finished);
  if (record.value("weights", "") != result.digest)
    throw FileError("{}: was changed after sft.command had ended; remove {} to train anew", output.string(),
                    finished.string());
  result.seconds = record.value("seconds", 0.0);
  return result;
}

}  // namespace moelab::experiments
