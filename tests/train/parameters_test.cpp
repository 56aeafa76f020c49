#include "core/train/parameters.h"

#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::testing;

TEST_CASE("families whose checkpoints training cannot write are refused by name", "[train]") {
  for (const std::string family : {"granitemoe", "phimoe"}) {
    const model::ModelSpec spec = model::read_spec(data_dir() / "model" / (family + "_tiny"));
    CHECK_THROWS_WITH(train::Parameters::initialise(spec, {}, 1),
                      Catch::Matchers::ContainsSubstring("'" + family + "' is not supported"));
  }
}
