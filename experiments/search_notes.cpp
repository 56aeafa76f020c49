#include "experiments/search_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "core/base/json.h"
#include "experiments/methods_plan.h"
#include "experiments/study_notes.h"

namespace moelab::experiments {
namespace {

constexpr std::size_t kNamed = 4;  // methods in a line; of more their number, the notes have the names

// Answers of settings (questions x samples of each).
struct Asked {
  std::int64_t run = 0;
  std::int64_t grid = 0;
};

// From a halving's entries, rung by rung, and the answers that its winner is reported on.
Asked asked_in(const Json& entries, std::int64_t reported) {
  std::map<int, std::pair<std::int64_t, std::int64_t>> rungs;  // settings, answers of each
  for (const Json& entry : entries) {
    auto& [settings, answers] = rungs[entry.at("rung").get<int>()];
    ++settings;
    answers = entry.at("n").get<std::int64_t>();
  }
  Asked asked;
  std::int64_t before = 0;
  for (const auto& [number, rung] : rungs) {
    asked.run += rung.first * (rung.second - before);
    before = rung.second;
  }
  asked.run += reported;
  asked.grid = rungs.begin()->second.first * (before + reported);
  return asked;
}

Json halving_note(store::Store& store, store::Id id) {
  Asked sum;
  for (const store::SelectionRow& row : store.selections(id)) {
    if (!row.rule.starts_with("halving/")) continue;
    const Asked asked = asked_in(parse_json(row.candidates, "selection.candidates"), row.n);
    sum.run += asked.run;
    sum.grid += asked.grid;
  }
  return {{"kind", "halving"}, {"answers", sum.run}, {"grid", sum.grid}};
}

}  // namespace

void put_search_notes(store::Store& store, store::Id id, const StudyConfig& study) {
  if (study.search.is_halving()) put_note(store, id, "search", halving_note(store, id));
  if (!study.search.is_random()) return;
  for (const MethodConfig& method : study.methods) {
    const double all = count_grid(study, method), drawn = count_settings(study, method);
    if (drawn < all)
      put_note(store, id, "search",
               {{"kind", "random"}, {"method", method.name}, {"settings", drawn}, {"of", all}});
  }
}

std::vector<std::string> search_lines(store::Store& store, store::Id study) {
  std::vector<std::string> lines;
  std::map<std::pair<double, double>, std::set<std::string>> drawn;  // methods by (settings, of)
  Json halving;
  for (const Json& note : notes(store, study, "search")) {
    if (note.at("kind") == "halving")
      halving = note;
    else
      drawn[{note.at("settings").get<double>(), note.at("of").get<double>()}].insert(
          note.at("method").get<std::string>());
  }
  for (const auto& [sizes, methods] : drawn) {
    const std::string names = methods.size() <= kNamed ? fmt::format("{}", fmt::join(methods, ", "))
                                                       : fmt::format("{} methods", methods.size());
    lines.push_back(
        fmt::format("Search random: {:.0f} of {:.0f} settings, drawn for {}; null draws have the same.",
                    sizes.first, sizes.second, names));
  }
  if (halving.is_null()) return lines;
  const auto run = halving.at("answers").get<std::int64_t>(), grid = halving.at("grid").get<std::int64_t>();
  lines.push_back(
      fmt::format("Search halving: {} answers of settings were asked, and {} saved: the whole grid "
                  "takes {}.",
                  run, grid - run, grid));
  return lines;
}

}  // namespace moelab::experiments
