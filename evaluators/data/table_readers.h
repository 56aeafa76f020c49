// The readers behind read_table, one a format, and what they share.
#pragma once

#include <string>
#include <string_view>

#include "evaluators/data/table.h"

namespace moelab::data {

// Each fills `columns`, `rows` and `places` from the file's text, which is UTF-8 without a byte order mark.
void read_json_lines(std::string_view text, const ReadLimits& limits, Table& table);
void read_json_array(std::string_view text, const ReadLimits& limits, Table& table);
void read_csv(std::string_view text, const ReadLimits& limits, Table& table);
// From the file itself. Throws FileError naming the build option where this build has no Parquet.
void read_parquet(const ReadLimits& limits, Table& table);

// Appends a row. Throws FileError when there are too many.
void add_row(Table& table, Json row, std::size_t place, const ReadLimits& limits);

// Throws FileError naming a name that is there twice, or is empty.
void check_column_names(const Table& table);

}  // namespace moelab::data
