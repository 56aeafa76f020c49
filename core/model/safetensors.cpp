#include "core/model/safetensors.h"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/hash.h"
#include "core/model/safetensors_header.h"

namespace moelab::model {
namespace {

struct NamedType {
  StoredType stored;
  at::ScalarType type;
};
constexpr NamedType kTypes[] = {{StoredType::f32, at::kFloat},     {StoredType::f16, at::kHalf},
                                {StoredType::bf16, at::kBFloat16}, {StoredType::f64, at::kDouble},
                                {StoredType::i64, at::kLong},      {StoredType::i32, at::kInt},
                                {StoredType::i16, at::kShort},     {StoredType::i8, at::kChar},
                                {StoredType::u8, at::kByte},       {StoredType::boolean, at::kBool}};

at::ScalarType scalar_type(StoredType stored) {
  for (const NamedType& known : kTypes)
    if (stored == known.stored) return known.type;
  throw Error("an element type without a counterpart");
}

StoredType stored_type(at::ScalarType type) {
  for (const NamedType& known : kTypes)
    if (type == known.type) return known.stored;
  throw Error("a tensor of type {} cannot be written to safetensors", c10::toString(type));
}

// True when any value has all exponent bits set (NaN or infinity).
template <typename Word>
bool any_not_finite(const void* data, std::int64_t count, Word exponent_mask) {
  std::atomic<bool> found{false};
  const auto* bytes = static_cast<const char*>(data);
  at::parallel_for(0, count, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    bool here = false;
    for (std::int64_t i = begin; i < end; ++i) {
      Word word;
      std::memcpy(&word, bytes + static_cast<std::size_t>(i) * sizeof(Word), sizeof(Word));
      here |= (word & exponent_mask) == exponent_mask;
    }
    if (here) found = true;
  });
  return found;
}

// Tensor -> shard. Not read as Json, which keeps the order of keys in a list: models have some 100,000
// tensors.
std::map<std::string, std::string> read_weight_map(const std::filesystem::path& path) {
  try {
    return nlohmann::json::parse(read_text(path)).at("weight_map").get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception& problem) {
    throw FileError("{}: no index of shards with a 'weight_map' of texts ({})", path.string(),
                    problem.what());
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<MappedFile>(path)) {
  for (auto& [name, stored] : parse_safetensors({file_->data(), file_->size()}, path.string()))
    entries_[name] = {scalar_type(stored.type), std::move(stored.shape), stored.begin, stored.bytes};
}

at::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw FileError("{}: there is no tensor '{}'", path_.string(), name);
  const TensorEntry& entry = found->second;
  // from_blob wants a mutable pointer; the mapping is read-only, so a stray write would fault, not corrupt.
  auto* data = const_cast<std::byte*>(file_->data()) + entry.begin;
  return at::from_blob(
      data, entry.shape, [keep = file_](void*) {}, at::TensorOptions().dtype(entry.dtype));
}

Checkpoint::Checkpoint(const std::filesystem::path& directory) : directory_(directory) {
  const auto index_path = directory / "model.safetensors.index.json";
  std::set<std::string> file_names;
  std::map<std::string, std::string> expected;
  if (std::filesystem::exists(index_path)) {
    for (const auto& [name, file] : read_weight_map(index_path)) {
      if (file != std::filesystem::path(file).filename() || file == "." || file == "..")
        throw FileError("{}: the shard '{}' of the tensor '{}' is no plain file name", index_path.string(),
                        file, name);
      expected[name] = file;
      file_names.insert(file);
    }
  } else {
    file_names.insert("model.safetensors");
  }
  for (const std::string& file_name : file_names) {
    if (!std::filesystem::exists(directory / file_name))
      throw FileError("{}: the shard '{}' is missing; fetch the model again", directory.string(), file_name);
    shards_.emplace_back(directory / file_name);
    for (const auto& [name, entry] : shards_.back().entries()) {
      if (!shard_of_.emplace(name, shards_.size() - 1).second)
        throw FileError("{}: the tensor '{}' is in two shards", directory.string(), name);
    }
  }
  for (const auto& [name, file] : expected)
    if (!contains(name) || shards_[shard_of_.at(name)].path().filename() != file)
      throw FileError("{}: '{}' should hold the tensor '{}' but does not", index_path.string(), file, name);
}

at::Tensor Checkpoint::tensor(const std::string& name) const {
  const auto found = shard_of_.find(name);
  if (found == shard_of_.end())
    throw FileError("{}: the tensor '{}' is missing from the checkpoint", directory_.string(), name);
  return shards_[found->second].tensor(name);
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, shard] : shard_of_) names.push_back(name);
  return names;
}

std::size_t Checkpoint::total_bytes() const {
  std::size_t total = 0;
  for (const SafetensorsFile& shard : shards_)
    for (const auto& [name, entry] : shard.entries()) total += entry.bytes;
  return total;
}

std::vector<std::filesystem::path> Checkpoint::files() const {
  std::vector<std::filesystem::path> paths;
  for (const SafetensorsFile& shard : shards_) paths.push_back(shard.path());
  return paths;
}

std::string weights_digest(const Checkpoint& checkpoint) {
  std::string digests;
  for (const auto& file : checkpoint.files()) digests += sha256_file(file);
  return sha256(digests);
}

void require_finite(const at::Tensor& tensor, const std::string& name, const std::filesystem::path& where) {
  const at::Tensor flat = tensor.is_contiguous() ? tensor : tensor.contiguous();
  bool bad = false;
  if (flat.scalar_type() == at::kFloat)
    bad = any_not_finite<std::uint32_t>(flat.const_data_ptr(), flat.numel(), 0x7f800000u);
  else if (flat.scalar_type() == at::kBFloat16)
    bad = any_not_finite<std::uint16_t>(flat.const_data_ptr(), flat.numel(), 0x7f80u);
  else if (flat.scalar_type() == at::kHalf)
    bad = any_not_finite<std::uint16_t>(flat.const_data_ptr(), flat.numel(), 0x7c00u);
  if (bad) throw FileError("{}: the tensor '{}' holds NaN or infinity", where.string(), name);
}

std::string safetensors_head(std::span<const NewTensor> tensors) {
  nlohmann::json header;
  header["__metadata__"] = {{"format", "pt"}};
  std::int64_t offset = 0;
  for (const NewTensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", name_of(stored_type(tensor.type))},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes}}};
    offset += tensor.bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

void write_safetensors(const std::filesystem::path& path,
                       std::span<const std::pair<std::string, at::Tensor>> tensors) {
  std::vector<at::Tensor> contiguous;
  std::vector<NewTensor> planned;
  for (const auto& [name, tensor] : tensors) {
    contiguous.push_back(tensor.detach().cpu().contiguous());
    planned.push_back({name, tensor.scalar_type(), tensor.sizes().vec(),
                       static_cast<std::int64_t>(contiguous.back().nbytes())});
  }
  std::string bytes = safetensors_head(planned);
  for (const at::Tensor& tensor : contiguous)
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  write_atomic(path, bytes);
}

}  // namespace moelab::model
