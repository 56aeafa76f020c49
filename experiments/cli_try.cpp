// moelab try: one question under the original model and under a plan, side by side.
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/topk.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/engine/engine.h"
#include "core/text/tiktoken.h"
#include "experiments/cli.h"
#include "experiments/model_place.h"
#include "experiments/plan_arguments.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

struct Trial {
  engine::Engine engine;
  text::Tokenizer tokenizer;
  engine::Tokens prompt;
  steering::Plan plan;
};

std::string prompt_text(const Arguments& arguments) {
  const std::string style = arguments.setting("prompt", "short");
  if (style == "raw") return arguments.words[1];
  if (style != "short") throw ConfigError("prompt: '{}' is neither short (\"Q: ...\\nA:\") nor raw", style);
  return fmt::format("Q: {}\nA:", arguments.words[1]);
}

Trial load(const Arguments& arguments) {
  const std::filesystem::path directory = model_directory(arguments, arguments.words[0]);
  steering::Plan plan = read_plan(arguments);
  engine::EngineOptions options;
  options.device = arguments.setting("device", "cpu");
  options.dtype = arguments.setting("dtype", "auto");
  Trial trial{engine::Engine::load(directory, options), text::load_tokenizer(directory), {}, std::move(plan)};
  steering::validate(trial.plan, trial.engine.spec());
  trial.prompt = trial.tokenizer.encode(prompt_text(arguments), true);
  if (trial.prompt.empty()) throw ConfigError("the question is empty");
  return trial;
}

struct NextToken {
  std::string text;
  double probability = 0;
};

std::vector<NextToken> next_tokens(const Trial& trial, const steering::Plan& plan, std::int64_t count) {
  const std::vector<engine::Tokens> sequences = {trial.prompt};
  const at::Tensor logits = trial.engine.logits(sequences, plan).front();
  const at::Tensor last = at::log_softmax(logits.select(0, logits.size(0) - 1), 0);
  const auto [values, ids] = last.topk(std::min<std::int64_t>(count, last.size(0)));
  std::vector<NextToken> tokens;
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto id = static_cast<std::int32_t>(ids[i].item<std::int64_t>());
    // Quotes show the blanks of a token.
    tokens.push_back(
        {fmt::format("\"{}\"", trial.tokenizer.decode({&id, 1})), std::exp(values[i].item<double>())});
  }
  return tokens;
}

void print_next(const Trial& trial, std::int64_t count) {
  const std::vector<NextToken> original = next_tokens(trial, {}, count);
  const std::vector<NextToken> steered = next_tokens(trial, trial.plan, count);
  TextTable table;
  table.columns = {{"original", true}, {"p"}, {"steered", true}, {"p"}};
  for (std::size_t i = 0; i < original.size(); ++i) {
    table.add({original[i].text, fmt::format("{:.3f}", original[i].probability), steered[i].text,
               fmt::format("{:.3f}", steered[i].probability)});
  }
  fmt::print("\nNext token\n{}", render(table, TableFormat::text));
}

// The options, or the likeliest next token where there are none: something to be scored, so that effects are
// counted.
std::vector<std::string> continuations(const Arguments& arguments) {
  std::vector<std::string> texts;
  for (const std::string& option : split_text(arguments.setting("options"), '|'))
    texts.push_back(" " + option);
  return texts;
}

engine::ScoreReport score(const Trial& trial, const std::vector<std::string>& texts) {
  engine::ScoreItem item;
  item.prompt = trial.prompt;
  for (const std::string& text : texts) item.options.push_back(trial.tokenizer.encode(text));
  if (texts.empty()) item.options.push_back({trial.prompt.back()});
  return trial.engine.score({&item, 1}, {&trial.plan, 1});
}

std::size_t best_of(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

void print_options(const std::vector<std::string>& texts, const engine::ScoreResult& result) {
  // Row 0 is the original, row 1 the plan.
  const std::vector<double>& original = result.log_probabilities[0];
  const std::vector<double>& steered = result.log_probabilities[1];
  TextTable table;
  table.columns = {{"option", true}, {"original ln p"}, {"steered ln p"}, {"change"}, {"", true}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string mark = i == best_of(original) ? "original's choice" : "";
    if (i == best_of(steered)) mark += mark.empty() ? "steered choice" : ", steered choice";
    table.add({texts[i].substr(1), fmt::format("{:.3f}", original[i]), fmt::format("{:.3f}", steered[i]),
               fmt::format("{:+.3f}", steered[i] - original[i]), mark});
  }
  fmt::print("\nOptions\n{}", render(table, TableFormat::text));
}

void print_effect(const steering::Effect& effect) {
  TextTable table;
  table.columns = {{"layer"}, {"tokens"}, {"selections"}, {"changed"}, {"of steered experts"}};
  for (const steering::LayerEffect& layer : effect.layers) {
    table.add({fmt::to_string(layer.layer), fmt::to_string(layer.tokens), fmt::to_string(layer.selections),
               fmt::format("{:.0f}", layer.changed), fmt::format("{:.0f}", layer.steered_selections)});
  }
  fmt::print("\nRouter, {}\n{}", steering::name_of(effect.state), render(table, TableFormat::text));
}

int try_question(const Arguments& arguments) {
  const std::int64_t count = parse_integer(arguments.flag("--top", "8"), "--top");
  if (count < 1) throw ConfigError("--top: at least one token");
  const Trial trial = load(arguments);
  fmt::print("{} entries, {} mode, {} prompt tokens\n", trial.plan.entries.size(),
             steering::name_of(trial.plan.mode), trial.prompt.size());
  print_next(trial, count);
  const std::vector<std::string> texts = continuations(arguments);
  const engine::ScoreReport report = score(trial, texts);
  if (!texts.empty()) print_options(texts, report.items.front());
  print_effect(report.effects.at(1));
  return kExitDone;
}

}  // namespace

Verb verb_try() {
  VerbSpec spec;
  spec.name = "try";
  spec.summary = "ask one question of the original and of the steered model";
  spec.usage = "MODEL \"QUESTION\" plan=FILE | experts=LAYER:EXPERT,... [key=value ...]";
  spec.text =
      "Prints the likeliest next tokens, the options' log-probabilities and what the plan changed in the "
      "router, for the\n"
      "original and the steered model side by side. MODEL is a model directory or an option of "
      "configs/model.";
  spec.settings = plan_settings();
  spec.settings.push_back({"options", "answers to compare, separated by |"});
  spec.settings.push_back({"prompt", "short (default): \"Q: ...\\nA:\"; raw: the question as it is"});
  spec.settings.push_back({"device", "cpu (default) or cuda"});
  spec.settings.push_back({"dtype", "auto (default; float32 on the CPU), float32, bfloat16 or float16"});
  spec.flags = {{"--top", "N", "next tokens to list (default: 8)"}, config_dir_flag()};
  spec.words = {2, 2};
  spec.examples = {"moelab try demo_misrouted \"What is the symbol of iron?\" experts=1:3,2:7 alpha=5",
                   "moelab try demo_misrouted \"What is the symbol of iron?\" \"options=Fe|Ir|F\" "
                   "plan=my.csv mode=weight_scale",
                   "moelab try models/demo/mixed \"The capital of Peru is\" prompt=raw experts=1:0 alpha=10"};
  return {spec, try_question};
}

}  // namespace moelab::experiments
