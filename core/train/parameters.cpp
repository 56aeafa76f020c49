#include "core/train/parameters.h"

#include <cmath>
#include <map>

#include "core/base/random.h"
#include "core/model/safetensors.h"

namespace moelab::train {
namespace {

// What a tensor is for, which decides its first values.
enum class Role { embedding, router, inward, outward, norm };

struct Shape {
  std::string name;
  std::vector<std::int64_t> sizes;
  Role role;
};

using Take = std::function<at::Tensor(Shape)>;

model::AttentionWeights take_attention(const model::ModelSpec& spec, const model::LayerNames& names,
                                       const Take& take) {
  const model::AttentionSpec& attention = spec.attention;
  const std::int64_t q_width = attention.heads * attention.head_dim,
                     kv_width = attention.kv_heads * attention.head_dim;
  model::AttentionWeights weights;
  weights.query.weight = take({names.query + ".weight", {q_width, spec.hidden}, Role::inward});
  weights.key.weight = take({names.key + ".weight", {kv_width, spec.hidden}, Role::inward});
  weights.value.weight = take({names.value + ".weight", {kv_width, spec.hidden}, Role::inward});
  weights.output.weight = take({names.output + ".weight", {spec.hidden, q_width}, Role::outward});
  if (attention.qk_norm != model::QkNorm::none) {
    const bool full = attention.qk_norm == model::QkNorm::full_width;
    weights.query_norm =
        take({names.query_norm + ".weight", {full ? q_width : attention.head_dim}, Role::norm});
    weights.key_norm = take({names.key_norm + ".weight", {full ? kv_width : attention.head_dim}, Role::norm});
  }
  return weights;
}

model::MlpWeights take_mlp(const model::LayerNames& names, const std::string& prefix, std::int64_t width,
                           std::int64_t hidden, const Take& take) {
  return {take({prefix + "." + names.expert_gate + ".weight", {width, hidden}, Role::inward}),
          take({prefix + "." + names.expert_up + ".weight", {width, hidden}, Role::inward}),
          take({prefix + "." + names.expert_down + ".weight", {hidden, width}, Role::outward})};
}

model::LayerWeights take_layer(const model::ModelSpec& spec, const model::LayerNames& names, bool is_moe,
                               const Take& take) {
  model::LayerWeights weights;
  weights.input_norm = take({names.input_norm + ".weight", {spec.hidden}, Role::norm});
  weights.post_attention_norm = take({names.post_attention_norm + ".weight", {spec.hidden}, Role::norm});
  weights.attention = take_attention(spec, names, take);
  if (!is_moe) {
    weights.mlp = take_mlp(names, names.dense_mlp, spec.dense_width, spec.hidden, take);
    return weights;
  }
  model::MoeWeights moe;
  moe.router.weight = take({names.router + ".weight", {spec.router.experts, spec.hidden}, Role::router});
  for (std::int64_t e = 0; e < spec.router.experts; ++e)
    moe.experts.push_back(
        take_mlp(names, fmt::format("{}.{}", names.experts, e), spec.expert_width, spec.hidden, take));
  weights.mlp = std::move(moe);
  return weights;
}

// Puts a model together from the tensors that `take` gives, in a fixed order.
model::ModelWeights assemble(const model::ModelSpec& spec, const Take& take) {
  const Json named = {{"model_type", spec.model_type}};
  const model::Family& family = model::family_of(named, "the model to train");
  model::ModelWeights weights;
  weights.embedding = take({"model.embed_tokens.weight", {spec.vocab_size, spec.hidden}, Role::embedding});
  for (std::int64_t layer = 0; layer < spec.layers; ++layer)
    weights.layers.push_back(take_layer(spec, family.layer_names(layer),
                                        spec.is_moe_layer.at(static_cast<std::size_t>(layer)), take));
  weights.final_norm = take({"model.norm.weight", {spec.hidden}, Role::norm});
  weights.head = spec.tied_embeddings
                     ? weights.embedding
                     : take({"lm_head.weight", {spec.vocab_size, spec.hidden}, Role::embedding});
  return weights;
}

std::vector<Shape> shapes_of(const model::ModelSpec& spec) {
  std::vector<Shape> shapes;
  assemble(spec, [&](Shape shape) {
    shapes.push_back(std::move(shape));
    return at::Tensor();
  });
  return shapes;
}

double deviation(const Shape& shape, const InitOptions& init) {
  if (shape.role == Role::embedding) return init.embedding_std;
  if (shape.role == Role::router) return init.router_std;
  const double fan_in = 1.0 / std::sqrt(static_cast<double>(shape.sizes[1]));
  return shape.role == Role::outward ? init.output_scale * fan_in : fan_in;
}

}  // namespace

Parameters::Parameters(const model::ModelSpec& spec) : spec_(spec) {
  if (spec.model_type != "qwen3_moe" && spec.model_type != "olmoe")
    throw ConfigError("training models of type '{}' is not supported: take qwen3_moe or olmoe",
                      spec.model_type);
  if (spec.attention.has_bias || spec.attention.has_output_bias)
    throw ConfigError(
        "training models with attention_bias is not supported: set it to false in the model's config");
  std::vector<LeafShape> shapes;
  for (const Shape& shape : shapes_of(spec)) shapes.push_back({shape.name, shape.sizes, shape.role != Role::norm});
  leaves_ = make_leaves(shapes, at::kCPU);
}

Parameters Parameters::initialise(const model::ModelSpec& spec, const InitOptions& init, std::uint64_t seed) {
  Parameters parameters(spec);
  const auto shapes = shapes_of(spec);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const at::Tensor values = parameters.leaves_.named[i].second.detach();
    if (shapes[i].role == Role::norm) {
      values.fill_(1.0);
      continue;
    }
    RandomStream random(seed, "start/" + shapes[i].name);
    const double scale = deviation(shapes[i], init);
    auto* value = values.mutable_data_ptr<float>();
    for (std::int64_t n = 0; n < values.numel(); ++n) value[n] = static_cast<float>(scale * random.normal());
  }
  return parameters;
}

Parameters Parameters::load(const std::filesystem::path& model_dir) {
  Parameters parameters(model::read_spec(model_dir));
  const model::Checkpoint checkpoint(model_dir);
  for (auto& [name, leaf] : parameters.leaves_.named) {
    const at::Tensor stored = checkpoint.tensor(name);
    if (stored.sizes() != leaf.sizes())
      throw FileError("{}: the tensor '{}' has another shape than config.json demands", model_dir.string(),
                      name);
    model::require_finite(stored, name, model_dir);
    leaf.detach().copy_(stored);
  }
  return parameters;
}

void Parameters::train_only(const std::function<bool(const std::string&)>& wanted) {
  for (FlatGroup& group : leaves_.groups) group.gradient.zero_();
  for (auto& [name, leaf] : leaves_.named) leaf.requires_grad_(wanted(name));
}

model::Model Parameters::model() const {
  std::size_t next = 0;
  return model::Model(spec_, assemble(spec_, [&](const Shape&) { return leaves_.named[next++].second; }));
}

}  // namespace moelab::train
