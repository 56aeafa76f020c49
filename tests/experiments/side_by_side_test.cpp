#include "experiments/side_by_side.h"

#include "tests/support/catch.h"

using namespace moelab::experiments;

namespace {

// The lines without their looks.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  const std::vector<TextPart> parts = {{text}};
  std::vector<std::string> lines;
  for (const auto& line : wrap_parts(parts, width)) {
    lines.emplace_back();
    for (const TextPart& part : line) lines.back() += part.text;
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines break at spaces, which the break swallows, and inside a word that is longer",
          "[experiments]") {
  CHECK(wrapped("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrapped("one two three", 8) == Lines{"one two", "three"});
  CHECK(wrapped("one two three", 6) == Lines{"one", "two", "three"});
  CHECK(wrapped("abcdefgh", 3) == Lines{"abc", "def", "gh"});
  CHECK(wrapped(" abcdef", 4) == Lines{" abc", "def"});
  CHECK(wrapped("a\n\nb", 4) == Lines{"a", "", "b"});
  CHECK(wrapped("a\tb", 8) == Lines{"a    b"});
  CHECK(wrapped("", 4).empty());
}

TEST_CASE("wide characters count twice, and marks without a width stay with their letter", "[experiments]") {
  // Two ideographs of two columns each.
  CHECK(wrapped("\xE6\xBC\xA2\xE5\xAD\x97", 3) == Lines{"\xE6\xBC\xA2", "\xE5\xAD\x97"});
  CHECK(wrapped("a \xE6\xBC\xA2\xE5\xAD\x97", 4) == Lines{"a", "\xE6\xBC\xA2\xE5\xAD\x97"});
  // e with U+0301, four times.
  const std::string accented = "e\xCC\x81";
  CHECK(wrapped(accented + accented + accented + accented, 2) ==
        Lines{accented + accented, accented + accented});
}

TEST_CASE("looks go over line breaks, and neighbours of one look are one part", "[experiments]") {
  const std::vector<TextPart> parts = {{"ab"}, {"cd", true}, {"ef", true}, {"g", false, true}};
  const auto lines = wrap_parts(parts, 3);
  REQUIRE(lines.size() == 3);
  REQUIRE(lines[0].size() == 2);
  CHECK((lines[0][0].text == "ab" && !lines[0][0].is_dim));
  CHECK((lines[0][1].text == "c" && lines[0][1].is_dim));
  REQUIRE(lines[1].size() == 1);
  CHECK((lines[1][0].text == "def" && lines[1][0].is_dim));
  REQUIRE(lines[2].size() == 1);
  CHECK((lines[2][0].text == "g" && lines[2][0].is_marked && !lines[2][0].is_dim));
}

TEST_CASE("columns stand beside each other, the shorter one filled up, none wider than its half",
          "[experiments]") {
  const std::vector<TextPart> left = {{"one two three four"}};
  const std::vector<TextPart> right = {{"uno "}, {"dos", true}};
  // 19 columns: 8 and 8 and " | ".
  CHECK(side_by_side(left, right, {19, false}) ==
        "one two  | uno dos\n"
        "three    |\n"
        "four     |\n");
  CHECK(side_by_side(right, {}, {19, true}) == "uno \x1b[2mdos\x1b[0m  |\n");
  CHECK(side_by_side(std::vector<TextPart>{{"\x1b[2J"}}, {}, {19, false}) == "^[[2J    |\n");
}
