#include "experiments/method_config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "experiments/study_fields.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

// In the order of MethodKind.
constexpr std::array<std::string_view, 13> kMethodKinds = {"original", "score",    "sql",   "random", "file",
                                                           "bottom",   "steermoe", "prune", "only",   "rice",
                                                           "prompt",   "top_k",    "sft"};

// Keys that would not act on this kind of method, and lists that leave RICE nothing to run.
void require_own_keys(const MethodFields& fields, const MethodConfig& method) {
  const MethodFields defaults;
  const auto refuse = [&](const char* key, const char* kinds) {
    throw ConfigError("the method '{}': '{}' acts on methods of kind {} only, and this one is of kind {}",
                      method.name, key, kinds, fields.kind);
  };
  constexpr std::array kQueried = {MethodKind::score, MethodKind::sql, MethodKind::steermoe,
                                   MethodKind::prune, MethodKind::only};
  const bool is_queried = std::find(kQueried.begin(), kQueried.end(), method.kind) != kQueried.end();
  if (!is_queried && !fields.score_sql.empty()) refuse("score_sql", "score, sql, steermoe, prune and only");
  if (method.kind != MethodKind::prompt && fields.hint != defaults.hint) refuse("hint", "prompt");
  if (method.kind != MethodKind::steermoe) {
    if (fields.activate != defaults.activate) refuse("activate", "steermoe");
    if (fields.deactivate != defaults.deactivate) refuse("deactivate", "steermoe");
  }
  if (method.kind != MethodKind::rice) return;
  const auto require = [&](const char* key, bool is_empty) {
    if (is_empty) throw ConfigError("the method '{}': 'rice.{}' needs at least one entry", method.name, key);
  };
  require("experts", fields.rice.experts.empty());
  require("beta", fields.rice.beta.empty());
  require("modes", fields.rice.modes.empty());
}

}  // namespace

MethodKind parse_method_kind(std::string_view name) {
  const auto found = std::find(kMethodKinds.begin(), kMethodKinds.end(), name);
  if (found == kMethodKinds.end())
    throw ConfigError("'{}' is no kind of method; valid: {}", name, fmt::join(kMethodKinds, ", "));
  return static_cast<MethodKind>(found - kMethodKinds.begin());
}

std::vector<std::string> method_kind_names() { return {kMethodKinds.begin(), kMethodKinds.end()}; }

MethodConfig bind_method(const config::Composed& composed, const std::string& option) {
  const MethodFields fields = method_binder().bind(composed, "method");
  MethodConfig method;
  method.name = fields.name.empty() ? option : fields.name;
  method.kind = parse_method_kind(fields.kind);
  method.score = discovery::parse_score(fields.score);
  require_own_keys(fields, method);
  if (!fields.score_sql.empty()) method.sql = read_sql_score(find_path(fields.score_sql));
  method.activate = fields.activate;
  method.deactivate = fields.deactivate;
  method.rice = fields.rice;
  method.hint = fields.hint;
  if (method.rice.markers.empty() || method.rice.markers.size() != method.rice.coefficients.size())
    throw ConfigError(
        "the method '{}': 'rice.markers' and 'rice.coefficients' need one entry each for every marker",
        method.name);
  const bool sweeps_both = method.activate < 0 && method.deactivate < 0;
  if (method.kind == MethodKind::steermoe && (sweeps_both || method.activate + method.deactivate == 0))
    throw ConfigError(
        "the method '{}': give 'activate' or 'deactivate' a number, and one of them more than 0",
        method.name);
  return method;
}

std::string MethodConfig::ranking_name() const {
  if (sql) return sql->name();
  if (kind != MethodKind::rice) return "";
  std::string ranking = plans_by_question() ? "rice by question/" : "rice/";
  for (std::size_t m = 0; m < rice.markers.size(); ++m)
    ranking += fmt::format("{:+g}{}", rice.coefficients[m], rice.markers[m]);
  return ranking;
}

std::optional<MethodKind> stored_kind(const Json& config, const std::string& method) {
  const std::string origin = "study.config";
  const Json options = json_get_or<Json>(config, "options", Json::object(), origin);
  for (const Json& option : json_get_or<Json>(options, "method", Json::array(), origin)) {
    const auto name = json_get_or<std::string>(option, "name", "", origin);
    const auto kind = json_get_or<std::string>(option, "kind", "", origin);
    const bool is_it = method == name || (kind == "sft" && method.starts_with(name + "/"));
    if (is_it && !kind.empty()) return parse_method_kind(kind);
  }
  return std::nullopt;
}

std::vector<MethodConfig> published_rice(const std::vector<MethodConfig>& methods) {
  std::vector<MethodConfig> published;
  for (const MethodConfig& method : methods) {
    if (method.kind != MethodKind::rice) continue;
    MethodConfig one = method;
    one.name += "_published";
    one.rice.experts = {2};
    one.rice.beta = {64};
    one.rice.modes = {"weight_scale"};
    const bool is_it = one.rice.experts == method.rice.experts && one.rice.beta == method.rice.beta &&
                       one.rice.modes == method.rice.modes;
    if (!is_it) published.push_back(std::move(one));
  }
  return published;
}

}  // namespace moelab::experiments
