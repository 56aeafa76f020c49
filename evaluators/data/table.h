// Tables of questions as they are published: JSONL, JSON, CSV and Parquet files as rows of named values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace moelab::data {

// What a file may cost, so that a damaged or hostile one ends in an error and not in a full memory.
struct ReadLimits {
  std::uint64_t file_bytes = std::uint64_t{4} << 30;     // of the file
  std::uint64_t decoded_bytes = std::uint64_t{1} << 30;  // of a Parquet file's values in memory
  std::size_t rows = 1'000'000;                          // of any file
};

struct Table {
  std::filesystem::path path;
  std::string format;                // jsonl, json, csv or parquet
  std::vector<std::string> columns;  // in the order of the file
  std::vector<Json> rows;            // objects; the values of CSV are texts
  std::vector<std::size_t> places;   // of each row: the line in JSONL, else the row, both counted from 1

  // "questions.jsonl:12", or "questions.csv: row 12".
  std::string where(std::size_t row) const;
};

// Reads a file by its ending: .jsonl, .json (an array of objects), .csv (RFC 4180 with a header line) or
// .parquet. Throws FileError naming the file and, where there is one, the row: another ending, a file that is
// cut short or beyond the limits, text that is not UTF-8, a line that is no object, a row of CSV with another
// number of fields than the header, a column name that is there twice, no row at all.
Table read_table(const std::filesystem::path& path, const ReadLimits& limits = {});

// Throws FileError naming the columns that the table lacks and those that it has.
void require_columns(const Table& table, std::span<const std::string_view> columns);

// Values of one row; each throws FileError naming row and column when it is missing, null or of another kind.
std::string text_value(const Table& table, std::size_t row, std::string_view column);
// An integer, or a text that is one.
std::int64_t integer_value(const Table& table, std::size_t row, std::string_view column);
// A list of texts, or (as CSV must have it) a text that is a JSON list of texts.
std::vector<std::string> texts_value(const Table& table, std::size_t row, std::string_view column);

// Whether this build reads Parquet.
bool reads_parquet();

}  // namespace moelab::data
