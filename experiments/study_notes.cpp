#include "experiments/study_notes.h"

#include <algorithm>
#include <array>

namespace moelab::experiments {

void put_note(store::Store& store, store::Id study, const std::string& kind, const Json& note) {
  const std::string text = canonical_json(note);
  const auto known = store.database().find<store::Id>(
      "SELECT id FROM event WHERE study = ?1 AND kind = ?2 AND text = ?3", study, kind, text);
  if (!known) store.add_event(study, kind, text);
}

std::vector<Json> notes(store::Store& store, store::Id study, const std::string& kind) {
  std::vector<Json> found;
  store::Statement row =
      store.database().prepare("SELECT text FROM event WHERE study = ?1 AND kind = ?2 ORDER BY id");
  row.bind(study, kind);
  while (row.step()) found.push_back(parse_json(row.get<std::string>(0), "event." + kind));
  return found;
}

std::vector<Json> newest_drift(store::Store& store, store::Id study) {
  constexpr std::array kTraining = {"model", "benchmark", "method", "domain"};  // what names one in a note
  std::vector<Json> newest;
  for (const Json& note : notes(store, study, "drift")) {
    const auto earlier = std::find_if(newest.begin(), newest.end(), [&](const Json& other) {
      return std::all_of(kTraining.begin(), kTraining.end(),
                         [&](const char* key) { return other.at(key) == note.at(key); });
    });
    if (earlier == newest.end())
      newest.push_back(note);
    else
      *earlier = note;
  }
  return newest;
}

}  // namespace moelab::experiments
