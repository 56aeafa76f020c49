// Broken checkpoints: one clear error each, naming the file and the tensor or field.
#include <ATen/ops/full.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "tests/support/catch.h"
#include "tests/support/changed_model.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string raw_file(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + header + data;
}

}  // namespace

TEST_CASE("a truncated shard is an error that names it and the tensor", "[model]") {
  const ChangedModel broken;
  std::filesystem::resize_file(broken.weights(), std::filesystem::file_size(broken.weights()) - 100);
  CHECK_THROWS_WITH(model::Model::load(broken.path()),
                    ContainsSubstring("model.safetensors: tensor '") && ContainsSubstring("truncated"));
}

TEST_CASE("a file too short for a header is an error", "[model]") {
  const ChangedModel broken;
  std::filesystem::resize_file(broken.weights(), 5);
  CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("too short for safetensors"));
}

TEST_CASE("lying safetensors headers are errors", "[model]") {
  const ScratchDir scratch;
  const auto path = scratch / "lying.safetensors";
  const auto open = [&](const std::string& bytes) {
    write_atomic(path, bytes);
    const model::SafetensorsFile file(path);
  };
  const std::string data(16, '\0');
  CHECK_THROWS_WITH(open(raw_file("{\"a\": ", data)), ContainsSubstring("not valid JSON"));
  CHECK_THROWS_WITH(open(std::string(8, '\xff') + data), ContainsSubstring("the header claims"));
  CHECK_THROWS_WITH(open(raw_file(R"({"a":{"dtype":"F32","shape":[8],"data_offsets":[0,16]}})", data)),
                    ContainsSubstring("the shape needs 32 bytes, the header gives 16"));
  CHECK_THROWS_WITH(open(raw_file(R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})", data)),
                    ContainsSubstring("negative size"));
  CHECK_THROWS_WITH(
      open(raw_file(R"({"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,16]}})", data)),
      ContainsSubstring("overflows"));
  CHECK_THROWS_WITH(open(raw_file(R"({"a":{"dtype":"Q4","shape":[4],"data_offsets":[0,16]}})", data)),
                    ContainsSubstring("dtype 'Q4' is not supported"));
  CHECK_THROWS_WITH(open(raw_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                  R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                                  data)),
                    ContainsSubstring("'a' and 'b' overlap"));
  CHECK_THROWS_WITH(open(raw_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", data)),
                    ContainsSubstring("data_offsets"));
  CHECK_THROWS_WITH(open(raw_file(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", data)),
                    ContainsSubstring("the field 'dtype' is missing"));
}

TEST_CASE("a missing shard and a shard without its tensor are errors", "[model]") {
  const ChangedModel broken("qwen3_moe_tiny");
  const auto index = broken.path() / "model.safetensors.index.json";
  const std::string shard = read_json(index).at("weight_map").begin()->get<std::string>();
  SECTION("the file is gone") {
    std::filesystem::remove(broken.path() / shard);
    CHECK_THROWS_WITH(model::Model::load(broken.path()),
                      ContainsSubstring("the shard '" + shard + "' is missing"));
  }
  SECTION("the index promises more than the shard holds") {
    Json fields = read_json(index);
    fields["weight_map"]["model.layers.9.surprise"] = shard;
    write_atomic(index, fields.dump());
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("model.layers.9.surprise"));
  }
}

TEST_CASE("missing, extra and misshapen tensors are errors that name them", "[model]") {
  const ChangedModel broken;
  const std::string router = "model.layers.0.mlp.gate.weight";
  SECTION("missing") {
    broken.remove_tensor(router);
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("'" + router + "' is missing"));
  }
  SECTION("extra") {
    broken.set_tensor("model.layers.0.mlp.shared_expert.gate_proj.weight", at::full({2, 2}, 1.0f));
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("1 tensors do not belong") &&
                                                             ContainsSubstring("shared_expert.gate_proj"));
  }
  SECTION("misshapen") {
    broken.set_tensor(router, at::full({3, 5}, 1.0f));
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring(router) &&
                                                             ContainsSubstring("[3, 5]") &&
                                                             ContainsSubstring("[12, 32]"));
  }
  SECTION("whole numbers") {
    broken.set_tensor(router, at::full({12, 32}, 1, at::kLong));
    CHECK_THROWS_WITH(model::Model::load(broken.path()),
                      ContainsSubstring(router) && ContainsSubstring("floating-point type was expected"));
  }
}

TEST_CASE("NaN and infinity in weights are errors that name the tensor", "[model]") {
  const auto type = GENERATE(at::kFloat, at::kHalf, at::kBFloat16);
  const auto value =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const ChangedModel broken;
  at::Tensor router = at::full({12, 32}, 0.5f).to(type);
  router[7][31] = value;
  broken.set_tensor("model.layers.1.mlp.gate.weight", router);
  CHECK_THROWS_WITH(model::Model::load(broken.path()),
                    ContainsSubstring("'model.layers.1.mlp.gate.weight' holds NaN or infinity"));
  model::LoadOptions unchecked;
  unchecked.check_finite = false;
  CHECK_NOTHROW(model::Model::load(broken.path(), unchecked));
}

TEST_CASE("configs that the runtime cannot follow are errors that name the field", "[model]") {
  const ChangedModel broken;
  const auto fails_with = [&](const std::string& text) {
    CHECK_THROWS_WITH(model::Model::load(broken.path()),
                      ContainsSubstring("config.json") && ContainsSubstring(text));
  };
  SECTION("unknown model_type") {
    broken.set_config({{"model_type", "mamba"}});
    fails_with("model_type 'mamba' is not supported; these are: ");
  }
  SECTION("unknown activation") {
    broken.set_config({{"hidden_act", "gelu"}});
    fails_with("hidden_act 'gelu'");
  }
  SECTION("unknown rope type") {
    broken.set_config({{"rope_scaling", {{"rope_type", "yarn"}}}});
    fails_with("rope type 'yarn'");
  }
  SECTION("a rotation that has no base") {
    broken.set_config({{"rope_theta", 0.0}});
    fails_with("'rope_theta' is 0");
  }
  SECTION("rope scaling that is no object") {
    broken.set_config({{"rope_scaling", "yarn"}});
    fails_with("'rope_scaling' is no object");
  }
  SECTION("impossible routing") {
    broken.set_config({{"num_experts_per_tok", 13}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("13 of 12 experts"));
  }
  SECTION("wrong type") {
    broken.set_config({{"hidden_size", "wide"}});
    fails_with("'hidden_size'");
  }
  SECTION("no config at all") {
    std::filesystem::remove(broken.path() / "config.json");
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("config.json: cannot be read"));
  }
}

TEST_CASE("settings of single families that the runtime cannot follow are errors that name the field",
          "[model]") {
  SECTION("a divisor of zero") {
    const ChangedModel broken("granitemoe_tiny");
    broken.set_config({{"logits_scaling", 0.0}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("'logits_scaling'"));
  }
  SECTION("fused experts of another width") {
    const ChangedModel broken("granitemoe_tiny");
    broken.set_config({{"intermediate_size", 17}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("input_linear.weight") &&
                                                             ContainsSubstring("[8, 32, 48]") &&
                                                             ContainsSubstring("[8, 34, 48]"));
  }
  SECTION("a window that shows nothing") {
    const ChangedModel broken("phimoe_tiny");
    broken.set_config({{"sliding_window", 0}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("sliding_window"));
  }
  SECTION("three experts for the sparsemixer") {
    const ChangedModel broken("phimoe_tiny");
    broken.set_config({{"num_experts_per_tok", 3}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("num_experts_per_tok is 3"));
  }
  SECTION("rope factors of another length, or a missing one") {
    const ChangedModel broken("phimoe_tiny");
    Json scaling = read_json(broken.path() / "config.json").at("rope_scaling");
    scaling["long_factor"].erase(0);
    broken.set_config({{"rope_scaling", scaling}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()),
                      ContainsSubstring("'long_factor' must be 8 positive numbers"));
    scaling.erase("short_mscale");
    scaling["long_factor"] = scaling.at("short_factor");
    broken.set_config({{"rope_scaling", scaling}});
    CHECK_THROWS_WITH(model::Model::load(broken.path()), ContainsSubstring("'short_mscale' is missing"));
  }
}
