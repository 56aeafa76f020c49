#include "core/train/checkpoint.h"

#include <ATen/ops/tensor.h>

#include "core/base/hash.h"
#include "core/model/safetensors.h"

namespace moelab::train {
namespace {

at::Tensor run_digest(const std::string& run) {
  const std::string digest = sha256(run);
  return at::tensor(std::vector<std::uint8_t>(digest.begin(), digest.end()), at::kByte);
}

}  // namespace

TrainingState state_of(std::vector<FlatGroup>& groups, AdamW& optimizer) {
  const char* names[] = {"matrices", "norms"};
  TrainingState state;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::string group = names[g];
    state.emplace_back(group + ".weight", groups[g].weight);
    state.emplace_back(group + ".first_moment", optimizer.first()[g]);
    state.emplace_back(group + ".second_moment", optimizer.second()[g]);
  }
  return state;
}

void write_checkpoint(const std::filesystem::path& path, const TrainingState& state, const std::string& run) {
  TrainingState stored;
  for (const auto& [name, tensor] : state) stored.emplace_back(name, tensor.detach().cpu());
  stored.emplace_back("run", run_digest(run));
  model::write_safetensors(path, stored);
}

void read_checkpoint(const std::filesystem::path& path, const TrainingState& state, const std::string& run) {
  const model::SafetensorsFile file(path);
  if (!file.tensor("run").equal(run_digest(run)))
    throw FileError("{}: the checkpoint belongs to a run with other options: remove it, or name another file",
                    path.string());
  for (const auto& [name, tensor] : state) {
    const at::Tensor stored = file.tensor(name);
    if (stored.sizes() != tensor.sizes())
      throw FileError("{}: the tensor '{}' has another size than the model demands", path.string(), name);
    model::require_finite(stored, name, path);
    tensor.detach().copy_(stored);
  }
}

}  // namespace moelab::train
