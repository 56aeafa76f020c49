#include "experiments/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>

#include "core/base/random.h"
#include "experiments/comparison_row.h"
#include "experiments/existence.h"
#include "experiments/specific_gain.h"
#include "experiments/statistics/paired.h"
#include "experiments/study_notes.h"
#include "experiments/verdict.h"

namespace moelab::experiments {
namespace {

constexpr std::array kProtocols = {Protocol::crossfit, Protocol::holdout, Protocol::paper};

// A mean that is filled step by step.
struct Mean {
  double sum = 0;
  std::int64_t n = 0;
  void add(double value) {
    sum += value;
    ++n;
  }
  double value() const { return n == 0 ? kUnknown : sum / static_cast<double>(n); }
};

// What is counted for one method and protocol.
struct Tally {
  Share power, false_p, false_null, false_call;
  Mean found, available;
};

using Tallies = std::map<std::pair<std::string, Protocol>, Tally>;

// One model and domain with the answers of all cells that calls rest on.
struct Ground {
  const StoredStudy* study = nullptr;
  const DomainCells* cells = nullptr;
  StoredSplit split;
  AnswerTable table;
};

Ground read_ground(store::Store& store, const StoredStudy& study, const DomainCells& cells) {
  Ground ground{&study, &cells, read_split(store, study.id, cells.benchmark, cells.domain), {}};
  const std::int64_t repeats = study.repeats.at(cells.benchmark);
  ground.table = read_answers(store, cells, ground.split, study.evaluator, repeats);
  for (const auto& [cell, role] : cells.cells) {
    if (role != "planted" && role != "permuted" && role != "other_domain") continue;
    Answers answers = answers_of(store, cell.id, ground.table, study.evaluator);
    if (!answers.empty()) ground.table.cells[cell.id] = std::move(answers);
  }
  return ground;
}

// Of a study with fold assignments: holdout takes half of the first assignment's folds for tuning.
std::vector<SelectionPart> parts_under(const Ground& ground, const AnswerTable& table, Protocol protocol) {
  if (protocol != Protocol::holdout) return parts_of(ground.split, table, protocol);
  int folds = 0;
  for (const auto& [question, by_assignment] : ground.split.folds)
    folds = std::max(folds, by_assignment.front() + 1);
  std::vector<bool> is_tuning;
  for (const store::Id question : table.questions)
    is_tuning.push_back(ground.split.folds.at(question).front() < folds / 2);
  return holdout_parts(is_tuning);
}

// Nothing when the original has failed, or too few questions are left.
std::optional<DomainAnswers> answers_under(const Ground& ground, AnswerTable table, Protocol protocol) {
  auto domain = domain_answers(*ground.cells, ground.study->evaluator, std::move(table));
  if (!domain) return std::nullopt;
  domain->parts = parts_under(ground, domain->table, protocol);
  if (domain->parts.empty()) return std::nullopt;
  return domain;
}

// The candidates of one role, method and draw that steer `steered`.
Selected select_role(const DomainAnswers& domain, const std::string& role, const std::string& method,
                     int draw, const std::string& steered) {
  Selected selected{method, draw, steered, {}, {}, {}};
  for (const auto& [cell, cell_role] : domain.cells->cells)
    if (cell_role == role && cell.method == method && cell.draw == draw && cell.steered_domain == steered &&
        domain.table.cells.contains(cell.id))
      selected.candidates.push_back({cell.id, cell.n_steered, cell.alpha, cell.mode});
  if (selected.candidates.empty()) return selected;
  sort_candidates(selected.candidates);
  selected.choices =
      choose(domain.parts, answers_of_candidates(domain, selected.candidates), *domain.original);
  selected.modal = modal_choice(selected.choices, selected.candidates.size());
  return selected;
}

Report report_on(const DomainAnswers& domain, const Selected& selected) {
  return report(domain.parts, selected.choices, answers_of_candidates(domain, selected.candidates),
                *domain.original, domain.table.repeats);
}

std::vector<double> null_gains(const DomainAnswers& domain) {
  std::vector<double> gains;
  for (const Selected& selected : select_all(domain))
    if (selected.draw > 0) gains.push_back(report_on(domain, selected).counts().gain());
  return gains;
}

// Their answers and gains, from the table that calls rest on.
OtherPlans others_of(const DomainAnswers& domain, const std::string& role, const Selected& selected,
                     const std::vector<std::size_t>& asked) {
  OtherPlans others;
  for (const store::CellRow& cell : cells_of_others(domain, role, selected)) {
    if (!domain.table.cells.contains(cell.id)) continue;
    const Answers& answers = domain.table.cells.at(cell.id);
    others.rows.emplace_back().gain = pair_on(domain, answers, asked).gain();
    others.answers.push_back(answers_at(answers, asked));
  }
  return others;
}

// What the verdict's rule reads, with McNemar's p of this one comparison in the place of Holm's.
GainEvidence evidence_of(const DomainContext& context, const Selected& selected, const std::string& others) {
  const DomainAnswers& domain = *context.domain;
  const Report rep = report_on(domain, selected);
  store::ComparisonRow row = make_row(context, rep.counts());
  const auto asked = reported_questions(domain, rep.median);
  add_specificity(others_of(domain, others, selected, asked), reported_answers(domain, selected, rep),
                  domain.table.repeats, row);
  const double noise = domain.again == nullptr ? 0 : pair_on(domain, *domain.again, asked).flip_rate();
  const double p_null = context.null_gains.empty() ? 1 : statistics::null_p(row.gain, context.null_gains);
  return {row.benchmark, row.domain,      selected.method, row.gain, *row.p,
          p_null,        row.specificity, row.p_specific,  noise};
}

AnswerTable subset_of(const AnswerTable& table, const std::vector<std::size_t>& kept) {
  AnswerTable subset;
  subset.repeats = table.repeats;
  for (const std::size_t q : kept) subset.questions.push_back(table.questions[q]);
  for (const auto& [cell, answers] : table.cells) subset.cells[cell] = answers_at(answers, kept);
  return subset;
}

std::vector<std::size_t> random_half(std::size_t questions, const std::string& domain, int subset) {
  std::vector<std::size_t> order(questions);
  std::iota(order.begin(), order.end(), std::size_t{0});
  RandomStream stream(1, fmt::format("half/{}/{}", domain, subset));
  stream.shuffle(std::span(order));
  order.resize(questions / 2);
  std::sort(order.begin(), order.end());
  return order;
}

// Where a gain is there to be found.
void count_power(const Ground& ground, const std::vector<std::string>& methods, int subsets,
                 Tallies& tallies) {
  for (const Protocol protocol : kProtocols) {
    const auto whole = answers_under(ground, ground.table, protocol);
    if (!whole) continue;
    const std::string& own = whole->cells->domain;
    const Selected planted = select_role(*whole, "planted", "planted", 0, own);
    for (const std::string& method : methods) {
      const Selected selected = select_role(*whole, "grid", method, 0, own);
      if (selected.candidates.empty()) continue;
      Tally& tally = tallies[{method, protocol}];
      tally.found.add(report_on(*whole, selected).counts().gain());
      if (!planted.candidates.empty()) tally.available.add(report_on(*whole, planted).counts().gain());
    }
    for (int s = 0; s < subsets; ++s) {
      const auto kept = random_half(ground.table.questions.size(), own, s);
      const auto half = answers_under(ground, subset_of(ground.table, kept), protocol);
      if (!half) continue;
      const DomainContext context{ground.study, &*half, 0, null_gains(*half)};
      for (const std::string& method : methods) {
        const Selected selected = select_role(*half, "grid", method, 0, own);
        if (selected.candidates.empty()) continue;
        tallies[{method, protocol}].power.add(evidence_of(context, selected, "other_domain").counts());
      }
    }
  }
}

// Where there is none: every label permutation of this domain is a trial.
void count_false(const Ground& ground, const std::vector<std::string>& methods, Tallies& tallies) {
  std::vector<int> draws;
  for (const auto& [cell, role] : ground.cells->cells)
    if (role == "permuted" && std::find(draws.begin(), draws.end(), cell.draw) == draws.end())
      draws.push_back(cell.draw);
  for (const Protocol protocol : kProtocols) {
    const auto domain = answers_under(ground, ground.table, protocol);
    if (!domain) continue;
    const DomainContext context{ground.study, &*domain, 0, null_gains(*domain)};
    for (const int draw : draws)
      for (const std::string& method : methods) {
        const Selected selected = select_role(*domain, "permuted", method, draw, domain->cells->domain);
        if (selected.candidates.empty()) continue;
        const GainEvidence evidence = evidence_of(context, selected, "permuted");
        Tally& tally = tallies[{method, protocol}];
        const bool is_larger = evidence.gain > 0 && evidence.p_holm < kLevel;
        tally.false_p.add(is_larger);
        tally.false_null.add(is_larger && evidence.p_null <= kLevel);
        tally.false_call.add(evidence.counts());
      }
  }
}

// The stored labels of the discovery groups dealt anew, and the verdict's rule on them.
Share false_existence(store::Store& store, store::Id study, store::Id model, int permutations) {
  Share share;
  for (ExistenceInput& input : existence_inputs(store, study, model)) {
    std::map<std::string, std::size_t> group_domain;
    for (const QuestionRouting& question : input.questions) group_domain[question.group] = question.domain;
    std::vector<std::size_t> labels;
    for (const auto& [group, domain] : group_domain) labels.push_back(domain);
    for (int i = 1; i <= permutations; ++i) {
      RandomStream stream(1, fmt::format("existence labels/{}", i));
      stream.shuffle(std::span(labels));
      auto label = labels.begin();
      for (auto& [group, domain] : group_domain) domain = *label++;
      for (QuestionRouting& question : input.questions) question.domain = group_domain.at(question.group);
      share.add(decide(existence_of(input), {}) != Verdict::no_domain_experts);
    }
  }
  return share;
}

// Recall of the score that each method ranks by, mean over models.
std::map<std::string, Mean> recall_by_method(const Json& config, const std::vector<ModelVerdict>& verdicts) {
  std::map<std::string, Mean> recall;
  for (const Json& method : config.at("options").at("method")) {
    const auto name = json_get<std::string>(method, "name", "study.config");
    const auto score = json_get_or<std::string>(method, "score", name, "study.config");
    for (const ModelVerdict& verdict : verdicts)
      for (const PlantedRecall& found : verdict.recall)
        if (found.score == score) recall[name].add(found.recall);
  }
  return recall;
}

std::vector<std::string> methods_of(store::Store& store, store::Id study) {
  std::vector<std::string> names;
  for (const auto& [cell, role] : store.cells(study))
    if (role == "grid" && std::find(names.begin(), names.end(), cell.method) == names.end())
      names.push_back(cell.method);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::make_pair(method_place(a), a) < std::make_pair(method_place(b), b);
  });
  return names;
}

}  // namespace

Calibration calibrate(store::Store& store, store::Id id, const CalibrationOptions& options) {
  const StoredStudy study = read_study(store, id);
  if (study.protocol != Protocol::crossfit)
    throw ConfigError("calibration needs fold assignments: run the study with protocol=crossfit");
  const Json config = parse_json(store.study(id).config, "study.config");
  const auto permutations =
      json_get_or<int>(json_get_or<Json>(config, "calibration", Json::object(), "study.config"),
                       "permutations", 0, "study.config");
  const auto verdicts = model_verdicts(store, id);
  const auto names = methods_of(store, id);
  Calibration result;
  Tallies tallies;
  bool has_truth = false;
  for (const DomainCells& cells : cells_by_domain(store, id)) {
    const auto known = std::find_if(verdicts.begin(), verdicts.end(), [&](const ModelVerdict& verdict) {
      return verdict.model == cells.model && verdict.truth;
    });
    if (known == verdicts.end() || *known->truth == Verdict::experts_without_gain) continue;
    const Ground ground = read_ground(store, study, cells);
    if (!answers_under(ground, ground.table, study.protocol)) continue;
    has_truth = true;
    const auto n = std::ssize(ground.table.questions);
    result.questions = result.questions == 0 ? n : std::min(result.questions, n);
    if (*known->truth == Verdict::experts_with_gain)
      count_power(ground, names, options.subsets, tallies);
    else
      count_false(ground, names, tallies);
  }
  if (!has_truth) throw ConfigError("the study has no model whose truth is known and whose cells are done");
  for (const ModelVerdict& verdict : verdicts) {
    if (verdict.truth != Verdict::no_domain_experts) continue;
    const Share share = false_existence(store, id, verdict.model, permutations);
    result.false_existence.hits += share.hits;
    result.false_existence.trials += share.trials;
  }
  const auto recall = recall_by_method(config, verdicts);
  for (const auto& name : names)
    for (const Protocol protocol : kProtocols) {
      const Tally& tally = tallies[{name, protocol}];
      const auto found = recall.find(name);
      result.rows.push_back({name, protocol, found == recall.end() ? kUnknown : found->second.value(),
                             tally.power, tally.found.value(), tally.available.value(), tally.false_p,
                             tally.false_null, tally.false_call});
    }
  return result;
}

}  // namespace moelab::experiments
