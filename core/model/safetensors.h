// Reading and writing safetensors files: memory-mapped, checked before use, never copied unless converted.
//
// Format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the
// data.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/files.h"

namespace moelab::model {

// Where one tensor lies in a mapped file.
struct TensorEntry {
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0;  // byte offset from the start of the file
  std::size_t bytes = 0;
};

// One mapped file. Throws FileError naming the file and tensor when the header lies (see
// parse_safetensors).
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::map<std::string, TensorEntry>& entries() const { return entries_; }
  const std::filesystem::path& path() const { return path_; }

  // A tensor over the mapped bytes; it keeps the mapping alive. It must not be written to.
  at::Tensor tensor(const std::string& name) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<MappedFile> file_;
  std::map<std::string, TensorEntry> entries_;
};

// All shards of a model directory: model.safetensors, or those that model.safetensors.index.json names.
class Checkpoint {
 public:
  explicit Checkpoint(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const { return directory_; }
  bool contains(const std::string& name) const { return shard_of_.count(name) > 0; }
  // Throws FileError naming the directory and the tensor when it is absent.
  at::Tensor tensor(const std::string& name) const;
  std::vector<std::string> names() const;
  std::size_t total_bytes() const;
  // The files that hold the weights, in name order.
  std::vector<std::filesystem::path> files() const;

 private:
  std::filesystem::path directory_;
  std::vector<SafetensorsFile> shards_;
  std::map<std::string, std::size_t> shard_of_;
};

// SHA-256 over the shards' contents in name order: the identity of the weights.
std::string weights_digest(const Checkpoint& checkpoint);

// Throws FileError naming the tensor when a floating-point tensor holds NaN or infinity.
void require_finite(const at::Tensor& tensor, const std::string& name, const std::filesystem::path& where);

// One tensor of a file that is to be written.
struct NewTensor {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  std::int64_t bytes = 0;
};

// How a file begins whose data are these tensors, one after another: length and header, padded so that the
// data start aligned. Metadata {"format": "pt"} as transformers expects. Throws Error for a type that no
// header has.
std::string safetensors_head(std::span<const NewTensor> tensors);

// Writes one file atomically; the tensors are made contiguous.
void write_safetensors(const std::filesystem::path& path,
                       std::span<const std::pair<std::string, at::Tensor>> tensors);

}  // namespace moelab::model
