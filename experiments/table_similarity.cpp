// The similarity table: how alike the experts of each layer are, beside what permuted tokens give.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "experiments/study_notes.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

using Rows = std::vector<store::SimilarityRow>;

std::vector<std::string> layer_line(const Rows& rows, double above) {
  double sum = 0, permuted = 0, permuted_most = 0, alike = 0;
  const store::SimilarityRow* most = &rows.front();
  for (const store::SimilarityRow& row : rows) {
    sum += row.similarity;
    permuted += row.permuted;
    permuted_most = std::max(permuted_most, row.permuted);
    alike += row.similarity > above;
    if (row.similarity > most->similarity) most = &row;
  }
  const auto pairs = static_cast<double>(rows.size());
  return {fmt::to_string(most->layer),
          fmt::to_string(rows.size()),
          fmt::format("{:.3f}", sum / pairs),
          fmt::format("{:.3f}", permuted / pairs),
          fmt::format("{:.3f}", most->similarity),
          fmt::format("{}:{}", most->first, most->second),
          fmt::format("{:.3f}", permuted_most),
          percent(alike / pairs)};
}

std::vector<store::Id> similarity_runs(store::Store& store, store::Id study) {
  std::vector<store::Id> runs;
  for (const Json& note : notes(store, study, "similarity"))
    runs.push_back(json_get<store::Id>(note, "run", "event"));
  return runs;
}

}  // namespace

TextTable similarity_table(store::Store& store, const SimilarityTableRequest& request) {
  TextTable table;
  table.title = "Similarity of experts: linear CKA of two experts' outputs on the same tokens";
  table.columns = {{"model", true}, {"domain", true}, {"layer"}, {"pairs"},         {"mean"},
                   {"permuted"},    {"most"},         {"pair"},  {"permuted most"}, {"% alike"}};
  for (const store::Id run : similarity_runs(store, request.table.study)) {
    const store::DiscoveryRow row = store.discovery(run);
    const std::string model = store.model(row.model).name, domain = row.domain.empty() ? "all" : row.domain;
    if (!is_wanted(request.table.models, model) || !is_wanted(request.table.domains, domain)) continue;
    std::map<int, Rows> layers;
    for (const store::SimilarityRow& pair : store.similarity(run)) layers[pair.layer].push_back(pair);
    for (const auto& [layer, rows] : layers) {
      std::vector<std::string> line = {model, domain};
      for (std::string& cell : layer_line(rows, request.above)) line.push_back(std::move(cell));
      table.add(std::move(line));
    }
    table.footers.push_back(fmt::format("{}, {}: {} tokens of {} discovery questions, {:.1f} s.", model,
                                        domain, row.n_tokens, row.n_questions, row.seconds));
  }
  if (table.rows.empty())
    throw ConfigError(
        "the study has no similarity of experts for these models and domains; 'moelab discover "
        "study=NAME --similarity all' makes it, in the study NAME/discover");
  table.footers.push_back(
      "Every expert is applied to every token, before its routing weight; permuted: with the second expert's "
      "tokens in a random order.");
  table.footers.push_back(fmt::format("pair: the two experts with the most; % alike: pairs above {}.",
                                      number_text(request.above)));
  return table;
}

}  // namespace moelab::experiments
