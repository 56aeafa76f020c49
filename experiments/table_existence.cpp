// The existence table: do domain-specific experts exist? Each figure beside what chance gives.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "experiments/discovery_results.h"
#include "experiments/layer_information.h"
#include "experiments/routing_agreement.h"
#include "experiments/statistics/overlap.h"
#include "experiments/statistics/ranks.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

constexpr std::int64_t kResamples = 200;

using ExpertIds = std::vector<std::int64_t>;

// One domain's top experts and where its tokens go.
struct DomainExperts {
  const DiscoveryResult* result = nullptr;
  ExpertIds best;
  std::vector<double> usage;
};

// The layers of two sets, for the null of their overlap.
std::vector<statistics::LayerSets> layer_sets(const DiscoveryResult& result, const ExpertIds& a,
                                              const ExpertIds& b) {
  std::map<std::int64_t, statistics::LayerSets> layers;
  for (const std::int64_t flat : result.moe_experts) ++layers[flat / result.grid.experts].size;
  for (const std::int64_t flat : a) ++layers[flat / result.grid.experts].first;
  for (const std::int64_t flat : b) ++layers[flat / result.grid.experts].second;
  std::vector<statistics::LayerSets> list;
  for (const auto& [layer, sets] : layers) list.push_back(sets);
  return list;
}

// A domain's overlap with all others.
struct OverlapFigures {
  double jaccard = 0, random = 0;  // means over the other domains
  double p = 1;                    // that random sets share as few experts in all, or fewer
};

OverlapFigures overlap_of(const DomainExperts& domain, const std::vector<DomainExperts>& all) {
  OverlapFigures figures;
  std::vector<statistics::LayerSets> layers;
  std::int64_t shared = 0;
  const std::set<std::int64_t> own(domain.best.begin(), domain.best.end());
  for (const DomainExperts& other : all) {
    if (other.result == domain.result) continue;
    const auto pair = layer_sets(*domain.result, domain.best, other.best);
    figures.jaccard += statistics::jaccard(domain.best, other.best);
    figures.random += statistics::expected_jaccard(pair);
    layers.insert(layers.end(), pair.begin(), pair.end());
    shared += std::count_if(other.best.begin(), other.best.end(),
                            [&](std::int64_t flat) { return own.contains(flat); });
  }
  const auto others = static_cast<double>(all.size() - 1);
  figures.jaccard /= others;
  figures.random /= others;
  // The other sets are drawn apart from each other, so their shares add up.
  const auto chance = statistics::shared_distribution(layers);
  figures.p = std::accumulate(chance.begin(), chance.begin() + shared + 1, 0.0);
  return figures;
}

// The share of a domain's selections that go to the experts; `selections` a token makes in all layers.
double mass_on(const ExpertIds& experts, const std::vector<double>& usage) {
  double mass = 0;
  for (const std::int64_t flat : experts) mass += usage[static_cast<std::size_t>(flat)];
  const double all = std::accumulate(usage.begin(), usage.end(), 0.0);
  return all > 0 ? mass / all : 0;
}

double mass_of_others(const DomainExperts& domain, const std::vector<DomainExperts>& all) {
  double sum = 0;
  for (const DomainExperts& other : all)
    if (other.result != domain.result) sum += mass_on(domain.best, other.usage);
  return sum / static_cast<double>(all.size() - 1);
}

// Only scores that are made of routing counts can be made anew.
std::string stability_text(store::Store& store, const std::string& score, const DomainExperts& domain,
                           const std::vector<DomainExperts>& all) {
  discovery::Score made_of_counts;
  try {
    made_of_counts = discovery::parse_score(score);
  } catch (const ConfigError&) {
    return "-";
  }
  std::vector<discovery::RoutingCounts> others;
  for (const DomainExperts& other : all)
    if (other.result != domain.result)
      others.push_back(discovery::sum_counts(question_counts(store, *other.result)));
  const Stability stability =
      ranking_stability(made_of_counts, question_counts(store, *domain.result), others, *domain.result,
                        {std::ssize(domain.best), kResamples}, 1);
  return two_decimals(stability.mean);
}

std::vector<DomainExperts> experts_of(store::Store& store, const std::vector<DiscoveryResult>& runs,
                                      store::Id model, const OverlapRequest& request,
                                      const std::string& score) {
  std::vector<DomainExperts> all;
  for (const DiscoveryResult& result : runs)
    if (result.model_id == model)
      all.push_back({&result,
                     best_experts(stored_scores(store, result, score), result.moe_experts, request.top),
                     usage(store, result)});
  return all;
}

void add_score_lines(TextTable& table, store::Store& store, const std::string& score,
                     const std::vector<DomainExperts>& all) {
  for (const DomainExperts& domain : all) {
    const OverlapFigures overlap = overlap_of(domain, all);
    table.add({"  " + domain.result->domain, score, two_decimals(overlap.jaccard),
               two_decimals(overlap.random), p_text(overlap.p), percent(mass_on(domain.best, domain.usage)),
               percent(mass_of_others(domain, all)), stability_text(store, score, domain, all)});
  }
}

std::string layer_note(store::Store& store, store::Id study, const DiscoveryResult& result) {
  std::string text;
  for (const ExistenceInput& input : existence_inputs(store, study, result.model_id))
    for (const LayerInformation& layer :
         layer_information(input, static_cast<std::size_t>(result.grid.experts)))
      text += fmt::format("{}{}: {:.3f} ({:.3f}; p {})", text.empty() ? "" : ", ", layer.layer, layer.bits,
                          layer.null_bits, p_text(layer.p));
  return text.empty() ? "" : fmt::format("{}, bits by layer: {}.", result.model, text);
}

}  // namespace

TextTable existence_table(store::Store& store, const OverlapRequest& request) {
  const std::vector<DiscoveryResult> runs = discovery_results(store, request.table);
  TextTable table;
  table.title = fmt::format("Do domain experts exist? The {} top experts of each domain", request.top);
  table.columns = {{"domain", true}, {"score", true}, {"Jaccard"},     {"random"},
                   {"p fewer"},      {"mass own"},    {"mass others"}, {"stability"}};
  std::vector<std::string> notes;
  bool is_compared = false;
  for (std::size_t first = 0; first < runs.size();) {
    const store::Id model = runs[first].model_id;
    std::size_t last = first;
    while (last < runs.size() && runs[last].model_id == model) ++last;
    if (last - first >= 2) {
      table.add_heading(runs[first].model);
      const auto shared = shared_score_names(store, std::span(runs).subspan(first, last - first));
      for (const std::string& score : request.scores.empty() ? shared : request.scores)
        add_score_lines(table, store, score, experts_of(store, runs, model, request, score));
      const std::string note = layer_note(store, request.table.study, runs[first]);
      if (!note.empty()) notes.push_back(note);
      const auto agreement =
          agreement_notes(store, request.table.study, runs[first].model_id, runs[first].grid.experts);
      is_compared = is_compared || agreement.size() > 1;  // the one line says that there is nothing
      notes.insert(notes.end(), agreement.begin(), agreement.end());
    }
    first = last;
  }
  if (table.rows.empty()) throw ConfigError("domain experts are told apart on at least two domains");
  table.footers = {
      "Jaccard: overlap with the other domains' top experts, mean; random: of sets with as many experts in "
      "each layer, drawn at random.",
      "p fewer: that random sets share as few experts or fewer, in all. mass: share in % of selections that "
      "go to the experts, on their own domain's tokens and on others'.",
      "stability: share of the top experts that a resample of the discovery questions keeps (200 resamples).",
      "bits: what the expert of a selection tells of the domain, in brackets under permuted labels (mean of "
      "99)."};
  if (is_compared)
    table.footers.push_back(
        "prompts against written answers: rank correlation of the experts' usage, mean over layers (with "
        "other domains' answers); top: share of the experts that a layer's prompts use most, as many as a "
        "token selects, that its answers use most; p: that answers of permuted domains agree as much.");
  table.footers.insert(table.footers.end(), notes.begin(), notes.end());
  return table;
}

}  // namespace moelab::experiments
