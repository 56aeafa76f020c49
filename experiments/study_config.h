// A study's config as typed values, bound from the composed YAML tree with all problems reported at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/engine/engine.h"
#include "core/steering/plan.h"
#include "experiments/benchmark.h"
#include "experiments/method_config.h"
#include "experiments/sft_config.h"

namespace moelab::experiments {

// How settings are chosen and reported; docs/protocols.md explains each.
enum class Protocol { crossfit, holdout, paper };

Protocol parse_protocol(std::string_view name);  // throws ConfigError
std::string_view name_of(Protocol protocol);

// An option of configs/model.
struct ModelConfig {
  std::string name;
  std::filesystem::path
      path;  // the model's directory: from the current folder, the repository's root or the hub cache
  std::string hub_id;            // where the weights come from
  std::string expected_verdict;  // "" where the truth is not known
  Json planted;                  // content of the truth file; null where there is none
};

struct AxesConfig {
  std::vector<std::string> model, benchmark;  // options of configs/model and configs/benchmark
  std::vector<std::string> domain;            // empty: all scored ones of the benchmark
  std::vector<std::string> method;            // options of configs/method
  std::vector<std::int64_t> n_steered;        // numbers of steered experts, the paper's K
  std::vector<double> alpha;
  std::vector<std::string> mode = {"logit_shift"};  // where steering acts
  std::vector<std::int64_t> top_k;                  // active experts a layer, of kind top_k
};

struct SeedConfig {
  std::int64_t split = 1;                    // tuning questions, folds, the order of a limit
  std::int64_t discovery = 1;                // which questions experts are found on
  std::int64_t draw = 1;                     // random experts
  std::int64_t sampling = 1;                 // answers that are written with a temperature
  std::vector<std::int64_t> training = {1};  // fine-tuning: a run for each
};

struct SplitConfig {
  std::int64_t discovery = 200;   // questions a domain that experts are found on
  std::int64_t tuning = 0;        // questions a domain that settings are chosen on (holdout)
  std::int64_t folds = 5;         // crossfit
  std::int64_t assignments = 20;  // crossfit: fold assignments
  bool tests_discovery = true;    // paper: discovery's questions are tested too
};

struct DiscoveryConfig {
  std::string loss = "prompt";     // or answer
  bool options_in_prompt = false;  // the released code's discovery prompt, with options
  double percentile = 15;
  std::string classification = "aligned";
  bool stop_words_are_common = true;
  bool punctuation_is_common = true;
  std::string punctuation_rule = "unicode";

  discovery::DiscoverySettings settings() const;
};

struct NullConfig {
  std::int64_t draws = 19;      // of random experts
  std::string match = "dsmoe";  // the method that they are matched to
  bool aa = true;               // run the original again
};

// Cells for `moelab calibrate` on models whose truth is known; docs/protocols.md.
struct CalibrationConfig {
  std::int64_t permutations = 0;  // of the discovery questions' domain labels; 0: no calibration
};

// Plans that another study chose, run on this one's questions.
struct TransferConfig {
  std::string study;  // by name, in the same database; empty: none
};

// Which settings of a method's grid are run; docs/protocols.md.
struct SearchConfig {
  std::string kind = "grid";  // all of them; or random, halving
  std::int64_t settings = 8;  // random: how many of each grid
  std::int64_t seed = 1;      // of the draw (random) or of the tuning questions' order (halving)
  std::int64_t eta = 2;       // halving: a rung keeps 1 / eta of its settings
  std::int64_t rungs = 0;     // halving; 0: as many as leave one setting

  bool is_random() const { return kind == "random"; }
  bool is_halving() const { return kind == "halving"; }
};

struct LimitConfig {
  std::int64_t cells = 20'000;  // more of them are an error
};

struct StudyConfig {
  // As the config writes it.
  std::string name = "study";
  std::string protocol_name = "crossfit";
  AxesConfig axes;
  SeedConfig seed;
  SplitConfig split;
  DiscoveryConfig discovery;
  NullConfig null;
  CalibrationConfig calibration;
  TransferConfig transfer;
  SearchConfig search;
  LimitConfig limits;
  SftConfig sft;  // of methods of kind sft
  engine::EngineOptions engine;
  std::filesystem::path plan;       // of method=file
  std::filesystem::path score_sql;  // of methods of kind sql that name no query of their own
  std::string evaluator;   // the one that selects; the prompt's first when the config leaves it empty
  std::int64_t limit = 0;  // questions a domain; 0: all
  std::filesystem::path database = "results/moelab.db";

  // What that means.
  Protocol protocol = Protocol::crossfit;
  std::vector<ModelConfig> models;
  std::vector<BenchmarkConfig> benchmarks;
  std::vector<MethodConfig> methods;
  std::vector<steering::Mode> modes;
  MethodConfig match;  // the method that null.match names
  Json tree;           // what is stored: the config with the chosen options' content

  // SHA-256 over all of `tree` that can change a figure: not the database, device, threads or batch size, nor
  // seed.sampling where nothing is sampled, nor what concerns training where nothing is trained, nor keys of
  // another search.
  std::string hash() const;
};

// Whether one of the study's methods is of this kind.
bool has_kind(const StudyConfig& study, MethodKind kind);

// Binds a composed config; the options that the axes name are composed from `tree`. Throws one ConfigError
// with every problem and its place: unknown keys with the nearest valid one, wrong types, values out of
// range, unknown options.
StudyConfig bind_study(const config::Tree& tree, const config::Composed& composed);

// One line for every key of a study's config, with type, default and meaning.
std::string study_config_help();

}  // namespace moelab::experiments
