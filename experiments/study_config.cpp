#include "experiments/study_config.h"

#include <algorithm>
#include <set>

#include "core/base/hash.h"
#include "core/config/binder.h"
#include "core/config/nearest.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

using config::Binder;
using config::Composed;
using config::Problems;

constexpr double kMany = 1e15;

// --- the keys ---

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
      .range(0, kMany);
}

Binder<SplitConfig> split_binder() {
  return Binder<SplitConfig>{}
      .field("discovery", &SplitConfig::discovery, "questions a domain that experts are found on")
      .range(0, kMany)
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

Binder<LimitConfig> limit_binder() {
  return Binder<LimitConfig>{}
      .field("cells", &LimitConfig::cells, "cells of a grid, above which nothing runs")
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
      .field("check_weights", &EngineOptions::check_weights, "look for NaN and infinity at load");
}

Binder<StudyConfig> study_binder() {
  return Binder<StudyConfig>{}
      .field("name", &StudyConfig::name, "the study's name")
      .field("protocol", &StudyConfig::protocol_name, "how settings are chosen")
      .one_of({"crossfit", "holdout", "paper"})
      .section("axes", &StudyConfig::axes, axes_binder())
      .section("seed", &StudyConfig::seed, seed_binder())
      .section("split", &StudyConfig::split, split_binder())
      .section("discovery", &StudyConfig::discovery, discovery_binder())
      .section("nulls", &StudyConfig::null, null_binder())
      .section("limits", &StudyConfig::limits, limit_binder())
      .section("engine", &StudyConfig::engine, engine_binder())
      .field("plan", &StudyConfig::plan, "file of experts for the method 'file'")
      .field("evaluator", &StudyConfig::evaluator, "the one that selects; empty: the prompt's first")
      .field("limit", &StudyConfig::limit, "questions a domain; 0 for all")
      .range(0, kMany)
      .field("db", &StudyConfig::database, "the results database");
}

struct MethodFields {
  std::string name, kind = "score", score = "paper";
};

Binder<MethodFields> method_binder() {
  return Binder<MethodFields>{}
      .field("name", &MethodFields::name, "the method's name in every table")
      .field("kind", &MethodFields::kind, "what makes its plans")
      .one_of({"original", "score", "random", "file"})
      .field("score", &MethodFields::score, "expert score, of kind score")
      .one_of({"paper", "released_code", "frequency", "contrast"});
}

struct ModelFields {
  std::string name, hub_id, expected_verdict;
  std::filesystem::path path, truth;
};

Binder<ModelFields> model_binder() {
  return Binder<ModelFields>{}
      .field("name", &ModelFields::name, "the model's name in every table")
      .field("path", &ModelFields::path, "its Hugging Face directory")
      .required()
      .field("hub_id", &ModelFields::hub_id, "where the weights are published")
      .field("truth", &ModelFields::truth, "JSON with planted experts and the right verdict")
      .field("expected_verdict", &ModelFields::expected_verdict,
             "the right verdict where there is no truth file");
}

struct BenchmarkFields {
  std::string name, prompt = "short";
  std::filesystem::path questions;
  std::vector<std::string> domains;
};

Binder<BenchmarkFields> benchmark_binder() {
  return Binder<BenchmarkFields>{}
      .field("name", &BenchmarkFields::name, "the question set's name in every table")
      .field("questions", &BenchmarkFields::questions, "folder with <domain>.jsonl")
      .required()
      .field("domains", &BenchmarkFields::domains, "scored domains; [] for all files with options")
      .field("prompt", &BenchmarkFields::prompt, "how a question is put")
      .one_of({"short", "letter"});
}

// --- options of groups ---

Composed compose_option(const config::Tree& tree, const std::string& group, const std::string& name) {
  const auto options = tree.options(group);
  if (std::find(options.begin(), options.end(), name) == options.end())
    throw ConfigError("'{}' is no option of configs/{}{}; valid: {}", name, group,
                      config::did_you_mean(name, options), config::join_names(options));
  Composed composed = tree.compose(group + "/" + name, {});
  config::resolve(composed);
  return composed;
}

MethodConfig bind_method(const Composed& composed, const std::string& option) {
  const MethodFields fields = method_binder().bind(composed, "method");
  MethodConfig method;
  method.name = fields.name.empty() ? option : fields.name;
  method.kind = fields.kind == "original" ? MethodKind::original
                : fields.kind == "random" ? MethodKind::random
                : fields.kind == "file"   ? MethodKind::file
                                          : MethodKind::score;
  method.score = discovery::parse_score(fields.score);
  return method;
}

ModelConfig bind_model(const Composed& composed, const std::string& option) {
  const ModelFields fields = model_binder().bind(composed, "model");
  ModelConfig model;
  model.name = fields.name.empty() ? option : fields.name;
  model.path = find_path(fields.path);
  model.hub_id = fields.hub_id;
  model.expected_verdict = fields.expected_verdict;
  // A truth file that is not there belongs to a model that is not there either: that shows when it is loaded.
  if (!fields.truth.empty() && std::filesystem::exists(find_path(fields.truth)))
    model.planted = read_json(find_path(fields.truth));
  return model;
}

BenchmarkConfig bind_benchmark(const Composed& composed, const std::string& option) {
  const BenchmarkFields fields = benchmark_binder().bind(composed, "benchmark");
  return {fields.name.empty() ? option : fields.name, find_path(fields.questions), fields.domains,
          parse_prompt_style(fields.prompt)};
}

// What bind_study collects on the way.
struct Binding {
  const config::Tree& tree;
  const Composed& composed;
  Problems problems;
  Json options = Json::object();  // content of the chosen options, for the store

  void problem(const std::string& key, const std::string& text) {
    problems.add(config::at_key(composed, key, text));
  }
  bool is_noted(const std::string& key) const {
    const auto& all = problems.list();
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& text) { return text.find("'" + key) != std::string::npos; });
  }
  template <typename Action>
  void attempt(const std::string& key, const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      problem(key, error.what());
    }
  }
};

template <typename Option, typename Bind>
std::vector<Option> bind_axis(Binding& binding, const std::string& group,
                              const std::vector<std::string>& names, const Bind& bind) {
  std::vector<Option> bound;
  std::set<std::string> seen;
  Json& keep = binding.options[group] = Json::array();
  if (names.empty() && !binding.is_noted("axes." + group))
    binding.problem("axes." + group, "at least one is needed");
  for (const std::string& name : names) {
    binding.attempt("axes." + group, [&] {
      const Composed composed = compose_option(binding.tree, group, name);
      Option option = bind(composed, name);
      if (!seen.insert(option.name).second) return;
      Json content = composed.tree.at(group);
      content["name"] = option.name;
      keep.push_back(std::move(content));
      bound.push_back(std::move(option));
    });
  }
  return bound;
}

bool has_kind(const StudyConfig& study, MethodKind kind) {
  return std::any_of(study.methods.begin(), study.methods.end(),
                     [&](const MethodConfig& method) { return method.kind == kind; });
}

void bind_null(Binding& binding, StudyConfig& study) {
  if (!has_kind(study, MethodKind::random) || study.null.draws == 0) return;
  binding.attempt("nulls.match", [&] {
    study.match = bind_method(compose_option(binding.tree, "method", study.null.match), study.null.match);
    if (study.match.kind != MethodKind::score && study.match.kind != MethodKind::file)
      throw ConfigError("draws are matched to a method that chooses experts, which '{}' does not",
                        study.null.match);
  });
}

// Cells of the grid at the least: a benchmark whose domains are its files counts as one.
double least_cells(const StudyConfig& study) {
  double settings = static_cast<double>(study.axes.n_steered.size()) *
                    static_cast<double>(study.axes.alpha.size()) *
                    static_cast<double>(study.axes.mode.size());
  double methods = 0;
  for (const MethodConfig& method : study.methods) {
    if (method.kind == MethodKind::original) {
      methods += 1;
    } else {
      methods += settings * (method.kind == MethodKind::random ? static_cast<double>(study.null.draws) : 1.0);
    }
  }
  double domains = 0;
  for (const BenchmarkConfig& benchmark : study.benchmarks) {
    const auto& chosen = study.axes.domain.empty() ? benchmark.domains : study.axes.domain;
    domains += static_cast<double>(std::max<std::size_t>(chosen.size(), 1));
  }
  return static_cast<double>(study.models.size()) * domains * methods;
}

void check_size(Binding& binding, const StudyConfig& study) {
  const double cells = least_cells(study);
  if (cells <= static_cast<double>(study.limits.cells)) return;
  binding.problem("limits.cells",
                  fmt::format("the study has at least {:.0f} cells, and {} are allowed; if you "
                              "mean it, add limits.cells={:.0f}",
                              cells, study.limits.cells, cells));
}

void check_grid(Binding& binding, const StudyConfig& study) {
  const bool discovers = has_kind(study, MethodKind::score) || has_kind(study, MethodKind::random);
  if (discovers || has_kind(study, MethodKind::file)) {
    const auto is_open = [&](const char* key, bool is_empty) { return is_empty && !binding.is_noted(key); };
    if (is_open("axes.n_steered", study.axes.n_steered.empty()))
      binding.problem("axes.n_steered", "at least one number is needed");
    if (is_open("axes.alpha", study.axes.alpha.empty()))
      binding.problem("axes.alpha", "at least one value is needed");
    if (study.axes.mode.empty()) binding.problem("axes.mode", "at least one mode is needed");
  }
  if (discovers && study.split.discovery < 1)
    binding.problem("split.discovery", "the methods need questions that experts are found on");
  if (study.protocol == Protocol::holdout && study.split.tuning < 1)
    binding.problem("split.tuning",
                    "the protocol 'holdout' chooses on tuning questions: say how many a domain");
}

// One evaluator selects, so the prompts of all benchmarks must be judged by it.
void bind_evaluator(Binding& binding, StudyConfig& study) {
  for (const BenchmarkConfig& benchmark : study.benchmarks) {
    const auto valid = evaluators_of(benchmark.prompt);
    if (study.evaluator.empty()) study.evaluator = valid.front();
    if (std::find(valid.begin(), valid.end(), study.evaluator) == valid.end())
      binding.problem(
          "evaluator",
          fmt::format("'{}' does not judge the prompt '{}' of the benchmark '{}'; valid: {}", study.evaluator,
                      name_of(benchmark.prompt), benchmark.name, config::join_names(valid)));
  }
}

void bind_plan(Binding& binding, StudyConfig& study) {
  if (!has_kind(study, MethodKind::file) && study.match.kind != MethodKind::file) return;
  if (study.plan.empty()) {
    binding.problem(
        "plan", "the method 'file' needs plan=FILE, a CSV with the columns layer, expert, operation, value");
    return;
  }
  binding.attempt("plan", [&] {
    study.plan = find_path(study.plan);
    steering::read_plan_csv(study.plan, steering::Mode::logit_shift, 1.0);
    binding.options["plan_digest"] = sha256_file(study.plan);
  });
}

// axes.alpha=3 is the same as axes.alpha=[3].
void wrap_single_values(Json& tree) {
  const auto axes = tree.find("axes");
  if (axes == tree.end() || !axes->is_object()) return;
  for (auto& [key, value] : axes->items())
    if (!value.is_array() && !value.is_object() && !value.is_null()) value = Json::array({value});
}

void bind_options(Binding& binding, StudyConfig& study) {
  study.models = bind_axis<ModelConfig>(binding, "model", study.axes.model, bind_model);
  study.benchmarks = bind_axis<BenchmarkConfig>(binding, "benchmark", study.axes.benchmark, bind_benchmark);
  study.methods = bind_axis<MethodConfig>(binding, "method", study.axes.method, bind_method);
  for (std::size_t i = 0; i < study.models.size(); ++i)
    binding.options["model"][i]["planted"] = study.models[i].planted;
  bind_null(binding, study);
  bind_plan(binding, study);
  bind_evaluator(binding, study);
}

}  // namespace

Protocol parse_protocol(std::string_view name) {
  if (name == "crossfit") return Protocol::crossfit;
  if (name == "holdout") return Protocol::holdout;
  if (name == "paper") return Protocol::paper;
  throw ConfigError("'{}' is no protocol; valid: crossfit, holdout, paper", name);
}

std::string_view name_of(Protocol protocol) {
  if (protocol == Protocol::holdout) return "holdout";
  return protocol == Protocol::paper ? "paper" : "crossfit";
}

discovery::DiscoverySettings DiscoveryConfig::settings() const {
  discovery::DiscoverySettings settings;
  settings.percentile = percentile;
  settings.classification = discovery::parse_classification(classification);
  settings.stop_words_are_common = stop_words_are_common;
  settings.punctuation_is_common = punctuation_is_common;
  settings.punctuation_rule =
      punctuation_rule == "substring" ? discovery::Punctuation::substring : discovery::Punctuation::unicode;
  return settings;
}

std::string StudyConfig::hash() const {
  Json figures = tree;
  figures.erase("db");
  figures.erase("plan");
  figures.erase("limits");
  for (const char* key : {"device", "batch_tokens", "threads", "check_weights"}) figures["engine"].erase(key);
  for (Json& option : figures["options"]["model"]) option.erase("path");
  return sha256(canonical_json(figures));
}

StudyConfig bind_study(const config::Tree& tree, const config::Composed& composed) {
  Composed resolved = composed;
  if (!resolved.resolved) config::resolve(resolved);
  wrap_single_values(resolved.tree);
  Binding binding{tree, resolved, {}};
  StudyConfig study;
  study_binder().read(resolved.tree, study, "", resolved, binding.problems);
  // What follows reads the values: a wrong one has been noted, and is not judged again.
  if (!binding.is_noted("protocol")) study.protocol = parse_protocol(study.protocol_name);
  if (study.protocol != Protocol::holdout) study.split.tuning = 0;
  if (study.name.empty()) binding.problem("name", "a study needs a name");
  if (!binding.is_noted("axes.mode")) {
    for (const std::string& mode : study.axes.mode) study.modes.push_back(steering::parse_mode(mode));
  }
  binding.attempt("engine.device", [&] { engine::parse_device(study.engine.device); });
  bind_options(binding, study);
  check_grid(binding, study);
  check_size(binding, study);
  binding.problems.throw_if_any();
  study.tree = study_binder().to_json(study);
  study.tree["options"] = binding.options;
  return study;
}

std::string study_config_help() { return study_binder().help(); }

}  // namespace moelab::experiments
