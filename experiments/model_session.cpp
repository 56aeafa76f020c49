#include "experiments/model_session.h"

#include <ATen/Parallel.h>
#include <sqlite3.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/model/safetensors.h"
#include "core/steering/self_test.h"
#include "core/text/tiktoken.h"
#include "experiments/generation_memory.h"
#include "experiments/version.h"

namespace moelab::experiments {
namespace {

Json libraries() {
  return {{"libtorch", TORCH_VERSION},
          {"sqlite", sqlite3_libversion()},
          {"fmt", FMT_VERSION},
          {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                        NLOHMANN_JSON_VERSION_PATCH)}};
}

}  // namespace

ModelSession::ModelSession(const ModelConfig& config, const engine::EngineOptions& options)
    : config_(config) {
  if (!std::filesystem::is_directory(config.path))
    throw FileError("the model '{}': {}{}", config.name,
                    config.path.empty() ? "is not in the hub cache" : config.path.string() + " is no folder",
                    config.hub_id.empty() ? ""
                                          : fmt::format("; its weights are published as {}, fetch them with: "
                                                        "moelab fetch {}",
                                                        config.hub_id, config.hub_id));
  tokenizer_ = std::make_unique<text::Tokenizer>(text::load_tokenizer(config.path));
  free_before_load_ = free_memory(options.device);
  engine_ = std::make_unique<engine::Engine>(engine::Engine::load(config.path, options));
  if (tokenizer_->vocab_size() > static_cast<std::size_t>(engine_->spec().vocab_size))
    throw FileError("the model '{}': its tokenizer has {} tokens, the weights {}", config.name,
                    tokenizer_->vocab_size(), engine_->spec().vocab_size);
  steering::self_test(engine_->model());
  digest_ = model_digest(config.path);
}

std::string ModelSession::dtype() const { return c10::toString(engine_->model().dtype()); }

std::int64_t ModelSession::cache_bytes() const {
  return experiments::cache_bytes(engine_->spec(), engine_->model().dtype(), engine_->options(),
                                  free_before_load_);
}

store::ModelRow ModelSession::row() const {
  const model::ModelSpec& spec = engine_->spec();
  const model::ParameterCount count = model::count_parameters(spec);
  Json layers = Json::array();
  for (std::size_t i = 0; i < spec.is_moe_layer.size(); ++i)
    if (spec.is_moe_layer[i]) layers.push_back(i);
  const Json json = {{"layers", spec.layers},          {"moe_layers", layers},
                     {"experts", spec.router.experts}, {"top_k", spec.router.top_k},
                     {"hidden", spec.hidden},          {"vocab_size", spec.vocab_size},
                     {"parameters", count.total},      {"active_parameters", count.active},
                     {"hub_id", config_.hub_id}};
  store::ModelRow row;
  row.digest = digest_;
  row.name = config_.name;
  row.path = config_.path.string();
  row.family = spec.model_type;
  row.spec = canonical_json(json);
  row.tokenizer_digest = tokenizer_->digest();
  return row;
}

LoadedModel ModelSession::loaded(store::Id id) const {
  return {engine_.get(), tokenizer_.get(), id, digest_, dtype()};
}

std::string model_digest(const std::filesystem::path& directory) {
  return sha256(model::weights_digest(model::Checkpoint(directory)) + sha256_file(directory / "config.json"));
}

std::string library_versions() { return canonical_json(libraries()); }

std::string provenance_of(const engine::Engine& engine) {
  return canonical_json({{"device", engine.options().device},
                         {"dtype", c10::toString(engine.model().dtype())},
                         {"threads", at::get_num_threads()},
                         {"batch_tokens", engine.options().batch_tokens},
                         {"exact", "no"},
                         {"libraries", libraries()},
                         {"version", kVersion}});
}

}  // namespace moelab::experiments
