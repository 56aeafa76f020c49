// Store: opening, free SQL, checkpoints. The typed writes and reads are in store_*.cpp by topic.
#include "core/store/store.h"

#include <memory>

#include "core/store/schema.h"

namespace moelab::store {

namespace {

using Prepared = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Prepared prepare_query(Database& database, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(database.handle(), sql.c_str(), -1, &raw, &rest) != SQLITE_OK) {
    // The user's own SQL is at fault, mostly: SQLite's message says where.
    throw StoreError("{}: {}; in: {}", database.path().string(), sqlite3_errmsg(database.handle()), sql);
  }
  Prepared statement(raw, &sqlite3_finalize);
  if (raw == nullptr) throw StoreError("the query holds no SQL; try SELECT * FROM accuracy_by_cell");
  // What follows a first statement must be nothing but blanks, semicolons and comments.
  sqlite3_stmt* second = nullptr;
  const int code = sqlite3_prepare_v2(database.handle(), rest, -1, &second, nullptr);
  const Prepared tail(second, &sqlite3_finalize);
  if (code != SQLITE_OK || second != nullptr) throw StoreError("one statement at a time: {}", rest);
  // BEGIN, ATTACH and the like count as reading, but give no columns.
  if (sqlite3_stmt_readonly(raw) == 0 || sqlite3_column_count(raw) == 0) {
    throw StoreError("a query only reads, and this would change the database: {}", sql);
  }
  return statement;
}

std::optional<std::string> value_text(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      return std::nullopt;
    case SQLITE_BLOB:
      return fmt::format("<{} bytes>", sqlite3_column_bytes(row, column));
    default: {
      const unsigned char* text = sqlite3_column_text(row, column);
      return std::string(reinterpret_cast<const char*>(text),
                         static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
    }
  }
}

// Keeps a writing connection from changing anything while it lives.
class QueryOnly {
 public:
  explicit QueryOnly(Database& database) : database_(&database) {
    database.execute("PRAGMA query_only = ON");
  }
  ~QueryOnly() {
    if (database_->mode() == Mode::read_only) return;
    sqlite3_exec(database_->handle(), "PRAGMA query_only = OFF", nullptr, nullptr, nullptr);
  }
  QueryOnly(const QueryOnly&) = delete;
  QueryOnly& operator=(const QueryOnly&) = delete;

 private:
  Database* database_;
};

}  // namespace

Store Store::open(const std::filesystem::path& path, Mode mode, const DatabaseOptions& options) {
  Database database(path, mode, options);
  prepare_schema(database);
  return Store(std::move(database));
}

Table Store::query(const std::string& sql) {
  const QueryOnly guard(database_);
  const Prepared statement = prepare_query(database_, sql);
  Table table;
  const int columns = sqlite3_column_count(statement.get());
  for (int c = 0; c < columns; ++c) table.columns.emplace_back(sqlite3_column_name(statement.get(), c));
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    auto& row = table.rows.emplace_back();
    auto& is_number = table.is_number.emplace_back();
    for (int c = 0; c < columns; ++c) {
      // The type is read before the text: reading converts.
      const int type = sqlite3_column_type(statement.get(), c);
      is_number.push_back(type == SQLITE_INTEGER || type == SQLITE_FLOAT);
      row.push_back(value_text(statement.get(), c));
    }
  }
  if (code != SQLITE_DONE) throw_store_error(database_.handle(), database_.path(), sql);
  return table;
}

void Store::checkpoint() {
  // FULL waits for other writers, and syncs the log as well as the database.
  database_.execute("PRAGMA wal_checkpoint(FULL)");
}

}  // namespace moelab::store
