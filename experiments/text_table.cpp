#include "experiments/text_table.h"

#include <fmt/ranges.h>
#include <utf8proc.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/config/nearest.h"
#include "core/text/utf8.h"

namespace moelab::experiments {

namespace {

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string padded(const std::string& text, std::size_t width, bool is_left) {
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return is_left ? text + space : space + text;
}

std::string trimmed_right(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::size_t> column_widths(const TextTable& table) {
  std::vector<std::size_t> widths;
  for (const TableColumn& column : table.columns) widths.push_back(display_width(column.name));
  for (const TableRow& row : table.rows) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row.cells[i]));
    }
  }
  return widths;
}

// The cells of one line, padded to the widths of their columns.
std::string text_line(const TextTable& table, const std::vector<std::string>& cells,
                      const std::vector<std::size_t>& widths) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    parts.push_back(padded(cells[i], widths[i], table.columns[i].is_left));
  }
  return trimmed_right(fmt::format("{}", fmt::join(parts, "  ")));
}

std::vector<std::string> column_names(const TextTable& table) {
  std::vector<std::string> names;
  for (const TableColumn& column : table.columns) names.push_back(column.name);
  return names;
}

std::string render_text(const TextTable& table) {
  const std::vector<std::size_t> widths = column_widths(table);
  std::vector<std::string> rules;
  for (const std::size_t width : widths) rules.emplace_back(width, '-');
  std::string text = table.title.empty() ? "" : fmt::format("{}\n", table.title);
  text += fmt::format("{}\n{}\n", text_line(table, column_names(table), widths), fmt::join(rules, "  "));
  for (const TableRow& row : table.rows) {
    text += row.heading.empty() ? text_line(table, row.cells, widths) : trimmed_right(row.heading);
    text += '\n';
  }
  for (const std::string& footer : table.footers) text += fmt::format("{}\n", footer);
  return text;
}

// The text with every character of `special` replaced by what `replacement` makes of it.
template <typename Replacement>
std::string escaped(std::string_view text, std::string_view special, Replacement replacement) {
  std::string result;
  for (const char letter : text) {
    if (special.find(letter) == std::string_view::npos) {
      result += letter;
    } else {
      result += replacement(letter);
    }
  }
  return result;
}

std::string markdown_cell(std::string_view text) {
  return escaped(text, "|\\*_`<\n",
                 [](char letter) { return letter == '\n' ? std::string(" ") : fmt::format("\\{}", letter); });
}

std::string render_markdown(const TextTable& table) {
  std::string text = table.title.empty() ? "" : fmt::format("**{}**\n\n", markdown_cell(table.title));
  std::string rule = "|";
  text += "|";
  for (const TableColumn& column : table.columns) {
    text += fmt::format(" {} |", markdown_cell(column.name));
    rule += column.is_left ? " --- |" : " ---: |";
  }
  text += fmt::format("\n{}\n", rule);
  for (const TableRow& row : table.rows) {
    text += "|";
    if (!row.heading.empty()) {
      text += fmt::format(" **{}** |", markdown_cell(row.heading)) + repeated(" |", table.columns.size() - 1);
    }
    for (const std::string& cell : row.cells) text += fmt::format(" {} |", markdown_cell(cell));
    text += "\n";
  }
  for (const std::string& footer : table.footers) text += fmt::format("\n{}\n", markdown_cell(footer));
  return text;
}

std::string latex_letter(char letter) {
  switch (letter) {
    case '\\':
      return "\\textbackslash{}";
    case '~':
      return "\\textasciitilde{}";
    case '^':
      return "\\textasciicircum{}";
    case '<':
      return "\\textless{}";
    case '>':
      return "\\textgreater{}";
    default:
      return fmt::format("\\{}", letter);
  }
}

std::string latex_cell(std::string_view text) { return escaped(text, "\\{}$&#%_~^<>", latex_letter); }

std::string latex_row(const std::vector<std::string>& cells) {
  std::vector<std::string> parts;
  for (const std::string& cell : cells) parts.push_back(latex_cell(cell));
  return fmt::format("{} \\\\\n", fmt::join(parts, " & "));
}

std::string render_latex(const TextTable& table) {
  std::string columns;
  for (const TableColumn& column : table.columns) columns += column.is_left ? 'l' : 'r';
  std::string text = table.title.empty() ? "" : fmt::format("% {}\n", table.title);
  text += fmt::format("\\begin{{tabular}}{{{}}}\n\\toprule\n{}\\midrule\n", columns,
                      latex_row(column_names(table)));
  for (const TableRow& row : table.rows) {
    text += row.heading.empty() ? latex_row(row.cells)
                                : fmt::format("\\multicolumn{{{}}}{{l}}{{{}}} \\\\\n", table.columns.size(),
                                              latex_cell(row.heading));
  }
  text += "\\bottomrule\n\\end{tabular}\n";
  for (const std::string& footer : table.footers) text += fmt::format("% {}\n", footer);
  return text;
}

std::string csv_row(const std::vector<std::string>& cells) {
  std::vector<std::string> parts;
  for (const std::string& cell : cells) parts.push_back(csv_field(cell));
  return fmt::format("{}\n", fmt::join(parts, ","));
}

std::string render_csv(const TextTable& table) {
  std::string text = csv_row(column_names(table));
  for (const TableRow& row : table.rows) {
    if (row.heading.empty()) text += csv_row(row.cells);
  }
  return text;
}

}  // namespace

TableFormat parse_table_format(std::string_view name) {
  if (name == "text") return TableFormat::text;
  if (name == "markdown") return TableFormat::markdown;
  if (name == "latex") return TableFormat::latex;
  if (name == "csv") return TableFormat::csv;
  throw ConfigError("unknown table format '{}'{}", name,
                    config::did_you_mean(name, {"text", "markdown", "latex", "csv"}));
}

std::string render(const TextTable& table, TableFormat format) {
  switch (format) {
    case TableFormat::markdown:
      return render_markdown(table);
    case TableFormat::latex:
      return render_latex(table);
    case TableFormat::csv:
      return render_csv(table);
    case TableFormat::text:
      break;
  }
  return render_text(table);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char letter = text::decode_utf8(text, at);
    width += letter.valid ? static_cast<std::size_t>(
                                std::max(0, utf8proc_charwidth(static_cast<utf8proc_int32_t>(letter.code))))
                          : 1;
    at += letter.length;
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  std::string line = escaped(text, "\n\r\t", [](char) { return ' '; });
  if (display_width(line) <= width) return line;
  std::size_t end = 0;
  while (end < line.size()) {
    const std::size_t next = end + text::decode_utf8(line, end).length;
    if (display_width(std::string_view(line).substr(0, next)) + 3 > width) break;
    end = next;
  }
  return fmt::format("{}...", line.substr(0, end));
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  return fmt::format("\"{}\"", escaped(text, "\"", [](char) { return "\"\""; }));
}

std::string percent(double fraction) {
  return std::isnan(fraction) ? "-" : fmt::format("{:.1f}", 100 * fraction);
}

std::string points(double fraction) {
  if (std::isnan(fraction)) return "-";
  const std::string text = fmt::format("{:+.1f}", 100 * fraction);
  return text == "-0.0" ? "+0.0" : text;
}

std::string p_text(double p) {
  if (std::isnan(p)) return "-";
  if (p < 0.001) return "<.001";
  const std::string text = fmt::format("{:.3f}", p);
  return text[0] == '0' ? text.substr(1) : "1";
}

std::string two_decimals(double value) {
  if (std::isnan(value)) return "-";
  const std::string text = fmt::format("{:.2f}", value);
  return text == "-0.00" ? "0.00" : text;
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

std::string known_text(double value) { return std::isnan(value) ? "" : number_text(value); }

}  // namespace moelab::experiments
