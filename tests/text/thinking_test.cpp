#include "core/text/thinking.h"

#include "core/base/json.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using moelab::Json;
using namespace moelab::text;
using namespace moelab::testing;
using Opened = ThinkingOptions::Opened;

namespace {

// The small Qwen-style tokenizer, whose added tokens include <think>, </think>, <|im_end|> and <|endoftext|>,
// with harmony's markers besides. <response> and <answer> are no tokens of it.
Tokenizer tokenizer_with_markers() {
  const auto path = data_dir() / "text" / "qwen_style.tokenizer.json";
  Json file = moelab::read_json(path);
  Json token = file.at("added_tokens").at(0);
  for (const char* content :
       {"<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>", "<|call|>", "<|constrain|>"}) {
    token["content"] = content;
    token["id"] = file.at("added_tokens").back().at("id").get<int>() + 1;
    file["added_tokens"].push_back(token);
  }
  return Tokenizer::parse(file.dump(), path.string());
}

// One letter says what the tokens of a part are: (t)hinking, (a)nswer, (o)ther.
struct Part {
  const char* text;
  char kind;
};

const char* family_of(char kind) { return kind == 't' ? "thinking" : kind == 'a' ? "answer" : "other"; }

struct Expected {
  bool closed = true;
  bool truncated = false;
  std::size_t n_thoughts = 0;
};

struct Case {
  const char* family;
  std::vector<Part> parts;
  Expected expected;
  ThinkingOptions options = {};
  std::vector<std::string> switches = {"Alternatively"};
};

// What each unit of an output (a token, or a byte) is, against the split; one letter a unit.
void check_kinds(const ThinkingSplit& split, const std::string& kinds, const Case& each) {
  std::string found(kinds.size(), '?');
  std::size_t n_ranges = 0;
  const auto fill = [&](const std::vector<TokenRange>& ranges, char kind) {
    for (const TokenRange& range : ranges) {
      REQUIRE(range.begin < range.end);
      REQUIRE(range.end <= kinds.size());
      for (std::size_t i = range.begin; i < range.end; ++i) {
        CHECK(found[i] == '?');
        found[i] = kind;
      }
    }
    n_ranges += ranges.size();
  };
  fill(split.thinking, 't');
  fill(split.answer, 'a');
  fill(split.other, 'o');
  CHECK(found == kinds);
  // Neighbours of one kind are one range.
  std::size_t n_runs = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) n_runs += i == 0 || kinds[i] != kinds[i - 1] ? 1U : 0U;
  CHECK(n_ranges == n_runs);
  CHECK(split.n_thinking() == static_cast<std::size_t>(std::count(kinds.begin(), kinds.end(), 't')));
  CHECK(split.n_answer() == static_cast<std::size_t>(std::count(kinds.begin(), kinds.end(), 'a')));
  CHECK(split.closed == each.expected.closed);
  CHECK(split.truncated == each.expected.truncated);
  CHECK(split.n_thoughts == each.expected.n_thoughts);
}

// The parts are encoded one by one, so it is known which tokens belong to which. As a text, without a
// tokenizer, the output is split at the same places.
void check(const Case& each) {
  static const Tokenizer tokenizer = tokenizer_with_markers();
  std::vector<std::int32_t> ids;
  std::string kinds, byte_kinds, text;
  std::string shown;
  for (const Part& part : each.parts) {
    for (const std::int32_t id : tokenizer.encode(part.text)) {
      ids.push_back(id);
      kinds.push_back(part.kind);
    }
    text += part.text;
    byte_kinds.resize(text.size(), part.kind);
    shown += fmt::format("[{}: {}]", family_of(part.kind), part.text);
  }
  INFO(each.family << " " << shown);
  ThinkingFormat format = thinking_format(each.family);
  format.thought_switches = each.switches;
  check_kinds(ThinkingSplitter(tokenizer, format).split(ids, each.options), kinds, each);
  check_kinds(ThinkingSplitter(format).split_text(text, each.options), byte_kinds, each);
}

constexpr ThinkingOptions in_thinking{Opened::thinking, {}};

}  // namespace

// All expected splits are worked by hand from the families' published formats.
TEST_CASE("thinking between tags is split from the answer", "[text]") {
  check({"think",
         {{"<think>", 'o'},
          {"two and two\n", 't'},
          {"</think>", 'o'},
          {"\n\nIt is 4.", 'a'},
          {"<|im_end|>", 'o'}},
         {true, false, 1}});
  // What stands before the thinking and between two of them is no final answer.
  check({"think",
         {{"Hm ", 'o'},
          {"<think>", 'o'},
          {"a", 't'},
          {"</think>", 'o'},
          {"first", 'o'},
          {"<think>", 'o'},
          {"b", 't'},
          {"</think>", 'o'},
          {"last", 'a'},
          {"<|im_end|>", 'o'},
          {" more", 'o'}},
         {true, false, 1}});
  check({"think", {{"It is 4.", 'a'}, {"<|im_end|>", 'o'}}, {true, false, 0}});
  // The empty thinking of a hybrid model is no thought.
  check({"think",
         {{"<think>", 'o'}, {"\n\n", 't'}, {"</think>", 'o'}, {"\n\n4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 0}});
  // A second closing tag belongs to the answer's text as a marker and moves nothing.
  check({"think",
         {{"<think>", 'o'},
          {"a", 't'},
          {"</think>", 'o'},
          {"b", 'a'},
          {"</think>", 'o'},
          {"c", 'a'},
          {"<|im_end|>", 'o'}},
         {true, false, 1}});
  check({"none", {{"<think>a</think>b", 'a'}, {"<|im_end|>", 'o'}}, {true, false, 0}});
  check({"think", {}, {true, true, 0}});
}

TEST_CASE("thinking that the prompt opened is closed by its tag alone", "[text]") {
  check({"think",
         {{"two and two", 't'}, {"</think>", 'o'}, {"4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 1},
         in_thinking});
  // Also where the caller did not say so.
  check({"think",
         {{"two and two", 't'}, {"</think>", 'o'}, {"4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 1}});
  // The model may repeat the tag.
  check({"think",
         {{"<think>", 'o'}, {"a", 't'}, {"</think>", 'o'}, {"4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 1},
         in_thinking});
  check({"think", {{"</think>", 'o'}, {"4", 'a'}, {"<|im_end|>", 'o'}}, {true, false, 0}, in_thinking});
  // After a closed thinking in the prompt (thinking turned off) a stray tag is no thinking.
  check({"think",
         {{"4", 'a'}, {"</think>", 'o'}, {"5", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 0},
         {Opened::answer, {}}});
}

TEST_CASE("thinking that is never closed has no answer", "[text]") {
  check({"think", {{"<think>", 'o'}, {"a b c", 't'}}, {false, true, 1}});
  check({"think", {{"a b c", 't'}}, {false, true, 1}, in_thinking});
  check({"think", {{"a b c", 't'}, {"<|im_end|>", 'o'}}, {false, false, 1}, in_thinking});
  check({"think",
         {{"<think>", 'o'},
          {"a", 't'},
          {"</think>", 'o'},
          {"b", 'o'},
          {"<think>", 'o'},
          {"c", 't'},
          {"<|im_end|>", 'o'}},
         {false, false, 1}});
  check({"think", {}, {false, true, 0}, in_thinking});
  // An answer cut short is closed and truncated; the caller may know better than the ids.
  check({"think", {{"<think>", 'o'}, {"a", 't'}, {"</think>", 'o'}, {"b", 'a'}}, {true, true, 1}});
  check({"think",
         {{"<think>", 'o'}, {"a", 't'}, {"</think>", 'o'}, {"b", 'a'}},
         {true, false, 1},
         {Opened::nothing, true}});
  check({"think", {{"4", 'a'}, {"<|im_end|>", 'o'}}, {true, true, 0}, {Opened::nothing, false}});
}

TEST_CASE("an answer with tags of its own is what they hold", "[text]") {
  // <response> is no token of this tokenizer, so it is found by its text.
  check({"ernie",
         {{"two and two\n", 't'},
          {"</think>", 'o'},
          {"\n\n", 'o'},
          {"<response>", 'o'},
          {"\n4\n", 'a'},
          {"</response>", 'o'},
          {"\n", 'o'},
          {"<|im_end|>", 'o'}},
         {true, false, 1},
         in_thinking});
  check({"ernie",
         {{"a\n", 't'}, {"</think>", 'o'}, {"\n4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 1},
         in_thinking});
  check({"ernie",
         {{"a", 't'}, {"</think>", 'o'}, {"\n", 'o'}, {"<response>", 'o'}, {"4", 'a'}},
         {true, true, 1},
         in_thinking});
  // In the thinking the tag is text.
  check({"ernie",
         {{"use <response> then", 't'}, {"</think>", 'o'}, {"4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 1},
         in_thinking});
  check({"hunyuan",
         {{"<think>", 'o'},
          {"a", 't'},
          {"</think>", 'o'},
          {"\n", 'o'},
          {"<answer>", 'o'},
          {"4", 'a'},
          {"</answer>", 'o'},
          {"<|endoftext|>", 'o'}},
         {true, false, 1}});
}

TEST_CASE("a token that touches a tag written as text belongs to the tag", "[text]") {
  const Tokenizer tokenizer = Tokenizer::load(data_dir() / "text" / "kinds.bytes.tokenizer.json");
  ThinkingFormat format = thinking_format("think");
  format.think_open = "[";
  format.think_close = "]";
  // Two letters in one token: the tag is its first half.
  const auto pair = tokenizer.token_id("]Ġ");
  const auto close = pair ? *pair : tokenizer.encode("]").front();
  std::vector<std::int32_t> ids = tokenizer.encode("[");
  REQUIRE(ids.size() == 1);
  for (const char* text : {"a", "b"}) {
    const auto more = tokenizer.encode(text);
    REQUIRE(more.size() == 1);
    ids.push_back(more.front());
    if (ids.size() == 2) ids.push_back(close);
  }
  const ThinkingSplit split = ThinkingSplitter(tokenizer, format).split(ids);
  CHECK(split.thinking == std::vector<TokenRange>{{1, 2}});
  CHECK(split.answer == std::vector<TokenRange>{{3, 4}});
  CHECK(split.other == std::vector<TokenRange>{{0, 1}, {2, 3}});
}

TEST_CASE("harmony's channels are thinking and answer", "[text]") {
  check({"harmony",
         {{"<|channel|>analysis<|message|>", 'o'},
          {"two and two", 't'},
          {"<|end|><|start|>assistant<|channel|>final<|message|>", 'o'},
          {"4", 'a'},
          {"<|return|>", 'o'}},
         {true, false, 1}});
  check(
      {"harmony", {{"<|channel|>final<|message|>", 'o'}, {"4", 'a'}, {"<|return|>", 'o'}}, {true, false, 0}});
  check({"harmony", {{"<|channel|>analysis<|message|>", 'o'}, {"two and", 't'}}, {false, true, 1}});
  check({"harmony",
         {{"<|channel|>analysis<|message|>", 'o'}, {"two", 't'}, {"<|end|><|start|>assistant", 'o'}},
         {true, true, 1}});
  check({"harmony",
         {{"<|channel|>analysis<|message|>", 'o'},
          {"a", 't'},
          {"<|end|><|start|>assistant<|channel|>final<|message|>", 'o'},
          {"4", 'a'}},
         {true, true, 1}});
  // A turn that ends inside the thinking leaves it open.
  check({"harmony",
         {{"<|channel|>analysis<|message|>", 'o'}, {"two", 't'}, {"<|return|>", 'o'}},
         {false, false, 1}});
  // A tool call is neither; the name of its channel has more behind it.
  check({"harmony",
         {{"<|channel|>analysis<|message|>", 'o'},
          {"a", 't'},
          {"<|end|><|start|>assistant<|channel|>commentary to=functions.sum "
           "<|constrain|>json<|message|>{}<|call|>",
           'o'}},
         {true, false, 1}});
  // Several messages of thinking.
  check({"harmony",
         {{"<|channel|>analysis<|message|>", 'o'},
          {"a", 't'},
          {"<|end|><|start|>assistant<|channel|>analysis<|message|>", 'o'},
          {"b", 't'},
          {"<|end|><|start|>assistant<|channel|>final <|message|>", 'o'},
          {"4", 'a'},
          {"<|return|>more", 'o'}},
         {true, false, 1}});
  check({"harmony",
         {{"two", 't'},
          {"<|end|><|start|>assistant<|channel|>final<|message|>", 'o'},
          {"4", 'a'},
          {"<|return|>", 'o'}},
         {true, false, 1},
         in_thinking});
  check({"harmony", {{"4", 'a'}, {"<|return|>", 'o'}}, {true, false, 0}, {Opened::answer, {}}});
  check({"harmony", {{"plain text", 'a'}, {"<|return|>", 'o'}}, {true, false, 0}});
  check({"harmony", {{"<|message|>", 'o'}, {"4", 'a'}, {"<|return|>", 'o'}}, {true, false, 0}});
  check({"harmony", {{"<|channel|>analysis", 'o'}}, {true, true, 0}});
}

TEST_CASE("thoughts are counted by the words that switch between them", "[text]") {
  check({"think",
         {{"<think>", 'o'},
          {"One way. Alternatively, two.\n\nAlternatively three", 't'},
          {"</think>", 'o'},
          {"Alternatively four", 'a'},
          {"<|im_end|>", 'o'}},
         {true, false, 3}});
  // Whole words in this spelling.
  check({"think",
         {{"alternatively Alternativelyx _Alternatively", 't'},
          {"</think>", 'o'},
          {"4", 'a'},
          {"<|im_end|>", 'o'}},
         {true, false, 1}});
  check({"think",
         {{"Wait, no. Waiting. Alternatively so. (Wait)", 't'},
          {"</think>", 'o'},
          {"4", 'a'},
          {"<|im_end|>", 'o'}},
         {true, false, 4},
         {},
         {"Wait", "Alternatively"}});
  check({"think",
         {{"Wait Alternatively", 't'}, {"</think>", 'o'}, {"4", 'a'}, {"<|im_end|>", 'o'}},
         {true, false, 1},
         {},
         {}});
}

TEST_CASE("ids without a token and further end ids are allowed", "[text]") {
  const Tokenizer tokenizer = tokenizer_with_markers();
  ThinkingFormat format = thinking_format("think");
  format.end_ids = {5000};
  const std::vector<std::int32_t> ids = {
      *tokenizer.token_id("<think>"), 9999, *tokenizer.token_id("</think>"), -3, 5000, 7};
  const ThinkingSplit split = ThinkingSplitter(tokenizer, format).split(ids);
  CHECK(split.thinking == std::vector<TokenRange>{{1, 2}});
  CHECK(split.answer == std::vector<TokenRange>{{3, 4}});
  CHECK(split.other == std::vector<TokenRange>{{0, 1}, {2, 3}, {4, 6}});
  CHECK_FALSE(split.truncated);
  CHECK(split.n_thoughts == 0);
}

TEST_CASE("a splitter splits what it was made for", "[text]") {
  const Tokenizer tokenizer = tokenizer_with_markers();
  const std::vector<std::int32_t> ids = {5};
  CHECK_THROWS_AS(ThinkingSplitter(thinking_format("think")).split(ids), moelab::Error);
  CHECK_THROWS_AS(ThinkingSplitter(tokenizer, thinking_format("think")).split_text("x"), moelab::Error);
}

TEST_CASE("unknown thinking formats are errors that name the known ones", "[text]") {
  CHECK_THROWS_WITH(thinking_format("thoughts"),
                    Catch::Matchers::ContainsSubstring("'thoughts'") &&
                        Catch::Matchers::ContainsSubstring("none, think, harmony, ernie, hunyuan"));
  const Tokenizer tokenizer = tokenizer_with_markers();
  ThinkingFormat format = thinking_format("think");
  format.think_close.clear();
  CHECK_THROWS_AS(ThinkingSplitter(tokenizer, format), moelab::ConfigError);
}
