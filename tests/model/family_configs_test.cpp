// What the families read from config.json beyond what the fixtures' own configs say.
#include "tests/support/catch.h"
#include "tests/support/changed_model.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

void load_with(const std::string& checkpoint, const Json& changes) {
  const ChangedModel changed(checkpoint);
  changed.set_config(changes);
  model::Model::load(changed.path());
}

}  // namespace

TEST_CASE("ERNIE's sparse layers lie between two indices at an interval", "[model]") {
  const auto layers = [](const Json& changes) {
    Json all = {{"num_hidden_layers", 6}};
    all.update(changes);
    return changed_spec("ernie4_5_moe_tiny", all).is_moe_layer;
  };
  const auto none = Json();
  CHECK(layers({{"moe_layer_start_index", 2}, {"moe_layer_end_index", 4}, {"moe_layer_interval", 1}}) ==
        std::vector<bool>{false, false, true, true, true, false});
  CHECK(layers({{"moe_layer_start_index", 0}, {"moe_layer_end_index", -1}, {"moe_layer_interval", 2}}) ==
        std::vector<bool>{false, true, false, true, false, true});
  CHECK(layers(
            {{"moe_layer_start_index", none}, {"moe_layer_end_index", none}, {"moe_layer_interval", none}}) ==
        std::vector<bool>{false, true, true, true, true, true});
  CHECK_THROWS_WITH(layers({{"moe_layer_interval", 0}}), ContainsSubstring("'moe_layer_interval' is 0"));
}

TEST_CASE("ERNIE's biases in projections are an error that names the field", "[model]") {
  CHECK_THROWS_WITH(changed_spec("ernie4_5_moe_tiny", {{"use_bias", true}}), ContainsSubstring("'use_bias'"));
}

TEST_CASE("ERNIE and Mixtral rotate with their own base where the config names none", "[model]") {
  CHECK(changed_spec("ernie4_5_moe_tiny", {{"rope_theta", nullptr}}).attention.rope_theta == 5e5);
  CHECK(changed_spec("mixtral_tiny", {{"rope_theta", nullptr}}).attention.rope_theta == 1e6);
  CHECK(changed_spec("mixtral_tiny", {{"rope_theta", nullptr}, {"rope_parameters", {{"rope_theta", 70.0}}}})
            .attention.rope_theta == 70);
}

TEST_CASE("Qwen2-MoE's dense layers are those listed and those off the step", "[model]") {
  CHECK(changed_spec("qwen2_moe_tiny", {{"mlp_only_layers", {1}}}).is_moe_layer ==
        std::vector<bool>{false, false, false, true});
  CHECK(changed_spec("qwen2_moe_tiny", {{"decoder_sparse_step", nullptr}}).is_moe_layer ==
        std::vector<bool>(4, true));
  CHECK_THROWS_WITH(changed_spec("qwen2_moe_tiny", {{"decoder_sparse_step", 0}}),
                    ContainsSubstring("decoder_sparse_step"));
}

TEST_CASE("Qwen2-MoE's settings that the runtime cannot follow are errors", "[model]") {
  CHECK_FALSE(changed_spec("qwen2_moe_tiny", {{"qkv_bias", false}}).attention.has_bias);
  CHECK_THROWS_WITH(changed_spec("qwen2_moe_tiny", {{"use_sliding_window", true}}),
                    ContainsSubstring("use_sliding_window"));
  CHECK_THROWS_WITH(changed_spec("qwen2_moe_tiny", {{"shared_expert_intermediate_size", 0}}),
                    ContainsSubstring("'shared_expert_intermediate_size' is 0"));
}

TEST_CASE("Mixtral's window is optional and must show something", "[model]") {
  CHECK(changed_spec("mixtral_tiny", Json::object()).attention.window == 11);
  CHECK_FALSE(changed_spec("mixtral_tiny", {{"sliding_window", nullptr}}).attention.window.has_value());
  CHECK_FALSE(changed_spec("mixtral_tiny", {{"sliding_window", 64}}).attention.window.has_value());
  CHECK_THROWS_WITH(changed_spec("mixtral_tiny", {{"sliding_window", 0}}),
                    ContainsSubstring("'sliding_window' is 0"));
}

TEST_CASE("GLM rotates half of each head unless the config says otherwise", "[model]") {
  const auto rotated = [](const Json& changes) {
    return changed_spec("glm4_moe_tiny", changes).attention.rotated();
  };
  CHECK(rotated({{"partial_rotary_factor", nullptr}}) == 8);
  CHECK(rotated({{"partial_rotary_factor", 1.0}}) == 16);
  CHECK(rotated({{"partial_rotary_factor", nullptr},
                 {"rope_parameters", {{"partial_rotary_factor", 0.25}, {"rope_theta", 100.0}}}}) == 4);
  // An object of the rotation counts more than the top, where the fixture says 0.5.
  CHECK(rotated({{"rope_scaling", {{"rope_type", "default"}, {"partial_rotary_factor", 0.25}}}}) == 4);
  CHECK_THROWS_WITH(rotated({{"partial_rotary_factor", 0.2}}), ContainsSubstring("partial_rotary_factor"));
}

TEST_CASE("GLM's norm on queries and keys is optional, and stands in the checkpoint or does not", "[model]") {
  CHECK(changed_spec("glm4_moe_tiny", {{"use_qk_norm", nullptr}}).attention.qk_norm == model::QkNorm::none);
  CHECK_THROWS_WITH(load_with("glm4_moe_tiny", {{"use_qk_norm", false}}), ContainsSubstring("q_norm.weight"));
}

TEST_CASE("layers that predict further tokens are left unread only where the config counts them", "[model]") {
  CHECK_NOTHROW(load_with("glm4_moe_tiny", {{"num_nextn_predict_layers", 1}}));
  CHECK_THROWS_WITH(load_with("glm4_moe_tiny", {{"num_nextn_predict_layers", 0}}),
                    ContainsSubstring("model.layers.3.eh_proj.weight"));
}

TEST_CASE("ERNIE's tensors for further tokens are left unread, others of a like name are not", "[model]") {
  const ChangedModel changed("ernie4_5_moe_tiny");
  changed.set_tensor("model.mtp_hidden_norm.0.weight", at::ones({4}));
  CHECK_NOTHROW(model::Model::load(changed.path()));
  for (const char* name : {"mtprefix.weight", "model.mtp_blocks.weight"}) {
    changed.set_tensor(name, at::ones({4}));
    CHECK_THROWS_WITH(model::Model::load(changed.path()), ContainsSubstring(name));
    changed.remove_tensor(name);
  }
}

TEST_CASE("layers whose MLPs have no width are refused where the config is read", "[model]") {
  const auto refuses = [](const char* checkpoint, const Json& changes, const char* text) {
    CHECK_THROWS_WITH(changed_spec(checkpoint, changes),
                      ContainsSubstring("config.json: the inner size of") && ContainsSubstring(text));
  };
  refuses("olmoe_tiny", {{"intermediate_size", 0}}, "an expert is 0");
  refuses("qwen3_moe_tiny", {{"moe_intermediate_size", -8}}, "an expert is -8");
  refuses("qwen3_moe_tiny", {{"intermediate_size", nullptr}}, "a dense layer is 0");
  CHECK_NOTHROW(
      changed_spec("qwen3_moe_tiny", {{"intermediate_size", nullptr}, {"mlp_only_layers", nullptr}}));
}

TEST_CASE("groups that cannot be formed are an error", "[model]") {
  const Json changes = GENERATE(Json{{"n_group", 5}}, Json{{"topk_group", 5}}, Json{{"topk_group", 0}},
                                Json{{"n_group", 12}, {"topk_group", 4}});
  CHECK_THROWS_WITH(changed_spec("glm4_moe_tiny", changes), ContainsSubstring("groups"));
}
