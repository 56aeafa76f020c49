// The tiny checkpoints of tests/data/model with something changed: what their configs then mean, and copies
// that a test may break.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/files.h"
#include "core/model/model.h"
#include "core/model/safetensors.h"
#include "tests/support/files.h"

namespace moelab::testing {

// A checkpoint's config with some fields changed; null removes one.
inline Json changed_config(const std::string& checkpoint, const Json& changes) {
  Json config = read_json(data_dir() / "model" / checkpoint / "config.json");
  config.update(changes);
  for (const auto& [key, value] : changes.items())
    if (value.is_null()) config.erase(key);
  return config;
}

inline model::ModelSpec changed_spec(const std::string& checkpoint, const Json& changes) {
  return model::parse_spec(changed_config(checkpoint, changes), "config.json");
}

// A copy of a checkpoint in a folder of its own.
class ChangedModel {
 public:
  explicit ChangedModel(const std::string& checkpoint = "olmoe_tiny")
      : checkpoint_(checkpoint), path_(scratch_ / "model") {
    std::filesystem::copy(data_dir() / "model" / checkpoint, path_, std::filesystem::copy_options::recursive);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path weights() const { return path_ / "model.safetensors"; }

  void set_config(const Json& changes) const {
    write_atomic(path_ / "config.json", changed_config(checkpoint_, changes).dump());
  }
  // Replaces one tensor, or adds it; all then stand in one file.
  void set_tensor(const std::string& name, const at::Tensor& tensor) const { write_with(name, &tensor); }
  void remove_tensor(const std::string& name) const { write_with(name, nullptr); }

 private:
  void write_with(const std::string& name, const at::Tensor* tensor) const {
    std::vector<std::pair<std::string, at::Tensor>> all;
    const model::Checkpoint checkpoint(path_);
    for (const std::string& each : checkpoint.names())
      if (each != name) all.emplace_back(each, checkpoint.tensor(each).clone());
    if (tensor != nullptr) all.emplace_back(name, *tensor);
    for (const std::filesystem::path& file : checkpoint.files()) std::filesystem::remove(file);
    std::filesystem::remove(path_ / "model.safetensors.index.json");
    model::write_safetensors(weights(), all);
  }

  ScratchDir scratch_;
  std::string checkpoint_;
  std::filesystem::path path_;
};

}  // namespace moelab::testing
