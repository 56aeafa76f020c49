#include "experiments/terminal.h"

#include "tests/support/catch.h"

using namespace moelab::experiments;

TEST_CASE("control characters that a terminal would obey become visible", "[experiments]") {
  CHECK(without_controls("a\nb\tc") == "a\nb\tc");
  // Caret notation: escape is 0x1B, 64 places before '['; delete is "^?".
  CHECK(without_controls("\x1b[2Jx\r\x7f") == "^[[2Jx^M^?");
  CHECK(without_controls(std::string_view("\0", 1)) == "^@");
  // U+009B opens an escape sequence too; U+00A0 and what is above it stay.
  CHECK(without_controls("\xC2\x9B!\xC2\xA0\xE2\x82\xAC") == "\xEF\xBF\xBD!\xC2\xA0\xE2\x82\xAC");
}

TEST_CASE("styles are the sequences of ECMA-48, around a part with a look, and only where wanted",
          "[experiments]") {
  CHECK(styled_text({"x", true, false}, true) == "\x1b[2mx\x1b[0m");
  CHECK(styled_text({"x", false, true}, true) == "\x1b[1mx\x1b[0m");
  CHECK(styled_text({"x"}, true) == "x");
  CHECK(styled_text({"", true, true}, true).empty());
  CHECK(styled_text({"x", true, true}, false) == "x");
}
