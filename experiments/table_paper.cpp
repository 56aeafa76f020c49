// The tables of the DSMoE paper: the published figure beside ours, and what the paper leaves unknown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>

#include "core/config/nearest.h"
#include "experiments/published.h"

namespace moelab::experiments {

using store::PublishedRow;
using store::Store;

namespace {

// One of the paper's tables. Models and domains are the paper's names; ours match without case and
// punctuation.
struct PaperTable {
  const char* name;
  const char* item;
  const char* title;
  const char* swept;    // the setting that the table sweeps: n_steered, alpha, or "" for a table of gains
  const char* unknown;  // settings that the paper does not state
  int n_unknown;
};

constexpr std::array<PaperTable, 3> kPaperTables = {{
    {"paper/2", "table 2", "MMLU-Pro, four domains: mean gain over the original", "",
     "n_steered and alpha of each model, prompt, temperature, top-p, token limit, seeds, number of runs, "
     "reasoning effort, and whether the questions that found the experts are tested too",
     10},
    {"paper/5", "table 5", "MMLU-Pro biology, GPT-OSS-20B: accuracy by n_steered", "n_steered",
     "alpha, prompt, temperature, top-p, token limit, seeds, number of runs, reasoning effort, and whether "
     "the questions that found the experts are tested too",
     9},
    {"paper/6", "table 6", "MMLU-Pro biology, GPT-OSS-20B: accuracy by alpha", "alpha",
     "n_steered, prompt, temperature, top-p, token limit, seeds, number of runs, reasoning effort, and "
     "whether the questions that found the experts are tested too",
     9},
}};

const PaperTable& find_table(const std::string& name) {
  for (const PaperTable& table : kPaperTables) {
    if (name == table.name) return table;
  }
  throw ConfigError("there is no table '{}'{}", name, config::did_you_mean(name, paper_table_names()));
}

// "openai/gpt-oss-20b" and "gpt_oss_20b" are the same model.
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char letter : name.substr(name.find('/') == std::string::npos ? 0 : name.find('/') + 1)) {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
  }
  return plain;
}

bool is_same(const std::string& ours, const std::string& published) {
  return plain_name(ours) == plain_name(published);
}

bool is_wanted_name(const std::vector<std::string>& wanted, const std::string& name) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                       [&](const std::string& other) { return is_same(other, name); });
}

// "n_steered=20" as 20; other settings come first.
double setting_value(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  return equals == std::string::npos ? -1 : std::strtod(setting.c_str() + equals + 1, nullptr);
}

std::vector<PublishedRow> published_rows(Store& store, const char* item, const TableRequest& request) {
  std::vector<PublishedRow> rows;
  store::Statement row = store.database().prepare(
      "SELECT paper, item, model, domain, method, setting, value, unit, mark, source FROM published "
      "WHERE item = ?1");
  row.bind(item);
  while (row.step()) {
    const auto text = [&](int column) { return row.get<std::string>(column); };
    PublishedRow read{text(0), text(1), text(2), text(3), text(4), text(5), row.get<double>(6),
                      text(7), text(8), text(9)};
    if (is_wanted_name(request.models, read.model)) rows.push_back(std::move(read));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const PublishedRow& a, const PublishedRow& b) {
    return setting_value(a.setting) < setting_value(b.setting);
  });
  return rows;
}

std::string ours_text(const MethodRow& row) {
  std::string text = points(row.gain);
  if (!std::isnan(row.gain_interval.lo)) {
    text += fmt::format(" [{}, {}]", points(row.gain_interval.lo), points(row.gain_interval.hi));
  }
  return row.is_significant() ? text + " *" : text;
}

// Ours for a model: one row a domain, all of them where the published figure is a mean.
std::vector<MethodRow> our_gains(Store& store, const TableRequest& request) {
  if (request.study == 0) return {};
  try {
    return method_rows(store, request);
  } catch (const ConfigError&) {
    return {};  // nothing was run under this protocol: shown as such
  }
}

void add_our_gain(TextTable& table, const MethodRow& row, const std::string& published) {
  table.add({row.model, row.domain, published, ours_text(row), fmt::to_string(row.n), p_text(row.p),
             p_text(row.p_null), points(row.null_best_of_grid)});
}

TextTable gains_table(Store& store, const PaperTable& paper, TableRequest request) {
  request.methods = {"dsmoe"};
  const std::vector<PublishedRow> published = published_rows(store, paper.item, request);
  TextTable table;
  table.columns = {{"model", true}, {"domain", true}, {"published gain"},   {"our gain"}, {"n"},
                   {"p"},           {"p null"},       {"best of null grid"}};
  std::vector<MethodRow> ours = our_gains(store, request);
  for (const PublishedRow& row : published) {
    const auto mine = std::find_if(ours.begin(), ours.end(), [&](const MethodRow& candidate) {
      return is_same(candidate.model, row.model) && is_same(candidate.domain, row.domain);
    });
    if (mine == ours.end()) {
      table.add({row.model, row.domain, fmt::format("{:+.1f}", row.value), "not run", "-", "-", "-", "-"});
    } else {
      add_our_gain(table, *mine, fmt::format("{:+.1f}", row.value));
      ours.erase(mine);
    }
  }
  for (const MethodRow& row : ours) add_our_gain(table, row, "-");
  return table;
}

// "alpha 3: 52.1, alpha 5: 53.0": ours at one value of the swept setting.
std::string ours_at(const std::vector<GridPoint>& grid, bool by_n_steered, double value,
                    const std::string& method) {
  std::string text;
  for (const GridPoint& point : grid) {
    if (point.method != method) continue;
    if (method == "original") return percent(point.accuracy);
    if ((by_n_steered ? point.n_steered : point.alpha) != value) continue;
    const std::string other =
        by_n_steered ? "alpha " + number_text(point.alpha) : fmt::format("n_steered {}", point.n_steered);
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", other, percent(point.accuracy));
  }
  return text.empty() ? "not run" : text;
}

std::vector<GridPoint> our_grid(Store& store, TableRequest request,
                                const std::vector<PublishedRow>& published) {
  if (request.study == 0) return {};
  const TableRequest all{request.study, {}, {}, {"original", "dsmoe"}, request.evaluator, ""};
  std::vector<GridPoint> grid = grid_points(store, all);
  std::erase_if(grid, [&](const GridPoint& point) {
    const bool is_published = !published.empty() && is_same(point.model, published.front().model) &&
                              is_same(point.domain, published.front().domain);
    const bool is_asked = !request.models.empty() && is_wanted_name(request.models, point.model) &&
                          is_wanted_name(request.domains, point.domain);
    return !is_published && !is_asked;
  });
  return grid;
}

TextTable settings_table(Store& store, const PaperTable& paper, const TableRequest& request) {
  const std::vector<PublishedRow> published = published_rows(store, paper.item, request);
  const std::vector<GridPoint> grid = our_grid(store, request, published);
  const bool by_n_steered = std::string_view(paper.swept) == "n_steered";
  std::map<double, std::optional<double>> values;  // -1 stands for the original
  for (const PublishedRow& row : published) values[setting_value(row.setting)] = row.value;
  for (const GridPoint& point : grid) {
    const bool is_original = point.method == "original";
    values.try_emplace(is_original ? -1 : (by_n_steered ? point.n_steered : point.alpha), std::nullopt);
  }
  TextTable table;
  table.columns = {{paper.swept, true}, {"published accuracy"}, {"our accuracy", true}};
  for (const auto& [value, figure] : values) {
    table.add({value < 0 ? "original" : number_text(value), figure ? fmt::format("{:.1f}", *figure) : "-",
               ours_at(grid, by_n_steered, value, value < 0 ? "original" : "dsmoe")});
  }
  return table;
}

}  // namespace

std::vector<std::string> paper_table_names() {
  std::vector<std::string> names;
  for (const PaperTable& table : kPaperTables) names.emplace_back(table.name);
  return names;
}

TextTable paper_table(Store& store, const std::string& name, TableRequest request) {
  const PaperTable& paper = find_table(name);
  if (request.protocol.empty()) request.protocol = "paper";
  const bool sweeps = std::string_view(paper.swept) != "";
  TextTable table = sweeps ? settings_table(store, paper, request) : gains_table(store, paper, request);
  table.title = fmt::format("DSMoE (arXiv 2604.05267), {}. {}", paper.item, paper.title);
  if (sweeps) {
    table.footers.emplace_back(
        "Accuracy in %; ours: every setting of the grid that was run on the same questions.");
    for (const std::string& line : dropped_lines(store, request.study)) table.footers.push_back(line);
  } else {
    table.footers.emplace_back(
        fmt::format("Gain in points [95 % interval], protocol {}; *: p Holm < .05 and p null <= .05; best of "
                    "null grid: what the "
                    "best settings of random experts gain (mean).",
                    request.protocol));
  }
  table.footers.emplace_back(
      fmt::format("The paper leaves {} settings unknown: {}.", paper.n_unknown, paper.unknown));
  table.footers.emplace_back("Published figures are second-hand: results/published/README.md.");
  return table;
}

}  // namespace moelab::experiments
