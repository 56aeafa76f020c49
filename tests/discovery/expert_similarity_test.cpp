// Linear CKA against values worked out by hand and over transformers' experts; see
// tests/reference/discovery/make_similarity.py.
#include "core/discovery/expert_similarity.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

discovery::LayerSimilarity compare_rows(const std::vector<at::Tensor>& outputs,
                                        const std::vector<std::int64_t>& order) {
  return discovery::compare_outputs(
      std::ssize(outputs), [&](std::int64_t e) { return outputs[static_cast<std::size_t>(e)]; }, order);
}

// Pairs of experts by falling similarity.
std::vector<std::size_t> order_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] > values[b]; });
  return order;
}

void check_layer(const discovery::LayerSimilarity& found, const Json& expected) {
  INFO("layer " << found.layer);
  REQUIRE(found.layer == expected.at("layer").get<std::int64_t>());
  const auto wanted = expected.at("similarity").get<std::vector<std::vector<double>>>();
  const auto ours = found.similarity.accessor<float, 2>();
  std::vector<double> pairs, wanted_pairs;
  for (std::size_t a = 0; a < wanted.size(); ++a)
    for (std::size_t b = 0; b < wanted.size(); ++b) {
      const double value = ours[static_cast<std::int64_t>(a)][static_cast<std::int64_t>(b)];
      CHECK(std::abs(value - wanted[a][b]) < 1e-4 * wanted[a][b]);
      if (a < b) pairs.push_back(value);
      if (a < b) wanted_pairs.push_back(wanted[a][b]);
    }
  CHECK(order_of(pairs) == order_of(wanted_pairs));
}

std::vector<engine::Tokens> prompts_of(const std::string& name) { return ModelReference(name).prompts; }

}  // namespace

TEST_CASE("the similarity of two experts is the CKA worked out by hand", "[discovery]") {
  // Of single columns CKA is the squared correlation. a and b: 1/2 squared. The third is -2 a + 7, the fourth
  // never varies.
  const std::vector<at::Tensor> outputs = {
      at::tensor({1.F, 2.F, 3.F}).view({3, 1}), at::tensor({1.F, 3.F, 2.F}).view({3, 1}),
      at::tensor({5.F, 3.F, 1.F}).view({3, 1}), at::tensor({4.F, 4.F, 4.F}).view({3, 1})};
  const auto found = compare_rows(outputs, {0, 2, 1});
  const auto cka = found.similarity.accessor<float, 2>();
  CHECK(cka[0][0] == Catch::Approx(1));
  CHECK(cka[0][1] == Catch::Approx(0.25));
  CHECK(cka[1][0] == Catch::Approx(0.25));
  CHECK(cka[0][2] == Catch::Approx(1));
  CHECK(cka[0][3] == 0);
  CHECK(cka[3][3] == 0);
  // With the last two tokens exchanged b is a, and a is b.
  const auto permuted = found.permuted.accessor<float, 2>();
  CHECK(permuted[0][0] == Catch::Approx(0.25));
  CHECK(permuted[0][1] == Catch::Approx(1));
  CHECK(permuted[2][1] == Catch::Approx(1));
}

TEST_CASE("permuted outputs are the second expert's, in the order that is given", "[discovery]") {
  // Centred: a = (-1, 0, 1), b = (-1, 1, 0). In the order (1, 2, 0) b is (1, 0, -1), so the pair is the same
  // line; a is (0, 1, -1), whose correlation with b is 1/2.
  const auto found = compare_rows(
      {at::tensor({1.F, 2.F, 3.F}).view({3, 1}), at::tensor({1.F, 3.F, 2.F}).view({3, 1})}, {1, 2, 0});
  const auto permuted = found.permuted.accessor<float, 2>();
  CHECK(permuted[0][1] == Catch::Approx(1));
  CHECK(permuted[1][0] == Catch::Approx(0.25));
}

TEST_CASE("outputs that differ by rotation and scale are the same to CKA", "[discovery]") {
  const at::Tensor x = at::tensor({1.F, 0.F, 0.F, 1.F, 0.F, 0.F}).view({3, 2});
  const at::Tensor turned = at::tensor({0.F, 2.F, -2.F, 0.F, 0.F, 0.F}).view({3, 2});
  CHECK(compare_rows({x, turned}, {0, 1, 2}).similarity[0][1].item<double>() == Catch::Approx(1));
}

TEST_CASE("an expert whose outputs are not finite is named", "[discovery]") {
  const at::Tensor good = at::tensor({1.F, 2.F}).view({2, 1});
  const at::Tensor bad = at::tensor({1.F, std::numeric_limits<float>::infinity()}).view({2, 1});
  CHECK_THROWS_WITH(compare_rows({good, bad}, {0, 1}), ContainsSubstring("expert 1 are not finite"));
}

TEST_CASE("the similarity of experts equals CKA over transformers' own, packed weights too", "[discovery]") {
  const Json reference = read_json(data_dir() / "discovery" / "similarity.json");
  for (const Json& model : reference.at("models")) {
    const auto name = model.at("checkpoint").get<std::string>();
    INFO(name);
    const auto found =
        discovery::expert_similarity(load_engine(data_dir() / "model" / name), prompts_of(name), {});
    CHECK(found.tokens == model.at("tokens").get<std::int64_t>());
    REQUIRE(found.layers.size() == model.at("layers").size());
    for (std::size_t i = 0; i < found.layers.size(); ++i) check_layer(found.layers[i], model.at("layers")[i]);
  }
}

TEST_CASE("experts of every family are compared on a drawn part of the tokens", "[discovery]") {
  const auto [checkpoint, reference] = GENERATE(from_range(all_layouts()));
  INFO(checkpoint);
  const engine::Engine engine = load_engine(data_dir() / "model" / checkpoint);
  const auto prompts = prompts_of(reference);
  std::vector<std::int64_t> layers;
  const auto found = discovery::expert_similarity(engine, prompts, {20, 1},
                                                  [&](std::int64_t layer) { layers.push_back(layer); });
  CHECK(found.tokens == 20);
  REQUIRE(found.layers.size() == layers.size());
  for (const auto& layer : found.layers) {
    CHECK((layer.similarity.diagonal() - 1).abs().max().item<double>() < 1e-5);
    CHECK((layer.similarity - layer.similarity.t()).abs().max().item<double>() < 1e-5);
    CHECK(layer.permuted.diagonal().max().item<double>() < 0.95);
  }
  const auto again = discovery::expert_similarity(engine, prompts, {20, 1});
  const auto other = discovery::expert_similarity(engine, prompts, {20, 2});
  CHECK(again.layers[0].similarity.equal(found.layers[0].similarity));
  CHECK_FALSE(other.layers[0].similarity.equal(found.layers[0].similarity));
}

TEST_CASE("what the experts read does not depend on batches or on the order of places", "[discovery]") {
  const auto prompts = prompts_of("qwen3_moe_tiny");
  const auto folder = data_dir() / "model" / "qwen3_moe_tiny";
  const std::vector<engine::TokenPlace> places = {{3, 20}, {0, 1}, {3, 0}, {1, 8}};
  const auto whole = load_engine(folder).moe_inputs(prompts, places);
  const auto small = load_engine(folder, {.batch_tokens = 10}).moe_inputs(prompts, places);
  REQUIRE(whole.size() == 2);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(whole[i].layer == (i == 0 ? 0 : 2));
    CHECK(largest_difference(whole[i].rows, small[i].rows) < 1e-5);
  }
  for (std::size_t p = 0; p < places.size(); ++p) {
    const auto alone = load_engine(folder).moe_inputs(prompts, std::span(places).subspan(p, 1));
    CHECK(largest_difference(alone[1].rows[0], whole[1].rows[static_cast<std::int64_t>(p)]) < 1e-5);
  }
  const std::vector<engine::TokenPlace> outside = {{0, 3}};
  CHECK_THROWS_WITH(load_engine(folder).moe_inputs(prompts, outside),
                    ContainsSubstring("token 3 of sequence 0"));
}

TEST_CASE("experts are not compared on a single token", "[discovery]") {
  const engine::Engine engine = load_engine(data_dir() / "model" / "qwen3_moe_tiny");
  const std::vector<engine::Tokens> prompts = {{5}};
  CHECK_THROWS_WITH(discovery::expert_similarity(engine, prompts, {}),
                    ContainsSubstring("at least two tokens"));
}
