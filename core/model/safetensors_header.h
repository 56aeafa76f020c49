// The header of a safetensors file, checked before anything is read through it; needs no LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace moelab::model {

enum class StoredType { f32, f16, bf16, f64, i64, i32, i16, i8, u8, boolean };

// "F32" and so on, as headers name it, and the bytes of one element.
const char* name_of(StoredType type);
std::size_t element_bytes(StoredType type);

// Where one tensor lies in the file.
struct StoredTensor {
  StoredType type = StoredType::f32;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;  // byte offset from the start of the file
  std::size_t bytes = 0;
};

// The tensors of a whole file, by name. Throws FileError naming `file_name` and the tensor when the header
// lies: a length beyond the file, bad JSON or UTF-8, a name that occurs twice, an unknown dtype, sizes that
// are no counts or overflow, a shape that contradicts the bytes, data that is cut off, overlaps, leaves holes
// or is not aligned to its type.
std::map<std::string, StoredTensor> parse_safetensors(std::span<const std::byte> file,
                                                      const std::string& file_name);

}  // namespace moelab::model
