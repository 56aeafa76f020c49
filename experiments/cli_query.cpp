// moelab query: free SQL on the results, read-only.
#include <fmt/format.h>

#include "core/base/json.h"
#include "experiments/cli.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

constexpr std::size_t kWidestCell = 60;

bool is_number(const std::string& text) {
  try {
    parse_real(text, "");
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

TextTable as_table(const store::Table& result, bool is_full) {
  TextTable table;
  for (std::size_t c = 0; c < result.columns.size(); ++c) {
    bool is_left = false;
    for (const auto& row : result.rows) is_left = is_left || (row[c] && !is_number(*row[c]));
    table.columns.push_back({result.columns[c], is_left});
  }
  for (const auto& row : result.rows) {
    std::vector<std::string> cells;
    for (const auto& cell : row) {
      cells.push_back(is_full ? cell.value_or("") : shortened(cell.value_or("NULL"), kWidestCell));
    }
    table.add(std::move(cells));
  }
  return table;
}

// Text, number or null as SQLite holds the value; what JSON has no number for (infinity) stays a text.
Json json_value(const std::optional<std::string>& value, bool is_number) {
  if (!value) return nullptr;
  if (!is_number) return *value;
  Json number = Json::parse(*value, nullptr, /*allow_exceptions=*/false);
  return number.is_number() ? number : Json(*value);
}

std::string as_json(const store::Table& result) {
  Json list = Json::array();
  for (std::size_t r = 0; r < result.rows.size(); ++r) {
    Json object = Json::object();
    for (std::size_t c = 0; c < result.columns.size(); ++c)
      object[result.columns[c]] = json_value(result.rows[r][c], result.is_number[r][c]);
    list.push_back(std::move(object));
  }
  return list.dump(2) + "\n";
}

int query(const Arguments& arguments) {
  if (arguments.has("--csv") && arguments.has("--json")) throw ConfigError("choose one of --csv and --json");
  store::Store store = open_results(arguments);
  const store::Table result = store.query(arguments.words[0]);
  if (arguments.has("--json")) {
    fmt::print("{}", as_json(result));
  } else if (arguments.has("--csv")) {
    fmt::print("{}", render(as_table(result, true), TableFormat::csv));
  } else {
    fmt::print("{}({} rows)\n", render(as_table(result, false), TableFormat::text), result.rows.size());
  }
  return kExitDone;
}

}  // namespace

Verb verb_query() {
  VerbSpec spec;
  spec.name = "query";
  spec.summary = "run one SELECT on the results database";
  spec.usage = "\"SQL\" [db=PATH] [--csv | --json]";
  spec.text =
      "Prints the rows of one SELECT. Whatever could change the database is refused. docs/database.md "
      "explains the\n"
      "tables; the views accuracy_by_cell, gain_over_original, selected_cell and transfer answer most "
      "questions.";
  spec.settings = {database_setting()};
  spec.flags = {{"--csv", "", "comma-separated values, cells in full"},
                {"--json", "", "a JSON list of objects"}};
  spec.words = {1, 1};
  spec.examples = {"moelab query \"SELECT name, protocol, created FROM study\"",
                   "moelab query \"SELECT method, n_steered, alpha, gain FROM gain_over_original LIMIT 20\"",
                   "moelab query --csv \"SELECT * FROM accuracy_by_cell WHERE domain = 'elements'\""};
  return {spec, query};
}

}  // namespace moelab::experiments
