#include <cstdlib>
#include <iostream>
#include <set>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "tests/support/catch.h"
#include "tests/text/template_cases.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

std::filesystem::path assets_dir() { return source_dir().parent_path() / "shared" / "assets"; }

std::string unpacked(const std::filesystem::path& path) {
  const std::string command = "xz -dc '" + path.string() + "'";
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

std::string asset_source(const std::string& name) {
  if (name.starts_with("chat_templates/")) return read_text(assets_dir() / name);
  const std::string config = unpacked(assets_dir() / name / "tokenizer_config.json.xz");
  return parse_json(config, name).at("chat_template").get<std::string>();
}

// True when every conversation gives the reference's text, or an error of its class.
bool asset_agrees(const Json& reference) {
  const std::string name = reference.at("name");
  const std::string source = asset_source(name);
  REQUIRE(sha256(source) == reference.at("sha256").get<std::string>());
  const auto chat = text::ChatTemplate::parse(source, name);
  bool agrees = true;
  const Json& requests = template_cases().at("requests");
  for (std::size_t i = 0; i < requests.size(); ++i) {
    std::string message;
    std::string got = outcome(chat, requests[i], &message);
    if (!got.starts_with("!")) got = sha256(got).substr(0, 16);
    const std::string wanted = reference.at("results")[i];
    if (got == wanted) continue;
    UNSCOPED_INFO(name << ", " << requests[i].at("name") << ": " << got << " for " << wanted << " "
                       << message);
    agrees = false;
  }
  return agrees;
}

}  // namespace

TEST_CASE("Templates about one feature each give what jinja2 gives", "[text]") {
  const Json& variables = template_cases().at("variables");
  REQUIRE(template_cases().at("language").size() >= 150);
  for (const Json& reference : template_cases().at("language")) {
    const std::string wanted = reference.contains("o") ? reference.at("o").get<std::string>()
                                                       : "!" + reference.at("e").get<std::string>();
    std::string message;
    const std::string got = outcome(reference.at("t").get<std::string>(), variables, &message);
    // What jinja2 writes as a memory address or reads otherwise than moelab can is an error, never another
    // text.
    if (got == "!Unsupported") continue;
    INFO(reference.dump() << " " << message);
    CHECK(got == wanted);
  }
}

TEST_CASE("Few of the templates about one feature are refused as unsupported", "[text]") {
  const Json& variables = template_cases().at("variables");
  std::set<std::string> refused;
  for (const Json& reference : template_cases().at("language"))
    if (outcome(reference.at("t").get<std::string>(), variables) == "!Unsupported")
      refused.insert(reference.at("t").get<std::string>());
  std::string list;
  for (const std::string& source : refused) list += source + "\n";
  INFO(list);
  CHECK(refused.size() <= 20);
}

TEST_CASE("What the interpreter lacks is an error with a place and never a text", "[text]") {
  for (const Json& source : template_cases().at("unsupported")) {
    std::string message;
    INFO(source);
    CHECK(outcome(source.get<std::string>(), template_cases().at("variables"), &message) == "!Unsupported");
    CHECK_THAT(message, Catch::Matchers::ContainsSubstring("case:1:"));
  }
}

TEST_CASE("Our own chat templates give the texts of transformers for every conversation", "[text]") {
  const Json& requests = template_cases().at("requests");
  REQUIRE(template_cases().at("own").size() >= 2);
  for (const Json& reference : template_cases().at("own")) {
    const std::string name = reference.at("name");
    const auto chat = text::ChatTemplate::parse(read_text(data_dir() / "text" / "templates" / name), name);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const Json& wanted = reference.at("results")[i];
      std::string message;
      const std::string got = outcome(chat, requests[i], &message);
      INFO(name << ", " << requests[i].at("name") << " " << message);
      CHECK(got ==
            (wanted.is_string() ? wanted.get<std::string>() : "!" + wanted.at("e").get<std::string>()));
    }
  }
}

TEST_CASE("Published chat templates give the texts of transformers for every conversation", "[text]") {
  if (!std::filesystem::exists(assets_dir() / "chat_templates")) {
    std::cout << "skipped: published chat templates are not in " << assets_dir().string() << "\n";
    return;
  }
  std::size_t agreeing = 0, published = 0;
  for (const Json& reference : template_cases().at("assets")) {
    const bool agrees = asset_agrees(reference);
    const std::string name = reference.at("name");
    if (name.starts_with("tokenizers/") || name.find("/qwen3") != std::string::npos) CHECK(agrees);
    if (!name.starts_with("chat_templates/")) continue;
    ++published;
    agreeing += agrees ? 1 : 0;
  }
  std::cout << agreeing << " of " << published << " published chat templates agree in every conversation\n";
  CHECK(published == 77);
  CHECK(agreeing >= 77);
}
