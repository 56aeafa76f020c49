#include "experiments/sft_notes.h"

#include <optional>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "experiments/refusal_probe.h"
#include "experiments/study_notes.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

// What names a training in each of its notes.
Json place_of(const NotedTraining& training) {
  return {{"model", training.model},        {"benchmark", training.job->stored->benchmark.config.name},
          {"domain", training.job->domain}, {"method", training.method},
          {"run", training.outcome->run},   {"weights", training.outcome->digest}};
}

bool is_at(const Json& note, const Json& place) {
  for (const auto& [key, value] : place.items())
    if (note.at(key) != value) return false;
  return true;
}

// The original's answers to the same probes, from another training's note.
std::optional<std::vector<std::uint8_t>> known_before(const std::vector<Json>& known, const Json& place,
                                                      const Json& measured) {
  for (const Json& note : known) {
    if (note.at("model") != place.at("model") || note.at("benchmark") != place.at("benchmark") ||
        note.at("measured") != measured)
      continue;
    std::vector<std::uint8_t> before;
    for (const Json& probe : note.at("each")) before.push_back(probe.at("before").get<std::uint8_t>());
    return before;
  }
  return std::nullopt;
}

}  // namespace

void note_training(store::Store& store, store::Id study, const NotedTraining& training) {
  const SftOutcome& outcome = *training.outcome;
  Json note = place_of(training);
  note.update({{"labelled_questions", outcome.questions},
               {"asked_questions", outcome.asked},
               {"left_out", outcome.left_out},
               {"tokens", outcome.result.tokens},
               {"steps", outcome.result.steps},
               {"kept_step", outcome.result.kept_step},
               {"trained_weights", outcome.trained},
               {"all_weights", outcome.total}});
  if (outcome.command_seconds) note["command_seconds"] = *outcome.command_seconds;
  put_note(store, study, "training", note);
  if (outcome.selection.is_null()) return;
  Json selection = place_of(training);
  selection.update(outcome.selection);
  put_note(store, study, "selection", selection);
}

void note_drift(store::Store& store, store::Id study, const NotedTraining& training,
                const engine::Engine& trained, const DriftConfig& drift) {
  if (drift.probes.empty()) return;
  const auto path = find_path(drift.probes);
  const Json measured = {{"probes", sha256_file(path)}, {"max_new_tokens", drift.max_new_tokens}};
  Json note = place_of(training);
  note["measured"] = measured;
  const auto known = notes(store, study, "drift");
  for (const Json& other : known)
    if (is_at(other, note)) return;
  const auto probes = read_probes(path);
  const auto before = known_before(known, note, measured);
  const auto answers = [&](const engine::Engine& engine) {
    return refusals(engine, *training.job, probes, drift.max_new_tokens);
  };
  note.update(
      drift_figures(probes, before ? *before : answers(training.job->session->engine()), answers(trained)));
  put_note(store, study, "drift", note);
}

std::string training_line(const NotedTraining& training) {
  const SftOutcome& outcome = *training.outcome;
  std::string line = fmt::format(
      "{} on {}: {} of {} weights ({:.3g} %), {} questions", training.method, training.job->domain,
      outcome.trained, outcome.total,
      100.0 * static_cast<double>(outcome.trained) / static_cast<double>(outcome.total), outcome.questions);
  if (outcome.left_out > 0) line += fmt::format(", {} more left out by their gradient", outcome.left_out);
  const std::int64_t untraced = outcome.asked - outcome.questions - outcome.left_out;
  if (untraced > 0) line += fmt::format(", {} more without a right trace", untraced);
  return line;
}

}  // namespace moelab::experiments
