#include "core/model/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/base/error.h"

namespace moelab::model {
namespace {

// Not Json, which keeps the order of keys in a list: its look-ups would make large headers take hours.
using Header = nlohmann::json;

constexpr std::size_t kHeaderPrefix = 8;
constexpr std::size_t kLongestHeader = 100'000'000;

struct KnownType {
  const char* name;
  StoredType type;
  std::size_t bytes;
};
constexpr KnownType kKnownTypes[] = {{"F32", StoredType::f32, 4},   {"F16", StoredType::f16, 2},
                                     {"BF16", StoredType::bf16, 2}, {"F64", StoredType::f64, 8},
                                     {"I64", StoredType::i64, 8},   {"I32", StoredType::i32, 4},
                                     {"I16", StoredType::i16, 2},   {"I8", StoredType::i8, 1},
                                     {"U8", StoredType::u8, 1},     {"BOOL", StoredType::boolean, 1}};

StoredType parse_stored_type(const Header& value, const std::string& where) {
  const auto found = value.find("dtype");
  if (found == value.end()) throw FileError("{}: the field 'dtype' is missing", where);
  if (!found->is_string()) throw FileError("{}: dtype is no text", where);
  const auto& name = found->get_ref<const std::string&>();
  for (const KnownType& known : kKnownTypes)
    if (name == known.name) return known.type;
  throw FileError("{}: dtype '{}' is not supported; F32, F16 and BF16 weights are", where, name);
}

// The numbers of a list; the JSON library would take fractions, true and false for whole numbers.
std::vector<std::int64_t> whole_numbers(const Header& value, const char* key, const std::string& where) {
  const auto found = value.find(key);
  if (found == value.end()) throw FileError("{}: the field '{}' is missing", where, key);
  if (!found->is_array()) throw FileError("{}: {} is no list of numbers", where, key);
  std::vector<std::int64_t> numbers;
  for (const Header& number : *found) {
    if (number.is_number_integer() && !number.is_number_unsigned())
      throw FileError("{}: negative size {} in {}", where, number.dump(), key);
    if (!number.is_number_unsigned() ||
        number.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
      throw FileError("{}: {} in {} is no size", where, number.dump(), key);
    numbers.push_back(number.get<std::int64_t>());
  }
  return numbers;
}

// Element count times element size. A size of zero must not hide that the others overflow, because strides
// are products of the others.
std::size_t shape_bytes(const StoredTensor& tensor, const std::string& where) {
  std::size_t largest = element_bytes(tensor.type);
  bool is_empty = false;
  for (const std::int64_t size : tensor.shape) {
    is_empty = is_empty || size == 0;
    if (__builtin_mul_overflow(largest, static_cast<std::size_t>(std::max<std::int64_t>(size, 1)),
                               &largest) ||
        largest > std::size_t{std::numeric_limits<std::int64_t>::max()})
      throw FileError("{}: the shape overflows", where);
  }
  return is_empty ? 0 : largest;
}

StoredTensor parse_tensor(const Header& value, const std::string& where, std::size_t data_start,
                          std::size_t file_size) {
  if (!value.is_object()) throw FileError("{}: the header entry is not an object", where);
  StoredTensor tensor;
  tensor.type = parse_stored_type(value, where);
  tensor.shape = whole_numbers(value, "shape", where);
  const auto offsets = whole_numbers(value, "data_offsets", where);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    throw FileError("{}: data_offsets must be two ascending numbers", where);
  const auto begin = static_cast<std::size_t>(offsets[0]);
  const auto end = static_cast<std::size_t>(offsets[1]);
  if (end > file_size - data_start)
    throw FileError("{}: data ends at byte {} but the file has only {}; it is truncated, fetch it again",
                    where, data_start + end, file_size);
  tensor.begin = data_start + begin;
  tensor.bytes = end - begin;
  const std::size_t expected = shape_bytes(tensor, where);
  if (expected != tensor.bytes)
    throw FileError("{}: the shape needs {} bytes, the header gives {}", where, expected, tensor.bytes);
  if (tensor.bytes > 0 && tensor.begin % element_bytes(tensor.type) != 0)
    throw FileError("{}: data starts at byte {}, which is not aligned to its dtype", where, tensor.begin);
  return tensor;
}

// Every byte of the data belongs to one tensor.
void require_whole(const std::map<std::string, StoredTensor>& tensors, std::size_t data_start,
                   std::size_t file_size, const std::string& file_name) {
  std::vector<std::pair<const StoredTensor*, const std::string*>> order;
  for (const auto& [name, tensor] : tensors)
    if (tensor.bytes > 0) order.emplace_back(&tensor, &name);
  std::sort(order.begin(), order.end(), [](auto a, auto b) { return a.first->begin < b.first->begin; });
  std::size_t next = data_start;
  const std::string* before = nullptr;
  for (const auto& [tensor, name] : order) {
    if (tensor->begin < next)
      throw FileError("{}: the data of '{}' and '{}' overlap", file_name, *before, *name);
    if (tensor->begin > next)
      throw FileError("{}: {} bytes before the data of '{}' belong to no tensor", file_name,
                      tensor->begin - next, *name);
    next = tensor->begin + tensor->bytes;
    before = name;
  }
  if (next != file_size)
    throw FileError("{}: the last {} bytes belong to no tensor; fetch it again", file_name, file_size - next);
}

// The header's JSON; a name twice would silently hide one of two tensors.
Header parse_header(std::string_view text, const std::string& file_name) {
  std::set<std::string> names;
  std::string twice;
  const auto note_names = [&](int depth, Header::parse_event_t event, Header& parsed) {
    if (event == Header::parse_event_t::key && depth == 1) {
      auto name = parsed.get<std::string>();
      if (!names.insert(name).second) twice = std::move(name);
    }
    return true;
  };
  Header header;
  try {
    header = Header::parse(text.begin(), text.end(), note_names);
  } catch (const nlohmann::json::exception& problem) {
    throw FileError("{}: header: not valid JSON ({})", file_name, problem.what());
  }
  if (!header.is_object()) throw FileError("{}: the header is not a JSON object", file_name);
  if (names.size() != header.size() || !twice.empty())
    throw FileError("{}: the header names the tensor '{}' twice", file_name, twice);
  return header;
}

}  // namespace

const char* name_of(StoredType type) {
  for (const KnownType& known : kKnownTypes)
    if (type == known.type) return known.name;
  throw Error("an element type without a name");
}

std::size_t element_bytes(StoredType type) {
  for (const KnownType& known : kKnownTypes)
    if (type == known.type) return known.bytes;
  throw Error("an element type without a size");
}

std::map<std::string, StoredTensor> parse_safetensors(std::span<const std::byte> file,
                                                      const std::string& file_name) {
  if (file.size() < kHeaderPrefix)
    throw FileError("{}: is {} bytes long, too short for safetensors; fetch it again", file_name,
                    file.size());
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kLongestHeader || length > file.size() - kHeaderPrefix)
    throw FileError("{}: the header claims {} bytes, the file has {}; it is truncated or no safetensors file",
                    file_name, length, file.size());
  const Header header = parse_header(
      {reinterpret_cast<const char*>(file.data()) + kHeaderPrefix, static_cast<std::size_t>(length)},
      file_name);
  const std::size_t data_start = kHeaderPrefix + static_cast<std::size_t>(length);
  std::map<std::string, StoredTensor> tensors;
  for (const auto& [name, value] : header.items())
    if (name != "__metadata__")
      tensors[name] = parse_tensor(value, file_name + ": tensor '" + name + "'", data_start, file.size());
  require_whole(tensors, data_start, file.size(), file_name);
  return tensors;
}

}  // namespace moelab::model
