// What attention over latents keeps, and what the configs of DeepSeek's families must say.
#include "core/model/latent_attention.h"

#include <cmath>

#include "core/model/kv_cache.h"
#include "core/model/model.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

Json published(const Json& changes) {
  Json config = {{"vocab_size", 102400},
                 {"hidden_size", 2048},
                 {"intermediate_size", 10944},
                 {"num_hidden_layers", 27},
                 {"num_attention_heads", 16},
                 {"num_key_value_heads", 16},
                 {"max_position_embeddings", 163840},
                 {"kv_lora_rank", 512},
                 {"q_lora_rank", nullptr},
                 {"qk_nope_head_dim", 128},
                 {"qk_rope_head_dim", 64},
                 {"v_head_dim", 128},
                 {"n_routed_experts", 64},
                 {"n_shared_experts", 2},
                 {"moe_intermediate_size", 1408},
                 {"first_k_dense_replace", 1},
                 {"num_experts_per_tok", 6},
                 {"n_group", 1},
                 {"topk_group", 1},
                 {"routed_scaling_factor", 1.0}};
  config.update(changes);
  return config;
}

model::ModelSpec parse_config(const Json& config) { return model::parse_spec(config, "config.json"); }

model::ModelSpec v2_lite(const Json& changes = Json::object()) {
  Json config = published({{"model_type", "deepseek_v2"},
                           {"rope_scaling",
                            {{"type", "yarn"},
                             {"factor", 40},
                             {"mscale", 0.707},
                             {"mscale_all_dim", 0.707},
                             {"beta_fast", 32},
                             {"beta_slow", 1},
                             {"original_max_position_embeddings", 4096}}}});
  config.update(changes);
  return parse_config(config);
}

model::ModelSpec moonlight(const Json& changes = Json::object()) {
  Json config =
      published({{"model_type", "deepseek_v3"}, {"vocab_size", 163840}, {"intermediate_size", 11264}});
  config["routed_scaling_factor"] = 2.446;
  config.update(changes);
  return parse_config(config);
}

}  // namespace

TEST_CASE("a cache of latents keeps kv_lora_rank + qk_rope_head_dim numbers a token and layer", "[model]") {
  const auto spec = model::read_spec(data_dir() / "model" / "deepseek_v2_tiny");
  // 3 layers * 5 tokens * (18 + 8) values * 4 bytes.
  CHECK(model::KvCache::page_bytes(spec, 5, at::kFloat) == 3 * 5 * 26 * 4);
  // Expanded keys and values would be 16 * (192 + 128) = 5120 numbers, nearly nine times as many.
  CHECK(model::KvCache::page_bytes(v2_lite(), 1, at::kBFloat16) == 27 * 576 * 2);
  model::KvCache cache(spec, {2, 4}, at::kCPU, at::kFloat);
  model::KvRow row;
  REQUIRE(cache.reserve(row, 3));
  const std::vector<model::KvAppend> appended = {{&row, 3}};
  const auto layout = cache.layout(appended);
  const auto read = cache.append(1, layout, at::ones({3, 1, 26}));
  CHECK(read.keys.sizes() == at::IntArrayRef({1, 1, 3, 26}));
  CHECK(read.keys.min().item<float>() == 1);
  CHECK_FALSE(read.values.defined());
}

TEST_CASE("parameters of the published sizes are those that transformers counts", "[model]") {
  // Made on transformers' meta device from the same configs; Moonlight's without its 26 x 64 biases.
  CHECK(model::count_parameters(v2_lite()).total == 15706484224);
  CHECK(model::count_parameters(moonlight()).total == 15960108544 + 26 * 64);
}

TEST_CASE("YaRN scales the scores of V2-Lite by the square of its temperature", "[model]") {
  // 0.1 * 0.707 * ln 40 + 1 = 1.260803, squared 1.589625; cosines and sines keep their size.
  const auto attention = v2_lite().attention;
  CHECK(attention.scale.value() == Catch::Approx(1.589625 / std::sqrt(192.0)).epsilon(1e-6));
  CHECK(attention.rope_scaling->short_scale == Catch::Approx(1));
  CHECK_FALSE(moonlight().attention.scale.has_value());
  const Json plain = {{"rope_type", "yarn"}, {"factor", 40}, {"original_max_position_embeddings", 4096}};
  CHECK(v2_lite({{"rope_scaling", plain}}).attention.scale.value() == Catch::Approx(1 / std::sqrt(192.0)));
}

TEST_CASE("DeepSeek's rotation is over pairs of neighbours unless a config of V3 says otherwise", "[model]") {
  CHECK(v2_lite().attention.pairs == model::RotaryPairs::interleaved);
  CHECK(moonlight().attention.pairs == model::RotaryPairs::interleaved);
  CHECK(moonlight({{"rope_interleave", false}}).attention.pairs == model::RotaryPairs::half);
}

TEST_CASE("DeepSeek's first layers are dense, and of the others every moe_layer_freq-th has experts",
          "[model]") {
  CHECK(v2_lite({{"num_hidden_layers", 4}, {"first_k_dense_replace", 2}}).is_moe_layer ==
        std::vector<bool>{false, false, true, true});
  const auto first = parse_config(published({{"model_type", "deepseek"},
                                             {"num_hidden_layers", 5},
                                             {"moe_layer_freq", 2},
                                             {"first_k_dense_replace", 1}}));
  CHECK(first.is_moe_layer == std::vector<bool>{false, false, true, false, true});
}

TEST_CASE("the first DeepSeek-MoE gives the logits of mlx-lm, which has the family itself", "[model]") {
  // The other fixtures come from transformers, which computes this family's function as another one's.
  const ModelReference reference("deepseek_tiny");
  const model::SafetensorsFile mlx(data_dir() / "model" / "expected" / "deepseek_tiny" / "mlx.safetensors");
  const auto logits = load_engine(reference.checkpoint).logits(reference.prompts);
  REQUIRE(logits.size() == 4);
  for (std::size_t p = 0; p < logits.size(); ++p)
    CHECK(largest_difference(logits[p], mlx.tensor(fmt::format("prompt.{}.logits", p))) <=
          reference.tolerance);
}

TEST_CASE("DeepSeek's settings that the runtime cannot follow are errors that name the field", "[model]") {
  const auto fails = [](const auto& parse, const Json& changes, const std::string& text) {
    CHECK_THROWS_WITH(parse(changes), ContainsSubstring("config.json") && ContainsSubstring(text));
  };
  const auto v2 = [](const Json& changes) { return v2_lite(changes); };
  const auto v3 = [](const Json& changes) { return moonlight(changes); };
  fails(v2, {{"norm_topk_prob", true}}, "norm_topk_prob true");
  fails(v2, {{"scoring_func", "sigmoid"}}, "scoring_func 'sigmoid'");
  fails(v2, {{"topk_method", "noaux_tc"}}, "topk_method 'noaux_tc'");
  fails(v2, {{"num_key_value_heads", 4}}, "num_key_value_heads is 4");
  fails(v2, {{"moe_layer_freq", 2}}, "moe_layer_freq");
  fails(v2, {{"mlp_bias", true}}, "mlp_bias");
  fails(v2, {{"partial_rotary_factor", 0.5}}, "partial_rotary_factor");
  fails(v2, {{"kv_lora_rank", 0}}, "'kv_lora_rank' is 0");
  fails(v2, {{"q_lora_rank", -3}}, "'q_lora_rank' is -3");
  fails(v2, {{"n_shared_experts", -1}}, "'n_shared_experts' is -1");
  fails(v2, {{"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}, "rope type 'linear'");
  fails(v3, {{"scoring_func", "softmax"}}, "scoring_func 'softmax'");
  fails(v3, {{"topk_method", "greedy"}}, "topk_method 'greedy'");
  fails(v3, {{"n_group", nullptr}}, "'n_group'");
  const auto v1 = [](const Json& changes) {
    Json config = published({{"model_type", "deepseek"}});
    config.update(changes);
    return parse_config(config);
  };
  fails(v1, {{"scoring_func", "sigmoid"}}, "scoring_func 'sigmoid'");
  fails(v1, {{"moe_layer_freq", 0}}, "'moe_layer_freq' is 0");
  fails(v1, {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}}, "rope type 'dynamic'");
}
