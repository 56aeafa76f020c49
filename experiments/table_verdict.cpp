// The verdict table: what a study says of each model, on what evidence, beside the planted truth.
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/tables.h"
#include "experiments/verdict.h"

namespace moelab::experiments {

namespace {

std::string spoken(Verdict verdict) {
  std::string text(name_of(verdict));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string existence_text(const ModelVerdict& verdict) {
  std::size_t shown = 0;
  std::vector<std::string> contrasts;
  for (const ExistenceEvidence& evidence : verdict.existence) {
    shown += evidence.exists() ? 1 : 0;
    contrasts.push_back(fmt::format("{:.2f}", evidence.contrast));
  }
  return fmt::format("{} of {} ({})", shown, verdict.existence.size(), fmt::join(contrasts, " "));
}

std::string gain_text(const ModelVerdict& verdict) {
  if (verdict.gains.empty()) return "-";
  const auto count = std::count_if(verdict.gains.begin(), verdict.gains.end(),
                                   [](const GainEvidence& evidence) { return evidence.counts(); });
  // The best of those that count, or else of all.
  const auto best = std::max_element(
      verdict.gains.begin(), verdict.gains.end(), [](const GainEvidence& a, const GainEvidence& b) {
        return std::make_pair(a.counts(), a.gain) < std::make_pair(b.counts(), b.gain);
      });
  const auto general = std::count_if(verdict.gains.begin(), verdict.gains.end(),
                                     [](const GainEvidence& evidence) { return evidence.is_general(); });
  return fmt::format("{} of {} (best {} {} {}{})", count, verdict.gains.size(), points(best->gain),
                     best->method, best->domain, general > 0 ? fmt::format("; {} general", general) : "");
}

std::vector<std::string> recalled_scores(const std::vector<ModelVerdict>& verdicts) {
  std::vector<std::string> names;
  for (const ModelVerdict& verdict : verdicts) {
    for (const PlantedRecall& recall : verdict.recall) {
      if (std::find(names.begin(), names.end(), recall.score) == names.end()) names.push_back(recall.score);
    }
  }
  return names;
}

std::string recall_text(const ModelVerdict& verdict, const std::string& score) {
  for (const PlantedRecall& recall : verdict.recall) {
    if (recall.score == score) return fmt::format("{:.2f}", recall.recall);
  }
  return "-";
}

std::string kinds_note(const ModelVerdict& verdict) {
  std::vector<std::string> parts;
  for (const PlantedRecall& recall : verdict.recall) {
    std::vector<std::string> kinds;
    for (const auto& [kind, share] : recall.by_kind) kinds.push_back(fmt::format("{} {:.2f}", kind, share));
    if (!kinds.empty()) parts.push_back(fmt::format("{} ({})", recall.score, fmt::join(kinds, ", ")));
  }
  return parts.empty() ? "" : fmt::format("{}, recall by kind: {}.", verdict.name, fmt::join(parts, "; "));
}

}  // namespace

TextTable verdict_table(store::Store& store, store::Id study, const std::vector<std::string>& models) {
  std::vector<ModelVerdict> verdicts = model_verdicts(store, study);
  std::erase_if(verdicts, [&](const ModelVerdict& verdict) { return !is_wanted(models, verdict.name); });
  if (verdicts.empty())
    throw ConfigError(
        "the study has no verdict on these models: no discovery is stored, or one domain alone was compared, "
        "which tells nothing of domain experts");
  TextTable table;
  table.title = fmt::format("Verdicts, study {}", store.study(study).name);
  table.columns = {{"model", true},
                   {"verdict", true},
                   {"truth", true},
                   {"right", true},
                   {"domains with experts", true},
                   {"gains that count", true}};
  const std::vector<std::string> scores = recalled_scores(verdicts);
  for (const std::string& score : scores) table.columns.push_back({score});
  for (const ModelVerdict& verdict : verdicts) {
    std::vector<std::string> cells = {verdict.name,
                                      spoken(verdict.verdict),
                                      verdict.truth ? spoken(*verdict.truth) : "unknown",
                                      verdict.truth ? (verdict.is_right() ? "yes" : "NO") : "-",
                                      existence_text(verdict),
                                      gain_text(verdict)};
    for (const std::string& score : scores) cells.push_back(recall_text(verdict, score));
    table.add(std::move(cells));
    if (const std::string note = kinds_note(verdict); !note.empty()) table.footers.push_back(note);
  }
  table.footers.push_back(
      fmt::format("Experts: held-out difference of selection rates of at least {:.2f} and p <= {:.2f}, in "
                  "half of the domains.",
                  kLeastContrast, kLevel));
  table.footers.emplace_back(
      "Gains that count: p Holm < .05, p null <= .05, above the flip noise, and larger than what other "
      "domains' plans give (p spec. <= .05); general: without the last.");
  if (!scores.empty()) {
    table.footers.emplace_back(
        "Last columns: recall of the planted experts among a score's first ones, mean over domains.");
  }
  return table;
}

}  // namespace moelab::experiments
