#include "experiments/study_fields.h"

namespace moelab::experiments {
namespace {

using config::Binder;

constexpr double kMany = 1e15;

Binder<AxesConfig> axes_binder() {
  return Binder<AxesConfig>{}
      .field("model", &AxesConfig::model, "options of configs/model")
      .field("benchmark", &AxesConfig::benchmark, "options of configs/benchmark")
      .field("domain", &AxesConfig::domain, "tested domains; [] for all of the benchmark")
      .field("method", &AxesConfig::method, "options of configs/method")
      .field("n_steered", &AxesConfig::n_steered, "numbers of steered experts")
      .range(1, kMany)
      .field("alpha", &AxesConfig::alpha, "strengths; 1 is the original")
      .range(1e-300, 1e300)
      .field("top_k", &AxesConfig::top_k, "active experts a layer, for the method 'top_k'")
      .range(1, kMany)
      .field("mode", &AxesConfig::mode, "where steering acts in the router")
      .one_of({"logit_shift", "logit_shift_selection_only", "prob_scale_renorm", "weight_scale_renorm",
               "weight_scale"});
}

Binder<SeedConfig> seed_binder() {
  return Binder<SeedConfig>{}
      .field("split", &SeedConfig::split, "of tuning questions, folds and the order of a limit")
      .range(0, kMany)
      .field("discovery", &SeedConfig::discovery, "of the questions that experts are found on")
      .range(0, kMany)
      .field("draw", &SeedConfig::draw, "of random experts")
      .range(0, kMany)
      .field("sampling", &SeedConfig::sampling, "of answers that are written with a temperature")
      .range(0, kMany)
      .field("training", &SeedConfig::training, "of fine-tuning, a run for each")
      .range(0, kMany);
}

Binder<SplitConfig> split_binder() {
  return Binder<SplitConfig>{}
      .field("discovery", &SplitConfig::discovery, "questions a domain that experts are found on")
      .range(0, kMany)
      .field("tests_discovery", &SplitConfig::tests_discovery,
             "discovery's questions are tested too, as the released code's are (paper)")
      .field("tuning", &SplitConfig::tuning, "questions a domain that settings are chosen on (holdout)")
      .range(0, kMany)
      .field("folds", &SplitConfig::folds, "folds (crossfit)")
      .range(2, 1000)
      .field("assignments", &SplitConfig::assignments, "fold assignments (crossfit)")
      .range(1, 100'000);
}

Binder<DiscoveryConfig> discovery_binder() {
  return Binder<DiscoveryConfig>{}
      .field("loss", &DiscoveryConfig::loss, "tokens whose loss gives importance")
      .one_of({"prompt", "answer"})
      .field("options_in_prompt", &DiscoveryConfig::options_in_prompt,
             "the released code's prompt, with options")
      .field("percentile", &DiscoveryConfig::percentile, "tokens up to it are common")
      .range(0, 100)
      .field("classification", &DiscoveryConfig::classification, "how classes meet tokens")
      .one_of({"aligned", "released_code"})
      .field("stop_words_are_common", &DiscoveryConfig::stop_words_are_common, "English function words")
      .field("punctuation_is_common", &DiscoveryConfig::punctuation_is_common, "see punctuation_rule")
      .field("punctuation_rule", &DiscoveryConfig::punctuation_rule, "what punctuation is")
      .one_of({"unicode", "substring"});
}

Binder<NullConfig> null_binder() {
  return Binder<NullConfig>{}
      .field("draws", &NullConfig::draws, "draws of random experts")
      .range(0, 100'000)
      .field("match", &NullConfig::match, "the method that draws are matched to")
      .field("aa", &NullConfig::aa, "run the original again, in another order and batch size");
}

Binder<CalibrationConfig> calibration_binder() {
  return Binder<CalibrationConfig>{}
      .field("permutations", &CalibrationConfig::permutations,
             "label permutations of moelab calibrate; 0 for none")
      .range(0, 10'000);
}

Binder<TransferConfig> transfer_binder() {
  return Binder<TransferConfig>{}.field("study", &TransferConfig::study,
                                        "a study whose chosen plans run on these questions; empty: none");
}

Binder<SearchConfig> search_binder() {
  return Binder<SearchConfig>{}
      .field("kind", &SearchConfig::kind, "which settings of a grid are run")
      .one_of({"grid", "random", "halving"})
      .field("settings", &SearchConfig::settings, "settings of each method's grid (random)")
      .range(1, kMany)
      .field("seed", &SearchConfig::seed, "of the draw, or of the order of the tuning questions (halving)")
      .range(0, kMany)
      .field("eta", &SearchConfig::eta, "a rung keeps 1 / eta of its settings (halving)")
      .range(2, 1000)
      .field("rungs", &SearchConfig::rungs, "0 for as many as leave one setting (halving)")
      .range(0, 100);
}

Binder<LimitConfig> limit_binder() {
  return Binder<LimitConfig>{}
      .field("cells", &LimitConfig::cells, "cells of a study, above which nothing runs")
      .range(1, kMany);
}

Binder<engine::EngineOptions> engine_binder() {
  using engine::EngineOptions;
  return Binder<EngineOptions>{}
      .field("device", &EngineOptions::device, "cpu, cuda or cuda:N")
      .field("dtype", &EngineOptions::dtype, "compute type")
      .one_of({"auto", "float32", "bfloat16", "float16"})
      .field("batch_tokens", &EngineOptions::batch_tokens, "token rows in one pass")
      .range(1, kMany)
      .field("threads", &EngineOptions::threads, "CPU threads; 0 for all cores")
      .range(0, 4096)
      .field("cache_gib", &EngineOptions::cache_gib, "GiB of KV cache; 0 for 0.8 of what the weights leave")
      .range(0, 1e6)
      .field("check_weights", &EngineOptions::check_weights, "look for NaN and infinity at load");
}

Binder<GenerationConfig> generation_binder() {
  return Binder<GenerationConfig>{}
      .field("max_new_tokens", &GenerationConfig::max_new_tokens, "longer answers are cut off")
      .range(1, 1e7)
      .field("repeats", &GenerationConfig::repeats, "samples a question")
      .range(1, 255)
      .field("temperature", &GenerationConfig::temperature, "0 for greedy")
      .range(0, 100)
      .field("top_p", &GenerationConfig::top_p, "likeliest tokens that hold this mass")
      .range(0, 1)
      .field("top_k", &GenerationConfig::top_k, "likeliest tokens; 0 for all")
      .range(0, kMany)
      .field("min_p", &GenerationConfig::min_p, "least share of the likeliest token's probability")
      .range(0, 1)
      .field("stop", &GenerationConfig::stop, "texts that end an answer")
      .field("thinking", &GenerationConfig::thinking, "how thinking is marked")
      .one_of({"none", "think", "harmony", "ernie", "hunyuan"})
      .field("thinking_budget", &GenerationConfig::thinking_budget, "most thinking tokens; -1 for no limit")
      .range(-1, 1e7);
}

Binder<SamplingAdvice> sampling_binder() {
  return Binder<SamplingAdvice>{}
      .field("temperature", &SamplingAdvice::temperature, "recommended; 0 for the likeliest token")
      .range(0, 100)
      .field("top_p", &SamplingAdvice::top_p, "recommended")
      .range(0, 1)
      .field("top_k", &SamplingAdvice::top_k, "recommended")
      .range(0, kMany)
      .field("min_p", &SamplingAdvice::min_p, "recommended")
      .range(0, 1);
}

Binder<ChatAdvice> chat_binder() {
  return Binder<ChatAdvice>{}
      .field("thinking", &ChatAdvice::thinking, "how thinking is marked; empty: guessed from the files")
      .one_of({"", "none", "think", "harmony", "ernie", "hunyuan"})
      .field("enable_thinking", &ChatAdvice::enable_thinking, "what the chat template is given")
      .field("reasoning_effort", &ChatAdvice::reasoning_effort, "what the chat template is given")
      .one_of({"", "low", "medium", "high"});
}

Binder<RiceConfig> rice_binder() {
  return Binder<RiceConfig>{}
      .field("markers", &RiceConfig::markers, "texts that mark thinking in a trace")
      .field("coefficients", &RiceConfig::coefficients, "of each marker's nPMI in the score")
      .range(-1e6, 1e6)
      .field("experts", &RiceConfig::experts, "numbers of scaled experts, l")
      .range(1, kMany)
      .field("beta", &RiceConfig::beta, "factors of their weights")
      .range(1e-300, 1e300)
      .field("modes", &RiceConfig::modes, "whether a token keeps its total weight (_renorm)")
      .one_of({"weight_scale", "weight_scale_renorm"})
      .field("per", &RiceConfig::per,
             "experts of a domain, or of each test question from the answer to it (transductive)")
      .one_of({"domain", "sample"});
}

std::vector<std::string> expert_score_names() {
  std::vector<std::string> names;
  for (const discovery::Score score : discovery::all_scores()) names.emplace_back(name_of(score));
  return names;
}

Binder<ChatOptions> chat_options_binder() {
  return Binder<ChatOptions>{}
      .field("system", &ChatOptions::system, "a system message")
      .field("enable_thinking", &ChatOptions::enable_thinking, "for templates that ask")
      .field("reasoning_effort", &ChatOptions::reasoning_effort, "for templates that ask")
      .one_of({"", "low", "medium", "high"})
      .field("date", &ChatOptions::date, "YYYY-MM-DD, for templates that ask");
}

// The project's own styles, then the published prompts.
std::vector<std::string> prompt_names() {
  std::vector<std::string> names = {"short", "letter", "written", "worked"};
  for (const prompts::Prompt& prompt : prompts::all_prompts()) names.emplace_back(prompt.name);
  return names;
}

}  // namespace

config::Binder<StudyConfig> study_binder() {
  return config::Binder<StudyConfig>{}
      .field("name", &StudyConfig::name, "the study's name")
      .field("protocol", &StudyConfig::protocol_name, "how settings are chosen")
      .one_of({"crossfit", "holdout", "paper"})
      .section("axes", &StudyConfig::axes, axes_binder())
      .section("seed", &StudyConfig::seed, seed_binder())
      .section("split", &StudyConfig::split, split_binder())
      .section("discovery", &StudyConfig::discovery, discovery_binder())
      .section("nulls", &StudyConfig::null, null_binder())
      .section("calibration", &StudyConfig::calibration, calibration_binder())
      .section("transfer", &StudyConfig::transfer, transfer_binder())
      .section("search", &StudyConfig::search, search_binder())
      .section("limits", &StudyConfig::limits, limit_binder())
      .section("sft", &StudyConfig::sft, sft_binder())
      .section("engine", &StudyConfig::engine, engine_binder())
      .field("plan", &StudyConfig::plan, "file of experts for the method 'file'")
      .field("score_sql", &StudyConfig::score_sql, "file of a query for the method 'sql'")
      .field("evaluator", &StudyConfig::evaluator, "the one that selects; empty: the prompt's first")
      .field("limit", &StudyConfig::limit, "questions a domain; 0 for all")
      .range(0, kMany)
      .field("db", &StudyConfig::database, "the results database");
}

config::Binder<MethodFields> method_binder() {
  return config::Binder<MethodFields>{}
      .field("name", &MethodFields::name, "the method's name in every table")
      .field("kind", &MethodFields::kind, "what makes its plans")
      .one_of(method_kind_names())
      .field("score", &MethodFields::score, "expert score, of kinds score, steermoe, prune and only")
      .one_of(expert_score_names())
      .field("score_sql", &MethodFields::score_sql, "a query that gives the score instead")
      .field("activate", &MethodFields::activate, "experts that steermoe forces; -1: as axes.n_steered says")
      .range(-1, kMany)
      .field("deactivate", &MethodFields::deactivate, "experts that it forbids; -1: as axes.n_steered says")
      .range(-1, kMany)
      .section("rice", &MethodFields::rice, rice_binder())
      .field("hint", &MethodFields::hint, "text before the question, of kind prompt; {domain} is its domain");
}

config::Binder<ModelFields> model_binder() {
  return config::Binder<ModelFields>{}
      .field("name", &ModelFields::name, "the model's name in every table")
      .field("path", &ModelFields::path, "its Hugging Face directory; not there: the hub cache has it")
      .field("hub_id", &ModelFields::hub_id, "where the weights are published, org/name")
      .field("revision", &ModelFields::revision, "branch, tag or commit")
      .field("files", &ModelFields::files, "patterns of what moelab fetch brings; []: the usual ones")
      .section("sampling", &ModelFields::sampling, sampling_binder())
      .section("chat", &ModelFields::chat, chat_binder())
      .field("truth", &ModelFields::truth, "JSON with planted experts and the right verdict")
      .field("expected_verdict", &ModelFields::expected_verdict,
             "the right verdict where there is no truth file");
}

config::Binder<BenchmarkFields> benchmark_binder() {
  return config::Binder<BenchmarkFields>{}
      .field("name", &BenchmarkFields::name, "the question set's name in every table")
      .field("questions", &BenchmarkFields::questions, "folder with <domain>.jsonl")
      .field("files", &BenchmarkFields::files, "files of a published set, instead of a folder")
      .field("examples", &BenchmarkFields::examples, "files with the examples of a published prompt")
      .field("domains", &BenchmarkFields::domains, "scored domains; [] for all")
      .field("domain_by", &BenchmarkFields::domain_by, "what domains are made of")
      .one_of({"domain", "subdomain", "all"})
      .field("prompt", &BenchmarkFields::prompt, "how a question is put")
      .one_of(prompt_names())
      .field("shots", &BenchmarkFields::shots, "examples before a question; -1 for the prompt's own number")
      .range(-1, 100)
      .field("chat", &BenchmarkFields::chat, "put questions through the model's chat template")
      .section("chat_options", &BenchmarkFields::chat_options, chat_options_binder())
      .field("evaluators", &BenchmarkFields::evaluators, "of a published prompt; [] for its own")
      .section("generation", &BenchmarkFields::generation, generation_binder());
}

}  // namespace moelab::experiments
