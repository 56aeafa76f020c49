#include "experiments/routing_agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/base/error.h"
#include "core/base/random.h"
#include "experiments/statistics/ranks.h"
#include "experiments/study_notes.h"
#include "experiments/text_table.h"

namespace moelab::experiments {
namespace {

using LayerCounts = std::span<const double>;

std::vector<std::size_t> most_used(LayerCounts counts, std::size_t top) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return counts[a] > counts[b]; });
  order.resize(std::min(top, order.size()));
  return order;
}

double shared_top(LayerCounts a, LayerCounts b, std::size_t top) {
  const auto first = most_used(a, top), second = most_used(b, top);
  const auto shared = std::count_if(first.begin(), first.end(), [&](std::size_t expert) {
    return std::find(second.begin(), second.end(), expert) != second.end();
  });
  return static_cast<double>(shared) / static_cast<double>(first.size());
}

// The mean of what is known of the values.
double known_mean(const std::vector<double>& values) {
  double sum = 0, known = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    ++known;
  }
  return known > 0 ? sum / known : kUnknown;
}

bool is_used(LayerCounts counts) {
  return std::any_of(counts.begin(), counts.end(), [](double count) { return count > 0; });
}

LayerCounts layer_of(const std::vector<double>& flat, std::size_t layer, std::size_t experts) {
  return LayerCounts(flat).subspan(layer * experts, experts);
}

// One domain's prompts against the answers of every domain, in one layer.
Agreement agreement_in(std::span<const PartRouting> parts, std::size_t domain, std::size_t layer,
                       const AgreementOptions& options) {
  const LayerCounts prompt = layer_of(parts[domain].prompt, layer, options.experts);
  Agreement found;
  std::vector<double> others, top_others;
  for (std::size_t d = 0; d < parts.size(); ++d) {
    const LayerCounts written = layer_of(parts[d].written, layer, options.experts);
    if (!is_used(written)) continue;
    const double correlation = statistics::spearman(prompt, written);
    const double top = shared_top(prompt, written, options.top);
    (d == domain ? found.own : others.emplace_back()) = correlation;
    (d == domain ? found.top_own : top_others.emplace_back()) = top;
  }
  found.others = known_mean(others);
  found.top_others = known_mean(top_others);
  return found;
}

Agreement mean_of(const std::vector<std::pair<std::size_t, Agreement>>& layers) {
  const auto mean = [&](double Agreement::*figure) {
    std::vector<double> values;
    for (const auto& [layer, agreement] : layers) values.push_back(agreement.*figure);
    return known_mean(values);
  };
  return {mean(&Agreement::own), mean(&Agreement::others), mean(&Agreement::top_own),
          mean(&Agreement::top_others)};
}

// [prompts' domain][answers' domain]: rank correlation, mean over layers; 0 where there is none.
std::vector<std::vector<double>> correlations(std::span<const PartRouting> parts,
                                              const AgreementOptions& options) {
  std::vector<std::vector<double>> matrix(parts.size(), std::vector<double>(parts.size(), 0.0));
  const std::size_t layers = parts.front().prompt.size() / options.experts;
  for (std::size_t a = 0; a < parts.size(); ++a)
    for (std::size_t b = 0; b < parts.size(); ++b) {
      std::vector<double> values;
      for (std::size_t layer = 0; layer < layers; ++layer) {
        const LayerCounts prompt = layer_of(parts[a].prompt, layer, options.experts);
        const LayerCounts written = layer_of(parts[b].written, layer, options.experts);
        if (is_used(prompt) && is_used(written)) values.push_back(statistics::spearman(prompt, written));
      }
      const double mean = known_mean(values);
      matrix[a][b] = std::isnan(mean) ? 0.0 : mean;
    }
  return matrix;
}

double permutation_p(std::span<const PartRouting> parts, const AgreementOptions& options) {
  if (parts.size() < 2) return kUnknown;
  const auto matrix = correlations(parts, options);
  std::vector<std::size_t> answers(parts.size());
  std::iota(answers.begin(), answers.end(), std::size_t{0});
  const auto sum = [&] {
    double total = 0;
    for (std::size_t d = 0; d < answers.size(); ++d) total += matrix[d][answers[d]];
    return total;
  };
  const double observed = sum();
  RandomStream stream(options.seed, "agreement");
  std::vector<double> permuted;
  for (int i = 0; i < options.permutations; ++i) {
    stream.shuffle(std::span(answers));
    permuted.push_back(sum());
  }
  return statistics::null_p(observed, permuted);
}

// The study's runs that tell written tokens from their prompts, by benchmark and domain.
std::map<std::string, std::map<std::string, store::Id>> written_runs(store::Store& store, store::Id study,
                                                                     store::Id model) {
  std::map<std::string, std::map<std::string, store::Id>> runs;
  for (const Json& note : notes(store, study, "trace"))
    if (note.at("model").get<store::Id>() == model && note.at("marker") == "")
      runs[note.at("benchmark")][note.at("domain")] = json_get<store::Id>(note, "run", "event");
  return runs;
}

PartRouting read_parts(store::Store& store, const std::string& domain, store::Id run, std::int64_t experts) {
  PartRouting parts{domain, {}, {}};
  for (const store::RoutingRow& row : store.routing(run)) {
    const auto flat = static_cast<std::size_t>(row.layer * experts + row.expert);
    const std::size_t whole = static_cast<std::size_t>((row.layer + 1) * experts);
    if (parts.prompt.size() < whole) {
      parts.prompt.resize(whole);
      parts.written.resize(whole);
    }
    parts.prompt[flat] += static_cast<double>(row.n_unimportant);
    parts.written[flat] += static_cast<double>(row.n_important);
  }
  return parts;
}

// Experts that a token selects in a layer, as the counts show.
std::size_t top_k_of(const PartRouting& parts, std::size_t experts, std::int64_t tokens) {
  double selections = 0;
  std::size_t layers = 0;
  for (std::size_t layer = 0; layer * experts < parts.prompt.size(); ++layer) {
    double sum = 0;
    for (const auto* part : {&parts.prompt, &parts.written})
      for (const double count : layer_of(*part, layer, experts)) sum += count;
    selections += sum;
    layers += sum > 0;
  }
  const double each = selections / static_cast<double>(std::max<std::int64_t>(tokens, 1)) /
                      static_cast<double>(std::max<std::size_t>(layers, 1));
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(each)));
}

std::string figures_text(const Agreement& found) {
  return fmt::format("{} ({}), top {} ({})", two_decimals(found.own), two_decimals(found.others),
                     two_decimals(found.top_own), two_decimals(found.top_others));
}

std::string layers_text(const DomainAgreement& domain) {
  std::string text;
  for (const auto& [layer, found] : domain.layers)
    text += fmt::format("{}{}: {} ({})", text.empty() ? "" : ", ", layer, two_decimals(found.own),
                        two_decimals(found.others));
  return text;
}

}  // namespace

RoutingAgreement routing_agreement(std::span<const PartRouting> parts, const AgreementOptions& options) {
  for (const PartRouting& part : parts)
    if (options.experts == 0 || part.prompt.size() % options.experts != 0 ||
        part.prompt.size() != parts.front().prompt.size() || part.written.size() != part.prompt.size())
      throw Error("{}: the selections are no whole layers of {} experts, or not as many as another domain's",
                  part.domain, options.experts);
  RoutingAgreement result;
  for (std::size_t d = 0; d < parts.size(); ++d) {
    DomainAgreement domain{parts[d].domain, {}, {}};
    for (std::size_t layer = 0; layer * options.experts < parts[d].prompt.size(); ++layer)
      if (is_used(layer_of(parts[d].prompt, layer, options.experts)) &&
          is_used(layer_of(parts[d].written, layer, options.experts)))
        domain.layers.emplace_back(layer, agreement_in(parts, d, layer, options));
    domain.all = mean_of(domain.layers);
    result.domains.push_back(std::move(domain));
  }
  if (!parts.empty()) result.p = permutation_p(parts, options);
  return result;
}

std::vector<std::string> agreement_notes(store::Store& store, store::Id study, store::Id model,
                                         std::int64_t experts) {
  const std::string name = store.model(model).name;
  const auto runs = written_runs(store, study, model);
  if (runs.empty())
    return {fmt::format(
        "{}: no routing of written answers is stored, so prompts are not compared with answers; a "
        "method of kind rice stores it.",
        name)};
  std::vector<std::string> lines;
  for (const auto& [benchmark, domains] : runs) {
    std::vector<PartRouting> parts;
    std::size_t top = 1;
    for (const auto& [domain, run] : domains) {
      parts.push_back(read_parts(store, domain, run, experts));
      top = top_k_of(parts.back(), static_cast<std::size_t>(experts), store.discovery(run).n_tokens);
    }
    const auto found = routing_agreement(parts, {static_cast<std::size_t>(experts), top});
    std::string text, layers;
    for (const DomainAgreement& domain : found.domains) {
      text += fmt::format("{}{} {}", text.empty() ? "" : "; ", domain.domain, figures_text(domain.all));
      layers += fmt::format("{}{} {}", layers.empty() ? "" : "; ", domain.domain, layers_text(domain));
    }
    lines.push_back(fmt::format("{}, {}, prompts against written answers: {}; p {}.", name, benchmark, text,
                                p_text(found.p)));
    lines.push_back(
        fmt::format("{}, {}, prompts against written answers by layer: {}.", name, benchmark, layers));
  }
  return lines;
}

}  // namespace moelab::experiments
