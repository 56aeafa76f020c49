#include "core/train/tuned_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/model/safetensors.h"
#include "core/train/tune_targets.h"

namespace moelab::train {
namespace {

// Uniform within +-1 / sqrt(columns), what torch's kaiming_uniform_(a=sqrt(5)) gives a linear layer.
void draw_factor(const at::Tensor& factor, std::uint64_t seed, const std::string& name) {
  RandomStream random(seed, "lora/" + name);
  const double bound = 1.0 / std::sqrt(static_cast<double>(factor.size(1)));
  const at::Tensor values = at::empty(factor.sizes(), at::kFloat);
  auto* value = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i)
    value[i] = static_cast<float>(bound * (2.0 * random.uniform() - 1.0));
  factor.detach().copy_(values);
}

}  // namespace

TunedModel::TunedModel(const std::filesystem::path& model_dir, const model::LoadOptions& load)
    : model_dir_(model_dir.string()), spec_(model::read_spec(model_dir)), options_(load) {
  read_weights(model_dir);
  require_fitting();
  options_.check_finite = false;
}

void TunedModel::require_fitting() const {
  const at::NoGradGuard no_grad;
  const Values none;
  std::set<std::string> used;
  model::TensorSource all = source(none);
  all.tensor = [&used, find = std::move(all.tensor)](const std::string& name) {
    used.insert(name);
    return find(name);
  };
  model::assemble_ends(spec_, all, options_);
  for (std::int64_t l = 0; l < spec_.layers; ++l) model::assemble_layer(spec_, l, all, options_);
  for (const auto& [name, weight] : weights_)
    if (!used.contains(name))
      throw FileError("{}: the tensor '{}' does not belong to the model that config.json describes",
                      model_dir_, name);
}

void TunedModel::keep(const std::string& name, const at::Tensor& tensor) {
  const bool has_own_type = !at::isFloatingType(tensor.scalar_type()) ||
                            name.ends_with("e_score_correction_bias") ||
                            (spec_.router.in_float && is_router(spec_, name));
  const at::ScalarType type =
      options_.dtype.value_or(options_.device.is_cpu() ? at::kFloat : tensor.scalar_type());
  weights_[name] = tensor.to(options_.device, has_own_type ? tensor.scalar_type() : type);
}

void TunedModel::read_weights(const std::filesystem::path& model_dir) {
  const model::Checkpoint checkpoint(model_dir);
  const model::Family& family = model::family_of(Json{{"model_type", spec_.model_type}}, model_dir.string());
  std::map<std::string, FusedParameter> fused;
  for (std::int64_t layer = 0; layer < spec_.layers; ++layer)
    for (const FusedParameter& parameter : fused_parameters(spec_, layer)) fused[parameter.name] = parameter;
  for (const std::string& name : checkpoint.names()) {
    const bool is_unused = name.ends_with("rotary_emb.inv_freq") ||
                           (spec_.tied_embeddings && name == "lm_head.weight") ||
                           (family.is_unused != nullptr && family.is_unused(spec_, name));
    if (is_unused) continue;
    const at::Tensor stored = checkpoint.tensor(name);
    const auto found = fused.find(name);
    if (found == fused.end() || found->second.tensors[0][0] == name) {
      keep(name, stored);
      continue;
    }
    const auto& tensors = found->second.tensors;
    const auto parts = stored.split(stored.size(1) / static_cast<std::int64_t>(tensors.size()), 1);
    for (std::size_t part = 0; part < tensors.size(); ++part)
      for (std::size_t e = 0; e < tensors[part].size(); ++e)
        keep(tensors[part][e], parts[part].select(0, static_cast<std::int64_t>(e)));
  }
}

void TunedModel::add_sites(std::vector<LoraSite> sites) {
  sites_ = std::move(sites);
  std::vector<LeafShape> shapes;
  for (const LoraSite& site : sites_) {
    shapes.push_back({site.name + ".lora_A", site.a_sizes()});
    shapes.push_back({site.name + ".lora_B", site.b_sizes()});
  }
  leaves_ = make_leaves(shapes, options_.device);
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    LoraSite& site = sites_[i];
    const at::Tensor given_a = site.a, given_b = site.b;
    site.a = leaves_.named[2 * i].second;
    site.b = leaves_.named[2 * i + 1].second;
    if (given_a.defined()) site.a.detach().copy_(given_a);
    if (given_b.defined()) site.b.detach().copy_(given_b);
    sites_of_[layer_of(site.name)].push_back(i);
  }
}

void TunedModel::tune_whole(const TuneOptions& options) {
  std::vector<LeafShape> shapes;
  const auto names = choose_weights(spec_, weights_, options);
  for (const std::string& name : names) {
    const at::Tensor& weight = weights_.at(name);
    shapes.push_back({name, weight.sizes().vec(), weight.dim() > 1});
  }
  leaves_ = make_leaves(shapes, options_.device);
  for (std::size_t i = 0; i < names.size(); ++i) {
    leaves_.named[i].second.detach().copy_(weights_.at(names[i]));
    whole_of_[layer_of(names[i])].push_back(i);
  }
}

TunedModel TunedModel::load(const std::filesystem::path& model_dir, const TuneOptions& options,
                            const model::LoadOptions& load) {
  if (options.kind != "lora" && options.kind != "full")
    throw ConfigError("kind '{}' is unknown; valid: lora, full", options.kind);
  if (options.lora.rank < 1) throw ConfigError("rank is {}, but must be positive", options.lora.rank);
  TunedModel tuned(model_dir, load);
  if (options.kind == "full") {
    tuned.tune_whole(options);
    return tuned;
  }
  tuned.add_sites(choose_sites(tuned.spec_, tuned.weights_, options));
  for (const LoraSite& site : tuned.sites_) draw_factor(site.a, options.seed, site.name);
  return tuned;
}

TunedModel TunedModel::load(const std::filesystem::path& model_dir, std::vector<LoraSite> sites,
                            const model::LoadOptions& load) {
  TunedModel tuned(model_dir, load);
  for (const LoraSite& site : sites) {
    for (const auto& part : site.tensors)
      for (const std::string& name : part)
        if (!tuned.weights_.contains(name))
          throw FileError("{}: the adapter changes '{}', which the model does not have", model_dir.string(),
                          name);
    const at::Tensor& weight = tuned.weights_.at(site.tensors[0][0]);
    if (site.experts == 0 && weight.sizes() != at::IntArrayRef(site.shape))
      throw FileError("{}: the adapter's '{}' is for [{}], the model's is [{}]", model_dir.string(),
                      site.name, fmt::join(site.shape, ", "), fmt::join(weight.sizes(), ", "));
  }
  tuned.add_sites(std::move(sites));
  return tuned;
}

std::int64_t TunedModel::trained() const {
  std::int64_t count = 0;
  for (const FlatGroup& group : leaves_.groups) count += group.weight.numel();
  return count;
}

std::int64_t TunedModel::total() const { return model::count_parameters(spec_).total; }

TunedModel::Values TunedModel::changed(std::int64_t layer) const {
  Values values;
  if (const auto found = sites_of_.find(layer); found != sites_of_.end())
    for (const std::size_t i : found->second)
      for (const auto& [name, change] : changes_of(sites_[i])) {
        const at::Tensor& weight = weights_.at(name);
        // One rounding, of the sum: a small change would vanish if it were rounded first.
        values[name] = (weight.to(at::kFloat) + change).to(weight.scalar_type());
      }
  if (const auto found = whole_of_.find(layer); found != whole_of_.end())
    for (const std::size_t i : found->second) {
      const auto& [name, leaf] = leaves_.named[i];
      const at::Tensor value = at::GradMode::is_enabled() ? leaf : leaf.detach();
      values[name] = value.to(weights_.at(name).scalar_type());
    }
  return values;
}

model::TensorSource TunedModel::source(const Values& values) const {
  return {model_dir_, [this](const std::string& name) { return weights_.contains(name); },
          [this, &values](const std::string& name) {
            if (const auto found = values.find(name); found != values.end()) return found->second;
            const auto found = weights_.find(name);
            if (found == weights_.end()) throw FileError("{}: the tensor '{}' is missing", model_dir_, name);
            return found->second;
          }};
}

model::ModelWeights TunedModel::ends() const {
  const Values values = changed(-1);
  return model::assemble_ends(spec_, source(values), options_);
}

model::LayerWeights TunedModel::layer(std::int64_t layer) const {
  const Values values = changed(layer);
  return model::assemble_layer(spec_, layer, source(values), options_);
}

model::Model TunedModel::model() const {
  model::ModelWeights weights = ends();
  for (std::int64_t l = 0; l < spec_.layers; ++l) weights.layers[static_cast<std::size_t>(l)] = layer(l);
  return model::Model(spec_, std::move(weights));
}

model::Model TunedModel::merged() const {
  const at::NoGradGuard no_grad;
  return model();
}

std::string trained_digest(const TunedModel& tuned) {
  std::string text;
  for (const LoraSite& site : tuned.sites())
    text += fmt::format("{} {} {}\n", site.name, site.scaling(), site.is_transposed);
  for (const auto& [name, leaf] : tuned.leaves().named) {
    const at::Tensor bytes = leaf.detach().cpu().contiguous();
    text += fmt::format("{} {}\n", name,
                        sha256({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()}));
  }
  return sha256(text);
}

}  // namespace moelab::train
