// What qwen3_next reads from config.json beyond what its fixture says, and what it refuses.
#include "tests/support/catch.h"
#include "tests/support/changed_model.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

model::ModelSpec next_spec(const Json& changes) { return changed_spec("qwen3_next_tiny", changes); }

}  // namespace

TEST_CASE("Qwen3-Next's layers follow layer_types, or else an interval, or else every fourth attends",
          "[model]") {
  CHECK(next_spec(Json::object()).delta_net->layers == std::vector<bool>{true, false, true});
  const Json types = {"full_attention", "linear_attention", "linear_attention"};
  CHECK(next_spec({{"layer_types", types}}).delta_net->layers == std::vector<bool>{false, true, true});
  CHECK(next_spec({{"layer_types", types}}).attention_layers() == 1);
  CHECK(next_spec({{"full_attention_interval", nullptr}, {"num_hidden_layers", 5}}).delta_net->layers ==
        std::vector<bool>{true, true, true, false, true});
}

TEST_CASE("a Qwen3-Next config without a field takes the library's default for it", "[model]") {
  const auto spec = next_spec({{"head_dim", nullptr},
                               {"partial_rotary_factor", nullptr},
                               {"linear_num_value_heads", nullptr},
                               {"linear_num_key_heads", nullptr},
                               {"linear_key_head_dim", nullptr},
                               {"linear_value_head_dim", nullptr},
                               {"num_experts", nullptr},
                               {"num_experts_per_tok", nullptr},
                               {"moe_intermediate_size", nullptr},
                               {"shared_expert_intermediate_size", nullptr},
                               {"norm_topk_prob", nullptr}});
  CHECK(spec.attention.head_dim == 256);
  CHECK(spec.attention.rotary_dim == 64);
  CHECK(spec.delta_net->key_width() == 16 * 128);
  CHECK(spec.delta_net->value_width() == 32 * 128);
  CHECK(spec.delta_net->conv_width() == 8192);
  CHECK(spec.router.experts == 512);
  CHECK(spec.router.top_k == 10);
  CHECK(spec.router.renormalise);
  CHECK(spec.expert_width == 512);
  CHECK(spec.shared_width == 512);
  // As transformers 5 writes it.
  CHECK(next_spec({{"partial_rotary_factor", nullptr},
                   {"rope_parameters",
                    {{"rope_type", "default"}, {"rope_theta", 500.0}, {"partial_rotary_factor", 0.75}}}})
            .attention.rotary_dim == 12);
}

TEST_CASE("a Qwen3-Next config that cannot be run is an error that names the field", "[model]") {
  const auto refuses = [](const Json& changes, const std::string& text) {
    CHECK_THROWS_AS(next_spec(changes), FileError);
    CHECK_THROWS_WITH(next_spec(changes), ContainsSubstring(text));
  };
  refuses({{"layer_types", {"full_attention", "sliding_attention", "linear_attention"}}},
          "layer_types holds 'sliding_attention'");
  refuses({{"layer_types", {"full_attention"}}}, "layer_types has 1 entries for 3 layers");
  refuses({{"full_attention_interval", 0}}, "'full_attention_interval' is 0, but must be positive");
  refuses({{"linear_conv_kernel_dim", 1}}, "linear_conv_kernel_dim is 1");
  refuses({{"linear_num_value_heads", 3}}, "linear_num_value_heads 3 cannot be shared");
  refuses({{"linear_key_head_dim", 0}}, "linear_* sizes");
  refuses({{"shared_expert_intermediate_size", 0}},
          "'shared_expert_intermediate_size' is 0, but must be positive");
  refuses({{"hidden_act", "gelu"}}, "hidden_act 'gelu'");
  refuses({{"rope_scaling", {{"type", "yarn"}, {"factor", 4.0}}}}, "rope type 'yarn'");
}
