#include "core/store/schema.h"

#include <array>

namespace moelab::store {

const std::string_view schema_sql =
#include "core/store/schema_sql.inc"
    ;

namespace {

// "moel" in ASCII, in the file's header: tells moelab's databases from other programs'.
constexpr std::int64_t application_id = 0x6d6f656c;

bool is_empty(Database& database) {
  return *database.find<std::int64_t>("SELECT count(*) FROM sqlite_schema") == 0;
}

void refuse_foreign(Database& database) {
  if (database.find<std::int64_t>("PRAGMA application_id") == application_id) return;
  throw StoreError("{}: this is another program's SQLite database; name another file with db=FILE",
                   database.path().string());
}

void create(Database& database, std::int64_t version) {
  database.execute(fmt::format("PRAGMA application_id = {}", application_id));
  database.execute(std::string(schema_sql));
  database.run(
      "INSERT INTO meta (schema_version, created) VALUES (?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
      version);
}

void migrate(Database& database, std::int64_t from, std::span<const std::string_view> steps) {
  for (std::size_t step = static_cast<std::size_t>(from) - 1; step < steps.size(); ++step) {
    try {
      database.execute(std::string(steps[step]));
    } catch (const StoreError& problem) {
      throw StoreError("{} (bringing the schema from version {} to {}; nothing was changed)", problem.what(),
                       step + 1, step + 2);
    }
  }
  database.run("UPDATE meta SET schema_version = ?1", static_cast<std::int64_t>(steps.size() + 1));
}

std::int64_t stored_version(Database& database) {
  const auto version = database.find<std::int64_t>("SELECT schema_version FROM meta");
  if (!version || *version < 1) {
    throw StoreError("{}: the table meta holds no schema version; restore a copy of the file",
                     database.path().string());
  }
  return *version;
}

void refuse_newer(Database& database, std::int64_t version, std::int64_t newest) {
  if (version <= newest) return;
  throw StoreError(
      "{}: its schema has version {}, this program knows up to {}; use a newer moelab or another db=FILE",
      database.path().string(), version, newest);
}

}  // namespace

std::span<const std::string_view> migrations() {
  static constexpr std::array<std::string_view, 3> steps = {
      // 2: specificity and dose.
      "ALTER TABLE effect_stat ADD COLUMN dose REAL;"
      "ALTER TABLE comparison ADD COLUMN specificity REAL;"
      "ALTER TABLE comparison ADD COLUMN specificity_lo REAL;"
      "ALTER TABLE comparison ADD COLUMN specificity_hi REAL;"
      "ALTER TABLE comparison ADD COLUMN p_specific REAL;"
      "ALTER TABLE comparison ADD COLUMN p_labels REAL;"
      "ALTER TABLE comparison ADD COLUMN dose REAL;",
      // 3: options in an order of the sample's own, prompts that ask twice, and the similarity of experts.
      R"sql(ALTER TABLE sample ADD COLUMN option_order TEXT;
ALTER TABLE sample ADD COLUMN reply_at INTEGER;
CREATE VIEW judged_sample AS
SELECT s.id AS sample, s.cell, s.question, q.name, s.repeat, v.evaluator, v.version,
       CASE WHEN s.option_order IS NULL THEN q.gold ELSE char(64 + instr(s.option_order, q.gold)) END AS gold,
       v.answer, v.rule, v.correct, v.guessed,
       CASE WHEN s.reply_at IS NULL THEN s.output
            ELSE CAST(substr(CAST(s.output AS BLOB), s.reply_at + 1) AS TEXT) END AS reply
FROM latest_verdict AS v
JOIN sample AS s ON s.id = v.sample
JOIN question AS q ON q.id = s.question;
CREATE TABLE expert_similarity (
  run INTEGER NOT NULL REFERENCES discovery_run (id), layer INTEGER NOT NULL, first INTEGER NOT NULL,
  second INTEGER NOT NULL CHECK (second > first), similarity REAL NOT NULL, permuted REAL NOT NULL,
  PRIMARY KEY (run, layer, first, second)) STRICT, WITHOUT ROWID;)sql",
      // 4: plans that differ by question.
      R"sql(CREATE TABLE question_plan_entry (
  plan INTEGER NOT NULL REFERENCES plan (id), question INTEGER NOT NULL REFERENCES question (id),
  layer INTEGER NOT NULL, expert INTEGER NOT NULL, operation TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (plan, question, layer, expert, operation)) STRICT, WITHOUT ROWID;)sql"};
  return steps;
}

void prepare_schema(Database& database, std::span<const std::string_view> steps) {
  const auto newest = static_cast<std::int64_t>(steps.size() + 1);
  const bool empty = is_empty(database);
  if (!empty) refuse_foreign(database);
  if (database.mode() == Mode::read_only) {
    if (empty) throw StoreError("{}: the database is empty; run a study first", database.path().string());
    const std::int64_t version = stored_version(database);
    refuse_newer(database, version, newest);
    if (version < newest) {
      throw StoreError(
          "{}: its schema has version {}, this program needs {}; any command that writes, such as moelab "
          "run, brings it up to date",
          database.path().string(), version, newest);
    }
    return;
  }
  if (!empty) refuse_newer(database, stored_version(database), newest);
  // A commit writes whole pages to the log and a sample touches three: small pages halve what goes to the
  // disk.
  if (empty) database.execute("PRAGMA page_size = 2048");
  database.use_wal();
  if (!empty && stored_version(database) == newest) return;
  // Another process may have done it since: look again under the write lock.
  Transaction transaction(database);
  if (is_empty(database)) {
    create(database, newest);
  } else if (const std::int64_t version = stored_version(database); version < newest) {
    migrate(database, version, steps);
  }
  transaction.commit();
}

}  // namespace moelab::store
