#include "experiments/arguments.h"

#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::experiments;
using Catch::Matchers::ContainsSubstring;

namespace {

VerbSpec reading_verb() {
  VerbSpec spec;
  spec.name = "look";
  spec.summary = "look at it";
  spec.usage = "WORD";
  spec.settings = {{"study", "the study"}, {"model", "the model"}};
  spec.flags = {{"--format", "FORMAT", "how"}, {"--all", "", "everything", "-a"}};
  spec.words = {1, 1};
  spec.examples = {"moelab look x", "moelab look y", "moelab look z"};
  return spec;
}

Arguments parse(const std::vector<std::string>& words) { return parse_arguments(reading_verb(), words); }

}  // namespace

TEST_CASE("words, keys and options are told apart", "[experiments]") {
  const Arguments arguments = parse({"SELECT a FROM b WHERE c=1", "study=demo", "--format", "csv", "-a"});
  CHECK(arguments.words == std::vector<std::string>{"SELECT a FROM b WHERE c=1"});
  CHECK(arguments.setting("study") == "demo");
  CHECK(arguments.flag("--format", "text") == "csv");
  CHECK(arguments.has("--all"));
  CHECK(parse({"x", "--format=csv"}).flag("--format", "text") == "csv");
  CHECK(parse({"--", "study=demo"}).words.front() == "study=demo");
}

TEST_CASE("what a verb does not know is an error with the nearest name", "[experiments]") {
  CHECK_THROWS_WITH(parse({"x", "--formt", "csv"}),
                    ContainsSubstring("unknown option '--formt' of 'moelab look'; did you mean '--format'?"));
  CHECK_THROWS_WITH(parse({"x", "studi=demo"}), ContainsSubstring("did you mean 'study'?"));
  CHECK_THROWS_WITH(parse({"x", "--format"}), ContainsSubstring("needs a value"));
  CHECK_THROWS_WITH(parse({"x", "--all=1"}), ContainsSubstring("takes no value"));
  CHECK_THROWS_WITH(parse({"x", "study=a", "study=b"}), ContainsSubstring("given twice"));
  CHECK_THROWS_WITH(parse({}), ContainsSubstring("usage: moelab look WORD"));
  CHECK_THROWS_WITH(parse({"x", "y"}), ContainsSubstring("'y' is one word too many"));
}

TEST_CASE("a verb that composes keeps every override in its order", "[experiments]") {
  VerbSpec spec = reading_verb();
  spec.takes_overrides = true;
  spec.words = {0, 0};
  const std::vector<std::string> words = {"study=demo", "axes.alpha=[1.5,3]", "+x@y=1", "~z"};
  CHECK(parse_arguments(spec, words).overrides == words);
}

TEST_CASE("numbers are read to their end", "[experiments]") {
  CHECK(parse_integer("12", "top") == 12);
  CHECK(parse_real("1.5", "alpha") == 1.5);
  CHECK_THROWS_WITH(parse_integer("12x", "top"), ContainsSubstring("top: '12x' is not a whole number"));
  CHECK_THROWS_AS(parse_real("", "alpha"), ConfigError);
  CHECK(split_text(" a, b ,c", ',') == std::vector<std::string>{"a", "b", "c"});
  CHECK(split_text("", ',').empty());
  CHECK(split_list("a, b") == std::vector<std::string>{"a", "b"});
  CHECK(split_list("[a, b]") == std::vector<std::string>{"a", "b"});
  CHECK(split_list("[]").empty());
  CHECK(split_list("[a") == std::vector<std::string>{"[a"});
}

TEST_CASE("help lists keys and options and ends in the examples", "[experiments]") {
  const std::string text = help_text(reading_verb());
  CHECK_THAT(text, ContainsSubstring("-a, --all"));
  CHECK_THAT(text, ContainsSubstring("study="));
  CHECK(text.ends_with("Examples:\n  moelab look x\n  moelab look y\n  moelab look z\n"));
  CHECK(parse({"--help"}).wants_help);
}
