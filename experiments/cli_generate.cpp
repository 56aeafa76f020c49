// moelab generate: writes on from a prompt, steered or not, and shows the text as it comes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/engine/generate.h"
#include "experiments/cli.h"
#include "experiments/plan_arguments.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

// Prints tokens as text, and a character only when all of its bytes are there.
class TextStream {
 public:
  explicit TextStream(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void add(std::int32_t token) {
    tokens_.push_back(token);
    std::string all = tokenizer_.decode(tokens_);
    // Bytes that are no character yet are decoded as U+FFFD at the end.
    const std::string_view unfinished = "\xEF\xBF\xBD";
    while (all.ends_with(unfinished)) all.resize(all.size() - unfinished.size());
    print(all);
  }

  void finish() { print(tokenizer_.decode(tokens_)); }

 private:
  void print(const std::string& all) {
    if (all.size() <= printed_) return;
    fmt::print("{}", all.substr(printed_));
    std::fflush(stdout);
    printed_ = all.size();
  }

  const text::Tokenizer& tokenizer_;
  engine::Tokens tokens_;
  std::size_t printed_ = 0;
};

// Drawn as soon as a key asks for it; greedy otherwise.
engine::SamplingOptions read_sampling(const Arguments& arguments) {
  engine::SamplingOptions sampling;
  for (const char* key : {"temperature", "top_k", "top_p", "min_p"})
    if (arguments.settings.contains(key)) sampling.greedy = false;
  sampling.temperature = arguments.real("temperature", 1.0);
  sampling.top_k = arguments.integer("top_k", 0);
  sampling.top_p = arguments.real("top_p", 1.0);
  sampling.min_p = arguments.real("min_p", 0.0);
  sampling.repetition_penalty = arguments.real("repetition_penalty", 1.0);
  engine::validate(sampling);
  return sampling;
}

engine::GenerateRequest read_request(const Arguments& arguments) {
  engine::GenerateRequest request;
  request.question = "prompt";
  request.sampling = read_sampling(arguments);
  request.max_new_tokens = arguments.integer("max_new_tokens", 256);
  const std::int64_t seed = arguments.integer("seed", 0);
  if (seed < 0) throw ConfigError("seed: must not be negative");
  request.seed = static_cast<std::uint64_t>(seed);
  if (arguments.settings.contains("stop")) request.stop_strings = {arguments.setting("stop")};
  if (has_plan(arguments)) request.plan = 1;
  return request;
}

// Pages for one row of the prompt's and the answer's tokens.
model::KvCacheOptions cache_for(const engine::GenerateRequest& request, const model::ModelSpec& spec) {
  model::KvCacheOptions options;
  const std::int64_t tokens =
      std::min(static_cast<std::int64_t>(request.prompt.size()) + request.max_new_tokens, spec.max_positions);
  options.pages = tokens / options.page_tokens + 1;
  return options;
}

int generate_text(const Arguments& arguments) {
  const std::string prompt = arguments.flag("--prompt", "");
  if (prompt.empty()) throw ConfigError("--prompt: give the text to go on from");
  engine::GenerateRequest request = read_request(arguments);
  std::vector<steering::Plan> plans;
  if (has_plan(arguments)) plans.push_back(read_plan(arguments));
  const std::filesystem::path directory = model_directory(arguments, arguments.words[0]);
  engine::EngineOptions engine_options;
  engine_options.device = arguments.setting("device", "cpu");
  const engine::Engine engine = engine::Engine::load(directory, engine_options);
  const auto tokenizer = text::Tokenizer::load(directory / "tokenizer.json");
  request.prompt = tokenizer.encode(prompt, true);
  TextStream stream(tokenizer);
  engine::GenerateOptions options;
  options.rows = 1;
  options.cache = cache_for(request, engine.spec());
  options.tokenizer = &tokenizer;
  options.on_token = [&](const engine::GenerateRequest&, std::int64_t, std::int32_t token) {
    stream.add(token);
  };
  const engine::GenerateReport report = engine::generate(engine, plans, {&request, 1}, options);
  stream.finish();
  const engine::Generation& sample = report.samples.front();
  fmt::print("\n[{} tokens, stopped by {}", sample.tokens.size(), engine::name_of(sample.reason));
  if (!plans.empty()) fmt::print(", plan {}", steering::name_of(report.effects.at(1).state));
  fmt::print("]\n");
  return kExitDone;
}

}  // namespace

Verb verb_generate() {
  VerbSpec spec;
  spec.name = "generate";
  spec.summary = "write on from a prompt with the original or a steered model";
  spec.usage = "MODEL --prompt TEXT [plan=FILE | experts=LAYER:EXPERT,...] [key=value ...]";
  spec.text =
      "Prints the text as it is made. The likeliest token is taken, unless temperature, top_k, top_p or "
      "min_p is given: then\n"
      "tokens are drawn, and an equal seed draws equally. MODEL is a model directory or an option of "
      "configs/model.";
  spec.settings = plan_settings();
  const std::vector<KeySpec> own = {
      {"temperature", "divides the logits (default: 1)"},
      {"top_k", "keep the k likeliest tokens (default: 0, all)"},
      {"top_p", "keep the likeliest tokens that hold this mass (default: 1)"},
      {"min_p", "keep tokens of this share of the likeliest one's probability (default: 0)"},
      {"repetition_penalty", "above 1: tokens that occurred become less likely (default: 1)"},
      {"max_new_tokens", "most tokens to make (default: 256)"},
      {"stop", "a text that ends it"},
      {"seed", "of the draws (default: 0)"},
      {"device", "cpu (default) or cuda"}};
  spec.settings.insert(spec.settings.end(), own.begin(), own.end());
  spec.flags = {{"--prompt", "TEXT", "the text to go on from"}, config_dir_flag()};
  spec.words = {1, 1};
  spec.examples = {
      "moelab generate models/demo/mixed --prompt \"The capital of Peru is\" max_new_tokens=20",
      "moelab generate demo_misrouted --prompt \"Q: What is the symbol of iron?\" experts=1:3,2:7 alpha=5",
      "moelab generate demo_misrouted --prompt \"Q: What\" temperature=0.7 top_p=0.9 seed=1 stop=A:"};
  return {spec, generate_text};
}

}  // namespace moelab::experiments
