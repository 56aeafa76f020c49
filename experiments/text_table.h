// A table of texts, printed as aligned text, Markdown, LaTeX (booktabs) or CSV.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moelab::experiments {

enum class TableFormat { text, markdown, latex, csv };

// Throws ConfigError with the nearest valid name.
TableFormat parse_table_format(std::string_view name);

struct TableColumn {
  std::string name;
  bool is_left = false;  // aligned to the left: names; figures are aligned to the right
};

struct TableRow {
  std::vector<std::string> cells;  // as many as columns, unless it is a heading
  std::string heading{};           // not empty: a line over the whole width
};

struct TextTable {
  std::string title;
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
  std::vector<std::string> footers{};  // notes below the table; CSV has neither title, headings nor footers

  void add(std::vector<std::string> cells) { rows.push_back({std::move(cells)}); }
  void add_heading(std::string heading) { rows.push_back({{}, std::move(heading)}); }
};

std::string render(const TextTable& table, TableFormat format);

// Columns that a terminal needs for a UTF-8 text.
std::size_t display_width(std::string_view text);

// Cut to at most `width` columns, with "..." at the end where something is missing; line breaks become
// spaces.
std::string shortened(std::string_view text, std::size_t width);

// One CSV field, in quotes where RFC 4180 asks for them.
std::string csv_field(std::string_view text);

// --- figures as every table writes them ---

// A fraction in per cent with one decimal: 0.521 is "52.1".
std::string percent(double fraction);
// The same with a sign: "+5.2".
std::string points(double fraction);
// ".034", "<.001", "1.0"; "-" for NaN.
std::string p_text(double p);
// Two decimals, such as a correlation; "-" for NaN.
std::string two_decimals(double value);
// Up to six significant digits, without trailing zeros: 1.5, 10, 0.000123.
std::string number_text(double value);
// The same, and nothing for NaN.
std::string known_text(double value);

}  // namespace moelab::experiments
