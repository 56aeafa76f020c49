// Safetensors headers that lie in ways that a reader could miss: one error each, never a wrong tensor.
#include "core/base/files.h"
#include "core/model/safetensors.h"
#include "core/model/safetensors_header.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::map<std::string, model::StoredTensor> parse(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header + std::string(data_bytes, '\0');
  return model::parse_safetensors({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "lying");
}

std::string entry(const std::string& shape, const std::string& offsets, const std::string& dtype = "F32") {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

// One tensor "a" in a header of a multiple of 8 bytes.
std::string one(const std::string& shape, const std::string& offsets) {
  std::string text = R"({"a":)" + entry(shape, offsets) + "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace

TEST_CASE("an honest header gives names, shapes and places", "[model]") {
  const std::string header = one("[2,3]", "[0,24]");
  const auto tensors = parse(header, 24);
  REQUIRE(tensors.size() == 1);
  CHECK(tensors.at("a").shape == std::vector<std::int64_t>{2, 3});
  CHECK(tensors.at("a").begin == 8 + header.size());
  CHECK(tensors.at("a").bytes == 24);
  CHECK(parse(one("[0,7]", "[0,0]"), 0).at("a").bytes == 0);
  CHECK(parse(one("[]", "[0,4]"), 4).at("a").shape.empty());
}

TEST_CASE("sizes that are no counts are errors, also where JSON libraries would take them", "[model]") {
  for (const char* shape :
       {"[2.5]", "[true]", "[1e300]", "[18446744073709551615]", "[\"2\"]", "[null]", "[[2]]"}) {
    INFO(shape);
    CHECK_THROWS_WITH(parse(one(shape, "[0,8]"), 8),
                      ContainsSubstring("tensor 'a'") && ContainsSubstring("no size"));
  }
  CHECK_THROWS_WITH(parse(one("2", "[0,8]"), 8), ContainsSubstring("shape is no list"));
  CHECK_THROWS_WITH(parse(one("[2]", "[0,8.0]"), 8), ContainsSubstring("no size"));
  CHECK_THROWS_WITH(parse(one("[2]", "[-8,0]"), 8), ContainsSubstring("negative size -8"));
  CHECK_THROWS_WITH(parse(one("[2]", "[0]"), 8), ContainsSubstring("two ascending numbers"));
}

TEST_CASE("sizes whose product overflows are errors, also beside a size of zero", "[model]") {
  CHECK_THROWS_WITH(parse(one("[4611686018427387904,8]", "[0,0]"), 0), ContainsSubstring("overflows"));
  CHECK_THROWS_WITH(parse(one("[0,4611686018427387904,8]", "[0,0]"), 0), ContainsSubstring("overflows"));
  CHECK_THROWS_WITH(parse(one("[4611686018427387904]", "[0,0]"), 0), ContainsSubstring("overflows"));
}

TEST_CASE("offsets beyond the file, and near the largest number, are errors", "[model]") {
  CHECK_THROWS_WITH(parse(one("[2]", "[0,8]"), 7), ContainsSubstring("truncated"));
  CHECK_THROWS_WITH(parse(one("[2]", "[9223372036854775799,9223372036854775807]"), 8),
                    ContainsSubstring("truncated"));
}

TEST_CASE("data that belongs to no tensor is an error, as it is for the format's own library", "[model]") {
  CHECK_THROWS_WITH(parse(one("[2]", "[0,8]"), 12),
                    ContainsSubstring("the last 4 bytes belong to no tensor"));
  CHECK_THROWS_WITH(parse(one("[2]", "[8,16]"), 16), ContainsSubstring("8 bytes before the data of 'a'"));
}

TEST_CASE("a name that occurs twice would hide a tensor, and is an error", "[model]") {
  const std::string twice = R"({"a":)" + entry("[2]", "[0,8]") + R"(,"a":)" + entry("[2]", "[8,16]") + "}";
  CHECK_THROWS_WITH(parse(twice, 16), ContainsSubstring("names the tensor 'a' twice"));
}

TEST_CASE("bad UTF-8, deep nesting and other texts than objects are errors", "[model]") {
  CHECK_THROWS_WITH(parse("{\"\xff\xfe\":" + entry("[2]", "[0,8]") + "}", 8),
                    ContainsSubstring("not valid JSON"));
  CHECK_THROWS_WITH(parse("[]", 0), ContainsSubstring("not a JSON object"));
  CHECK_THROWS_WITH(parse("", 0), ContainsSubstring("not valid JSON"));
  CHECK_THROWS_WITH(parse(R"({"a":7})", 0), ContainsSubstring("not an object"));
  CHECK_THROWS_WITH(parse(R"({"a":{"dtype":4}})", 0), ContainsSubstring("dtype is no text"));
  CHECK_THROWS_WITH(parse(std::string(200'000, '['), 0), ContainsSubstring("not valid JSON"));
}

TEST_CASE("an index that leads out of its folder, or is no list of shards, is an error", "[model]") {
  const ScratchDir scratch;
  const auto open = [&](const std::string& index) {
    write_atomic(scratch / "model.safetensors.index.json", index);
    const model::Checkpoint checkpoint(scratch.path());
  };
  for (const char* file : {"../model.safetensors", "/etc/passwd", "a/b.safetensors", "..", "."}) {
    INFO(file);
    CHECK_THROWS_WITH(open(R"({"weight_map":{"a":")" + std::string(file) + "\"}}"),
                      ContainsSubstring("no plain file name"));
  }
  for (const char* index :
       {"{}", "[]", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":7}", "{\"weight_map\""}) {
    INFO(index);
    CHECK_THROWS_WITH(open(index), ContainsSubstring("no index of shards"));
  }
}
