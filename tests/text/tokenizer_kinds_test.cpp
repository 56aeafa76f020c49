#include <fmt/ranges.h>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/text/tiktoken.h"
#include "tests/support/catch.h"
#include "tests/text/published.h"
#include "tests/text/text_generator.h"

using moelab::Json;
using namespace moelab::text;
using namespace moelab::testing;

namespace {

using Ids = std::vector<std::int32_t>;

// Decodes id by id and checks that every piece is complete UTF-8.
std::string decode_stream(const Tokenizer& tokenizer, const Ids& ids, bool skip) {
  DecodeStream stream(tokenizer, skip);
  std::string text;
  for (const std::int32_t id : ids) {
    const std::string piece = stream.push(id);
    CHECK_FALSE(first_invalid_utf8(piece));
    text += piece;
  }
  return text + stream.finish();
}

// The lines whose digest tests/reference/text/make_tokenizer_kinds.py stores. The text is decoded as a whole
// and as a stream in turn, so that both are compared with the reference.
std::string outcome(const Tokenizer& tokenizer, const std::string& text, const Ids& random_ids) {
  const Ids ids = tokenizer.encode(text);
  CHECK(decode_stream(tokenizer, ids, false) == tokenizer.decode(ids));
  CHECK(decode_stream(tokenizer, random_ids, true) == tokenizer.decode(random_ids, true));
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", fmt::join(ids, ","),
                     fmt::join(tokenizer.encode(text, true), ","), tokenizer.decode(ids),
                     decode_stream(tokenizer, ids, true), decode_stream(tokenizer, random_ids, false),
                     tokenizer.decode(random_ids, true));
}

// All of them, unless MOELAB_TEXTS_PER_KIND asks for fewer (scripts/mutants/run.py does, to be quick).
std::uint64_t n_texts(std::uint64_t all) {
  const char* wanted = std::getenv("MOELAB_TEXTS_PER_KIND");
  return wanted == nullptr ? all : std::min<std::uint64_t>(all, std::strtoull(wanted, nullptr, 10));
}

void check_kind(const Tokenizer& tokenizer, const Json& kind, const TextGenerator& generator) {
  INFO("kind: " << kind.at("name"));
  const auto count = kind.at("count").get<std::uint64_t>();
  const auto seed = kind.at("seed").get<std::uint64_t>();
  const auto digests = kind.at("digests").get<std::string>();
  REQUIRE(count >= 2000);
  REQUIRE(digests.size() == 8 * count);
  std::string all;
  for (std::uint64_t index = 0; index < n_texts(count); ++index) {
    auto [text, random] = generator.text(seed, index);
    all.append(text).push_back('\0');
    const Ids random_ids = TextGenerator::ids(random, kind.at("id_limit").get<std::uint64_t>());
    const std::string lines = outcome(tokenizer, text, random_ids);
    INFO("text " << index << ": '" << text << "'\nours:\n" << lines);
    CHECK(moelab::sha256(lines).substr(0, 8) == digests.substr(8 * index, 8));
  }
  // Fails when the texts differ, so that a fault of the generator does not look like one of the tokenizer.
  if (n_texts(count) == count) CHECK(moelab::sha256(all) == kind.at("texts").get<std::string>());
}

Tokenizer small_tokenizer(const Json& kind) {
  if (kind.contains("tiktoken")) {
    TiktokenOptions options{std::string(tiktoken_pattern(kind.at("tiktoken").get<std::string>())), {}};
    for (const auto& [content, id] : kind.at("special").items()) {
      options.special_tokens.emplace_back(content, id.get<std::int32_t>());
    }
    return Tokenizer::load_tiktoken(text_data("kinds.tiktoken"), options);
  }
  Json file = moelab::read_json(
      text_data(fmt::format("kinds.{}.tokenizer.json", kind.at("base").get<std::string>())));
  for (const auto& [field, value] : kind.at("patch").items()) {
    if (field == "model") {
      file["model"].update(value);
    } else {
      file[field] = value;
    }
  }
  return Tokenizer::parse(file.dump(), kind.at("name").get<std::string>());
}

std::vector<Json> kinds() {
  std::vector<Json> kinds;
  for (const std::string& line : moelab::read_lines(text_data("kinds.jsonl"))) {
    kinds.push_back(moelab::parse_json(line, "kinds.jsonl"));
  }
  kinds.erase(kinds.begin());
  return kinds;
}

void check_published(const std::string& folder) {
  const ScratchDir scratch;
  const auto plain = unpack_published(scratch, folder);
  if (!plain) return;
  for (const Json& kind : kinds()) {
    if (kind.value("published", "") != folder) continue;
    const Tokenizer tokenizer = Tokenizer::load(*plain);
    REQUIRE(tokenizer.digest() == kind.at("sha256").get<std::string>());
    return check_kind(tokenizer, kind, TextGenerator());
  }
  FAIL("kinds.jsonl has no published kind " << folder);
}

}  // namespace

TEST_CASE("every kind of tokenizer gives the ids and texts of its reference for 2,000 texts", "[text]") {
  const TextGenerator generator;
  std::size_t n_kinds = 0;
  for (const Json& kind : kinds()) {
    if (kind.contains("published")) continue;
    check_kind(small_tokenizer(kind), kind, generator);
    ++n_kinds;
  }
  CHECK(n_kinds == 33);
}

TEST_CASE("the published Qwen3 tokenizer gives the reference's ids and texts for 2,000 texts", "[text]") {
  check_published("qwen3");
}

TEST_CASE("the published gpt-oss tokenizer gives the reference's ids and texts for 2,000 texts", "[text]") {
  check_published("gptoss");
}
