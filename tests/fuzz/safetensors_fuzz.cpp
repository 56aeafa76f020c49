// libFuzzer target: the bytes of a hostile safetensors file must give tensors that lie inside it, apart from
// each other, or a moelab::Error, in bounded time and memory. Run by scripts/fuzz.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/model/safetensors_header.h"

namespace {

[[noreturn]] void fail(const std::string& name, const char* what) {
  std::cerr << "the tensor '" << name << "' " << what << "\n";
  std::abort();
}

void check(std::span<const std::byte> file) {
  std::size_t covered = 0;
  for (const auto& [name, tensor] : moelab::model::parse_safetensors(file, "fuzz")) {
    if (tensor.begin > file.size() || tensor.bytes > file.size() - tensor.begin)
      fail(name, "leaves the file");
    std::size_t count = moelab::model::element_bytes(tensor.type);
    for (const std::int64_t size : tensor.shape) {
      if (size < 0) fail(name, "has a negative size");
      count *= static_cast<std::size_t>(size);
    }
    if (count != tensor.bytes) fail(name, "has bytes that its shape does not need");
    if (tensor.bytes > 0 && tensor.begin % moelab::model::element_bytes(tensor.type) != 0)
      fail(name, "is not aligned");
    covered += tensor.bytes;
  }
  if (covered > file.size()) fail("", "overlaps another");
}

// The eight bytes of the length are hard to guess: without them the whole input is the header, and a byte
// 0xFF begins the data.
std::string with_length(std::string_view input) {
  const std::size_t cut = std::min(input.find('\xFF'), input.size());
  const std::uint64_t length = cut;
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  file += input.substr(0, cut);
  if (cut < input.size()) file += input.substr(cut + 1);
  return file;
}

void attempt(std::string_view bytes) {
  try {
    check({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
  } catch (const moelab::Error&) {
    // What a damaged file must give.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  attempt(input);
  attempt(with_length(input));
  return 0;
}
