// A method of a study: what it ranks experts by, what it does to them, and its own keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/discovery/expert_score.h"
#include "experiments/sql_score.h"

namespace moelab::experiments {

// What makes a method's plans.
enum class MethodKind {
  original,  // no plan
  score,     // scales the top experts of an expert score on the domain
  sql,       // scales the top experts of a query's score
  random,    // draws matched to another method's experts
  file,      // the experts of a file
  bottom,    // scales the last experts of the ranking that nulls.match names
  steermoe,  // forces the first and forbids the last experts of a ranking
  prune,     // forbids the top experts of a ranking
  only,      // forbids all but them
  rice,      // scales the experts that are selected at thinking markers
  prompt,    // a hint of the domain before the question
  top_k,     // another number of active experts
  sft,       // no plan: the model fine-tuned on the domain
};

// Throws ConfigError.
MethodKind parse_method_kind(std::string_view name);
// The names of all kinds.
std::vector<std::string> method_kind_names();

// Of kind rice; the defaults are among what the paper swept.
struct RiceConfig {
  std::vector<std::string> markers = {"<think>", "</think>"};
  std::vector<double> coefficients = {1, -1};           // of each marker's nPMI
  std::vector<std::int64_t> experts = {1, 2, 3, 4, 5};  // l
  std::vector<double> beta = {4, 32, 64, 128};
  std::vector<std::string> modes = {
      "weight_scale"};         // or weight_scale_renorm: the token keeps its total weight
  std::string per = "domain";  // or sample: each test question's experts from the model's own answer to it
};

// An option of configs/method.
struct MethodConfig {
  std::string name;
  MethodKind kind = MethodKind::original;
  discovery::Score score = discovery::Score::paper;  // of kinds score, steermoe, prune and only
  std::optional<SqlScore> sql = {};                  // in its place
  std::int64_t activate = 0;                         // of steermoe: experts; -1: as axes.n_steered says
  std::int64_t deactivate = -1;                      // the same
  RiceConfig rice = {};
  std::string hint = {};  // of kind prompt: {domain} stands for the domain's name

  // The name of a ranking that is made for this method: its query's or its markers'. Empty for a built-in
  // score.
  std::string ranking_name() const;

  // Whether each test question has a plan of its own.
  bool plans_by_question() const { return kind == MethodKind::rice && rice.per == "sample"; }
};

// Binds an option of configs/method. Throws ConfigError for keys that contradict each other, and for a query
// that cannot be one (see read_sql_score).
MethodConfig bind_method(const config::Composed& composed, const std::string& option);

// The kind of a method in a study's stored config; nothing where that names no kind. A fine-tuned one's name
// may end in its seed: "sft/2".
std::optional<MethodKind> stored_kind(const Json& config, const std::string& method);

// RICE's published setting, two experts at beta 64, as methods of their own: one for each method of kind rice
// that sweeps more, named after it.
std::vector<MethodConfig> published_rice(const std::vector<MethodConfig>& methods);

}  // namespace moelab::experiments
