#include "evaluators/data/table.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "core/base/files.h"
#include "core/text/utf8.h"
#include "evaluators/data/table_readers.h"

namespace moelab::data {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void check_file(const Table& table, const ReadLimits& limits) {
  std::error_code problem;
  if (!std::filesystem::exists(table.path, problem))
    throw FileError("{}: there is no such file", table.path.string());
  if (std::filesystem::is_directory(table.path, problem))
    throw FileError("{}: is a directory, a file was expected", table.path.string());
  const auto size = std::filesystem::file_size(table.path, problem);
  if (problem) throw FileError("{}: cannot be read: {}", table.path.string(), problem.message());
  if (size > limits.file_bytes)
    throw FileError("{}: has {} bytes, at most {} are read", table.path.string(), size, limits.file_bytes);
}

// The row of a bad byte, as the format counts rows before it is parsed: lines.
void check_encoding(std::string_view text, const Table& table) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    throw FileError("{}: is UTF-16; convert it to UTF-8", table.path.string());
  const auto bad = text::first_invalid_utf8(text);
  if (!bad) return;
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*bad), '\n') + 1;
  throw FileError("{}:{}: byte {} of the file is not UTF-8; the file mixes encodings, or has another one",
                  table.path.string(), line, *bad);
}

const Json& value_of(const Table& table, std::size_t row, std::string_view column) {
  const auto found = table.rows.at(row).find(std::string(column));
  if (found == table.rows[row].end())
    throw FileError("{}: the column '{}' is missing", table.where(row), column);
  if (found->is_null()) throw FileError("{}: '{}' is empty (null)", table.where(row), column);
  return *found;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string Table::where(std::size_t row) const {
  if (format == "jsonl") return fmt::format("{}:{}", path.string(), places.at(row));
  return fmt::format("{}: row {}", path.string(), places.at(row));
}

void add_row(Table& table, Json row, std::size_t place, const ReadLimits& limits) {
  if (table.rows.size() >= limits.rows)
    throw FileError("{}: has more than {} rows", table.path.string(), limits.rows);
  table.rows.push_back(std::move(row));
  table.places.push_back(place);
}

void check_column_names(const Table& table) {
  std::set<std::string_view> seen;
  for (const std::string& column : table.columns) {
    if (column.empty()) throw FileError("{}: a column has no name", table.path.string());
    if (!seen.insert(column).second)
      throw FileError("{}: the column '{}' is there twice", table.path.string(), column);
  }
}

Table read_table(const std::filesystem::path& path, const ReadLimits& limits) {
  Table table;
  table.path = path;
  const std::string ending = path.extension().string();
  if (ending != ".jsonl" && ending != ".json" && ending != ".csv" && ending != ".parquet")
    throw FileError(
        "{}: ends in '{}'; .jsonl, .json, .csv and .parquet are read, a packed file must be unpacked",
        path.string(), ending);
  check_file(table, limits);
  table.format = ending.substr(1);
  if (table.format == "parquet") {
    read_parquet(limits, table);
  } else {
    const std::string content = read_text(path);
    std::string_view text = content;
    check_encoding(text, table);
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (table.format == "jsonl") read_json_lines(text, limits, table);
    if (table.format == "json") read_json_array(text, limits, table);
    if (table.format == "csv") read_csv(text, limits, table);
  }
  if (table.rows.empty()) throw FileError("{}: there is no row in it", path.string());
  return table;
}

void require_columns(const Table& table, std::span<const std::string_view> columns) {
  std::vector<std::string_view> missing;
  for (const std::string_view column : columns)
    if (std::find(table.columns.begin(), table.columns.end(), column) == table.columns.end())
      missing.push_back(column);
  if (!missing.empty())
    throw FileError("{}: lacks the columns '{}'; it has '{}'", table.path.string(),
                    fmt::join(missing, "', '"), fmt::join(table.columns, "', '"));
}

std::string text_value(const Table& table, std::size_t row, std::string_view column) {
  const Json& value = value_of(table, row, column);
  if (!value.is_string())
    throw FileError("{}: '{}' is a {}, a text was expected", table.where(row), column, value.type_name());
  return value.get<std::string>();
}

std::int64_t integer_value(const Table& table, std::size_t row, std::string_view column) {
  const Json& value = value_of(table, row, column);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_string())
    if (const auto parsed = parse_integer(value.get_ref<const std::string&>())) return *parsed;
  throw FileError("{}: '{}' is a {} that is no integer", table.where(row), column, value.type_name());
}

std::vector<std::string> texts_value(const Table& table, std::size_t row, std::string_view column) {
  const Json& value = value_of(table, row, column);
  const Json list =
      value.is_string() ? parse_json(value.get_ref<const std::string&>(), table.where(row)) : value;
  std::vector<std::string> texts;
  for (const Json& entry : list) {
    if (!list.is_array() || !entry.is_string()) break;
    texts.push_back(entry.get<std::string>());
  }
  if (!list.is_array() || texts.size() != list.size())
    throw FileError("{}: '{}' is a {}, a list of texts was expected", table.where(row), column,
                    value.type_name());
  return texts;
}

}  // namespace moelab::data
