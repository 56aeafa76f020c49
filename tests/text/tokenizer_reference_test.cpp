#include "tests/text/published.h"
#include "tests/text/reference_cases.h"

using moelab::Json;
using moelab::text::Tokenizer;
using namespace moelab::testing;

namespace {

void check_published(const std::string& folder, const std::string& cases) {
  const ScratchDir scratch;
  if (const auto plain = unpack_published(scratch, folder))
    CHECK(check_cases(Tokenizer::load(*plain), text_data(cases)) >= 190);
}

}  // namespace

TEST_CASE("a Qwen-style tokenizer gives the ids and texts of the tokenizers package", "[text]") {
  const auto tokenizer = Tokenizer::load(text_data("qwen_style.tokenizer.json"));
  CHECK(check_cases(tokenizer, text_data("qwen_style.jsonl")) == 400);
}

TEST_CASE("a GPT-2-style tokenizer gives the ids and texts of the tokenizers package", "[text]") {
  const auto tokenizer = Tokenizer::load(text_data("gpt2_style.tokenizer.json"));
  CHECK(check_cases(tokenizer, text_data("gpt2_style.jsonl")) == 400);
}

TEST_CASE("every supported part of tokenizer.json acts as in the tokenizers package", "[text]") {
  const ScratchDir scratch;
  const std::vector<Json> variants = read_json_lines(text_data("variants.jsonl"));
  REQUIRE(variants.size() > 40);
  for (std::size_t i = 1; i < variants.size(); ++i) {
    const Json& variant = variants[i];
    INFO(variant.at("name"));
    Json tokenizer = moelab::read_json(text_data(variant.at("base").get<std::string>() + ".tokenizer.json"));
    for (const auto& [field, value] : variant.at("patch").items()) {
      if (field == "model") {
        tokenizer["model"].update(value);
      } else {
        tokenizer[field] = value;
      }
    }
    const auto path = scratch / fmt::format("{}.json", i);
    moelab::write_atomic(path, tokenizer.dump());
    const auto loaded = Tokenizer::load(path);
    for (const Json& each : variant.at("cases")) check_case(loaded, each);
  }
}

TEST_CASE("the published Qwen3 tokenizer gives the ids of the tokenizers package", "[text]") {
  check_published("qwen3", "qwen3.jsonl");
}

TEST_CASE("the published gpt-oss tokenizer gives the ids of the tokenizers package", "[text]") {
  check_published("gptoss", "gptoss.jsonl");
}
