// CSV as RFC 4180 has it: quoted fields may hold commas, doubled quotes and line breaks.
#include <optional>

#include "evaluators/data/table_readers.h"

namespace moelab::data {
namespace {

// Cuts the text into records; one look at every byte.
class CsvScanner {
 public:
  CsvScanner(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  // The fields of the next record, or nothing at the end; empty lines are passed over.
  std::optional<std::vector<std::string>> next() {
    while (at_ < text_.size() && end_of_line() > 0) at_ += end_of_line();
    if (at_ >= text_.size()) return std::nullopt;
    ++record_;
    std::vector<std::string> fields;
    for (;;) {
      fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      at_ += at_ < text_.size() ? end_of_line() : 0;
      return fields;
    }
  }

  bool is_done() const { return at_ >= text_.size(); }

 private:
  // Bytes of the line end at the place of reading; 0 when there is none.
  std::size_t end_of_line() const {
    if (text_[at_] == '\n') return 1;
    if (text_[at_] != '\r') return 0;
    return at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
  }

  // The header is record 1 and no row.
  [[noreturn]] void fail(const char* text) const {
    if (record_ == 1) throw FileError("{}: header: {}", path_.string(), text);
    throw FileError("{}: row {}: {}", path_.string(), record_ - 1, text);
  }

  std::string plain() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && end_of_line() == 0) {
      if (text_[at_] == '"') fail("a quote stands inside a field that does not begin with one");
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted() {
    std::string field;
    for (++at_;; ++at_) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) fail("a quoted field is not closed: the file looks cut short");
      field += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (at_ >= text_.size() || text_[at_] != '"') break;
      field += '"';
    }
    if (at_ < text_.size() && text_[at_] != ',' && end_of_line() == 0)
      fail("text follows the quote that closes a field");
    return field;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
  std::size_t at_ = 0;
  std::size_t record_ = 0;
};

}  // namespace

void read_csv(std::string_view text, const ReadLimits& limits, Table& table) {
  CsvScanner scanner(text, table.path);
  auto header = scanner.next();
  if (!header) return;
  table.columns = std::move(*header);
  check_column_names(table);
  for (std::size_t number = 1; auto fields = scanner.next(); ++number) {
    if (fields->size() != table.columns.size())
      throw FileError(
          "{}: row {}: has {} fields, the header has {}{}", table.path.string(), number, fields->size(),
          table.columns.size(),
          scanner.is_done() && fields->size() < table.columns.size() ? ": the file looks cut short" : "");
    Json row = Json::object();
    for (std::size_t i = 0; i < fields->size(); ++i) row[table.columns[i]] = std::move((*fields)[i]);
    add_row(table, std::move(row), number, limits);
  }
}

}  // namespace moelab::data
