#include "experiments/study_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "core/base/json.h"
#include "core/config/nearest.h"
#include "experiments/private_sets.h"

namespace moelab::experiments {

using store::ComparisonRow;
using store::Id;
using store::Store;

namespace {

constexpr std::array<const char*, 5> kMethodOrder = {"original", "dsmoe", "contrast", "frequency", "file"};

// The cells that the study's halvings (?1) dropped.
constexpr const char* kDropped =
    "SELECT DISTINCT json_extract(j.value, '$.cell') FROM selection AS s, json_each(s.candidates) AS j "
    "WHERE s.study = ?1 AND s.rule LIKE 'halving/%' AND json_extract(j.value, '$.cell') <> s.chosen";

double or_unknown(const std::optional<double>& value) { return value.value_or(kUnknown); }

double number_in(const Json& settings, const char* key) {
  const auto found = settings.find(key);
  return found != settings.end() && found->is_number() ? found->get<double>() : kUnknown;
}

std::optional<ChosenSettings> chosen_in(const Json& settings) {
  const auto found = settings.find("chosen");
  if (found == settings.end() || !found->is_object()) return std::nullopt;
  const std::string where = "comparison.settings";
  return ChosenSettings{
      json_get_or<int>(*found, "n_steered", 0, where), json_get_or<double>(*found, "alpha", 1, where),
      json_get_or<std::string>(*found, "mode", "", where), number_in(settings, "chosen_share")};
}

// `which`: accuracy or original. Wilson's for one sample a question where none is stored.
statistics::Interval accuracy_interval(const Json& settings, const std::string& which, double accuracy,
                                       std::int64_t n) {
  const statistics::Interval stored{number_in(settings, ("lo_" + which).c_str()),
                                    number_in(settings, ("hi_" + which).c_str())};
  if (!std::isnan(stored.lo) && !std::isnan(stored.hi)) return stored;
  return statistics::wilson_interval(std::llround(accuracy * static_cast<double>(n)), n);
}

MethodRow read_row(const ComparisonRow& stored, const std::string& model) {
  const Json settings = parse_json(stored.settings, "comparison.settings");
  MethodRow row;
  row.model = model;
  row.benchmark = stored.benchmark;
  row.domain = stored.domain;
  row.method = stored.method;
  row.protocol = stored.protocol;
  row.evaluator = stored.evaluator;
  row.n = stored.n;
  row.repeats = json_get_or<std::int64_t>(settings, "repeats", 1, "comparison.settings");
  row.accuracy = stored.accuracy;
  row.accuracy_interval = accuracy_interval(settings, "accuracy", stored.accuracy, stored.n);
  row.chance = number_in(settings, "chance");
  row.gain = stored.gain;
  row.gain_interval = {or_unknown(stored.lo), or_unknown(stored.hi)};
  row.gain_range = {number_in(settings, "gain_low"), number_in(settings, "gain_high")};
  if (const auto drawn = settings.find("gain_bootstrap"); drawn != settings.end())
    row.gain_bootstrap = {drawn->at(0).get<double>(), drawn->at(1).get<double>()};
  row.wrong_right = stored.wrong_right;
  row.right_wrong = stored.right_wrong;
  row.p = or_unknown(stored.p);
  row.p_holm = or_unknown(stored.p_holm);
  row.p_null = or_unknown(stored.p_null);
  row.n_null = stored.n_null;
  row.gain_other_domains = or_unknown(stored.gain_other_domains);
  row.specificity = or_unknown(stored.specificity);
  row.specificity_interval = {or_unknown(stored.specificity_lo), or_unknown(stored.specificity_hi)};
  row.p_specific = or_unknown(stored.p_specific);
  row.p_labels = or_unknown(stored.p_labels);
  row.dose = or_unknown(stored.dose);
  row.changed_share = number_in(settings, "changed_share");
  row.smallest_detectable = or_unknown(stored.smallest_detectable);
  row.flip_noise = or_unknown(stored.flip_noise);
  row.null_best_of_grid = number_in(settings, "null_best_of_grid");
  row.chosen = chosen_in(settings);
  row.is_exact = json_get_or<std::string>(settings, "exact", "no", "comparison.settings") == "yes";
  return row;
}

// The original as a line of its own, from the figures that every comparison with it carries.
MethodRow original_row(const MethodRow& other, double accuracy, const statistics::Interval& interval) {
  MethodRow row;
  row.model = other.model;
  row.benchmark = other.benchmark;
  row.domain = other.domain;
  row.method = "original";
  row.protocol = other.protocol;
  row.evaluator = other.evaluator;
  row.n = other.n;
  row.repeats = other.repeats;
  row.accuracy = accuracy;
  row.accuracy_interval = interval;
  row.chance = other.chance;
  row.flip_noise = other.flip_noise;
  row.is_exact = other.is_exact;
  return row;
}

// The draws of a null method as one line: means, and the range of the gains.
MethodRow summed_up(const std::vector<MethodRow>& draws) {
  MethodRow row = draws.front();
  const auto mean = [&](double MethodRow::*field) {
    double sum = 0;
    for (const MethodRow& draw : draws) sum += draw.*field;
    return sum / static_cast<double>(draws.size());
  };
  const auto [lowest, highest] = std::minmax_element(
      draws.begin(), draws.end(), [](const MethodRow& a, const MethodRow& b) { return a.gain < b.gain; });
  row.gain_interval = {lowest->gain, highest->gain};
  row.accuracy = mean(&MethodRow::accuracy);
  row.accuracy_interval = {kUnknown, kUnknown};
  row.changed_share = mean(&MethodRow::changed_share);
  row.dose = mean(&MethodRow::dose);
  row.gain_other_domains = kUnknown;
  row.smallest_detectable = kUnknown;
  row.p = row.p_holm = row.p_null = kUnknown;
  row.wrong_right = row.right_wrong = 0;
  row.n_null = static_cast<std::int64_t>(draws.size());
  row.chosen.reset();
  row.gain_range = {kUnknown, kUnknown};
  row.gain = mean(&MethodRow::gain);
  return row;
}

constexpr std::int64_t kFewQuestions = 50;  // see is_small_gpqa

// The comparisons of one model and domain, by method.
struct DomainRows {
  double accuracy_original = kUnknown;
  statistics::Interval original_interval{kUnknown, kUnknown};
  std::map<std::string, MethodRow> own;
  std::map<std::string, std::vector<MethodRow>> draws;
};

std::vector<MethodRow> lines_of(const DomainRows& rows, const TableRequest& request) {
  std::vector<MethodRow> lines;
  for (const auto& [method, row] : rows.own) lines.push_back(row);
  for (const auto& [method, draws] : rows.draws) {
    if (!rows.own.contains(method)) lines.push_back(summed_up(draws));
  }
  if (lines.empty()) return lines;
  if (!rows.own.contains("original"))
    lines.push_back(original_row(lines.front(), rows.accuracy_original, rows.original_interval));
  std::erase_if(lines, [&](const MethodRow& line) { return !is_wanted(request.methods, line.method); });
  std::stable_sort(lines.begin(), lines.end(), [](const MethodRow& a, const MethodRow& b) {
    return std::make_pair(method_place(a.method), a.method) <
           std::make_pair(method_place(b.method), b.method);
  });
  return lines;
}

}  // namespace

std::string MethodRow::reach() const {
  if (!is_significant() || gain <= 0 || std::isnan(p_specific)) return "-";
  return specificity > 0 && p_specific <= 0.05 ? "specific" : "general";
}

bool is_wanted(const std::vector<std::string>& wanted, const std::string& name) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

int method_place(const std::string& method) {
  if (method.starts_with("random")) return 100;
  const auto found = std::find(kMethodOrder.begin(), kMethodOrder.end(), method);
  return static_cast<int>(found - kMethodOrder.begin());
}

Id require_study(Store& store, const std::string& name) {
  if (!name.empty()) {
    if (const auto found = store.find_study(name)) return *found;
  }
  const store::Table known =
      store.query("SELECT name, max(id) FROM study GROUP BY name ORDER BY max(id) DESC");
  const std::string file = store.database().path().string();
  if (known.rows.empty()) {
    throw ConfigError("{}: no study is stored yet; 'moelab run study=demo' makes one", file);
  }
  if (name.empty()) return *store.find_study(known.rows.front()[0].value_or(""));
  std::vector<std::string> names;
  for (const auto& row : known.rows) names.push_back(row[0].value_or(""));
  throw ConfigError("{}: there is no study '{}'{} Stored are: {}", file, name,
                    config::did_you_mean(name, names), config::join_names(names));
}

bool is_small_gpqa(Store& store, const std::string& benchmark, std::int64_t questions) {
  if (questions >= kFewQuestions) return false;
  if (is_private_set(benchmark)) return true;
  store::Statement row = store.database().prepare(
      "SELECT EXISTS (SELECT 1 FROM question WHERE set_name = ?1 AND name GLOB 'gpqa-*')");
  row.bind(benchmark);
  return row.step() && row.get<bool>(0);
}

std::string right_count_text(double accuracy, std::int64_t samples) {
  return fmt::format("{} of {}", std::llround(accuracy * static_cast<double>(samples)), samples);
}

std::optional<ChosenSettings> chosen_settings(const ComparisonRow& row) {
  return chosen_in(parse_json(row.settings, "comparison.settings"));
}

std::string choose_evaluator(Store& store, const TableRequest& request) {
  std::vector<std::string> known;
  for (const ComparisonRow& row : store.comparisons(request.study)) {
    if (std::find(known.begin(), known.end(), row.evaluator) == known.end()) known.push_back(row.evaluator);
  }
  if (known.empty()) {
    store::Statement row = store.database().prepare(
        "SELECT DISTINCT v.evaluator FROM study_cell AS x JOIN sample AS s ON s.cell = x.cell "
        "JOIN verdict AS v ON v.sample = s.id WHERE x.study = ?1 ORDER BY 1");
    row.bind(request.study);
    while (row.step()) known.push_back(row.get<std::string>(0));
  }
  const Json config = parse_json(store.study(request.study).config, "study.config");
  const std::string wanted = request.evaluator.empty()
                                 ? json_get_or<std::string>(config, "evaluator", "", "study.config")
                                 : request.evaluator;
  for (const bool is_exact : {true, false}) {
    for (const std::string& name : known) {
      if (is_exact ? name == wanted : name.starts_with(wanted + "/")) return name;
    }
  }
  if (!known.empty() && request.evaluator.empty()) return known.front();
  throw ConfigError("the study has no answers of the evaluator '{}'; it has: {}", wanted,
                    known.empty() ? "none" : config::join_names(known));
}

std::vector<MethodRow> method_rows(Store& store, const TableRequest& request) {
  const std::string evaluator = choose_evaluator(store, request);
  const std::string protocol =
      request.protocol.empty() ? store.study(request.study).protocol : request.protocol;
  std::map<std::tuple<Id, std::string, std::string>, DomainRows> groups;
  for (const ComparisonRow& stored : store.comparisons(request.study)) {
    const std::string model = store.model(stored.model).name;
    const bool is_own = stored.steered_domain.empty() || stored.steered_domain == stored.domain;
    if (!is_own || stored.evaluator != evaluator || stored.protocol != protocol || stored.method == "aa" ||
        !is_wanted(request.models, model) || !is_wanted(request.domains, stored.domain)) {
      continue;
    }
    DomainRows& group = groups[{stored.model, stored.benchmark, stored.domain}];
    group.accuracy_original = stored.accuracy_original;
    group.original_interval = accuracy_interval(parse_json(stored.settings, "comparison.settings"),
                                                "original", stored.accuracy_original, stored.n);
    const MethodRow row = read_row(stored, model);
    if (stored.draw == 0) {
      group.own.insert_or_assign(stored.method, row);
    } else {
      group.draws[stored.method].push_back(row);
    }
  }
  std::vector<MethodRow> rows;
  for (const auto& [key, group] : groups) {
    for (MethodRow& line : lines_of(group, request)) rows.push_back(std::move(line));
  }
  for (MethodRow& row : rows) row.is_small_gpqa = is_small_gpqa(store, row.benchmark, row.n);
  if (rows.empty()) {
    throw ConfigError("the study has no comparison for these models, domains and methods under protocol '{}'",
                      protocol);
  }
  return rows;
}

std::map<std::string, std::int64_t> cell_counts(Store& store, Id study) {
  std::map<std::string, std::int64_t> counts;
  store::Statement row = store.database().prepare(
      std::string("SELECT CASE WHEN c.status = 'partial' AND c.id IN (") + kDropped +
      ") THEN 'dropped' ELSE c.status END, count(*) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell "
      "WHERE x.study = ?1 GROUP BY 1");
  row.bind(study);
  while (row.step()) counts[row.get<std::string>(0)] = row.get<std::int64_t>(1);
  return counts;
}

std::set<Id> dropped_cells(Store& store, Id study) {
  std::set<Id> cells;
  store::Statement row = store.database().prepare(
      std::string("SELECT c.id FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE x.study = ?1 AND "
                  "c.status = 'partial' AND c.id IN (") +
      kDropped + ")");
  row.bind(study);
  while (row.step()) cells.insert(row.get<Id>(0));
  return cells;
}

std::string cell_count_text(const std::map<std::string, std::int64_t>& counts) {
  const auto count = [&](const char* status) {
    const auto found = counts.find(status);
    return found == counts.end() ? std::int64_t{0} : found->second;
  };
  std::string text = fmt::format("cells: {} done, {} inert, {} partial, {} failed", count("done"),
                                 count("inert"), count("partial"), count("failed"));
  for (const char* status : {"dropped", "running", "pending"}) {
    if (count(status) > 0) text += fmt::format(", {} {}", count(status), status);
  }
  return text;
}

bool has_partial_cells(Store& store, Id study, const std::string& model, const std::string& domain) {
  return store.database()
             .find<std::int64_t>(
                 std::string("SELECT count(*) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell "
                             "JOIN model AS m ON m.id = c.model WHERE x.study = ?1 AND m.name = ?2 AND "
                             "c.domain = ?3 AND c.status = 'partial' AND c.id NOT IN (") +
                     kDropped + ")",
                 study, model, domain)
             .value_or(0) > 0;
}

}  // namespace moelab::experiments
