#include "core/train/save_tuned.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <map>
#include <optional>

#include "core/model/safetensors.h"
#include "core/train/save.h"
#include "core/train/tune_targets.h"

namespace moelab::train {
namespace {

// Stored tensors with what training made of them; `tuned` must outlive it.
class TrainedTensors {
 public:
  explicit TrainedTensors(const TunedModel& tuned) : tuned_(tuned) {
    for (std::int64_t layer = 0; layer < tuned.spec().layers; ++layer)
      for (const FusedParameter& parameter : fused_parameters(tuned.spec(), layer))
        fused_[parameter.name] = parameter;
  }

  // A fused tensor is put together again as it was taken apart.
  at::Tensor of(const std::string& name, const at::Tensor& stored) {
    if (const std::int64_t layer = layer_of(name); !values_ || layer != layer_) {
      values_ = tuned_.changed(layer);
      layer_ = layer;
    }
    const auto found = fused_.find(name);
    const bool is_apart = found != fused_.end() && found->second.tensors[0][0] != name;
    if (!is_apart) return values_->contains(name) ? values_->at(name) : stored;
    std::vector<at::Tensor> parts;
    for (const auto& names : found->second.tensors) {
      std::vector<at::Tensor> experts;
      for (const std::string& expert : names)
        experts.push_back(values_->contains(expert) ? values_->at(expert) : tuned_.weights().at(expert));
      parts.push_back(at::stack(experts));
    }
    return at::cat(parts, 1);
  }

 private:
  const TunedModel& tuned_;
  std::map<std::string, FusedParameter> fused_;  // by name
  std::int64_t layer_ = -1;
  std::optional<TunedModel::Values> values_;  // of that layer: forming them is dear
};

// Everything that makes a model directory beside its weights.
void copy_other_files(const std::filesystem::path& source, const std::filesystem::path& directory) {
  for (const char* name : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "tiktoken.model", "chat_template.jinja"}) {
    if (!std::filesystem::exists(source / name)) continue;
    std::error_code problem;
    std::filesystem::copy_file(source / name, directory / name,
                               std::filesystem::copy_options::overwrite_existing, problem);
    if (problem) throw FileError("{}: cannot be copied: {}", (source / name).string(), problem.message());
  }
}

}  // namespace

void save_tuned_model(const std::filesystem::path& directory, const TunedModel& tuned,
                      const std::filesystem::path& source) {
  const at::NoGradGuard no_grad;
  make_directory(directory);
  if (std::filesystem::equivalent(directory, source))
    throw FileError("{}: the tuned model would overwrite the one that it was made from", directory.string());
  const model::Checkpoint checkpoint(source);
  TrainedTensors trained(tuned);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : checkpoint.names()) {
    const at::Tensor stored = checkpoint.tensor(name);
    tensors.emplace_back(name, trained.of(name, stored).to(at::kCPU, stored.scalar_type()));
  }
  model::write_safetensors(directory / "model.safetensors", tensors);
  copy_other_files(source, directory);
}

}  // namespace moelab::train
