// Parquet files as tables, through Arrow's C++ libraries where the build has them.
#include "evaluators/data/table_readers.h"

#if MOELAB_PARQUET
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include <algorithm>

#include "core/text/utf8.h"
#endif

namespace moelab::data {

#if MOELAB_PARQUET

namespace {

[[noreturn]] void fail_parquet(const Table& table, std::string problem) {
  std::replace(problem.begin(), problem.end(), '\n', ' ');
  throw FileError("{}: the Parquet file is damaged or cut short ({})", table.path.string(), problem);
}

[[noreturn]] void fail_size(const Table& table, const ReadLimits& limits) {
  throw FileError(
      "{}: unpacks to more than {} bytes: no set of questions is that large, so the file is damaged or made "
      "to fill the memory",
      table.path.string(), limits.decoded_bytes);
}

void check_status(const arrow::Status& status, const Table& table, const ReadLimits& limits) {
  if (status.IsOutOfMemory()) fail_size(table, limits);
  if (!status.ok()) fail_parquet(table, status.ToString());
}

// Turns values into JSON and counts the bytes of text, which dictionaries can repeat without end.
class ValueReader {
 public:
  ValueReader(const Table& table, const ReadLimits& limits) : table_(table), limits_(limits) {}

  // `row` counts from 1.
  Json value(const arrow::Array& array, std::int64_t i, std::size_t row) {
    if (array.IsNull(i)) return nullptr;
    switch (array.type_id()) {
      case arrow::Type::STRING:
        return text(static_cast<const arrow::StringArray&>(array).GetView(i), row);
      case arrow::Type::LARGE_STRING:
        return text(static_cast<const arrow::LargeStringArray&>(array).GetView(i), row);
      case arrow::Type::INT8:
        return static_cast<const arrow::Int8Array&>(array).Value(i);
      case arrow::Type::INT16:
        return static_cast<const arrow::Int16Array&>(array).Value(i);
      case arrow::Type::INT32:
        return static_cast<const arrow::Int32Array&>(array).Value(i);
      case arrow::Type::INT64:
        return static_cast<const arrow::Int64Array&>(array).Value(i);
      case arrow::Type::DOUBLE:
        return static_cast<const arrow::DoubleArray&>(array).Value(i);
      case arrow::Type::BOOL:
        return static_cast<const arrow::BooleanArray&>(array).Value(i);
      case arrow::Type::LIST:
        return list(static_cast<const arrow::ListArray&>(array), i, row);
      case arrow::Type::LARGE_LIST:
        return list(static_cast<const arrow::LargeListArray&>(array), i, row);
      case arrow::Type::DICTIONARY: {
        const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
        return value(*coded.dictionary(), coded.GetValueIndex(i), row);
      }
      default:
        return other(array, i, row);
    }
  }

 private:
  Json text(std::string_view bytes, std::size_t row) {
    if (text::first_invalid_utf8(bytes))
      throw FileError("{}: row {}: a text is not UTF-8; the file mixes encodings", table_.path.string(), row);
    count(bytes.size());
    return std::string(bytes);
  }

  template <typename List>
  Json list(const List& lists, std::int64_t i, std::size_t row) {
    Json values = Json::array();
    count(static_cast<std::uint64_t>(lists.value_length(i)) * sizeof(Json));
    for (std::int64_t k = lists.value_offset(i); k < lists.value_offset(i) + lists.value_length(i); ++k)
      values.push_back(value(*lists.values(), k, row));
    return values;
  }

  // Kinds that no question needs (dates, structures, single floats) are kept as text.
  Json other(const arrow::Array& array, std::int64_t i, std::size_t row) {
    const auto scalar = array.GetScalar(i);
    if (!scalar.ok()) fail_parquet(table_, scalar.status().ToString());
    return text((*scalar)->ToString(), row);
  }

  void count(std::uint64_t bytes) {
    bytes_ += bytes;
    if (bytes_ > limits_.decoded_bytes) fail_size(table_, limits_);
  }

  const Table& table_;
  const ReadLimits& limits_;
  std::uint64_t bytes_ = 0;
};

// What the footer says, before anything is unpacked; a footer that lies meets the limit of the memory pool.
void check_footer(const parquet::FileMetaData& footer, const Table& table, const ReadLimits& limits) {
  if (footer.num_rows() < 0) fail_parquet(table, "a negative number of rows");
  if (static_cast<std::uint64_t>(footer.num_rows()) > limits.rows)
    throw FileError("{}: has {} rows, at most {} are read", table.path.string(), footer.num_rows(),
                    limits.rows);
  std::uint64_t bytes = 0;
  for (int group = 0; group < footer.num_row_groups(); ++group)
    bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(0, footer.RowGroup(group)->total_byte_size()));
  if (bytes > limits.decoded_bytes) fail_size(table, limits);
}

void add_rows(const arrow::Table& content, const ReadLimits& limits, Table& table) {
  for (const auto& field : content.schema()->fields()) table.columns.push_back(field->name());
  check_column_names(table);
  for (std::int64_t i = 0; i < content.num_rows(); ++i)
    add_row(table, Json::object(), static_cast<std::size_t>(i) + 1, limits);
  ValueReader reader(table, limits);
  for (int c = 0; c < content.num_columns(); ++c) {
    std::size_t row = 0;
    for (const auto& chunk : content.column(c)->chunks())
      for (std::int64_t i = 0; i < chunk->length(); ++i, ++row)
        table.rows[row][table.columns[static_cast<std::size_t>(c)]] = reader.value(*chunk, i, row + 1);
  }
}

void read_arrow(const ReadLimits& limits, Table& table) {
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), static_cast<std::int64_t>(limits.decoded_bytes));
  auto file = arrow::io::ReadableFile::Open(table.path.string(), &pool);
  check_status(file.status(), table, limits);
  parquet::arrow::FileReaderBuilder builder;
  check_status(builder.Open(*file, parquet::ReaderProperties(&pool)), table, limits);
  check_footer(*builder.raw_reader()->metadata(), table, limits);
  // Reading ahead in other threads would go on after an error, into a pool that is gone.
  parquet::ArrowReaderProperties plain(/*use_threads=*/false);
  plain.set_pre_buffer(false);
  auto reader = builder.memory_pool(&pool)->properties(plain)->Build();
  check_status(reader.status(), table, limits);
  std::shared_ptr<arrow::Table> content;
  check_status((*reader)->ReadTable(&content), table, limits);
  check_status(content->ValidateFull(), table, limits);
  add_rows(*content, limits, table);
}

}  // namespace

bool reads_parquet() { return true; }

void read_parquet(const ReadLimits& limits, Table& table) {
  try {
    read_arrow(limits, table);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& problem) {
    fail_parquet(table, problem.what());
  }
}

#else

bool reads_parquet() { return false; }

void read_parquet(const ReadLimits&, Table& table) {
  throw FileError(
      "{}: this build does not read Parquet; run scripts/setup and build with -DMOELAB_PARQUET=ON, or "
      "convert the file with scripts/parquet_to_jsonl.py",
      table.path.string());
}

#endif

}  // namespace moelab::data
