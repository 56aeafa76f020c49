#include "core/train/peft.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

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

// Options that are read below, or that leave what the stored factors mean as it is.
constexpr std::string_view kKnown[] = {"alpha_pattern",
                                       "auto_mapping",
                                       "base_model_name_or_path",
                                       "bias",
                                       "exclude_modules",
                                       "inference_mode",
                                       "init_lora_weights",
                                       "layers_pattern",
                                       "layers_to_transform",
                                       "lora_alpha",
                                       "lora_dropout",
                                       "megatron_core",
                                       "peft_type",
                                       "peft_version",
                                       "qalora_group_size",
                                       "r",
                                       "rank_pattern",
                                       "revision",
                                       "runtime_config",
                                       "target_modules",
                                       "target_parameters",
                                       "task_type",
                                       "use_rslora"};

bool is_off(const Json& value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

void require_plain(const Json& config, const std::string& where) {
  if (!config.is_object()) throw FileError("{}: an object was expected", where);
  const auto type = json_get_or<std::string>(config, "peft_type", "", where);
  if (type != "LORA") throw FileError("{}: peft_type is '{}', only LORA adapters can be read", where, type);
  const auto refuse = [&](const std::string& key, const Json& value) {
    throw FileError(
        "{}: '{}' is {}, which this reader does not know: merge the adapter with peft, and load the "
        "whole model",
        where, key, value.dump());
  };
  for (const auto& [key, value] : config.items())
    if (std::find(std::begin(kKnown), std::end(kKnown), key) == std::end(kKnown) && !is_off(value))
      refuse(key, value);
  // PiSSA and its like change the weights that the adapter is added to.
  const auto start = config.find("init_lora_weights");
  if (start != config.end() && !is_off(*start) && *start != true && *start != "gaussian")
    refuse("init_lora_weights", *start);
  if (const auto bias = json_get_or<std::string>(config, "bias", "none", where); bias != "none")
    throw FileError("{}: the adapter trained biases too (bias={}), which this reader does not know", where,
                    bias);
}

bool fits_target(const std::string& target, const std::string& name) {
  return name == target || name.ends_with("." + target);
}

// PEFT's rule: the first key that matches the end of the name, from a dot on, as a regular expression.
std::optional<Json> by_pattern(const Json& config, const char* key, const std::string& name,
                               const std::string& where) {
  const auto patterns = json_get_or<Json>(config, key, Json::object(), where);
  if (!patterns.is_object()) throw FileError("{}: the field '{}' is no object", where, key);
  for (const auto& [pattern, value] : patterns.items()) {
    text::RegexScratch scratch;
    std::vector<text::Span> spans;
    text::Regex::compile("^(?:.*\\.)?(?:" + pattern + ")$", where + ": " + key).cut(name, scratch, spans);
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
    targets_ = json_get_or<std::vector<std::string>>(config_, "target_parameters", {}, config_path_);
  }

  std::vector<LoraSite> read() {
    for (const auto& [name, entry] : file_.entries()) {
      const bool is_b = name.ends_with(kFactorB);
      if (!name.starts_with(kRoot) || !(is_b || name.ends_with(kFactorA)))
        throw FileError("{}: the tensor '{}' is no factor of an adapter", file_.path().string(), name);
      static_assert(kFactorA.size() == kFactorB.size());
      const std::string module = name.substr(kRoot.size(), name.size() - kRoot.size() - kFactorA.size());
      if (is_b)
        require_factor(module, kFactorA);
      else
        modules_.push_back(module);
    }
    if (modules_.empty()) throw FileError("{}: the adapter has no factor", file_.path().string());
    std::set<std::string> read;
    for (std::int64_t layer = 0; layer < spec_.layers; ++layer) read_fused(layer, read);
    orient_squares();
    for (const std::string& module : modules_)
      if (!read.contains(module)) sites_.push_back(read_projection(module));
    require_targets_read();
    return std::move(sites_);
  }

 private:
  void require_factor(const std::string& module, std::string_view which) const {
    const std::string name = std::string(kRoot) + module + std::string(which);
    if (!file_.entries().contains(name))
      throw FileError("{}: the tensor '{}' is missing, the adapter is incomplete", file_.path().string(),
                      name);
  }

  at::Tensor factor(const std::string& module, std::string_view which) const {
    require_factor(module, which);
    const std::string name = std::string(kRoot) + module + std::string(which);
    const at::Tensor stored = file_.tensor(name);
    model::require_finite(stored, name, file_.path());
    if (stored.dim() != 2) throw FileError("{}: the factor '{}' is no matrix", file_.path().string(), name);
    return stored.to(at::kFloat).contiguous();
  }

  // Whether the config names the parameter, by its end as PEFT matches it.
  bool is_target(const std::string& parameter) const {
    return std::any_of(targets_.begin(), targets_.end(),
                       [&](const std::string& target) { return fits_target(target, parameter); });
  }

  // A target may name a parameter that is not fused, whose module is stored as any other.
  void require_targets_read() const {
    for (const std::string& target : targets_) {
      const auto is_read = [&](const LoraSite& site) {
        return fits_target(target, site.experts > 0 ? site.name : site.name + ".weight");
      };
      if (std::none_of(sites_.begin(), sites_.end(), is_read))
        throw FileError("{}: 'target_parameters' names '{}', for which {} has no factors", config_path_,
                        target, file_.path().filename().string());
    }
  }

  // The number that the config gives a site, by pattern or for all.
  Json number_of(const char* pattern_key, const char* key, const std::string& name) const {
    return by_pattern(config_, pattern_key, name, config_path_)
        .value_or(json_get_or<Json>(config_, key, Json(8), config_path_));
  }

  void set_scaling(LoraSite& site) const {
    const Json rank = number_of("rank_pattern", "r", site.name);
    const Json alpha = number_of("alpha_pattern", "lora_alpha", site.name);
    if (!rank.is_number() || !alpha.is_number() || rank.get<double>() != static_cast<double>(site.rank))
      throw FileError("{}: '{}' has factors of rank {}, the config says {}", config_path_, site.name,
                      site.rank, rank.dump());
    site.alpha = alpha.get<double>();
    if (json_get_or(config_, "use_rslora", false, config_path_))
      site.alpha *= std::sqrt(static_cast<double>(site.rank));
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
    site.is_transposed = fused.is_transposed;  // of a square parameter, see orient_squares
    if (!fits()) site.is_transposed = !site.is_transposed;
    if (!fits())
      throw FileError("{}: factors of [{}] and [{}] do not fit '{}' of [{}]", file_.path().string(),
                      fmt::join(site.a.sizes(), ", "), fmt::join(site.b.sizes(), ", "), fused.name,
                      fmt::join(fused.shape, ", "));
    set_scaling(site);
    return site;
  }

  // The factors of a square parameter fit either way round. All parameters of an adapter were stored by one
  // version of PEFT, so that one that is not square tells.
  void orient_squares() {
    const auto is_square = [](const LoraSite& site) { return site.shape[1] == site.shape[2]; };
    const auto other = std::find_if_not(sites_.begin(), sites_.end(), is_square);
    if (other == sites_.end()) return;
    for (LoraSite& site : sites_)
      if (is_square(site)) site.is_transposed = other->is_transposed;
  }

  const model::ModelSpec& spec_;
  std::string config_path_;
  Json config_;
  model::SafetensorsFile file_;
  std::vector<std::string> targets_;  // the config's target_parameters
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

}  // namespace moelab::train
