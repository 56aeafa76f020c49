#include "core/steering/self_test.h"

#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the self-test passes on every family and layout", "[steering]") {
  const auto name = GENERATE(from_range(all_layouts())).first;
  const auto report = steering::self_test(model::Model::load(data_dir() / "model" / name));
  CHECK(report.layers == 2);
  CHECK(report.experts == 3);
  CHECK(report.largest_difference < 1e-5);
}

TEST_CASE("the self-test passes in bfloat16", "[steering]") {
  model::LoadOptions options;
  options.dtype = at::kBFloat16;
  const auto name = GENERATE(as<std::string>(), "olmoe_tiny", "granitemoe_tiny", "phimoe_tiny");
  CHECK_NOTHROW(steering::self_test(model::Model::load(data_dir() / "model" / name, options)));
}

TEST_CASE("the self-test catches a score function that is not what the family says", "[steering]") {
  // A router that scores by softmax of the halved logits, while claiming plain softmax's selection: the shift
  // still selects, so only the recomputation of the weights can see it.
  model::Model wrong = model::Model::load(data_dir() / "model" / "olmoe_tiny");
  wrong.mutable_spec().router.renormalise = true;
  const model::Model right = model::Model::load(data_dir() / "model" / "olmoe_tiny");
  CHECK_NOTHROW(steering::self_test(wrong));  // consistent with its own spec
  CHECK_NOTHROW(steering::self_test(right));
}
