// The transfer table: the experts of every domain, tested on every domain.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/json.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

// One model, benchmark and method.
using MatrixKey = std::tuple<std::string, std::string, std::string>;

struct TransferMatrix {
  std::vector<std::string> tested;
  std::map<std::string, std::map<std::string, store::ComparisonRow>> rows;  // [steered][tested]
};

std::map<MatrixKey, TransferMatrix> transfer_matrices(store::Store& store, const TableRequest& request) {
  const std::string evaluator = choose_evaluator(store, request);
  const std::string protocol =
      request.protocol.empty() ? store.study(request.study).protocol : request.protocol;
  std::map<MatrixKey, TransferMatrix> matrices;
  for (store::ComparisonRow& row : store.comparisons(request.study)) {
    const std::string model = store.model(row.model).name;
    if (row.draw > 0 || row.steered_domain.empty() || row.evaluator != evaluator ||
        row.protocol != protocol || !is_wanted(request.models, model) ||
        !is_wanted(request.methods, row.method) || !is_wanted(request.domains, row.domain))
      continue;
    TransferMatrix& matrix = matrices[{model, row.benchmark, row.method}];
    if (std::find(matrix.tested.begin(), matrix.tested.end(), row.domain) == matrix.tested.end())
      matrix.tested.push_back(row.domain);
    matrix.rows[row.steered_domain].insert_or_assign(row.domain, std::move(row));
  }
  std::erase_if(matrices, [](const auto& entry) { return entry.second.rows.size() < 2; });
  if (matrices.empty())
    throw ConfigError(
        "the study has no plan of one domain that was tested on another; test two domains or more, or set "
        "transfer.study");
  return matrices;
}

TextTable transfer_records(const std::map<MatrixKey, TransferMatrix>& matrices) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "method", "steered_domain", "tested_domain"})
    table.columns.push_back({name, true});
  for (const char* name : {"n_steered", "alpha", "n", "accuracy_original", "gain", "gain_lo", "gain_hi", "p"})
    table.columns.push_back({name});
  const auto real = [](const std::optional<double>& value) { return value ? number_text(*value) : ""; };
  for (const auto& [key, matrix] : matrices)
    for (const auto& [steered, by_tested] : matrix.rows)
      for (const auto& [tested, row] : by_tested) {
        const Json chosen = parse_json(row.settings, "comparison.settings").value("chosen", Json::object());
        table.add({std::get<0>(key), std::get<1>(key), std::get<2>(key), steered, tested,
                   fmt::to_string(chosen.value("n_steered", 0)), number_text(chosen.value("alpha", 1.0)),
                   fmt::to_string(row.n), number_text(row.accuracy_original), number_text(row.gain),
                   real(row.lo), real(row.hi), real(row.p)});
      }
  return table;
}

// Gains on the tested domains, on the steered one itself, and the mean over the others.
std::vector<std::string> matrix_line(const std::string& steered, const TransferMatrix& matrix,
                                     const std::vector<std::string>& columns) {
  const auto& by_tested = matrix.rows.at(steered);
  std::vector<std::string> line = {"  " + steered};
  double target = kUnknown, sum = 0;
  std::int64_t others = 0;
  for (const std::string& tested : columns) {
    const auto found = by_tested.find(tested);
    line.push_back(found == by_tested.end() ? "" : points(found->second.gain));
    if (found == by_tested.end()) continue;
    if (tested == steered) {
      target = found->second.gain;
    } else {
      sum += found->second.gain;
      ++others;
    }
  }
  line.push_back(points(target));
  line.push_back(points(others == 0 ? kUnknown : sum / static_cast<double>(others)));
  return line;
}

}  // namespace

TextTable transfer_table(store::Store& store, const TableRequest& request, bool as_records) {
  const auto matrices = transfer_matrices(store, request);
  if (as_records) return transfer_records(matrices);
  std::vector<std::string> columns;
  for (const auto& [key, matrix] : matrices)
    for (const std::string& tested : matrix.tested)
      if (std::find(columns.begin(), columns.end(), tested) == columns.end()) columns.push_back(tested);
  std::sort(columns.begin(), columns.end());
  TextTable table;
  table.title = fmt::format("Transfer, study {}", store.study(request.study).name);
  table.columns = {{"experts of", true}};
  for (const std::string& tested : columns) table.columns.push_back({tested});
  table.columns.push_back({"target"});
  table.columns.push_back({"non-target"});
  for (const auto& [key, matrix] : matrices) {
    table.add_heading(fmt::format("{} / {}: {}", std::get<0>(key), std::get<1>(key), std::get<2>(key)));
    for (const auto& [steered, by_tested] : matrix.rows) table.add(matrix_line(steered, matrix, columns));
  }
  table.footers = {
      "Gain over the original in points on the tested domain (column) when the experts of a domain (row) are "
      "steered.",
      "A column has one setting: the one that its own domain's plan was given most often. target: on the "
      "experts' own domain; non-target: mean over the others.",
      "benchmark/domain: experts of another study's benchmark, with n_steered and alpha kept "
      "(transfer.study)."};
  return table;
}

}  // namespace moelab::experiments
