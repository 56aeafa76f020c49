#include "experiments/sql_score.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <random>
#include <set>
#include <span>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/store/store.h"

namespace moelab::experiments {
namespace {

using store::Store;

constexpr std::array<std::string_view, 7> kTables = {"target",  "model",  "domains",   "experts",
                                                     "routing", "counts", "importance"};
constexpr std::array<std::string_view, 3> kScoreColumns = {"layer", "expert", "score"};

// What a query may not know, and why it was refused.
struct Guard {
  std::string secret;   // ends the names of the views that may read the database's own tables
  std::string refused;  // what the query may not do
};

std::string draw_secret() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

// The documented tables as temporary ones of this connection; they hide the database's own of the same name.
// Those that are views read others of a name that no query can have: a common table expression may bear a
// view's name, and SQLite then takes it for the view.
void create_tables(store::Database& database, const SqlScope& scope, const model::ModelSpec& spec,
                   const std::string& secret) {
  std::vector<store::Id> runs;
  for (const auto& [domain, run] : scope.runs) runs.push_back(run);
  std::vector<std::int64_t> layers;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer)
    if (spec.is_moe_layer[static_cast<std::size_t>(layer)]) layers.push_back(layer);
  database.execute(fmt::format(
      R"(PRAGMA query_only = OFF;
CREATE TEMP TABLE target (domain TEXT);
CREATE TEMP VIEW model AS SELECT {0} AS layers, {1} AS moe_layers, {2} AS experts, {3} AS top_k;
CREATE TEMP TABLE experts AS SELECT l.value AS layer, e.value AS expert
  FROM json_each('[{4}]') AS l, (WITH RECURSIVE r (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM r
  WHERE value + 1 < {2}) SELECT value FROM r) AS e;
CREATE TEMP VIEW domains_{6} AS SELECT domain, n_questions AS questions, n_tokens AS tokens
  FROM main.discovery_run WHERE id IN ({5});
CREATE TEMP VIEW routing_{6} AS SELECT c.question, r.domain, c.layer, c.expert, c.n, c.n_important, c.n_unimportant
  FROM main.routing_count AS c JOIN main.discovery_run AS r ON r.id = c.run WHERE c.run IN ({5});
CREATE TEMP VIEW importance_{6} AS SELECT t.question, r.domain, t.position, t.token, t.importance, t.kind
  FROM main.token_importance AS t JOIN main.discovery_run AS r ON r.id = t.run WHERE t.run IN ({5});
CREATE TEMP VIEW domains AS SELECT * FROM temp.domains_{6};
CREATE TEMP VIEW routing AS SELECT * FROM temp.routing_{6};
CREATE TEMP VIEW importance AS SELECT * FROM temp.importance_{6};
CREATE TEMP TABLE counts AS SELECT d.domain, e.layer, e.expert, coalesce(s.n, 0) AS n,
  coalesce(s.n_important, 0) AS n_important, coalesce(s.n_unimportant, 0) AS n_unimportant
  FROM domains AS d CROSS JOIN experts AS e LEFT JOIN (SELECT domain, layer, expert, sum(n) AS n,
  sum(n_important) AS n_important, sum(n_unimportant) AS n_unimportant FROM routing GROUP BY 1, 2, 3) AS s
  ON s.domain = d.domain AND s.layer = e.layer AND s.expert = e.expert;)",
      spec.layers, layers.size(), spec.router.experts, spec.router.top_k, fmt::join(layers, ","),
      fmt::join(runs, ","), secret));
  database.run("INSERT INTO temp.target VALUES (?1)", scope.target);
  database.execute("PRAGMA query_only = ON");
}

// What the documented tables are made of.
constexpr std::array<std::string_view, 3> kSources = {"discovery_run", "routing_count", "token_importance"};

bool is_among(std::span<const std::string_view> names, const char* name) {
  return name != nullptr && std::find(names.begin(), names.end(), name) != names.end();
}

// Lets a query read the documented tables and nothing else: no answer to a test question can slip into a
// score, and no other run's counts.
int authorize(void* data, int action, const char* first, const char* column, const char* schema,
              const char* reader) {
  if (action == SQLITE_SELECT || action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE) return SQLITE_OK;
  if (action == SQLITE_PRAGMA && std::string_view(first) == "query_only") return SQLITE_OK;
  auto& [secret, why] = *static_cast<Guard*>(data);
  if (action != SQLITE_READ) {
    why = "it does more than read";
    return SQLITE_DENY;
  }
  if (schema != nullptr && std::string_view(schema) == "temp") return SQLITE_OK;
  const bool is_view = reader != nullptr && std::string_view(reader).ends_with("_" + secret);
  if (is_view && is_among(kSources, first)) return SQLITE_OK;
  // Counting rows reads no column, and SQLite does not say then who asks.
  const bool counts = std::string_view(column).empty();
  if (counts && (is_among(kTables, first) || is_among(kSources, first))) return SQLITE_OK;
  why = fmt::format("it reads '{}'", first);
  return SQLITE_DENY;
}

// Runs the query on a connection of its own, whose tables end with it.
store::Table run_query(Store reader, const SqlScore& score, const SqlScope& scope,
                       const model::ModelSpec& spec) {
  Guard guard{draw_secret(), ""};
  try {
    create_tables(reader.database(), scope, spec, guard.secret);
    sqlite3_set_authorizer(reader.database().handle(), &authorize, &guard);
    return reader.query(score.text);
  } catch (const StoreError& problem) {
    if (guard.refused.empty()) throw ConfigError("{}: {}", score.file.string(), problem.what());
    throw ConfigError("{}: a score's query is one SELECT from {}; {}", score.file.string(),
                      fmt::join(kTables, ", "), guard.refused);
  }
}

void require_columns(const SqlScore& score, const store::Table& table) {
  for (const std::string_view wanted : kScoreColumns)
    if (std::count(table.columns.begin(), table.columns.end(), wanted) != 1)
      throw ConfigError("{}: the query must give the columns layer, expert and score, one each; it gives {}",
                        score.file.string(), fmt::join(table.columns, ", "));
}

// Reads the rows of a query's table, each by its number from 1.
class RowReader {
 public:
  RowReader(const SqlScore& score, const store::Table& table) : score_(score), table_(table) {
    for (std::size_t c = 0; c < kScoreColumns.size(); ++c)
      columns_[c] = static_cast<std::size_t>(
          std::find(table.columns.begin(), table.columns.end(), kScoreColumns[c]) - table.columns.begin());
  }

  discovery::RankedExpert read(std::size_t row) const {
    return {{index(row, 0), index(row, 1)}, number(row, 2)};
  }

  [[noreturn]] void fail(std::size_t row, const std::string& problem) const {
    throw ConfigError("{}: row {} of the result: {}", score_.file.string(), row + 1, problem);
  }

 private:
  double number(std::size_t row, std::size_t column) const {
    const auto& value = table_.rows[row][columns_[column]];
    if (!value)
      fail(row, fmt::format("{} is NULL (a division by zero gives that, too)", kScoreColumns[column]));
    double number = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    const bool is_read = error == std::errc() && end == value->data() + value->size();
    if (!table_.is_number[row][columns_[column]] || !is_read || !std::isfinite(number))
      fail(row, fmt::format("{} is '{}', which is no finite number", kScoreColumns[column], *value));
    return number;
  }

  std::int64_t index(std::size_t row, std::size_t column) const {
    const double value = number(row, column);
    if (value != std::floor(value) || std::abs(value) > 1e9)
      fail(row, fmt::format("{} is {}, which is no index", kScoreColumns[column], value));
    return static_cast<std::int64_t>(value);
  }

  const SqlScore& score_;
  const store::Table& table_;
  std::array<std::size_t, 3> columns_{};
};

void require_expert(const RowReader& reader, std::size_t row, const steering::ExpertId& id,
                    const model::ModelSpec& spec) {
  if (id.layer < 0 || id.layer >= spec.layers)
    reader.fail(row, fmt::format("layer {}, but the model has layers 0 to {}", id.layer, spec.layers - 1));
  if (!spec.is_moe_layer[static_cast<std::size_t>(id.layer)])
    reader.fail(row, fmt::format("layer {} is dense and has no experts", id.layer));
  if (id.expert < 0 || id.expert >= spec.router.experts)
    reader.fail(
        row, fmt::format("expert {}, but a layer has experts 0 to {}", id.expert, spec.router.experts - 1));
}

}  // namespace

std::string SqlScore::name() const {
  return fmt::format("sql/{}@{}", file.stem().string(), digest.substr(0, 8));
}

SqlScore read_sql_score(const std::filesystem::path& file) {
  SqlScore score{file, read_text(file), ""};
  score.digest = sha256(score.text);
  Store empty = Store::open(":memory:", store::Mode::read_write_create);
  require_columns(score, run_query(std::move(empty), score, {}, {}));
  return score;
}

std::vector<discovery::RankedExpert> sql_ranking(const std::filesystem::path& database, const SqlScore& score,
                                                 const SqlScope& scope, const model::ModelSpec& spec) {
  const store::Table table = run_query(Store::open(database, store::Mode::read_only), score, scope, spec);
  require_columns(score, table);
  if (table.rows.empty())
    throw ConfigError("{}: the query gives no row for the domain '{}'", score.file.string(), scope.target);
  const RowReader reader(score, table);
  std::vector<discovery::RankedExpert> ranking;
  std::set<steering::ExpertId> seen;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    ranking.push_back(reader.read(row));
    const steering::ExpertId& id = ranking.back().id;
    require_expert(reader, row, id, spec);
    if (!seen.insert(id).second)
      reader.fail(row, fmt::format("layer {}, expert {} is there twice", id.layer, id.expert));
  }
  std::sort(ranking.begin(), ranking.end(), [](const auto& a, const auto& b) {
    return a.value > b.value || (a.value == b.value && a.id < b.id);
  });
  return ranking;
}

}  // namespace moelab::experiments
