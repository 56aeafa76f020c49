#include "experiments/generate_arguments.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/text/tiktoken.h"
#include "experiments/generation_memory.h"
#include "experiments/model_place.h"
#include "experiments/plan_arguments.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

namespace fs = std::filesystem;

bool read_switch(const Arguments& arguments, const std::string& key, bool fallback) {
  if (!arguments.settings.contains(key)) return fallback;
  const std::string value = arguments.setting(key);
  if (value != "true" && value != "false")
    throw ConfigError("{}: '{}' is neither true nor false", key, value);
  return value == "true";
}

std::int64_t read_count(const Arguments& arguments, const std::string& key, std::int64_t fallback) {
  const std::int64_t count = arguments.integer(key, fallback);
  if (count < 1) throw ConfigError("{}: {} is not at least 1", key, count);
  return count;
}

void require_draws(const Arguments& arguments, const engine::GenerateRequest& request) {
  if (!request.sampling.greedy) return;
  const char* const how = "give temperature=, top_k=, top_p=, min_p= or greedy=false to draw";
  if (arguments.settings.contains("seed"))
    throw ConfigError("seed: the likeliest token is taken and nothing is drawn; {}", how);
  if (request.repeats > 1)
    throw ConfigError("repeats: all would be equal, because the likeliest token is taken; {}", how);
}

engine::GenerateRequest read_generation(const Arguments& arguments) {
  engine::GenerateRequest request;
  request.question = "prompt";
  request.sampling = read_sampling(arguments);
  request.max_new_tokens = read_count(arguments, "max_new_tokens", 256);
  request.repeats = read_count(arguments, "repeats", 1);
  const std::int64_t seed = arguments.integer("seed", 0);
  if (seed < 0) throw ConfigError("seed: must not be negative");
  request.seed = static_cast<std::uint64_t>(seed);
  if (arguments.settings.contains("stop"))
    request.stop_strings = parse_texts(arguments.setting("stop"), "stop");
  require_draws(arguments, request);
  return request;
}

// The end tokens of generation_config.json: publishers name those of chats there.
std::vector<std::int32_t> published_ends(const fs::path& model_directory) {
  const fs::path path = model_directory / "generation_config.json";
  if (!fs::exists(path)) return {};
  const Json config = read_json(path);
  const auto found = config.find("eos_token_id");
  if (found == config.end() || found->is_null()) return {};
  if (found->is_array()) return json_get<std::vector<std::int32_t>>(config, "eos_token_id", path.string());
  return {json_get<std::int32_t>(config, "eos_token_id", path.string())};
}

void require_fitting(const ModelPrompt& prompt, const text::Tokenizer& tokenizer,
                     const model::ModelSpec& spec) {
  if (tokenizer.vocab_size() > static_cast<std::size_t>(spec.vocab_size))
    throw ConfigError("tokenizer.json has {} tokens and the model {}: it is another model's",
                      tokenizer.vocab_size(), spec.vocab_size);
  if (prompt.tokens.empty()) throw ConfigError("the prompt has no token");
  if (static_cast<std::int64_t>(prompt.tokens.size()) >= spec.max_positions)
    throw ConfigError(
        "the prompt has {} tokens, and the model's context of {} leaves no room for an answer: "
        "shorten it",
        prompt.tokens.size(), spec.max_positions);
}

model::CacheNeeds needs_of(const engine::GenerateRequest& request, std::int64_t rows) {
  model::CacheNeeds needs;
  needs.rows = rows;
  needs.longest_prompt = static_cast<std::int64_t>(request.prompt.size());
  needs.max_new_tokens = request.max_new_tokens;
  return needs;
}

GenerateTrial load_trial(const Arguments& given) {
  const ModelPlace place = find_model(given, given.words.at(0));
  const fs::path directory = model_directory(place, given.words.at(0));
  const AdvisedArguments advised = with_advice(given, place);
  const Arguments& arguments = advised.arguments;
  const std::string text = read_prompt_text(arguments);
  engine::GenerateRequest request = read_generation(arguments);
  std::optional<steering::Plan> plan = read_optional_plan(arguments);
  request.plan = plan ? 1 : 0;
  const model::ModelSpec spec = model::read_spec(directory);
  if (plan) steering::validate(*plan, spec);
  auto tokenizer = text::load_tokenizer(directory);
  ModelPrompt prompt = make_prompt(arguments, text, directory, tokenizer);
  require_fitting(prompt, tokenizer, spec);
  request.prompt = prompt.tokens;
  request.stop_ids = published_ends(directory);
  if (arguments.settings.contains("thinking_budget"))
    request.thinking =
        thinking_budget(arguments.integer("thinking_budget", 0), prompt.thinking, tokenizer, prompt.opened);
  engine::EngineOptions options;
  options.device = arguments.setting("device", "cpu");
  options.dtype = arguments.setting("dtype", "auto");
  const at::ScalarType dtype = planned_dtype(directory, options);
  const std::int64_t bytes = cache_bytes(spec, dtype, options, free_memory(options.device));
  model::plan_cache(spec, dtype, needs_of(request, 1), bytes);
  return {engine::Engine::load(directory, options),
          std::move(tokenizer),
          std::move(prompt),
          std::move(request),
          std::move(plan),
          bytes,
          advised.note};
}

}  // namespace

std::span<const steering::Plan> GenerateTrial::plans() const {
  if (!plan) return {};
  return {&*plan, 1};
}

GeneratedTextOptions GenerateTrial::text_options() const {
  GeneratedTextOptions options{prompt.thinking, prompt.opened, request.stop_ids};
  for (const std::int64_t id : engine.spec().eos_ids)
    options.silent_ids.push_back(static_cast<std::int32_t>(id));
  options.thinking.end_ids = options.silent_ids;
  return options;
}

engine::GenerateOptions GenerateTrial::engine_options(std::int64_t rows) const {
  engine::GenerateOptions options;
  const model::CachePlan cache =
      model::plan_cache(engine.spec(), engine.model().dtype(), needs_of(request, rows), cache_bytes);
  options.rows = cache.rows;
  options.cache = cache.cache;
  options.tokenizer = &tokenizer;
  return options;
}

std::vector<KeySpec> generate_settings() {
  return {
      {"greedy", "true: the likeliest token (default, unless one of the next four is given or recommended)"},
      {"temperature", "divides the logits (default: 1)"},
      {"top_k", "keep the k likeliest tokens (default: 0, all)"},
      {"top_p", "keep the likeliest tokens that hold this mass (default: 1)"},
      {"min_p", "keep tokens of this share of the likeliest one's probability (default: 0)"},
      {"repetition_penalty", "above 1: tokens that occurred become less likely (default: 1)"},
      {"seed", "of the draws (default: 0)"},
      {"repeats", "samples, one after another (default: 1)"},
      {"max_new_tokens", "most tokens of a sample (default: 256)"},
      {"stop", "texts that end a sample, separated by commas; \\n, \\t, \\, and \\\\ are escapes"},
      {"thinking_budget", "most thinking tokens; then thinking is closed and the answer follows"},
      {"device", "cpu (default) or cuda"},
      {"dtype", "of weights and passes: auto (default; float32 on the CPU), float32, bfloat16 or float16"}};
}

std::vector<std::string> parse_texts(std::string_view list, std::string_view what) {
  std::vector<std::string> texts(1);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == ',') {
      texts.emplace_back();
    } else if (list[i] != '\\') {
      texts.back() += list[i];
    } else {
      const char letter = ++i < list.size() ? list[i] : '\0';
      if (letter == 'n')
        texts.back() += '\n';
      else if (letter == 't')
        texts.back() += '\t';
      else if (letter == ',' || letter == '\\')
        texts.back() += letter;
      else
        throw ConfigError("{}: '{}' has a backslash that is none of \\n, \\t, \\, and \\\\", what, list);
    }
  }
  for (const std::string& text : texts)
    if (text.empty()) throw ConfigError("{}: '{}' has an empty text; a comma is written \\,", what, list);
  return texts;
}

engine::SamplingOptions read_sampling(const Arguments& arguments) {
  engine::SamplingOptions sampling;
  const auto is_given = [&](const char* key) { return arguments.settings.contains(key); };
  sampling.greedy =
      read_switch(arguments, "greedy",
                  !is_given("temperature") && !is_given("top_k") && !is_given("top_p") && !is_given("min_p"));
  sampling.temperature = arguments.real("temperature", 1.0);
  sampling.top_k = arguments.integer("top_k", 0);
  sampling.top_p = arguments.real("top_p", 1.0);
  sampling.min_p = arguments.real("min_p", 0.0);
  sampling.repetition_penalty = arguments.real("repetition_penalty", 1.0);
  engine::validate(sampling);
  return sampling;
}

GenerateTrial prepare_trial(const Arguments& arguments) {
  try {
    return load_trial(arguments);
  } catch (const ConfigError&) {
    throw;
  } catch (const Error& problem) {
    throw ConfigError(problem.what());
  }
}

}  // namespace moelab::experiments
