#include "core/model/export.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/model/safetensors.h"
#include "core/model/spec.h"

namespace moelab::model {
namespace {

namespace fs = std::filesystem;

using Shard = std::vector<NewTensor>;

// A file that grows; flushed to disk by close().
class GrowingFile {
 public:
  explicit GrowingFile(const fs::path& path)
      : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) fail("cannot be made");
  }
  ~GrowingFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  void append(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t written = ::write(descriptor_, bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("writing failed; free space or choose another place");
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
  }

  void close() {
    if (::fsync(descriptor_) != 0) fail("flushing to disk failed");
    ::close(std::exchange(descriptor_, -1));
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw FileError("{}: {}: {}", path_.string(), what, std::strerror(errno));
  }

  fs::path path_;
  int descriptor_;
};

// The folder that is filled; removed unless it was put in its place.
class Staging {
 public:
  explicit Staging(const fs::path& target)
      : target_(target), path_(target.string() + ".tmp" + std::to_string(::getpid())) {
    std::error_code problem;
    fs::create_directories(path_, problem);
    if (problem) throw FileError("{}: cannot make the folder: {}", path_.string(), problem.message());
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const fs::path& path() const { return path_; }

  void publish() {
    if (fs::exists(target_))
      throw ConfigError("{}: appeared meanwhile; choose a new folder", target_.string());
    std::error_code problem;
    fs::rename(path_, target_, problem);
    if (problem) throw FileError("{}: cannot be put in place: {}", target_.string(), problem.message());
  }

 private:
  fs::path target_, path_;
};

// A trailing separator would make names beside the folder names inside it.
fs::path without_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

at::ScalarType written_type(const std::string& name, at::ScalarType stored, const Family& family,
                            const ExportOptions& options) {
  if (!options.dtype || !at::isFloatingType(stored)) return stored;
  const auto& kept = family.float_tensors;
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  return std::any_of(kept.begin(), kept.end(), ends) ? stored : *options.dtype;
}

std::vector<Shard> plan_shards(const Checkpoint& checkpoint, const Family& family,
                               const ExportOptions& options) {
  std::vector<Shard> shards;
  std::int64_t filled = 0;
  for (const std::string& name : checkpoint.names()) {
    const at::Tensor stored = checkpoint.tensor(name);
    NewTensor tensor{name, written_type(name, stored.scalar_type(), family, options), stored.sizes().vec(),
                     0};
    tensor.bytes = stored.numel() * static_cast<std::int64_t>(c10::elementSize(tensor.type));
    if (shards.empty() || filled + tensor.bytes > options.shard_bytes) {
      shards.emplace_back();
      filled = 0;
    }
    filled += tensor.bytes;
    shards.back().push_back(std::move(tensor));
  }
  // Wider types first, so that each tensor starts at a multiple of its element size.
  for (Shard& shard : shards)
    std::stable_sort(shard.begin(), shard.end(), [](const NewTensor& a, const NewTensor& b) {
      return c10::elementSize(a.type) > c10::elementSize(b.type);
    });
  return shards;
}

std::string shard_name(std::size_t index, std::size_t count) {
  if (count == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", index + 1, count);
}

// Writes the shards one after another and returns what the index says of them.
class ShardWriter {
 public:
  ShardWriter(const Checkpoint& checkpoint, const fs::path& source, const ExportOptions& options)
      : checkpoint_(checkpoint), source_(source), options_(options) {}

  void write_all(const std::vector<Shard>& shards, const fs::path& folder) {
    for (const Shard& shard : shards)
      for (const NewTensor& tensor : shard) report_.bytes += tensor.bytes;
    nlohmann::json weight_map;
    for (std::size_t s = 0; s < shards.size(); ++s) {
      const std::string name = shard_name(s, shards.size());
      for (const NewTensor& tensor : shards[s]) weight_map[tensor.name] = name;
      write(shards[s], folder / name);
    }
    report_.shards = static_cast<std::int64_t>(shards.size());
    if (shards.size() == 1) return;
    const nlohmann::json index = {{"metadata", {{"total_size", report_.bytes}}}, {"weight_map", weight_map}};
    write_atomic(folder / "model.safetensors.index.json", index.dump(2) + "\n");
  }

  const ExportReport& report() const { return report_; }

 private:
  void write(const Shard& shard, const fs::path& path) {
    GrowingFile file(path);
    const std::string header = safetensors_head(shard);
    file.append(header.data(), header.size());
    for (const NewTensor& tensor : shard) {
      const at::Tensor stored = checkpoint_.tensor(tensor.name);
      require_finite(stored, tensor.name, source_);
      const at::Tensor written = stored.to(tensor.type).contiguous();
      if (written.scalar_type() != stored.scalar_type()) require_fits(written, tensor);
      file.append(written.const_data_ptr(), written.nbytes());
      ++report_.tensors;
      done_ += tensor.bytes;
      if (options_.on_bytes) options_.on_bytes(done_, report_.bytes);
    }
    file.close();
  }

  void require_fits(const at::Tensor& written, const NewTensor& tensor) const {
    try {
      require_finite(written, tensor.name, source_);
    } catch (const FileError&) {
      throw FileError("{}: the tensor '{}' holds values that {} cannot; export as bfloat16 or float32",
                      source_.string(), tensor.name, c10::toString(tensor.type));
    }
  }

  const Checkpoint& checkpoint_;
  const fs::path& source_;
  const ExportOptions& options_;
  ExportReport report_;
  std::int64_t done_ = 0;
};

bool is_weights(const fs::path& file) {
  constexpr std::array<const char*, 8> kEndings = {".safetensors", ".bin",  ".pt", ".pth",
                                                   ".gguf",        ".onnx", ".h5", ".msgpack"};
  const std::string name = file.filename().string();
  const auto ends = [&](const char* ending) { return name.ends_with(ending); };
  return std::any_of(kEndings.begin(), kEndings.end(), ends) || name.ends_with(".index.json");
}

const char* config_dtype(at::ScalarType type) {
  if (type == at::kFloat) return "float32";
  return type == at::kHalf ? "float16" : "bfloat16";
}

// transformers reads the type in which it loads from `dtype`, before 4.56 from `torch_dtype`.
void write_config(const fs::path& source, const fs::path& folder, const ExportOptions& options) {
  Json config = read_json(source / "config.json");
  if (options.dtype)
    for (const char* key : {"dtype", "torch_dtype"}) config[key] = config_dtype(*options.dtype);
  write_atomic(folder / "config.json", config.dump(2) + "\n");
}

// Files of a hub cache are links: their contents are copied.
void copy_other_files(const fs::path& source, const fs::path& folder) {
  constexpr auto kTemplates = "additional_chat_templates";
  for (const auto& entry : fs::directory_iterator(source)) {
    const fs::path name = entry.path().filename();
    if (!entry.is_regular_file() || is_weights(name) || name == "config.json" ||
        name.string().starts_with('.'))
      continue;
    fs::copy_file(entry.path(), folder / name);
  }
  if (fs::is_directory(source / kTemplates))
    fs::copy(source / kTemplates, folder / kTemplates, fs::copy_options::recursive);
}

ExportReport export_to(const fs::path& place, const fs::path& source, const ExportOptions& options) {
  if (fs::exists(place))
    throw ConfigError("{}: is there already, and nothing is overwritten; choose a new folder",
                      place.string());
  if (options.shard_bytes < 1)
    throw ConfigError("a shard of {} bytes holds nothing; give a size above zero", options.shard_bytes);
  const fs::path config_path = source / "config.json";
  const Json config = read_json(config_path);
  parse_spec(config, config_path.string());  // throws where moelab could not run the model
  const Family& family = family_of(config, config_path.string());
  const Checkpoint checkpoint(source);
  const std::vector<Shard> shards = plan_shards(checkpoint, family, options);
  if (shards.empty()) throw FileError("{}: the checkpoint has no tensors", source.string());
  Staging staging(place);
  ShardWriter writer(checkpoint, source, options);
  writer.write_all(shards, staging.path());
  write_config(source, staging.path(), options);
  copy_other_files(source, staging.path());
  staging.publish();
  return writer.report();
}

}  // namespace

ExportReport export_checkpoint(const fs::path& source, const fs::path& target, const ExportOptions& options) {
  try {
    return export_to(without_slash(target), source, options);
  } catch (const fs::filesystem_error& problem) {
    throw FileError("{}: cannot be exported: {}", source.string(), problem.what());
  }
}

}  // namespace moelab::model
