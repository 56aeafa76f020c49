#include "core/train/peft.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/base/hash.h"
#include "core/model/safetensors.h"
#include "core/text/regex.h"
#include "core/train/save.h"
#include "core/train/tune_targets.h"

namespace moelab::train {
namespace {

constexpr std::string_view kRoot = "base_model.model.";
constexpr std::string_view kNested = ".base_layer";
constexpr std::string_view kFactorA = ".lora_A.weight";
constexpr std::string_view kFactorB = ".lora_B.weight";

// The module that holds a fused parameter. PEFT wraps it once for each of its parameters.
std::string module_of(const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')); }

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// The name behind "model.layers.<n>.", or all of it.
std::string within_layer(const std::string& name) {
  return layer_of(name) < 0 ? name : name.substr(name.find('.', sizeof("model.layers.") - 1) + 1);
}

// The modules under which the sites' factors are stored. The first parameter of a module is wrapped
// innermost.
std::vector<std::string> stored_names(const std::vector<LoraSite>& sites) {
  std::map<std::string, std::int64_t> outer;  // parameters of the module that are still to come
  for (const LoraSite& site : sites)
    if (site.experts > 0) ++outer[module_of(site.name)];
  std::vector<std::string> names;
  for (const LoraSite& site : sites) {
    std::string name = std::string(kRoot) + (site.experts > 0 ? module_of(site.name) : site.name);
    if (site.experts > 0)
      for (std::int64_t n = --outer[module_of(site.name)]; n > 0; --n) name += kNested;
    names.push_back(std::move(name));
  }
  return names;
}

std::string as_pattern(const std::string& name) {
  std::string pattern;
  for (const char c : name) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  return pattern;
}

// The short names of what is targeted, where all that has the short name is a target; else the whole ones.
template <typename Shorten>
Json short_targets(const std::vector<std::string>& targets, const std::vector<std::string>& all,
                   const Shorten& shorten) {
  std::map<std::string, std::int64_t> open;
  for (const std::string& name : all) ++open[shorten(name)];
  for (const std::string& name : targets) --open[shorten(name)];
  std::set<std::string> names;
  for (const std::string& name : targets) names.insert(open[shorten(name)] == 0 ? shorten(name) : name);
  return names;
}

Json config_of(const TunedModel& tuned, const std::string& base_model) {
  const std::vector<LoraSite>& sites = tuned.sites();
  Json ranks = Json::object(), alphas = Json::object();
  std::vector<std::string> modules, parameters, all_modules, all_parameters;
  for (const LoraSite& site : sites) {
    (site.experts > 0 ? parameters : modules).push_back(site.name);
    if (site.rank != sites[0].rank) ranks[as_pattern(site.name)] = site.rank;
    if (site.alpha != sites[0].alpha) alphas[as_pattern(site.name)] = site.alpha;
  }
  for (const auto& [name, weight] : tuned.weights())
    if (weight.dim() == 2 && name.ends_with(".weight"))
      all_modules.push_back(name.substr(0, name.size() - 7));
  for (std::int64_t layer = 0; layer < tuned.spec().layers; ++layer)
    for (const FusedParameter& fused : fused_parameters(tuned.spec(), layer))
      all_parameters.push_back(fused.name);
  Json config = {{"peft_type", "LORA"},
                 {"task_type", "CAUSAL_LM"},
                 {"base_model_name_or_path", base_model},
                 {"r", sites[0].rank},
                 {"lora_alpha", sites[0].alpha},
                 {"lora_dropout", 0.0},
                 {"bias", "none"},
                 {"rank_pattern", ranks},
                 {"alpha_pattern", alphas},
                 {"target_modules", short_targets(modules, all_modules, last_part)}};
  if (!parameters.empty())
    config["target_parameters"] = short_targets(parameters, all_parameters, within_layer);
  return config;
}

// --- reading ---

void require_plain(const Json& config, const std::string& where) {
  if (config.value("peft_type", "") != "LORA")
    throw FileError("{}: peft_type is {}, only LORA adapters can be read", where,
                    config.value("peft_type", Json()).dump());
  for (const char* key :
       {"use_dora", "lora_bias", "fan_in_fan_out", "modules_to_save", "use_bdlora", "velora_config",
        "kasa_config", "use_qalora", "layer_replication", "trainable_token_indices"}) {
    const Json value = config.value(key, Json());
    if (!value.is_null() && value != false)
      throw FileError(
          "{}: '{}' is {}, which this reader does not know: merge the adapter with peft, and load the "
          "whole model",
          where, key, value.dump());
  }
  if (config.value("bias", "none") != "none")
    throw FileError("{}: the adapter trained biases too (bias={}), which this reader does not know", where,
                    config.value("bias", Json()).dump());
}

// PEFT's rule: the first key that matches the end of the name, from a dot on, as a regular expression.
std::optional<Json> by_pattern(const Json& config, const char* key, const std::string& name) {
  const Json patterns = config.value(key, Json::object());
  for (const auto& [pattern, value] : patterns.items()) {
    text::RegexScratch scratch;
    std::vector<text::Span> spans;
    text::Regex::compile("^(?:.*\\.)?(?:" + pattern + ")$", key).cut(name, scratch, spans);
    if (spans.size() == 1 && spans[0].matched) return value;
  }
  return std::nullopt;
}

class AdapterReader {
 public:
  AdapterReader(const std::filesystem::path& directory, const model::ModelSpec& spec)
      : spec_(spec),
        config_path_((directory / "adapter_config.json").string()),
        config_(read_json(directory / "adapter_config.json")),
        file_(directory / "adapter_model.safetensors") {
    require_plain(config_, config_path_);
  }

  std::vector<LoraSite> read() {
    for (const auto& [name, entry] : file_.entries()) {
      if (name.ends_with(kFactorB)) continue;
      if (!name.starts_with(kRoot) || !name.ends_with(kFactorA))
        throw FileError("{}: the tensor '{}' is no factor of an adapter", file_.path().string(), name);
      modules_.push_back(name.substr(kRoot.size(), name.size() - kRoot.size() - kFactorA.size()));
    }
    if (modules_.empty()) throw FileError("{}: the adapter has no factor", file_.path().string());
    std::set<std::string> read;
    for (std::int64_t layer = 0; layer < spec_.layers; ++layer) read_fused(layer, read);
    for (const std::string& module : modules_)
      if (!read.contains(module)) sites_.push_back(read_projection(module));
    return std::move(sites_);
  }

 private:
  bool has(const std::string& module) const {
    return std::find(modules_.begin(), modules_.end(), module) != modules_.end();
  }

  at::Tensor factor(const std::string& module, std::string_view which) const {
    const std::string name = std::string(kRoot) + module + std::string(which);
    const at::Tensor stored = file_.tensor(name);
    model::require_finite(stored, name, file_.path());
    if (stored.dim() != 2) throw FileError("{}: the factor '{}' is no matrix", file_.path().string(), name);
    return stored.to(at::kFloat).contiguous();
  }

  // Whether the config names the parameter, by its end as PEFT matches it.
  bool is_target(const std::string& parameter) const {
    for (const Json& target : config_.value("target_parameters", Json::array()))
      if (parameter == target || parameter.ends_with("." + target.get<std::string>())) return true;
    return false;
  }

  void set_scaling(LoraSite& site) const {
    const Json rank = by_pattern(config_, "rank_pattern", site.name).value_or(config_.value("r", Json(8)));
    const Json alpha =
        by_pattern(config_, "alpha_pattern", site.name).value_or(config_.value("lora_alpha", Json(8)));
    if (!rank.is_number() || !alpha.is_number() || rank.get<double>() != static_cast<double>(site.rank))
      throw FileError("{}: '{}' has factors of rank {}, the config says {}", config_path_, site.name,
                      site.rank, rank.dump());
    site.alpha = alpha.get<double>();
    if (config_.value("use_rslora", false)) site.alpha *= std::sqrt(static_cast<double>(site.rank));
  }

  LoraSite read_projection(const std::string& module) const {
    LoraSite site;
    site.name = module;
    site.tensors = {{module + ".weight"}};
    site.a = factor(module, kFactorA);
    site.b = factor(module, kFactorB);
    site.rank = site.a.size(0);
    site.shape = {site.b.size(0), site.a.size(1)};
    if (site.b.size(1) != site.rank)
      throw FileError("{}: the factors of '{}' have ranks {} and {}", file_.path().string(), module,
                      site.rank, site.b.size(1));
    set_scaling(site);
    return site;
  }

  // The parameters of one layer that are adapted, the first one wrapped innermost.
  void read_fused(std::int64_t layer, std::set<std::string>& read) {
    std::vector<FusedParameter> targets;
    for (FusedParameter& fused : fused_parameters(spec_, layer))
      if (is_target(fused.name)) targets.push_back(std::move(fused));
    for (std::size_t i = 0; i < targets.size(); ++i) {
      std::string module = module_of(targets[i].name);
      for (std::size_t j = i + 1; j < targets.size(); ++j)
        if (module_of(targets[j].name) == module_of(targets[i].name)) module += kNested;
      if (!has(module)) continue;
      sites_.push_back(read_parameter(targets[i], module));
      read.insert(module);
    }
  }

  LoraSite read_parameter(const FusedParameter& fused, const std::string& module) const {
    LoraSite site;
    site.name = fused.name;
    site.experts = spec_.router.experts;
    site.tensors = fused.tensors;
    site.shape = fused.shape;
    site.a = factor(module, kFactorA);
    site.b = factor(module, kFactorB);
    site.rank = site.a.size(0) / site.experts;
    const auto fits = [&] {
      return site.rank > 0 && site.a.sizes() == at::IntArrayRef(site.a_sizes()) &&
             site.b.sizes() == at::IntArrayRef(site.b_sizes());
    };
    site.is_transposed = fused.is_transposed;
    if (!fits()) site.is_transposed = !site.is_transposed;
    if (!fits())
      throw FileError("{}: factors of [{}] and [{}] do not fit '{}' of [{}]", file_.path().string(),
                      fmt::join(site.a.sizes(), ", "), fmt::join(site.b.sizes(), ", "), fused.name,
                      fmt::join(fused.shape, ", "));
    set_scaling(site);
    return site;
  }

  const model::ModelSpec& spec_;
  std::string config_path_;
  Json config_;
  model::SafetensorsFile file_;
  std::vector<std::string> modules_;  // that have factors
  std::vector<LoraSite> sites_;
};

}  // namespace

void save_adapter(const std::filesystem::path& directory, const TunedModel& tuned,
                  const std::string& base_model) {
  if (tuned.sites().empty()) throw ConfigError("the model was trained whole: it has no adapter to save");
  make_directory(directory);
  const auto names = stored_names(tuned.sites());
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    tensors.emplace_back(names[i] + std::string(kFactorA), tuned.sites()[i].a.detach().cpu());
    tensors.emplace_back(names[i] + std::string(kFactorB), tuned.sites()[i].b.detach().cpu());
  }
  model::write_safetensors(directory / "adapter_model.safetensors", tensors);
  write_json(directory / "adapter_config.json", config_of(tuned, base_model));
}

std::vector<LoraSite> read_adapter(const std::filesystem::path& directory, const model::ModelSpec& spec) {
  return AdapterReader(directory, spec).read();
}

std::string trained_digest(const TunedModel& tuned) {
  std::string text;
  for (const LoraSite& site : tuned.sites()) text += fmt::format("{} {}\n", site.name, site.scaling());
  for (const auto& [name, leaf] : tuned.leaves().named) {
    const at::Tensor bytes = leaf.detach().cpu().contiguous();
    text += fmt::format("{} {}\n", name,
                        sha256({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()}));
  }
  return sha256(text);
}

}  // namespace moelab::train
