// Gradient norms of single examples against PyTorch: transformers' model, peft's adapter layers.
#include "core/train/sample_norms.h"

#include <numeric>

#include "tests/support/catch.h"
#include "tests/train/sft_support.h"

using namespace moelab;
using namespace moelab::train;

namespace {

std::vector<std::size_t> ranking(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  return order;
}

}  // namespace

TEST_CASE("the gradient norm of each example alone equals PyTorch's, in value and order", "[train]") {
  const Json reference = read_json(testing::sft_data() / "sample_norms.json");
  const auto examples = testing::read_examples(reference.at("examples"));
  for (const char* kind : {"lora", "full"})
    for (const bool recompute : {false, true}) {
      CAPTURE(kind, recompute);
      TuneOptions options;
      options.kind = "full";
      TunedModel tuned = kind == std::string("full")
                             ? TunedModel::load(testing::tiny_model(), options)
                             : testing::with_adapter(testing::tiny_model(), 4, AdapterLayout::parameters);
      const auto expected = reference.at(kind).get<std::vector<double>>();
      const auto norms = gradient_norms(tuned, examples, recompute);
      REQUIRE(norms.size() == expected.size());
      for (std::size_t i = 0; i < norms.size(); ++i)
        CHECK(norms[i] == Catch::Approx(expected[i]).epsilon(1e-4));
      CHECK(ranking(norms) == ranking(expected));
      CHECK(gradient_norm(tuned.leaves().groups) == 0);
    }
}

TEST_CASE("an example without a finite gradient norm is refused by name", "[train]") {
  TunedModel tuned = testing::with_adapter(testing::tiny_model(), 4, AdapterLayout::modules);
  tuned.leaves().groups[0].weight.detach().fill_(std::numeric_limits<float>::infinity());
  const std::vector<SftExample> examples = {make_example("q3", {1, 2}, {3})};
  REQUIRE_THROWS_WITH(gradient_norms(tuned, examples, false),
                      Catch::Matchers::ContainsSubstring("'q3': its gradient norm"));
}
