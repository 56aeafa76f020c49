#include "core/text/regex_syntax.h"

#include "core/base/error.h"
#include "core/text/regex.h"
#include "tests/support/catch.h"

using Catch::Matchers::ContainsSubstring;
using moelab::text::pcre2_pattern;
using moelab::text::Regex;

// What the patterns match is compared with the tokenizers package in tokenizer_reference_test; here is what
// is refused, because PCRE2 would read it differently or not at all.
TEST_CASE("patterns whose meaning differs between the regex engines are refused with the place", "[text]") {
  const auto refused = [](const char* pattern, const char* part) {
    INFO(pattern);
    CHECK_THROWS_AS(pcre2_pattern(pattern, "the file"), moelab::FileError);
    CHECK_THROWS_WITH(pcre2_pattern(pattern, "the file"),
                      ContainsSubstring("the file") && ContainsSubstring(part));
  };
  refused(R"(a\w+)", R"('\w' at character 1)");
  refused(R"(\W)", R"('\W')");
  refused(R"(\bx)", R"('\b')");
  refused(R"(\h)", R"('\h')");
  refused(R"(\R)", R"('\R')");
  refused(R"((a)\1)", R"('\1')");
  refused(R"([\w])", R"('\w')");
  refused("(?<name>a)", "a group of another kind");
  refused("a(?i)b|c", "a group of another kind");
  refused("(?m).", "a group of another kind");
  refused("[a[bc]]", "a class inside a class");
  refused("[[:alpha:]]", "a class inside a class");
  refused("[a-z&&b]", "an intersection of another form");
  refused("[^a-z&&[b]]", "an intersection of another form");
  refused("[a-z&&[b]c]", "an intersection of another form");
  refused("[&&[b]]", "'&&' at the start of a class");
  refused("[]a]", "an unescaped ']'");
  refused("[abc", "an unclosed class");
  refused("(a", "an unclosed group");
  refused("a)", "a closing bracket");
  refused("a{,3}", "'{' without a count");
  refused("a{x}", "'{' without a count");
  refused("a{2}?", "a reluctant count");
  refused(R"(\pL)", "a property without braces");
  refused(R"((?i:\p{Lu}))", "a letter case inside (?i)");
  refused(R"(\xE9)", "a malformed code point");
  refused(R"(\u12)", "a malformed code point");
  refused("a\\", "a backslash at its end");
}

TEST_CASE("a pattern that takes too long is an error and not a hang", "[text]") {
  // Nested repetitions without a match try 2^n ways to divide n letters.
  const auto regex = Regex::compile("(?:a+)+[bd]", "the file");
  moelab::text::RegexScratch scratch;
  std::vector<moelab::text::Span> spans;
  const std::string text = std::string(60, 'a') + "c";
  CHECK_THROWS_WITH(regex.cut(text, scratch, spans),
                    ContainsSubstring("(?:a+)+[bd]") && ContainsSubstring("gave up"));
}
