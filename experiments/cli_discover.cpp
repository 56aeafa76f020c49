// moelab discover: finds the domain experts of a study's models, and prints what was found.
#include <fmt/format.h>

#include <optional>

#include "experiments/cli.h"
#include "experiments/discovery_report.h"
#include "experiments/model_session.h"
#include "experiments/signals.h"
#include "experiments/similarity_run.h"
#include "experiments/study_config.h"
#include "experiments/study_discovery.h"
#include "experiments/study_forecast.h"
#include "experiments/study_notes.h"
#include "experiments/study_setup.h"
#include "experiments/tables.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

void compare_experts(const LoadedModel& model, const StoredBenchmark& stored,
                     const SimilarityRequest& request, const DiscoveryConfig& config,
                     std::pair<store::Store&, store::Id> study) {
  const store::Id run = run_similarity(model, stored, config, request, study.first);
  put_note(study.first, study.second, "similarity",
           {{"model", model.id},
            {"benchmark", stored.benchmark.config.name},
            {"domain", request.domain},
            {"run", run}});
}

// Nothing where --similarity is not given.
std::optional<SimilarityRequest> read_similarity(const Arguments& arguments) {
  if (!arguments.has("--similarity")) {
    if (arguments.has("--similarity-tokens"))
      throw ConfigError("--similarity-tokens goes with --similarity DOMAIN");
    return std::nullopt;
  }
  SimilarityRequest request;
  request.domain = arguments.flag("--similarity", "all");
  if (request.domain == "all") request.domain.clear();
  request.tokens = parse_integer(arguments.flag("--similarity-tokens", "512"), "--similarity-tokens");
  if (request.tokens < 2) throw ConfigError("--similarity-tokens: at least two");
  return request;
}

// The discovery runs of all of the study's models; those that are stored are not made again.
store::Id discover_all(const StudyConfig& study, std::optional<SimilarityRequest> similarity,
                       store::Store& store) {
  const StopSignals signals;
  if (similarity)
    similarity->progress = [&](std::int64_t layer) {
      if (signals.stop_wanted())
        throw Interrupted(
            "stopped before layer {}; the experts' comparison starts anew, what is stored stays", layer);
    };
  const PreparedStudy prepared = prepare_study(study, store);
  for (const ModelConfig& config : study.models) {
    if (signals.stop_wanted())
      throw Interrupted("stopped before model {}; what is stored stays", config.name);
    fmt::print(stderr, "discovering experts of {}\n", config.name);
    const ModelSession session(config, study.engine);
    const store::Id model = store.put_model(session.row());
    put_note(store, prepared.id, "model", {{"name", config.name}, {"model", model}});
    for (const StoredBenchmark& stored : prepared.benchmarks) {
      for (const auto& [domain, found] : run_discovery(session.loaded(model), stored, study, store)) {
        put_note(store, prepared.id, "discovery",
                 {{"model", model},
                  {"benchmark", stored.benchmark.config.name},
                  {"domain", domain},
                  {"run", found.run}});
      }
      if (similarity)
        compare_experts(session.loaded(model), stored, *similarity, study.discovery, {store, prepared.id});
    }
  }
  return prepared.id;
}

int discover(const Arguments& arguments) {
  ReportOptions options;
  options.top = parse_integer(arguments.flag("--top", "8"), "--top");
  options.resamples = parse_integer(arguments.flag("--resamples", "200"), "--resamples");
  if (options.top < 1 || options.resamples < 0)
    throw ConfigError("--top must be positive, --resamples not negative");
  const std::optional<SimilarityRequest> similarity = read_similarity(arguments);
  const config::Tree tree(config_directories(arguments));
  config::Composed composed = tree.compose("config", arguments.overrides);
  config::resolve(composed);
  StudyConfig study = bind_study(tree, composed);
  // A study of its own: discovery under other settings must not hide the results of the study that it was
  // taken from.
  study.name += "/discover";
  study.tree["name"] = study.name;
  store::Store store = store::Store::open(study_database(study, composed), store::Mode::read_write_create);
  TableRequest request;
  request.study = discover_all(study, similarity, store);
  const std::vector<DiscoveryResult> results = discovery_results(store, request);
  fmt::print("study {}\n{}\n{}\n{}", study.name, render(counts_table(store, results), TableFormat::text),
             render(ranking_table(store, results, options), TableFormat::text),
             render(overlap_table(store, {request, {}, options.top}), TableFormat::text));
  if (similarity) fmt::print("\n{}", render(similarity_table(store, {request, kAlike}), TableFormat::text));
  return kExitDone;
}

}  // namespace

Verb verb_discover() {
  VerbSpec spec;
  spec.name = "discover";
  spec.summary = "find the domain experts of a study's models, without steering";
  spec.usage = "study=NAME [key=value ...] [--top N] [--resamples N] [--similarity DOMAIN]";
  spec.text =
      "Computes token importance, routing counts and expert scores on the study's discovery questions, "
      "stores them (a\n"
      "later run takes them from there), and prints for each model, domain and score the top experts, the "
      "rank\n"
      "correlation with plain usage, the stability under resampled questions, and the overlap between "
      "domains.";
  spec.takes_overrides = true;
  spec.flags = {{"--top", "N", "experts listed and compared (default: 8)"},
                {"--resamples", "N", "bootstrap resamples (default: 200)"},
                {"--similarity", "DOMAIN", "compare the experts on its discovery questions too, or on `all`"},
                {"--similarity-tokens", "N", "tokens that experts are compared on (default: 512)"},
                config_dir_flag()};
  spec.examples = {"moelab discover study=demo axes.model=[demo_misrouted] --top 6",
                   "moelab discover study=demo discovery.percentile=30 discovery.loss=answer",
                   "moelab discover study=demo --similarity all"};
  return {spec, discover};
}

}  // namespace moelab::experiments
