// What a spec says of a model, against the model's own files.
#include "core/model/spec.h"

#include "core/model/safetensors.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

TEST_CASE("the parameter count of a config equals the elements in its checkpoint", "[model]") {
  const auto name = GENERATE(from_range(checkpoints_with_reference()));
  INFO(name);
  const auto directory = data_dir() / "model" / name;
  const model::Checkpoint checkpoint(directory);
  const model::ModelSpec spec = model::read_spec(directory);
  const model::Family& family = model::family_of(read_json(directory / "config.json"), name);
  std::int64_t elements = 0;
  for (const std::string& tensor : checkpoint.names()) {
    if (family.is_unused != nullptr && family.is_unused(spec, tensor)) continue;
    // Packed weights: two values a byte, and scales that are no parameters.
    const std::int64_t values = tensor.ends_with("_blocks") ? 2 : tensor.ends_with("_scales") ? 0 : 1;
    elements += values * checkpoint.tensor(tensor).numel();
  }
  CHECK(model::count_parameters(spec).total == elements);
}
