#include <functional>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/text/tokenizer.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using Catch::Matchers::ContainsSubstring;
using moelab::FileError;
using moelab::Json;
using moelab::text::Tokenizer;
using namespace moelab::testing;

namespace {

std::filesystem::path base_file() { return data_dir() / "text" / "qwen_style.tokenizer.json"; }

// What loading says after `change` was made to a tokenizer that loads; it must throw FileError naming the
// file.
std::string error_after(const std::function<void(Json&)>& change) {
  const ScratchDir scratch;
  const auto path = scratch / "tokenizer.json";
  Json tokenizer = moelab::read_json(base_file());
  change(tokenizer);
  moelab::write_atomic(path, tokenizer.dump());
  try {
    Tokenizer::load(path);
  } catch (const FileError& problem) {
    CHECK_THAT(problem.what(), ContainsSubstring(path.string()));
    return problem.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("invalid UTF-8 is an error that names the byte", "[text]") {
  const auto tokenizer = Tokenizer::load(base_file());
  const auto offset_error = [&](std::string_view text, const std::string& expected) {
    REQUIRE_THROWS_WITH(tokenizer.encode(text), ContainsSubstring(expected));
  };
  offset_error("abc\xFFxyz", "byte 3 (0xFF)");
  offset_error("\xC3", "byte 0");                   // a character cut short
  offset_error("0123456789ab\xC0\xAF", "byte 12");  // an overlong slash
  offset_error("x\xED\xA0\x80", "byte 1");          // a surrogate
  offset_error("\xF4\x90\x80\x80", "byte 0");       // beyond U+10FFFF
  offset_error("<|endoftext|>\x80", "byte 13");     // a continuation without a start
  CHECK_FALSE(tokenizer.encode("after an error it still works").empty());
}

TEST_CASE("a tokenizer file that cannot be read is an error that names the file", "[text]") {
  const ScratchDir scratch;
  REQUIRE_THROWS_WITH(Tokenizer::load(scratch / "none.json"), ContainsSubstring("none.json"));
  const std::string whole = moelab::read_text(base_file());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, whole.size() / 3, whole.size() - 3}) {
    moelab::write_atomic(scratch / "cut.json", whole.substr(0, size));
    REQUIRE_THROWS_AS(Tokenizer::load(scratch / "cut.json"), FileError);
    REQUIRE_THROWS_WITH(Tokenizer::load(scratch / "cut.json"),
                        ContainsSubstring("cut.json") && ContainsSubstring("not valid JSON"));
  }
  moelab::write_atomic(scratch / "list.json", "[1, 2]");
  REQUIRE_THROWS_WITH(Tokenizer::load(scratch / "list.json"), ContainsSubstring("must hold one object"));
  moelab::write_atomic(scratch / "empty.json", "{}");
  REQUIRE_THROWS_WITH(Tokenizer::load(scratch / "empty.json"),
                      ContainsSubstring("'model' must be an object"));
}

TEST_CASE("unsupported models are errors that name the field", "[text]") {
  const auto model_error = [](const Json& patch) {
    return error_after([&](Json& t) { t["model"].update(patch); });
  };
  for (const char* type : {"WordPiece", "Unigram", "WordLevel"}) {
    CHECK_THAT(model_error({{"type", type}}), ContainsSubstring(fmt::format("model.type is '{}'", type)));
  }
  const Json unigram = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", {{"<unk>", 0.0}, {"a", -1.5}}}};
  CHECK_THAT(error_after([&](Json& t) { t["model"] = unigram; }),
             ContainsSubstring("model.type is 'Unigram'"));
  CHECK_THAT(model_error({{"dropout", 0.1}}), ContainsSubstring("model.dropout"));
  CHECK_THAT(model_error({{"end_of_word_suffix", "</w>"}}), ContainsSubstring("model.end_of_word_suffix"));
  CHECK_THAT(model_error({{"continuing_subword_prefix", "##"}}),
             ContainsSubstring("model.continuing_subword_prefix"));
  CHECK_THAT(model_error({{"ignore_merges", "yes"}}), ContainsSubstring("ignore_merges"));
  CHECK_THAT(model_error({{"new_option", 1}}), ContainsSubstring("model.new_option"));
  CHECK_THAT(model_error({{"vocab", 3}}), ContainsSubstring("model.vocab must be an object"));
  CHECK_THAT(model_error({{"merges", "a b"}}), ContainsSubstring("model.merges must be an array"));
}

TEST_CASE("damaged vocabularies and merges are errors that name the entry", "[text]") {
  const auto with_merge = [](const Json& merge) {
    return error_after([&](Json& t) { t["model"]["merges"].push_back(merge); });
  };
  CHECK_THAT(with_merge({"t", "nowhere"}),
             ContainsSubstring("model.merges[344]") && ContainsSubstring("'nowhere'"));
  CHECK_THAT(with_merge({"Q", "Q"}), ContainsSubstring("'QQ'"));
  CHECK_THAT(with_merge({"t", "h", "e"}), ContainsSubstring("model.merges[344]"));
  CHECK_THAT(with_merge({"t"}), ContainsSubstring("model.merges[344]"));
  CHECK_THAT(with_merge({"t", 1}), ContainsSubstring("model.merges[344]"));
  CHECK_THAT(with_merge(7), ContainsSubstring("model.merges[344]"));
  CHECK_THAT(with_merge("t h e"), ContainsSubstring("model.merges[344]"));
  CHECK_THAT(with_merge("the"), ContainsSubstring("model.merges[344]"));
  const auto with_entry = [](const char* entry, const Json& id) {
    return error_after([&](Json& t) { t["model"]["vocab"][entry] = id; });
  };
  CHECK_THAT(with_entry("twin", 17),
             ContainsSubstring("gives the id 17 twice") && ContainsSubstring("'twin'"));
  CHECK_THAT(with_entry("below", -1), ContainsSubstring("'below'"));
  CHECK_THAT(with_entry("far", 4'000'000'000), ContainsSubstring("'far'"));
  CHECK_THAT(with_entry("half", 600.5), ContainsSubstring("'half'") && ContainsSubstring("not an integer"));
  CHECK_THAT(with_entry("word", "600"), ContainsSubstring("'word'"));

  // A JSON library cannot write the same key twice, so this goes through the text.
  const ScratchDir scratch;
  std::string text = moelab::read_text(base_file());
  text.insert(text.find("\"vocab\":{") + 9, "\"Ġthe\":9999,");
  moelab::write_atomic(scratch / "twice.json", text);
  REQUIRE_THROWS_WITH(Tokenizer::load(scratch / "twice.json"),
                      ContainsSubstring("model.vocab has 'Ġthe' twice"));
}

TEST_CASE("a byte without a token is an error when a text needs it", "[text]") {
  const ScratchDir scratch;
  Json tokenizer = moelab::read_json(base_file());
  tokenizer["model"]["merges"] = Json::array();
  tokenizer["model"]["vocab"] = {{"a", 0}, {"b", 1}};
  tokenizer["added_tokens"] = Json::array();
  moelab::write_atomic(scratch / "small.json", tokenizer.dump());
  const auto small = Tokenizer::load(scratch / "small.json");
  CHECK(small.encode("abba") == std::vector<std::int32_t>{0, 1, 1, 0});
  REQUIRE_THROWS_WITH(small.encode("abc"), ContainsSubstring("no token for the byte 0x63"));

  tokenizer["model"]["unk_token"] = "a";
  moelab::write_atomic(scratch / "unknown.json", tokenizer.dump());
  REQUIRE_THROWS_WITH(Tokenizer::load(scratch / "unknown.json"), ContainsSubstring("model.unk_token is 'a'"));

  tokenizer["model"].erase("unk_token");
  tokenizer["model"]["byte_fallback"] = true;
  moelab::write_atomic(scratch / "fallback.json", tokenizer.dump());
  REQUIRE_THROWS_WITH(
      Tokenizer::load(scratch / "fallback.json"),
      ContainsSubstring("model.byte_fallback is true and model.vocab has no token for the byte"));
}

TEST_CASE("unsupported components are errors that name the field", "[text]") {
  const auto field_error = [](const char* field, const Json& value) {
    return error_after([&](Json& t) { t[field] = value; });
  };
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  const Json nfc = {{"type", "NFC"}};
  const Json nmt = {{"type", "Nmt"}};
  CHECK_THAT(field_error("normalizer", nmt), ContainsSubstring("normalizer.type is 'Nmt'"));
  CHECK_THAT(field_error("normalizer", {{"type", "Sequence"}, {"normalizers", {nfc, nmt}}}),
             ContainsSubstring("normalizer.normalizers[1].type is 'Nmt'"));
  CHECK_THAT(
      field_error("normalizer", {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}}),
      ContainsSubstring("normalizer.pattern is empty"));
  CHECK_THAT(field_error("normalizer", {{"type", "Strip"}, {"strip_left", true}}),
             ContainsSubstring("'strip_right' is missing"));
  CHECK_THAT(field_error("normalizer", "NFC"), ContainsSubstring("normalizer must be an object"));
  CHECK_THAT(field_error("pre_tokenizer", {{"type", "BertPreTokenizer"}}),
             ContainsSubstring("pre_tokenizer.type is 'BertPreTokenizer'"));
  const auto metaspace = [](const Json& mark, const char* scheme) {
    return Json{{"type", "Metaspace"}, {"replacement", mark}, {"prepend_scheme", scheme}};
  };
  CHECK_THAT(field_error("pre_tokenizer", metaspace("__", "always")),
             ContainsSubstring("pre_tokenizer.replacement is '__', not one character"));
  CHECK_THAT(field_error("pre_tokenizer", metaspace("_", "sometimes")),
             ContainsSubstring("pre_tokenizer.prepend_scheme is 'sometimes'"));
  CHECK_THAT(
      field_error("pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {byte_level, byte_level}}}),
      ContainsSubstring("pretokenizers[1] follows a ByteLevel"));
  CHECK_THAT(field_error("post_processor", {{"type", "BertProcessing"}}),
             ContainsSubstring("post_processor.type"));
  CHECK_THAT(field_error("decoder", {{"type", "WordPiece"}}),
             ContainsSubstring("decoder.type is 'WordPiece'"));
  CHECK_THAT(field_error("decoder", nullptr), ContainsSubstring("decoder"));
  CHECK_THAT(field_error("decoder", {{"type", "Strip"}, {"content", " "}, {"start", -1}, {"stop", 0}}),
             ContainsSubstring("decoder.start is -1"));
  const Json fuse = {{"type", "Fuse"}};
  CHECK_THAT(field_error("decoder", {{"type", "Sequence"}, {"decoders", {fuse, {{"type", "ByteFallback"}}}}}),
             ContainsSubstring("after a step that makes one token of all"));
  CHECK_THAT(field_error("decoder", {{"type", "Sequence"}, {"decoders", Json::array()}}),
             ContainsSubstring("Sequence of nothing"));
  CHECK_THAT(field_error("version", "2.0"), ContainsSubstring("version is '2.0'"));
  CHECK_THAT(field_error("extra", 1), ContainsSubstring("tokenizer.json.extra"));
}

TEST_CASE("unsupported splits are errors that name the field", "[text]") {
  const auto split_error = [](const char* field, const Json& value) {
    return error_after([&](Json& t) { t["pre_tokenizer"]["pretokenizers"][0][field] = value; });
  };
  const std::string where = "pre_tokenizer.pretokenizers[0]";
  CHECK_THAT(split_error("behavior", "Sideways"), ContainsSubstring(where + ".behavior is 'Sideways'"));
  CHECK_THAT(split_error("pattern", {{"Glob", "*"}}), ContainsSubstring(where + ".pattern is 'Glob'"));
  CHECK_THAT(split_error("pattern", {{"Regex", "a(b"}}),
             ContainsSubstring(where + ".pattern") && ContainsSubstring("'a(b'"));
  CHECK_THAT(split_error("pattern", {{"Regex", "*a"}}), ContainsSubstring("does not compile"));
  CHECK_THAT(split_error("pattern", {{"Regex", "\\p{Nonsense}"}}), ContainsSubstring("does not compile"));
  CHECK_THAT(split_error("pattern", {{"String", ""}}), ContainsSubstring("the pattern is empty"));
  CHECK_THAT(split_error("invert", "no"), ContainsSubstring("invert"));
}

TEST_CASE("damaged added tokens and templates are errors that name the entry", "[text]") {
  const auto token_error = [](const char* field, const Json& value) {
    return error_after([&](Json& t) { t["added_tokens"][1][field] = value; });
  };
  CHECK_THAT(token_error("id", 600),
             ContainsSubstring("added_tokens[1]") && ContainsSubstring("the next free id is 601"));
  CHECK_THAT(token_error("content", "<|endoftext|>"),
             ContainsSubstring("gives '<|endoftext|>' a second time"));
  CHECK_THAT(token_error("content", "Ġthe"), ContainsSubstring("its id in model.vocab is"));
  CHECK_THAT(token_error("lstrip", 1), ContainsSubstring("added_tokens[1]") && ContainsSubstring("lstrip"));
  CHECK_THAT(token_error("stem", true), ContainsSubstring("added_tokens[1].stem"));
  CHECK_THAT(error_after([](Json& t) { t["added_tokens"][1].erase("special"); }),
             ContainsSubstring("'special' is missing"));

  const auto template_error = [](const Json& single) {
    return error_after([&](Json& t) {
      const Json special = {{"<s>", {{"id", "<s>"}, {"ids", {9999}}, {"tokens", {"<s>"}}}}};
      t["post_processor"] = {
          {"type", "TemplateProcessing"}, {"single", single}, {"pair", single}, {"special_tokens", special}};
    });
  };
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const auto special = [](const char* name) {
    return Json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}};
  };
  CHECK_THAT(template_error(Json::array({special("<s>"), text})),
             ContainsSubstring("adds the id 9999, which no token has"));
  CHECK_THAT(template_error(Json::array({special("</s>"), text})), ContainsSubstring("'</s>'"));
  CHECK_THAT(template_error(Json::array({special("<s>")})), ContainsSubstring("post_processor.single lacks"));
  CHECK_THAT(template_error(Json::array({text, text})), ContainsSubstring("post_processor.single"));
}

TEST_CASE("files that ask for too much are errors and not a flood", "[text]") {
  const auto nested = [](int depth) {
    Json value = {{"type", "NFC"}};
    for (int i = 0; i < depth; ++i) value = {{"type", "Sequence"}, {"normalizers", Json::array({value})}};
    return value;
  };
  CHECK_THAT(error_after([&](Json& t) { t["normalizer"] = nested(40); }),
             ContainsSubstring("nested more than"));
  CHECK(error_after([&](Json& t) { t["normalizer"] = nested(20); }) == "no error");
  CHECK_THAT(error_after([](Json& t) { t["model"]["vocab"]["far"] = 16'000'000; }),
             ContainsSubstring("most ids would have no token"));
  CHECK_THAT(error_after([](Json& t) {
               t["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = std::string(70'000, 'a');
             }),
             ContainsSubstring("does not compile"));
  // Every replacement makes 30 letters of one: three of them make 27,000.
  const ScratchDir scratch;
  Json tokenizer = moelab::read_json(base_file());
  const Json more = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(30, 'a')}};
  tokenizer["normalizer"] = {{"type", "Sequence"},
                             {"normalizers", Json::array({more, more, more, more, more, more})}};
  moelab::write_atomic(scratch / "bomb.json", tokenizer.dump());
  const auto bomb = Tokenizer::load(scratch / "bomb.json");
  CHECK_FALSE(bomb.encode("bcd").empty());
  REQUIRE_THROWS_WITH(bomb.encode("aaa"), ContainsSubstring("makes a text more than 64 times as long"));
  // A normalizer may not leave nothing of an added token that is searched in normalised text.
  CHECK_THAT(error_after([](Json& t) {
               t["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
               t["added_tokens"][1]["content"] = " ";
               t["added_tokens"][1]["normalized"] = true;
             }),
             ContainsSubstring("added_tokens[1]") && ContainsSubstring("leaves nothing"));
}
