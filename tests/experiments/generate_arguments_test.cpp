#include "experiments/generate_arguments.h"

#include "core/base/files.h"
#include "experiments/plan_arguments.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::experiments;
using Catch::Matchers::ContainsSubstring;

namespace {

using Texts = std::vector<std::string>;

Arguments with_settings(std::map<std::string, std::string> settings) {
  Arguments arguments;
  arguments.settings = std::move(settings);
  return arguments;
}

}  // namespace

TEST_CASE("stop texts are separated by commas, keep their blanks, and have four escapes", "[experiments]") {
  CHECK(parse_texts("A:", "stop") == Texts{"A:"});
  CHECK(parse_texts(" a,b ", "stop") == Texts{" a", "b "});
  CHECK(parse_texts("\\n\\n,\\t,a\\,b,\\\\n", "stop") == Texts{"\n\n", "\t", "a,b", "\\n"});
  CHECK_THROWS_WITH(parse_texts("a,,b", "stop"), ContainsSubstring("stop: 'a,,b' has an empty text"));
  CHECK_THROWS_AS(parse_texts("", "stop"), ConfigError);
  CHECK_THROWS_AS(parse_texts("a,", "stop"), ConfigError);
  CHECK_THROWS_WITH(parse_texts("a\\x", "stop"), ContainsSubstring("backslash"));
  CHECK_THROWS_WITH(parse_texts("a\\", "stop"), ContainsSubstring("backslash"));
}

TEST_CASE("a sampling key asks for draws, and keys that contradict each other are errors", "[experiments]") {
  CHECK(read_sampling(with_settings({})).greedy);
  CHECK(read_sampling(with_settings({{"repetition_penalty", "1.2"}})).greedy);
  CHECK(!read_sampling(with_settings({{"greedy", "false"}})).greedy);
  for (const char* key : {"temperature", "top_k", "top_p", "min_p"}) {
    INFO(key);
    CHECK(!read_sampling(with_settings({{key, "1"}})).greedy);
  }
  CHECK_THROWS_WITH(read_sampling(with_settings({{"greedy", "true"}, {"top_k", "5"}})),
                    ContainsSubstring("sampling.top_k"));
  CHECK_THROWS_WITH(read_sampling(with_settings({{"greedy", "yes"}})), ContainsSubstring("greedy: 'yes'"));
  CHECK_THROWS_AS(read_sampling(with_settings({{"temperature", "nan"}})), ConfigError);
  CHECK_THROWS_AS(read_sampling(with_settings({{"top_p", "nan"}})), ConfigError);
  CHECK_THROWS_AS(read_sampling(with_settings({{"min_p", "nan"}})), ConfigError);
}

TEST_CASE("a plan is given in one way, and its keys do nothing without it", "[experiments]") {
  const testing::ScratchDir dir;
  write_atomic(dir / "plan.csv", "layer,expert\n1,2\n");
  const std::string file = (dir / "plan.csv").string();
  CHECK(!read_optional_plan(with_settings({})));
  const auto by_key = read_optional_plan(with_settings({{"plan", file}, {"alpha", "5"}}));
  REQUIRE(by_key);
  REQUIRE(by_key->entries.size() == 1);
  CHECK((by_key->entries[0].layer == 1 && by_key->entries[0].expert == 2 && by_key->entries[0].value == 5));
  Arguments by_flag;
  by_flag.flags["--plan"] = file;
  REQUIRE(read_optional_plan(by_flag));
  CHECK(read_optional_plan(by_flag)->entries[0].value == 3);
  by_flag.settings["plan"] = file;
  CHECK_THROWS_WITH(read_optional_plan(by_flag), ContainsSubstring("not both"));
  CHECK_THROWS_WITH(read_optional_plan(with_settings({{"plan", file}, {"experts", "0:1"}})),
                    ContainsSubstring("not both"));
  CHECK_THROWS_WITH(read_optional_plan(with_settings({{"experts", ""}})), ContainsSubstring("none is named"));
  CHECK_THROWS_WITH(read_optional_plan(with_settings({{"alpha", "5"}})), ContainsSubstring("without a plan"));
  CHECK_THROWS_WITH(read_optional_plan(with_settings({{"mode", "logit_shift"}})),
                    ContainsSubstring("without a plan"));
}
