// gpt-oss: what its config must say, and packed experts that are broken.
#include <ATen/ops/full.h>

#include "core/engine/decoder.h"
#include "core/model/memory.h"
#include "core/steering/self_test.h"
#include "tests/support/catch.h"
#include "tests/support/changed_model.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::filesystem::path kTiny = data_dir() / "model" / "gpt_oss_tiny";

model::ModelSpec spec_with(const std::string& key, const Json& value) {
  return changed_spec("gpt_oss_tiny", {{key, value}});
}

const std::string kExperts = "model.layers.1.mlp.experts.";

}  // namespace

TEST_CASE("gpt-oss configs that the runtime cannot follow are errors that name the field", "[model]") {
  const auto fails = [](const std::string& key, const Json& value, const std::string& text) {
    CHECK_THROWS_WITH(spec_with(key, value), ContainsSubstring("config.json") && ContainsSubstring(text));
  };
  fails("quantization_config", {{"quant_method", "gptq"}}, "quant_method 'gptq'");
  fails("quantization_config", Json::object(), "'quant_method' is missing");
  fails("layer_types", {"sliding_attention"}, "'layer_types' names 1 layers, the model has 2");
  fails("layer_types", {"full_attention", "chunked_attention"}, "'chunked_attention' is unknown");
  fails("sliding_window", 0, "'sliding_window' is 0");
  fails("swiglu_limit", 0, "'swiglu_limit' is 0");
  fails("rope_scaling", nullptr, "'rope_scaling'");
  fails("rope_theta", nullptr, "'rope_theta' is missing");
  fails("head_dim", nullptr, "'head_dim' is missing");
  fails("intermediate_size", 40, "in steps of 32; they are 64 and 40");
  fails("hidden_act", "gelu", "hidden_act 'gelu'");
}

TEST_CASE("gpt-oss without layer_types has the window on every other layer, the first included", "[model]") {
  CHECK(spec_with("layer_types", nullptr).attention.windowed == std::vector<bool>{true, false});
  CHECK(spec_with("layer_types", {"full_attention", "sliding_attention"}).attention.windowed ==
        std::vector<bool>{false, true});
}

TEST_CASE("broken packed experts are errors that name the tensor", "[model]") {
  const auto fails = [](const std::string& name, const at::Tensor& tensor, const std::string& text,
                        const model::LoadOptions& options = {}) {
    const ChangedModel broken("gpt_oss_tiny");
    if (tensor.defined())
      broken.set_tensor(kExperts + name, tensor);
    else
      broken.remove_tensor(kExperts + name);
    CHECK_THROWS_WITH(model::Model::load(broken.path(), options),
                      ContainsSubstring(kExperts + name) && ContainsSubstring(text));
  };
  at::Tensor scales = at::full({8, 64, 1}, 124, at::kByte);
  fails("down_proj_scales", {}, "is missing");
  fails("down_proj_blocks", {}, "is missing");
  fails("down_proj_scales", at::full({8, 63, 1}, 124, at::kByte),
        "[8, 63, 1], config.json demands [8, 64, 1]");
  fails("gate_up_proj_blocks", at::full({8, 64, 4, 8}, 1, at::kByte), "config.json demands [8, 64, 2, 16]");
  fails("down_proj_scales", scales.to(at::kFloat), "packed bytes (uint8) were expected");
  scales[7][63][0] = 253;
  fails("down_proj_scales", scales, "holds the scale 253, under which values leave the range of Float");
  scales[7][63][0] = 141;
  model::LoadOptions half;
  half.dtype = at::kHalf;
  fails("down_proj_scales", scales, "holds the scale 141, under which values leave the range of Half", half);
  scales[0][0][0] = 255;
  fails("down_proj_scales", scales, "holds the scale 255, which stands for NaN");
}

TEST_CASE("a config that promises packed experts does not take dequantised ones", "[model]") {
  const ChangedModel changed("gpt_oss_bf16");
  std::filesystem::copy_file(kTiny / "config.json", changed.path() / "config.json",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_WITH(model::Model::load(changed.path()), ContainsSubstring("gate_up_proj_blocks' is missing"));
}

TEST_CASE("packed experts stay packed in memory, and are counted so", "[model]") {
  // Experts: 2 layers of 8, each (64 + 32) x 64 values, in 17 bytes for 32. The rest by count_parameters,
  // which another test compares with the files.
  const std::int64_t packed = 2 * 8 * 96 * 64;
  const model::ModelSpec spec = model::read_spec(kTiny);
  const std::int64_t rest = model::count_parameters(spec).total - packed;
  CHECK(model::weight_bytes(spec, at::kFloat) == 4 * rest + packed / 32 * 17);
  CHECK(model::weight_bytes(spec, at::kBFloat16) == 2 * rest + packed / 32 * 17);
  CHECK(model::weight_bytes(model::read_spec(data_dir() / "model" / "gpt_oss_bf16"), at::kBFloat16) ==
        2 * (rest + packed));
  const model::Model loaded = model::Model::load(kTiny);
  const auto& experts = std::get<model::MoeWeights>(loaded.weights().layers[1].mlp).clamped_experts;
  REQUIRE(experts.size() == 8);
  for (const model::ClampedMlpWeights& expert : experts) {
    const auto& down = std::get<model::Mxfp4Matrix>(expert.down);
    CHECK(down.blocks.nbytes() + down.scales.nbytes() == 64 * 17);
  }
}

TEST_CASE("the published sizes have the parameters and bytes of the model card", "[model]") {
  // gpt-oss model card (arXiv 2508.10925), Table 1: 20.91 and 116.83 billion parameters, checkpoints of 12.8
  // and 60.8 GiB.
  const auto [layers, experts, billions, gib] =
      GENERATE(table<int, int, double, double>({{24, 32, 20.91, 12.8}, {36, 128, 116.83, 60.8}}));
  const model::ModelSpec spec = changed_spec("gpt_oss_tiny", {{"num_hidden_layers", layers},
                                                              {"num_local_experts", experts},
                                                              {"num_experts_per_tok", 4},
                                                              {"hidden_size", 2880},
                                                              {"intermediate_size", 2880},
                                                              {"num_attention_heads", 64},
                                                              {"num_key_value_heads", 8},
                                                              {"head_dim", 64},
                                                              {"vocab_size", 201088},
                                                              {"layer_types", nullptr}});
  const auto total = static_cast<double>(model::count_parameters(spec).total);
  CHECK(total / 1e9 == Catch::Approx(billions).margin(0.005));
  const auto bytes = static_cast<double>(model::weight_bytes(spec, at::kBFloat16));
  CHECK(bytes / (1024.0 * 1024.0 * 1024.0) == Catch::Approx(gib).margin(0.05));
}

TEST_CASE("a prompt past the original context and many windows equals transformers, whole and in pieces",
          "[model]") {
  const ModelReference reference("gpt_oss_tiny");
  const auto prompt = reference.fields.at("long_prompt").get<engine::Tokens>();
  REQUIRE(prompt.size() > 2 * 32);
  const at::Tensor expected = reference.tensor("long.logits");
  const auto engine = load_engine(reference.checkpoint);
  std::vector<engine::Tokens> prompts = reference.prompts;
  prompts.push_back(prompt);
  CHECK(largest_difference(engine.logits(prompts).back(), expected) <= reference.tolerance);
  const auto traces = engine.trace(std::vector<engine::Tokens>{prompt});
  for (const model::LayerCapture& seen : traces[0].layers)
    CHECK(at::equal(sorted(seen.routing).ids,
                    reference.tensor(fmt::format("long.layer.{}.experts", seen.layer))));
  engine::Decoder decoder(engine, {}, {40, 4});
  engine::DecodeRow row;
  const std::span<const std::int32_t> all = prompt;
  for (std::size_t start = 0; start < all.size(); start += 11) {
    const auto piece = all.subspan(start, std::min<std::size_t>(11, all.size() - start));
    REQUIRE(decoder.cache().reserve(row.kv, static_cast<std::int64_t>(piece.size())));
    const at::Tensor logits = decoder.feed(std::vector<engine::Feed>{{&row, piece}})[0];
    const auto last = static_cast<std::int64_t>(start + piece.size()) - 1;
    CHECK(largest_difference(logits, expected[last]) <= reference.tolerance);
  }
}

TEST_CASE("gpt-oss passes the self-test in bfloat16, packed and dequantised", "[model]") {
  model::LoadOptions options;
  options.dtype = at::kBFloat16;
  for (const char* name : {"gpt_oss_tiny", "gpt_oss_bf16"})
    CHECK_NOTHROW(steering::self_test(model::Model::load(data_dir() / "model" / name, options)));
}
