#include "experiments/study_config.h"

#include <algorithm>
#include <set>

#include "core/base/hash.h"
#include "core/config/nearest.h"
#include "core/text/template_date.h"
#include "evaluators/registry.h"
#include "experiments/calibration_cells.h"
#include "experiments/hub_cache.h"
#include "experiments/methods_plan.h"
#include "experiments/sft_examples.h"
#include "experiments/study_counts.h"
#include "experiments/study_fields.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

using config::Composed;
using config::Problems;

// A model may be named by its id on the hub, without a file in configs/model.
Composed composed_hub_model(const std::string& hub_id) {
  Composed composed;
  composed.tree = {{"model", {{"hub_id", hub_id}}}};
  composed.resolved = true;
  return composed;
}

Composed compose_option(const config::Tree& tree, const std::string& group, const std::string& name) {
  const auto options = tree.options(group);
  const bool is_option = std::find(options.begin(), options.end(), name) != options.end();
  if (!is_option && group == "model" && is_hub_id(name)) return composed_hub_model(name);
  if (!is_option)
    throw ConfigError("'{}' is no option of configs/{}{}; valid: {}", name, group,
                      config::did_you_mean(name, options), config::join_names(options));
  Composed composed = tree.compose(group + "/" + name, {});
  config::resolve(composed);
  return composed;
}

ModelConfig bind_model(const Composed& composed, const std::string& option) {
  const ModelFields fields = model_binder().bind(composed, "model");
  ModelConfig model;
  model.name = fields.name.empty() ? option : fields.name;
  if (fields.path.empty() && fields.hub_id.empty())
    throw ConfigError("configs/model/{}.yaml: give 'path', the model's directory, or 'hub_id'", option);
  model.path = model_path(fields.path, fields.hub_id, fields.revision);
  if (model.path.empty()) model.path = fields.path;
  model.hub_id = fields.hub_id;
  model.expected_verdict = fields.expected_verdict;
  // A truth file that is not there belongs to a model that is not there either: that shows when it is loaded.
  if (!fields.truth.empty() && std::filesystem::exists(find_path(fields.truth)))
    model.planted = read_json(find_path(fields.truth));
  return model;
}

// Throws ConfigError for an evaluator that is unknown, or judges another kind of answer than the prompt's
// own.
void bind_evaluators(const BenchmarkFields& fields, BenchmarkConfig& benchmark) {
  if (benchmark.prompt != PromptStyle::published) {
    if (!fields.evaluators.empty())
      throw ConfigError(
          "the benchmark '{}': the prompt '{}' has evaluators of its own; leave out 'evaluators'",
          benchmark.name, fields.prompt);
    return;
  }
  benchmark.evaluators = fields.evaluators;
  if (benchmark.evaluators.empty()) benchmark.evaluators.emplace_back(benchmark.published->evaluator);
  const auto kind = evaluators::find_evaluator(benchmark.published->evaluator).kind;
  for (const std::string& name : benchmark.evaluators)
    if (evaluators::find_evaluator(name).kind != kind)
      throw ConfigError("the benchmark '{}': the evaluator '{}' judges {}, the prompt '{}' asks for {}",
                        benchmark.name, name, kind == evaluators::AnswerKind::letter ? "numbers" : "letters",
                        fields.prompt, kind == evaluators::AnswerKind::letter ? "a letter" : "a number");
}

// What only a published set can have.
void bind_published(const BenchmarkFields& fields, BenchmarkConfig& benchmark) {
  if (fields.questions.empty() == fields.files.empty())
    throw ConfigError(
        "the benchmark '{}' needs 'questions' (a folder) or 'files' (of a published set), not both",
        benchmark.name);
  if (prompts::is_prompt(fields.prompt)) benchmark.published = &prompts::find_prompt(fields.prompt);
  if (benchmark.published != nullptr && fields.files.empty())
    throw ConfigError("the benchmark '{}': the prompt '{}' is for a published set; name its files in 'files'",
                      benchmark.name, fields.prompt);
  if (benchmark.published == nullptr && fields.shots > 0)
    throw ConfigError("the benchmark '{}': the prompt '{}' takes no examples; leave out 'shots'",
                      benchmark.name, fields.prompt);
  for (const std::string& file : fields.files) benchmark.files.push_back(find_path(file));
  for (const std::string& file : fields.examples) benchmark.examples.push_back(find_path(file));
  if (!fields.examples.empty() && (benchmark.published == nullptr || !benchmark.published->takes_examples))
    throw ConfigError("the benchmark '{}': the prompt '{}' takes no examples; leave out 'examples'",
                      benchmark.name, fields.prompt);
  benchmark.domain_by = fields.domain_by;
  if (benchmark.published != nullptr)
    benchmark.shots = fields.shots < 0 ? static_cast<std::int64_t>(benchmark.published->shots) : fields.shots;
  benchmark.chat = fields.chat;
  benchmark.chat_options = fields.chat_options;
  if (!fields.chat && !(fields.chat_options == ChatOptions{}))
    throw ConfigError("the benchmark '{}': 'chat_options' do nothing without 'chat: true'", benchmark.name);
  if (!fields.chat_options.date.empty()) text::parse_template_date(fields.chat_options.date);
  bind_evaluators(fields, benchmark);
}

BenchmarkConfig bind_benchmark(const Composed& composed, const std::string& option) {
  const BenchmarkFields fields = benchmark_binder().bind(composed, "benchmark");
  BenchmarkConfig benchmark{fields.name.empty() ? option : fields.name, find_path(fields.questions),
                            fields.domains, parse_prompt_style(fields.prompt), fields.generation};
  bind_published(fields, benchmark);
  if (is_generated(benchmark.prompt)) {
    validate(benchmark.generation);
  } else if (!(benchmark.generation == GenerationConfig{})) {
    throw ConfigError("the benchmark '{}' scores options (prompt '{}'), so nothing in 'generation' would act",
                      benchmark.name, fields.prompt);
  }
  return benchmark;
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

void bind_null(Binding& binding, StudyConfig& study) {
  const bool draws = has_kind(study, MethodKind::random) && study.null.draws > 0;
  if (!draws && !has_kind(study, MethodKind::bottom)) return;
  binding.attempt("nulls.match", [&] {
    study.match = bind_method(compose_option(binding.tree, "method", study.null.match), study.null.match);
    if (study.match.plans_by_question())
      throw ConfigError("'{}' has no experts of a domain: its plans differ by question", study.null.match);
    const bool is_matched = is_ranked(study.match.kind) && study.match.kind != MethodKind::only;
    if (!is_matched && study.match.kind != MethodKind::file)
      throw ConfigError("draws are matched to a method that chooses experts, which '{}' does not",
                        study.null.match);
    if (has_kind(study, MethodKind::bottom) && study.match.kind == MethodKind::file)
      throw ConfigError("the method 'bottom' needs a ranking, and a file of experts is none");
  });
}

constexpr double kMostDrawnFrom = 1e6;  // settings of a grid: all are made before some are drawn

// Cells of the grid and of a calibration at the least: a benchmark whose domains are its files counts as one.
double least_cells(const StudyConfig& study) {
  double methods = 0;
  for (const MethodConfig& method : study.methods) {
    if (method.kind == MethodKind::random)
      methods += count_settings(study, study.match) * static_cast<double>(study.null.draws);
    else if (method.kind == MethodKind::sft)
      methods += static_cast<double>(study.seed.training.size());
    else
      methods += method.kind == MethodKind::original ? 1 : count_settings(study, method);
  }
  double cells = 0;
  for (const BenchmarkConfig& benchmark : study.benchmarks) {
    StudyDomains domains;
    domains.tested = study.axes.domain.empty() ? benchmark.domains : study.axes.domain;
    if (domains.tested.empty()) domains.tested = {""};
    domains.compared = domains.tested;
    for (const ModelConfig& model : study.models)
      for (const std::string& domain : domains.tested)
        cells += methods + count_calibration_cells(study, model, domains, domain);
  }
  return cells;
}

void check_size(Binding& binding, const StudyConfig& study) {
  const double cells = least_cells(study);
  if (cells <= static_cast<double>(study.limits.cells)) return;
  binding.problem("limits.cells", above_limit_text(study, cells));
}

void check_grid(Binding& binding, const StudyConfig& study) {
  const auto any = [&](const auto& is_so) {
    return std::any_of(study.methods.begin(), study.methods.end(), is_so);
  };
  const auto is_open = [&](const char* key, bool is_empty) { return is_empty && !binding.is_noted(key); };
  if (is_open("axes.n_steered", study.axes.n_steered.empty()) &&
      any([](const MethodConfig& m) { return sweeps_axes(m.kind); }))
    binding.problem("axes.n_steered", "at least one number is needed");
  if (is_open("axes.top_k", study.axes.top_k.empty()) && has_kind(study, MethodKind::top_k))
    binding.problem("axes.top_k", "the method 'top_k' needs numbers of active experts");
  const auto scales = [](const MethodConfig& m) {
    return sweeps_axes(m.kind) && (is_scaling(m.kind) || m.kind == MethodKind::random);
  };
  if (any(scales)) {
    if (is_open("axes.alpha", study.axes.alpha.empty()))
      binding.problem("axes.alpha", "at least one value is needed");
    if (study.axes.mode.empty()) binding.problem("axes.mode", "at least one mode is needed");
  }
  const bool trains = has_kind(study, MethodKind::sft);
  if (trains) binding.attempt("sft", [&] { require_trainable(study); });
  if (trains && study.seed.training.empty()) binding.problem("seed.training", "at least one seed is needed");
  const bool discovers = any([](const MethodConfig& m) { return reads_discovery(m.kind); });
  if ((discovers || trains) && study.split.discovery < 1)
    binding.problem("split.discovery", "the methods need questions that experts are found on");
  if (study.protocol == Protocol::holdout && study.split.tuning < 1)
    binding.problem("split.tuning",
                    "the protocol 'holdout' chooses on tuning questions: say how many a domain");
}

// What the search needs of the protocol and of the grid.
void check_search(Binding& binding, const StudyConfig& study) {
  if (study.search.is_halving() && study.protocol != Protocol::holdout)
    binding.problem("search.kind",
                    "'halving' drops settings by their answers to the tuning questions and needs "
                    "protocol=holdout: under 'crossfit' every question is reported by some fold, and under "
                    "'paper' the tuning questions are the report");
  if (!study.search.is_random()) return;
  for (const MethodConfig& method : study.methods)
    if (count_grid(study, method) > kMostDrawnFrom)
      binding.problem("search.kind", fmt::format("the grid of '{}' has {:.0f} settings; draws are made from "
                                                 "{:.0f} at the most",
                                                 method.name, count_grid(study, method), kMostDrawnFrom));
}

// One evaluator selects, so the prompts of all benchmarks must be judged by it.
void bind_evaluator(Binding& binding, StudyConfig& study) {
  for (const BenchmarkConfig& benchmark : study.benchmarks) {
    const auto valid = evaluators_of(benchmark);
    if (study.evaluator.empty()) study.evaluator = valid.front();
    if (std::find(valid.begin(), valid.end(), study.evaluator) == valid.end())
      binding.problem(
          "evaluator",
          fmt::format("'{}' does not judge the prompt '{}' of the benchmark '{}'; valid: {}", study.evaluator,
                      benchmark.published ? benchmark.published->name : name_of(benchmark.prompt),
                      benchmark.name, config::join_names(valid)));
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

// Methods of kind sql without a query of their own take the study's. The stored config keeps each one's text.
void bind_queries(Binding& binding, StudyConfig& study) {
  const auto needs_one = [](const MethodConfig& m) { return m.kind == MethodKind::sql && !m.sql; };
  std::vector<MethodConfig*> methods;
  for (MethodConfig& method : study.methods) methods.push_back(&method);
  methods.push_back(&study.match);
  for (MethodConfig* method : methods) {
    if (needs_one(*method) && study.score_sql.empty())
      return binding.problem("score_sql",
                             "the method 'sql' needs score_sql=FILE, a query that gives the columns "
                             "layer, expert and score; docs/methods.md");
    if (needs_one(*method))
      binding.attempt("score_sql", [&] { method->sql = read_sql_score(find_path(study.score_sql)); });
    if (method->sql) binding.options["queries"][method->sql->name()] = method->sql->text;
  }
}

// RICE finds experts on traces that the model writes.
void bind_rice(Binding& binding, StudyConfig& study) {
  for (MethodConfig& method : published_rice(study.methods)) study.methods.push_back(std::move(method));
  if (!has_kind(study, MethodKind::rice)) return;
  for (const BenchmarkConfig& benchmark : study.benchmarks)
    if (!is_generated(benchmark.prompt))
      binding.problem("axes.benchmark",
                      fmt::format("the method 'rice' reads written answers, and '{}' scores "
                                  "options; take a benchmark whose answers are written",
                                  benchmark.name));
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
  bind_queries(binding, study);
  bind_rice(binding, study);
  bind_evaluator(binding, study);
}

}  // namespace

bool has_kind(const StudyConfig& study, MethodKind kind) {
  return std::any_of(study.methods.begin(), study.methods.end(),
                     [&](const MethodConfig& method) { return method.kind == kind; });
}

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
  if (study.protocol != Protocol::paper) study.split.tests_discovery = false;
  if (study.name.empty()) binding.problem("name", "a study needs a name");
  if (!binding.is_noted("axes.mode")) {
    for (const std::string& mode : study.axes.mode) study.modes.push_back(steering::parse_mode(mode));
  }
  binding.attempt("engine.device", [&] { engine::parse_device(study.engine.device); });
  bind_options(binding, study);
  check_grid(binding, study);
  check_search(binding, study);
  check_size(binding, study);
  binding.problems.throw_if_any();
  study.tree = study_binder().to_json(study);
  study.tree["options"] = binding.options;
  return study;
}

std::string study_config_help() { return study_binder().help(); }

}  // namespace moelab::experiments
