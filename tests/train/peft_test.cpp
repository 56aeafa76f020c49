// Adapters of peft read, and ours as peft read them.
#include "core/train/peft.h"

#include <ATen/ops/ones.h>

#include "core/model/safetensors.h"
#include "tests/support/catch.h"
#include "tests/train/sft_support.h"

using namespace moelab;
using namespace moelab::train;

namespace {

struct Ours {
  const char* folder;
  AdapterLayout layout;
};
constexpr Ours kOurs[] = {{"own_modules", AdapterLayout::modules},
                          {"own_parameters", AdapterLayout::parameters}};

// The largest difference from the reference's logits of the model with one of its adapters.
double difference(const TunedModel& tuned, const std::string& adapter) {
  const Json reference = read_json(testing::sft_data() / "reference.json");
  const auto tokens = reference.at("tokens").get<std::vector<std::int64_t>>();
  const Json& rows = adapter.empty() ? reference.at("plain_logits") : reference.at("logits").at(adapter);
  const at::Tensor logits = testing::logits_of(tuned.merged(), tokens);
  double largest = 0;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto row = rows[t].get<std::vector<double>>();
    largest = std::max(
        largest,
        (logits[static_cast<std::int64_t>(t)] - at::tensor(row, at::kDouble)).abs().max().item<double>());
  }
  return largest;
}

void save_ours(const std::filesystem::path& folder, AdapterLayout layout) {
  save_adapter(folder, testing::with_adapter(testing::tiny_model(), 3, layout), "tests/data/train/start");
}

}  // namespace

// Not run by itself: writes what make_sft_reference.py then gives to peft.
TEST_CASE("adapters for peft are written anew", "[.write]") {
  for (const Ours& ours : kOurs) save_ours(testing::sft_data() / ours.folder, ours.layout);
}

TEST_CASE("an adapter that peft wrote gives peft's logits", "[train]") {
  const auto spec = model::read_spec(testing::tiny_model());
  const TunedModel tuned =
      TunedModel::load(testing::tiny_model(), read_adapter(testing::sft_data() / "peft_parameters", spec));
  CHECK(difference(tuned, "peft_parameters") < 1e-5);
  CHECK(difference(tuned, "") > 0.01);  // which are not those of the model alone
}

TEST_CASE("peft's logits with adapters that were written here are the same, in both layouts", "[train]") {
  const auto spec = model::read_spec(testing::tiny_model());
  for (const Ours& ours : kOurs) {
    CAPTURE(ours.folder);
    const testing::ScratchDir scratch;
    save_ours(scratch / "adapter", ours.layout);
    // In parentheses, as bytes are nothing to print.
    for (const char* file : {"adapter_config.json", "adapter_model.safetensors"})
      CHECK((read_text(scratch / "adapter" / file) == read_text(testing::sft_data() / ours.folder / file)));
    const TunedModel tuned = TunedModel::load(testing::tiny_model(), read_adapter(scratch / "adapter", spec));
    CHECK(difference(tuned, ours.folder) < 1e-5);
  }
}

TEST_CASE("the digest of an adapter changes with a factor and with alpha", "[train]") {
  TunedModel tuned = testing::with_adapter(testing::tiny_model(), 2, AdapterLayout::modules);
  const std::string before = trained_digest(tuned);
  CHECK(trained_digest(testing::with_adapter(testing::tiny_model(), 2, AdapterLayout::modules)) == before);
  tuned.sites()[0].b.detach()[0][0] += 1;
  CHECK(trained_digest(tuned) != before);

  TuneOptions options;
  options.lora = {.rank = 2, .alpha = 5.0, .layout = AdapterLayout::modules};
  TunedModel scaled = TunedModel::load(testing::tiny_model(), options);
  testing::fill_adapter(scaled);
  CHECK(trained_digest(scaled) != before);
}

TEST_CASE("a transposed change of a fused parameter is read too", "[train]") {
  // (B A)^T with A and B made of the factors of B A the other way round is the same change.
  const auto spec = model::read_spec(testing::tiny_model());
  const testing::ScratchDir scratch;
  save_ours(scratch / "adapter", AdapterLayout::parameters);
  std::vector<std::pair<std::string, at::Tensor>> turned;
  const model::SafetensorsFile file(scratch / "adapter/adapter_model.safetensors");
  const auto turn = [&](const std::string& module) {
    const at::Tensor a = file.tensor(module + ".lora_A.weight"), b = file.tensor(module + ".lora_B.weight");
    const std::int64_t experts = spec.router.experts, rank = 3;
    const at::Tensor of_a = a.view({experts, rank, a.size(1)}), of_b = b.view({b.size(0), rank, experts});
    turned.emplace_back(module + ".lora_A.weight",
                        of_b.permute({2, 1, 0}).reshape({experts * rank, b.size(0)}));
    turned.emplace_back(module + ".lora_B.weight",
                        of_a.permute({2, 1, 0}).reshape({a.size(1), rank * experts}));
  };
  for (const auto& [name, entry] : file.entries()) {
    const bool is_fused = name.find(".experts.") != std::string::npos;
    if (!is_fused) turned.emplace_back(name, file.tensor(name));
    if (is_fused && name.ends_with(".lora_A.weight")) turn(name.substr(0, name.size() - 14));
  }
  model::write_safetensors(scratch / "turned.safetensors", turned);
  std::filesystem::rename(scratch / "turned.safetensors", scratch / "adapter/adapter_model.safetensors");
  const TunedModel tuned = TunedModel::load(testing::tiny_model(), read_adapter(scratch / "adapter", spec));
  CHECK(difference(tuned, "own_parameters") < 1e-5);
}

TEST_CASE("a square parameter is taken the way round that the other one tells", "[train]") {
  // Experts as wide as the model: the parameter of down is square, that of gate and up is not.
  auto spec = model::read_spec(testing::tiny_model());
  spec.layers = 1;
  spec.expert_width = spec.hidden;
  const std::int64_t rank = 2, factors = rank * spec.router.experts, hidden = spec.hidden;
  const bool is_transposed = GENERATE(false, true);
  const testing::ScratchDir scratch;
  const std::string module = "base_model.model.model.layers.0.mlp.experts";
  const at::Tensor wide = at::ones({is_transposed ? 2 * hidden : hidden, factors});
  const at::Tensor tall = at::ones({is_transposed ? hidden : 2 * hidden, factors});
  const std::vector<std::pair<std::string, at::Tensor>> tensors = {
      {module + ".base_layer.lora_A.weight", wide.t().contiguous()},
      {module + ".base_layer.lora_B.weight", tall},
      {module + ".lora_A.weight", at::ones({factors, hidden})},
      {module + ".lora_B.weight", at::ones({hidden, factors})}};
  model::write_safetensors(scratch / "adapter_model.safetensors", tensors);
  const Json config = {{"peft_type", "LORA"},
                       {"r", rank},
                       {"target_parameters", {"mlp.experts.gate_up_proj", "mlp.experts.down_proj"}}};
  write_atomic(scratch / "adapter_config.json", config.dump());
  const auto sites = read_adapter(scratch.path(), spec);
  REQUIRE(sites.size() == 2);
  for (const LoraSite& site : sites) CHECK(site.is_transposed == is_transposed);
}

TEST_CASE("an adapter that lacks a factor is refused with the tensor's name", "[train]") {
  const auto spec = model::read_spec(testing::tiny_model());
  const std::string module = "base_model.model.model.layers.1.mlp.experts";
  const auto lost = GENERATE_COPY(module + ".lora_A.weight", module + ".lora_B.weight");
  const testing::ScratchDir scratch;
  save_ours(scratch / "adapter", AdapterLayout::parameters);
  const model::SafetensorsFile file(scratch / "adapter/adapter_model.safetensors");
  std::vector<std::pair<std::string, at::Tensor>> left;
  for (const auto& [name, entry] : file.entries())
    if (name != lost) left.emplace_back(name, file.tensor(name));
  REQUIRE(left.size() + 1 == file.entries().size());
  model::write_safetensors(scratch / "left.safetensors", left);
  std::filesystem::rename(scratch / "left.safetensors", scratch / "adapter/adapter_model.safetensors");
  REQUIRE_THROWS_WITH(read_adapter(scratch / "adapter", spec),
                      Catch::Matchers::ContainsSubstring("'" + lost + "' is missing"));
}

TEST_CASE("an adapter that cannot be read is refused with the reason", "[train]") {
  const auto spec = model::read_spec(testing::tiny_model());
  const testing::ScratchDir scratch;
  save_ours(scratch / "adapter", AdapterLayout::modules);
  const auto config_path = scratch / "adapter/adapter_config.json";
  const Json config = read_json(config_path);
  const auto fails = [&](const char* key, const Json& value, const char* what) {
    Json changed = config;
    changed[key] = value;
    write_atomic(config_path, changed.dump());
    CAPTURE(key);
    REQUIRE_THROWS_WITH(read_adapter(scratch / "adapter", spec), Catch::Matchers::ContainsSubstring(what));
  };
  fails("peft_type", "IA3", "only LORA adapters");
  fails("use_dora", true, "'use_dora' is true");
  fails("modules_to_save", Json::array({"lm_head"}), "'modules_to_save'");
  fails("bias", "all", "biases");
  fails("bias", 3, "'bias'");
  fails("some_new_option", 0.5, "'some_new_option' is 0.5");
  fails("init_lora_weights", "pissa", "'init_lora_weights'");
  fails("use_rslora", "yes", "'use_rslora'");
  fails("rank_pattern", 3, "'rank_pattern' is no object");
  fails("rank_pattern", Json::object({{"(", 3}}), "adapter_config.json: rank_pattern");
  fails("target_parameters", Json::array({7}), "'target_parameters'");
  fails("target_parameters", Json::array({"mlp.experts.other"}), "'mlp.experts.other', for which");
  fails("r", 5, "has factors of rank 3, the config says 5");
  write_atomic(config_path, config.dump());
  std::vector<LoraSite> sites = read_adapter(scratch / "adapter", spec);
  sites[0].tensors[0][0] = "model.layers.9.self_attn.q_proj.weight";
  REQUIRE_THROWS_WITH(TunedModel::load(testing::tiny_model(), sites),
                      Catch::Matchers::ContainsSubstring("which the model does not have"));
}

TEST_CASE("rank and alpha by pattern, and rank-stabilised scaling, act as in peft", "[train]") {
  const auto spec = model::read_spec(testing::tiny_model());
  const testing::ScratchDir scratch;
  save_ours(scratch / "adapter", AdapterLayout::modules);
  Json config = read_json(scratch / "adapter/adapter_config.json");
  config["r"] = 8;
  config["rank_pattern"] = {{".*proj", 3}};
  config["alpha_pattern"] = {{"layers\\.1\\.self_attn\\.q_proj", 30}};
  config["use_rslora"] = true;
  write_atomic(scratch / "adapter/adapter_config.json", config.dump());
  for (const LoraSite& site : read_adapter(scratch / "adapter", spec)) {
    // alpha / sqrt(rank), with alpha 6 but for one projection.
    const double alpha = site.name == "model.layers.1.self_attn.q_proj" ? 30 : 6;
    CHECK(site.scaling() == Catch::Approx(alpha / std::sqrt(3.0)));
  }
}
