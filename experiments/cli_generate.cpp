// moelab generate: writes on from a prompt, steered or not, and shows the text as it comes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "experiments/cli.h"
#include "experiments/compare_generations.h"
#include "experiments/plan_arguments.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

// Prints samples one after another while they are made.
class SamplePrinter {
 public:
  explicit SamplePrinter(const GenerateTrial& trial) : trial_(trial) {}

  void add(std::int64_t repeat, std::int32_t token) {
    if (!text_) begin(repeat);
    show(text_->push(token));
  }

  void end(const engine::Generation* sample) {
    if (!text_) text_.emplace(trial_.tokenizer, trial_.text_options());
    show(text_->finish());
    fmt::print("\n{}\n", closing_line(trial_, *text_, sample));
    text_.reset();
  }

  // Ends an unfinished line before an error is told.
  void give_up() {
    if (text_) fmt::print("\n");
  }

 private:
  void begin(std::int64_t repeat) {
    text_.emplace(trial_.tokenizer, trial_.text_options());
    if (trial_.request.repeats > 1)
      fmt::print("{}--- sample {} of {}\n", repeat > 0 ? "\n" : "", repeat + 1, trial_.request.repeats);
  }

  void show(TextPart part) {
    if (part.text.empty()) return;
    if (is_terminal_) part.text = without_controls(part.text);
    fmt::print("{}", styled_text(part, styles_));
    std::fflush(stdout);
  }

  const GenerateTrial& trial_;
  const bool is_terminal_ = is_terminal(stdout);
  const bool styles_ = shows_styles(stdout);
  std::optional<GeneratedText> text_;  // of the sample that is being made
};

int print_samples(const GenerateTrial& trial) {
  const StopSignals signals;
  SamplePrinter printer(trial);
  engine::GenerateOptions options = trial.engine_options(1);
  options.on_token = [&](const engine::GenerateRequest&, std::int64_t repeat, std::int32_t token) {
    printer.add(repeat, token);
    if (signals.stop_wanted()) throw Interrupted("stopped");
  };
  options.on_finished = [&](const engine::Generation& sample) { printer.end(&sample); };
  try {
    const auto report = engine::generate(trial.engine, trial.plans(), {&trial.request, 1}, options);
    if (trial.plan) fmt::print("[{}]\n", effect_line(report.effects.at(1)));
  } catch (const Interrupted&) {
    printer.end(nullptr);
    return kExitInterrupted;
  } catch (...) {
    printer.give_up();
    throw;
  }
  return kExitDone;
}

int print_comparison(const GenerateTrial& trial) {
  const StopSignals signals;
  const Comparison comparison = compare_generations(trial, signals);
  fmt::print("{}", comparison_text(trial, comparison, {terminal_width(stdout), shows_styles(stdout)}));
  return comparison.is_interrupted ? kExitInterrupted : kExitDone;
}

int generate_text(const Arguments& arguments) {
  const bool compares = arguments.has("--compare");
  if (compares && arguments.settings.contains("repeats"))
    throw ConfigError("repeats: --compare shows one sample of each; another seed= gives another");
  if (compares && !read_optional_plan(arguments))
    throw ConfigError("--compare: what with? give --plan FILE or experts=layer:expert,...");
  const GenerateTrial trial = prepare_trial(arguments);
  if (!trial.note.empty()) fmt::print(stderr, "moelab: {}\n", trial.note);
  if (!compares) return print_samples(trial);
  return print_comparison(trial);
}

}  // namespace

Verb verb_generate() {
  VerbSpec spec;
  spec.name = "generate";
  spec.summary = "write on from a prompt with the original or a steered model";
  spec.usage =
      "MODEL --prompt TEXT [--plan FILE | experts=LAYER:EXPERT,...] [--chat] [--compare] [key=value ...]";
  spec.text =
      "Prints the text as it is made, what is not answer (thinking and its markers) faint on a terminal, and "
      "how it ended.\n"
      "The likeliest token is taken, unless temperature, top_k, top_p or min_p is given, or the option of "
      "configs/model\n"
      "recommends some (it says so): then tokens are drawn, and an equal\n"
      "seed draws equally. --compare makes the original's and the steered model's text in one batch and "
      "shows them side by\n"
      "side. Ctrl-C ends it with status 3. MODEL is a model directory or an option of configs/model.";
  for (const auto& keys : {prompt_settings(), plan_settings(), generate_settings()})
    spec.settings.insert(spec.settings.end(), keys.begin(), keys.end());
  spec.flags = prompt_flags();
  spec.flags.push_back(plan_flag());
  spec.flags.push_back(
      {"--compare", "", "original and steered side by side, and their first different token"});
  spec.flags.push_back(config_dir_flag());
  spec.words = {1, 1};
  spec.examples = {
      "moelab generate models/demo/mixed --prompt \"The capital of Peru is\" max_new_tokens=20",
      "moelab generate demo_mixed --prompt \"The capital of Peru is\" experts=0:5,1:9,3:0 alpha=30 --compare",
      "moelab generate demo_mixed --prompt \"Q: What\" temperature=0.7 top_p=0.9 seed=1 stop=A: repeats=3"};
  return {spec, generate_text};
}

}  // namespace moelab::experiments
