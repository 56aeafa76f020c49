// JSONL and JSON files as tables.
#include <algorithm>
#include <unordered_set>

#include "evaluators/data/table_readers.h"

namespace moelab::data {
namespace {

// Adds names that earlier rows did not have.
void add_columns(const Json& row, std::unordered_set<std::string>& seen, Table& table) {
  for (const auto& [name, value] : row.items())
    if (seen.insert(name).second) table.columns.push_back(name);
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

Json parse_line(std::string_view line, const std::string& where, bool is_unended) {
  try {
    return parse_json(line, where);
  } catch (const FileError& problem) {
    if (is_unended) throw FileError("{}; the last line has no end: the file looks cut short", problem.what());
    throw;
  }
}

}  // namespace

void read_json_lines(std::string_view text, const ReadLimits& limits, Table& table) {
  std::unordered_set<std::string> seen;
  std::size_t number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    ++number;
    start = end + 1;
    if (is_blank(line)) continue;
    const std::string where = fmt::format("{}:{}", table.path.string(), number);
    Json row = parse_line(line, where, end == text.size());
    if (!row.is_object()) throw FileError("{}: is a {}, an object was expected", where, row.type_name());
    add_columns(row, seen, table);
    add_row(table, std::move(row), number, limits);
  }
}

void read_json_array(std::string_view text, const ReadLimits& limits, Table& table) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  Json rows;
  try {
    rows = parse_json(text, table.path.string());
  } catch (const FileError& problem) {
    if (last == std::string_view::npos || text[last] != ']')
      throw FileError("{}; it does not end in ']': the file looks cut short", problem.what());
    throw;
  }
  if (!rows.is_array())
    throw FileError(
        "{}: is a {}, an array of objects was expected (a file with an object a line ends in .jsonl)",
        table.path.string(), rows.type_name());
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_object())
      throw FileError("{}: row {}: is a {}, an object was expected", table.path.string(), i + 1,
                      rows[i].type_name());
    add_columns(rows[i], seen, table);
    add_row(table, std::move(rows[i]), i + 1, limits);
  }
}

}  // namespace moelab::data
