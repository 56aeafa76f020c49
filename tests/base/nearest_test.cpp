#include "core/base/nearest.h"

#include "tests/support/catch.h"

using namespace moelab;

TEST_CASE("The edit distance counts insertions, deletions and substitutions", "[base]") {
  // The textbook pairs: kitten -> sitting takes three, and so does Saturday -> Sunday.
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("Saturday", "Sunday") == 3);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("The nearest names come first, equals in their order", "[base]") {
  CHECK(nearest_first("olmo", {"qwen", "mixtral", "olmoe", "elmo"}) ==
        std::vector<std::string>{"olmoe", "elmo", "qwen", "mixtral"});
}
