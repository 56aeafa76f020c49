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

Asked asked_in_halvings(store::Store& store, store::Id id) {
  Asked sum;
  for (const store::SelectionRow& row : store.selections(id)) {
    if (!row.rule.starts_with("halving/")) continue;
    const Asked asked = asked_in(parse_json(row.candidates, "selection.candidates"), row.n);
    sum.run += asked.run;
    sum.grid += asked.grid;
  }
  return sum;
}

bool is_halved(store::Store& store, store::Id study) {
  const std::string origin = "study.config";
  const Json config = parse_json(store.study(study).config, origin);
  const Json search = json_get_or<Json>(config, "search", Json::object(), origin);
  return json_get_or<std::string>(search, "kind", "", origin) == "halving";
}

// Methods with cells that a halving would choose among and no choice, on some model and domain.
std::set<std::string> without_winner(store::Store& store, store::Id study) {
  std::set<std::string> methods;
  store::Statement row = store.database().prepare(
      "SELECT DISTINCT c.method FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE x.study = ?1 AND "
      "x.role IN ('grid', 'null') AND c.status <> 'failed' AND NOT EXISTS (SELECT 1 FROM selection AS s "
      "WHERE s.study = x.study AND s.model = c.model AND s.benchmark = c.benchmark AND s.domain = c.domain "
      "AND s.method = c.method AND s.draw = c.draw)");
  row.bind(study);
  while (row.step()) methods.insert(row.get<std::string>(0));
  return methods;
}

std::string names_text(const std::set<std::string>& methods) {
  return methods.size() <= kNamed ? fmt::format("{}", fmt::join(methods, ", "))
                                  : fmt::format("{} methods", methods.size());
}

// From the stored choices, which an analysis makes anew, and not from the notes of earlier ones.
void add_halving_lines(store::Store& store, store::Id study, std::vector<std::string>& lines) {
  if (const Asked asked = asked_in_halvings(store, study); asked.grid > 0)
    lines.push_back(
        fmt::format("Search halving: {} answers of settings were asked, and {} saved: the whole grid "
                    "takes {}.",
                    asked.run, asked.grid - asked.run, asked.grid));
  if (const auto methods = without_winner(store, study); !methods.empty())
    lines.push_back(fmt::format("Halving unfinished for {}: run the study again.", names_text(methods)));
}

}  // namespace

void put_search_notes(store::Store& store, store::Id id, const StudyConfig& study) {
  if (study.search.is_halving()) {
    const Asked asked = asked_in_halvings(store, id);
    Json note = {{"kind", "halving"}, {"answers", asked.run}, {"grid", asked.grid}};
    if (const auto methods = without_winner(store, id); !methods.empty()) note["unfinished"] = methods;
    put_note(store, id, "search", note);
  }
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
  for (const Json& note : notes(store, study, "search"))
    if (note.at("kind") == "random")
      drawn[{note.at("settings").get<double>(), note.at("of").get<double>()}].insert(
          note.at("method").get<std::string>());
  for (const auto& [sizes, methods] : drawn)
    lines.push_back(
        fmt::format("Search random: {:.0f} of {:.0f} settings, drawn for {}; null draws have the same.",
                    sizes.first, sizes.second, names_text(methods)));
  if (is_halved(store, study)) add_halving_lines(store, study, lines);
  return lines;
}

}  // namespace moelab::experiments
