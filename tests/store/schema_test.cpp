#include "core/store/schema.h"

#include <array>
#include <fstream>

#include "core/base/files.h"
#include "core/store/store.h"
#include "tests/store/fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::store;
using Catch::Matchers::ContainsSubstring;
using testing::ScratchDir;

TEST_CASE("a new database gets every table of the design, all of them strict", "[store]") {
  ScratchDir dir;
  Store store = Store::open(dir / "results/new.db", Mode::read_write_create);
  for (const char* table : {"meta",
                            "study",
                            "model",
                            "question",
                            "split",
                            "discovery_run",
                            "token_importance",
                            "routing_count",
                            "expert_score",
                            "plan",
                            "plan_entry",
                            "cell",
                            "study_cell",
                            "sample",
                            "verdict",
                            "effect_stat",
                            "selection",
                            "comparison",
                            "training_run",
                            "training_step",
                            "published",
                            "event"}) {
    INFO(table);
    const Table found =
        store.query(fmt::format("SELECT strict FROM pragma_table_list WHERE name = '{}'", table));
    REQUIRE(found.rows.size() == 1);
    CHECK(found.rows[0][0] == "1");
  }
  CHECK(store.database().find<std::string>("PRAGMA journal_mode") == "wal");
  CHECK(store.query("PRAGMA synchronous").rows[0][0] == "1");  // NORMAL
  CHECK(store.query("PRAGMA foreign_keys").rows[0][0] == "1");
  CHECK(store.query("PRAGMA foreign_key_check").rows.empty());
}

TEST_CASE("every view can be read", "[store]") {
  ScratchDir dir;
  Store store = Store::open(dir / "new.db", Mode::read_write_create);
  const Table views = store.query("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name");
  std::vector<std::string> names;
  for (const auto& row : views.rows) {
    names.push_back(*row[0]);
    CHECK(store.query("SELECT * FROM " + *row[0]).rows.empty());
  }
  CHECK(names == std::vector<std::string>{"accuracy_by_cell", "gain_over_original", "judged_sample",
                                          "latest_verdict", "selected_cell", "thinking_tokens", "transfer"});
}

TEST_CASE("every foreign key that is followed backwards has an index", "[store]") {
  // Children are looked up by these columns (a study's cells, a cell's samples ...). Questions, models and
  // studies are never deleted, so the big tables spare an index on them.
  ScratchDir dir;
  Store store = Store::open(dir / "new.db", Mode::read_write_create);
  const std::vector<std::pair<std::string, std::string>> looked_up = {
      {"split", "study"},        {"token_importance", "run"},
      {"routing_count", "run"},  {"expert_score", "run"},
      {"plan", "run"},           {"plan_entry", "plan"},
      {"cell", "model"},         {"cell", "plan"},
      {"study_cell", "study"},   {"study_cell", "cell"},
      {"sample", "cell"},        {"verdict", "sample"},
      {"effect_stat", "cell"},   {"selection", "study"},
      {"selection", "chosen"},   {"comparison", "study"},
      {"training_step", "run"},  {"event", "study"},
      {"discovery_run", "model"}};
  for (const auto& [table, column] : looked_up) {
    INFO(table << "." << column);
    const Table plan =
        store.query(fmt::format("EXPLAIN QUERY PLAN SELECT * FROM {} WHERE {} = 1", table, column));
    CHECK_THAT(plan.rows[0][3].value_or(""), ContainsSubstring("SEARCH"));
  }
}

TEST_CASE("a database of a newer schema is refused with both versions", "[store]") {
  ScratchDir dir;
  const auto path = dir / "newer.db";
  Store::open(path, Mode::read_write_create).database().run("UPDATE meta SET schema_version = 99");
  for (const Mode mode : {Mode::read_write_create, Mode::read_only}) {
    REQUIRE_THROWS_WITH(
        Store::open(path, mode),
        ContainsSubstring(path.string()) && ContainsSubstring("version 99, this program knows up to 4"));
  }
}

TEST_CASE("an older schema is migrated once, in one piece, and keeps its rows", "[store]") {
  ScratchDir dir;
  const auto path = dir / "older.db";
  {
    Store store = Store::open(path, Mode::read_write_create);
    store.add_event(std::nullopt, "note", "before");
    store.database().run("UPDATE meta SET schema_version = 1");  // the steps below start there
  }
  const std::array<std::string_view, 2> steps = {
      "ALTER TABLE event ADD COLUMN host TEXT NOT NULL DEFAULT 'here'",
      "CREATE TABLE extra (x INTEGER) STRICT; INSERT INTO extra VALUES (7)"};

  SECTION("a good migration") {
    for (int again = 0; again < 2; ++again) {
      Database database(path, Mode::read_write_create);
      prepare_schema(database, steps);
      CHECK(database.find<std::int64_t>("SELECT schema_version FROM meta") == 3);
      CHECK(database.find<std::string>("SELECT text || host FROM event") == "beforehere");
      CHECK(database.find<std::int64_t>("SELECT count(*) FROM extra") == 1);
    }
  }
  SECTION("a migration that fails half way changes nothing") {
    const std::array<std::string_view, 2> broken = {steps[0], "ALTER TABLE nowhere ADD COLUMN x TEXT"};
    Database database(path, Mode::read_write_create);
    REQUIRE_THROWS_WITH(prepare_schema(database, broken),
                        ContainsSubstring("from version 2 to 3") && ContainsSubstring("nothing was changed"));
    CHECK(database.find<std::int64_t>("SELECT schema_version FROM meta") == 1);
    CHECK(database.find<std::int64_t>(
              "SELECT count(*) FROM pragma_table_info('event') WHERE name = 'host'") == 0);
  }
  SECTION("read-only it is refused") {
    Database database(path, Mode::read_only);
    REQUIRE_THROWS_WITH(
        prepare_schema(database, steps),
        ContainsSubstring("version 1, this program needs 3") && ContainsSubstring("moelab run"));
  }
}

TEST_CASE("a file of schema version 1 keeps its rows and gets the columns of a new file", "[store]") {
  ScratchDir dir;
  const auto path = dir / "version_1.db";
  {
    Database database(path, Mode::read_write_create);
    database.execute("PRAGMA application_id = 1836017004");  // "moel"
    database.execute(read_text(testing::data_dir() / "store" / "schema_1.sql"));
    database.execute(
        "INSERT INTO meta VALUES (1, '2026-01-01T00:00:00.000Z');"
        "INSERT INTO study VALUES (1, 's', '{}', 'h', 'crossfit', '0', '{}', 'cpu', '', NULL);"
        "INSERT INTO model VALUES (1, 'm', 'tiny', '', '', '{}', '');"
        "INSERT INTO cell VALUES (1, 'k', 'c', 1, 'b', 'd', NULL, 'dsmoe', 2, 3, '', 0, 'd', 'done', 4, 1, "
        "9, '', "
        "'{}');"
        "INSERT INTO question VALUES (1, 'b', 'q', 'g', 'd', '', 't', 'x', '[\"1\",\"2\"]', 'B', 2, NULL);"
        "INSERT INTO sample VALUES (1, 1, 1, 0, 'k', 9, 0, 2, 1, 0, 'eos', 1, 'B it is', NULL);"
        "INSERT INTO verdict VALUES (1, 'e', 1, 'B', 'r', 1, 0);"
        "INSERT INTO effect_stat VALUES (1, 0, 10, 20, 4, 0.5, 6, 'acted');"
        "INSERT INTO comparison (study, model, benchmark, domain, method, draw, steered_domain, evaluator, "
        "protocol, "
        "n, accuracy_original, accuracy, wrong_right, right_wrong, gain, n_null, settings) VALUES "
        "(1, 1, 'b', 'd', 'dsmoe', 0, 'd', 'e', 'crossfit', 8, 0.5, 0.75, 3, 1, 0.25, 0, '{}');");
  }
  REQUIRE_THROWS_WITH(Store::open(path, Mode::read_only),
                      ContainsSubstring("version 1, this program needs 4"));
  Store store = Store::open(path, Mode::read_write_create);
  CHECK(store.database().find<std::int64_t>("SELECT schema_version FROM meta") == 4);
  CHECK(store.database().find<std::int64_t>("SELECT count(*) FROM question_plan_entry") == 0);
  REQUIRE(store.samples(1).size() == 1);
  CHECK(store.samples(1)[0].output == "B it is");
  CHECK_FALSE(store.samples(1)[0].option_order.has_value());
  CHECK(store.database().find<std::string>("SELECT gold || reply FROM judged_sample") == "BB it is");
  REQUIRE(store.comparisons(1).size() == 1);
  CHECK(store.comparisons(1)[0].gain == 0.25);
  CHECK_FALSE(store.comparisons(1)[0].specificity.has_value());
  REQUIRE(store.effects(1).size() == 1);
  CHECK_FALSE(store.effects(1)[0].dose.has_value());
  // A cell that is gone on with has no dose either: a part of its rows was never measured.
  const EffectRow rest = {1, 0, 10, 20, 4, 0.5, 6, "acted", 0.25};
  store.add_effects(std::span(&rest, 1));
  CHECK(store.effects(1)[0].rows == 20);
  CHECK_FALSE(store.effects(1)[0].dose.has_value());
  Store fresh = Store::open(dir / "new.db", Mode::read_write_create);
  const std::string columns =
      "SELECT m.name, t.cid, t.name, t.type, t.\"notnull\", t.pk FROM sqlite_schema AS m, "
      "pragma_table_info(m.name) AS t WHERE m.type IN ('table', 'view') ORDER BY m.name, t.cid";
  CHECK((store.query(columns).rows == fresh.query(columns).rows));
}

TEST_CASE("files that are not moelab's are refused and left as they are", "[store]") {
  ScratchDir dir;
  SECTION("a text file") {
    const auto path = dir / "notes.db";
    std::ofstream(path) << std::string(5000, 'x');
    for (const Mode mode : {Mode::read_write_create, Mode::read_only}) {
      REQUIRE_THROWS_WITH(Store::open(path, mode),
                          ContainsSubstring(path.string()) && ContainsSubstring("no SQLite database"));
    }
    CHECK(std::filesystem::file_size(path) == 5000);
  }
  SECTION("another program's database") {
    const auto path = dir / "other.db";
    Database(path, Mode::read_write_create).execute("CREATE TABLE theirs (x)");
    REQUIRE_THROWS_WITH(Store::open(path, Mode::read_write_create), ContainsSubstring("another program's"));
    Database database(path, Mode::read_only);
    CHECK(database.find<std::string>("PRAGMA journal_mode") == "delete");
    CHECK(database.find<std::int64_t>("SELECT count(*) FROM sqlite_schema") == 1);
  }
  SECTION("no file at all, read-only") {
    const auto path = dir / "absent.db";
    REQUIRE_THROWS_WITH(Store::open(path, Mode::read_only),
                        ContainsSubstring(path.string()) && ContainsSubstring("run a study first"));
    CHECK_FALSE(std::filesystem::exists(path));
  }
  SECTION("an empty file, read-only") {
    const auto path = dir / "empty.db";
    std::ofstream(path).flush();
    REQUIRE_THROWS_WITH(Store::open(path, Mode::read_only), ContainsSubstring("empty"));
  }
  SECTION("a folder") { REQUIRE_THROWS_AS(Store::open(dir.path(), Mode::read_write_create), StoreError); }
  SECTION("a folder that cannot be made") {
    std::ofstream(dir / "file") << "x";
    REQUIRE_THROWS_WITH(Store::open(dir / "file/results.db", Mode::read_write_create),
                        ContainsSubstring("folder"));
  }
}
