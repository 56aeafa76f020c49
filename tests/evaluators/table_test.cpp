#include "evaluators/data/table.h"

#include <array>
#include <fstream>

#include "core/base/files.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::data {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::ScratchDir;

Table read_written(const std::string& name, const std::string& content, const ReadLimits& limits = {}) {
  const ScratchDir folder;
  std::ofstream(folder / name, std::ios::binary) << content;
  return read_table(folder / name, limits);
}

std::string table_error(const std::string& name, const std::string& content, const ReadLimits& limits = {}) {
  try {
    read_written(name, content, limits);
  } catch (const FileError& problem) {
    return problem.what();
  }
  return "no error";
}

std::filesystem::path set_file(const std::string& name) { return testing::data_dir() / "sets" / name; }

// What pyarrow, or Python's csv, reads out of the same file.
Json expected_rows(const std::string& name) {
  return read_json(set_file("tables.json")).at("tables").at(name);
}

}  // namespace

TEST_CASE("CSV is read as RFC 4180 writes it", "[evaluators]") {
  const Table table = read_written("a.csv",
                                   "\xEF\xBB\xBF"
                                   "id,question\r\n"
                                   "1,\"a, \"\"b\"\"\r\nc\"\r\n"
                                   "\r\n"
                                   "2,\r\n"
                                   "\"3\",plain");
  CHECK(table.columns == std::vector<std::string>{"id", "question"});
  REQUIRE(table.rows.size() == 3);
  CHECK(text_value(table, 0, "question") == "a, \"b\"\r\nc");
  CHECK(text_value(table, 1, "question").empty());
  CHECK(integer_value(table, 2, "id") == 3);
  CHECK(table.where(1).ends_with("a.csv: row 2"));
}

TEST_CASE("A CSV file of Python's csv module is read as that module reads it", "[evaluators]") {
  const Table table = read_table(set_file("gpqa.csv"));
  const Json expected = expected_rows("gpqa.csv");
  REQUIRE(table.rows.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(table.rows[i] == expected[i]);
}

TEST_CASE("Damaged CSV is refused with the row", "[evaluators]") {
  CHECK_THAT(table_error("a.csv", "a,b\n1,2\n\"3"),
             ContainsSubstring("row 2") && ContainsSubstring("cut short"));
  CHECK_THAT(table_error("a.csv", "a,b\n1,2\n3"),
             ContainsSubstring("row 2: has 1 fields, the header has 2") && ContainsSubstring("cut short"));
  CHECK_THAT(table_error("a.csv", "a,b\n1,2,3\n4,5\n"), ContainsSubstring("row 1: has 3 fields"));
  CHECK_THAT(table_error("a.csv", "a,b\n\"1\"x,2\n"), ContainsSubstring("row 1: text follows the quote"));
  CHECK_THAT(table_error("a.csv", "a,b\n1\"x,2\n"), ContainsSubstring("row 1: a quote stands inside"));
  CHECK_THAT(table_error("a.csv", "a,a\n1,2\n"), ContainsSubstring("'a' is there twice"));
  CHECK_THAT(table_error("a.csv", "a,b\n"), ContainsSubstring("no row"));
}

TEST_CASE("JSONL and JSON give rows with their places", "[evaluators]") {
  const Table lines = read_written("a.jsonl", "{\"a\": 1}\n\n{\"b\": [\"x\", \"y\"]}");
  CHECK(lines.columns == std::vector<std::string>{"a", "b"});
  CHECK(lines.where(1).ends_with("a.jsonl:3"));
  CHECK(texts_value(lines, 1, "b") == std::vector<std::string>{"x", "y"});
  const Table array = read_written("a.json", " [{\"a\": \"12\"}, {\"a\": 7}]\n");
  CHECK(integer_value(array, 0, "a") == 12);
  CHECK(array.where(1).ends_with("a.json: row 2"));
  CHECK_THROWS_WITH(text_value(array, 1, "a"), ContainsSubstring("row 2: 'a' is a number"));
  CHECK_THROWS_WITH(text_value(lines, 1, "a"), ContainsSubstring("a.jsonl:3: the column 'a' is missing"));
  CHECK_THROWS_WITH(texts_value(array, 1, "a"), ContainsSubstring("list of texts"));
}

TEST_CASE("Damaged JSONL and JSON are refused with the place", "[evaluators]") {
  CHECK_THAT(table_error("a.jsonl", "{\"a\": 1}\n{\"a\": "),
             ContainsSubstring("a.jsonl:2") && ContainsSubstring("cut short"));
  CHECK_THAT(table_error("a.jsonl", "{\"a\": \n{}\n"),
             ContainsSubstring("a.jsonl:1") && !ContainsSubstring("cut short"));
  CHECK_THAT(table_error("a.jsonl", "[1]\n"), ContainsSubstring("a.jsonl:1: is a array"));
  CHECK_THAT(table_error("a.json", "[{\"a\": 1}, {\"a\""), ContainsSubstring("cut short"));
  CHECK_THAT(table_error("a.json", "{\"a\": 1}"), ContainsSubstring(".jsonl"));
  CHECK_THAT(table_error("a.json", "[1]"), ContainsSubstring("row 1"));
}

TEST_CASE("Other encodings, endings and sizes are refused", "[evaluators]") {
  CHECK_THAT(table_error("a.jsonl", "{\"a\": \"\xC3\xA9\"}\n{\"a\": \"\xE9\"}\n"),
             ContainsSubstring("a.jsonl:2") && ContainsSubstring("not UTF-8"));
  CHECK_THAT(table_error("a.csv", "\xFF\xFE"), ContainsSubstring("UTF-16"));
  CHECK_THAT(table_error("a.jsonl.gz", "x"), ContainsSubstring("'.gz'"));
  CHECK_THAT(table_error("a.jsonl", "{}\n{}\n", {.rows = 1}), ContainsSubstring("more than 1 rows"));
  CHECK_THAT(table_error("a.jsonl", "{}\n{}\n", {.file_bytes = 3}), ContainsSubstring("6 bytes"));
  CHECK_THROWS_WITH(read_table("/nowhere/a.csv"), ContainsSubstring("no such file"));
}

TEST_CASE("Missing columns are named beside those that are there", "[evaluators]") {
  const Table table = read_written("a.csv", "id,text\n1,x\n");
  const std::array<std::string_view, 2> wanted = {"id", "question"};
  CHECK_THROWS_WITH(require_columns(table, wanted),
                    ContainsSubstring("lacks the columns 'question'; it has 'id', 'text'"));
}

TEST_CASE("Parquet files are read as pyarrow reads them", "[evaluators]") {
  if (!reads_parquet()) {
    CHECK_THROWS_WITH(read_table(set_file("kinds.parquet")),
                      ContainsSubstring("MOELAB_PARQUET=ON") && ContainsSubstring("parquet_to_jsonl.py"));
    return;
  }
  const std::string file = GENERATE("kinds.parquet", "mmlu.parquet", "maxwell_jia.parquet");
  const Table table = read_table(set_file(file));
  const Json expected = expected_rows(file);
  REQUIRE(table.rows.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(table.rows[i] == expected[i]);
}

TEST_CASE("Parquet files that are cut short, damaged or unfold without end are refused", "[evaluators]") {
  if (!reads_parquet()) return;
  const std::string good = read_text(set_file("mmlu.parquet"));
  CHECK_THAT(table_error("a.parquet", good.substr(0, good.size() - 20)), ContainsSubstring("cut short"));
  CHECK_THAT(table_error("a.parquet", "PAR1"), ContainsSubstring("cut short"));
  // Every byte of the pages and the footer turned over, one at a time: an error or a table, never worse.
  for (std::size_t i = 4; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = static_cast<char>(~bad[i]);
    INFO("byte " << i);
    const std::string problem = table_error("a.parquet", bad);
    CHECK((problem == "no error" || problem.find("a.parquet") != std::string::npos));
  }
  CHECK_THROWS_WITH(read_table(set_file("unfolds.parquet"), {.decoded_bytes = 8 << 20}),
                    ContainsSubstring("unpacks to more than 8388608 bytes"));
  CHECK(read_table(set_file("unfolds.parquet")).rows.size() == 1024);
}

}  // namespace moelab::data
