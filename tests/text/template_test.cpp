#include "core/text/template.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/text/template_cases.h"

using namespace moelab;
using namespace moelab::text;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string render(const std::string& source, const Json& variables = Json::object(),
                   const TemplateLimits& limits = {}) {
  return ChatTemplate::parse(source, "test.jinja", limits).render(variables);
}

// Small enough that every hostile template fails at once.
TemplateLimits small_limits() {
  TemplateLimits limits;
  limits.loops = 10'000;
  limits.text_bytes = 1 << 16;
  limits.list_items = 1 << 13;
  limits.work = 500'000;
  return limits;
}

std::string failure(const std::string& source, const TemplateLimits& limits = small_limits()) {
  try {
    render(source, Json::object(), limits);
  } catch (const TemplateError& error) {
    return error.what();
  }
  return "no error";
}

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("A mistake in a template names the file, the line and the column", "[text]") {
  CHECK(failure("a\n{{ 1 +\n  }}") ==
        "test.jinja:3:3: TemplateSyntaxError: unexpected end of print statement");
  CHECK_THAT(failure("é{{ x.y }}"), ContainsSubstring("test.jinja:1:6: UndefinedError: 'x' is undefined"));
  CHECK_THAT(failure("\n\n  {% block b %}"),
             ContainsSubstring("test.jinja:3:6: Unsupported: the tag 'block'"));
  CHECK_THAT(failure("{{ raise_exception('Roles must alternate') }}"),
             ContainsSubstring("TemplateError: Roles must alternate"));
  CHECK_THAT(failure("\xff"), ContainsSubstring("not valid UTF-8"));
}

TEST_CASE("Hostile templates end with an error that names the limit", "[text]") {
  CHECK_THAT(failure("{{ " + repeated("not ", 5000) + "1 }}"), ContainsSubstring("limit 'nesting'"));
  CHECK_THAT(failure("{{ " + repeated("(", 5000)), ContainsSubstring("limit 'nesting'"));
  CHECK_THAT(failure("{{ 1" + repeated("+1", 5000) + " }}"), ContainsSubstring("limit 'nesting'"));
  CHECK_THAT(failure(repeated("{% if 1 %}", 5000)), ContainsSubstring("limit 'nesting'"));
  CHECK_THAT(failure("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), ContainsSubstring("limit 'depth'"));
  CHECK_THAT(failure("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"),
             ContainsSubstring("limit 'depth'"));
  CHECK_THAT(failure("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
             ContainsSubstring("limit"));
  CHECK_THAT(failure("{{ 'x' * 999999999999 }}"), ContainsSubstring("limit 'text_bytes'"));
  CHECK_THAT(failure("{{ [1] * 999999999999 }}"), ContainsSubstring("limit 'list_items'"));
  CHECK_THAT(failure("{{ 'a'.center(99999999999) }}"), ContainsSubstring("limit 'text_bytes'"));
  CHECK_THAT(failure("{{ {'a': 1}|tojson(indent=99999999999) }}"), ContainsSubstring("limit 'text_bytes'"));
  CHECK_THAT(failure("{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ "
                     "ns.x %}{% endfor %}"),
             ContainsSubstring("limit 'text_bytes'"));
  CHECK_THAT(
      failure("{% set ns = namespace(x=[]) %}{% for i in range(999) %}{% set ns.x = [ns.x] %}{% endfor %}"),
      ContainsSubstring("limit 'nesting'"));
  CHECK_THAT(failure("{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% "
                     "endfor %}{{ ns.x }}"),
             ContainsSubstring("limit"));
  CHECK_THAT(failure("{{ " + repeated("1,", 600000) + " }}"), ContainsSubstring("limit 'source_bytes'"));
}

TEST_CASE("Limits can be set and leave ordinary templates alone", "[text]") {
  TemplateLimits limits;
  limits.loops = 5;
  CHECK_THAT(failure("{% for a in range(6) %}{% endfor %}", limits), ContainsSubstring("limit 'loops'"));
  CHECK(failure("{% for a in range(5) %}{% endfor %}", limits) == "no error");
  limits.text_bytes = 10;
  CHECK_THAT(failure("12345678901", limits), ContainsSubstring("limit 'text_bytes'"));
  CHECK(failure("1234567890", limits) == "no error");
  CHECK_THROWS_WITH(render("", {{"x", Json::parse(repeated("[", 500) + repeated("]", 500))}}),
                    ContainsSubstring("limit 'nesting'"));
}

TEST_CASE("Values that refer to themselves are released and never written endlessly", "[text]") {
  CHECK(render("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me is defined }}") == "True");
  CHECK_THAT(failure("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}"),
             ContainsSubstring("holds itself"));
}

TEST_CASE("A date comes from the request and never from the clock", "[text]") {
  const auto chat = ChatTemplate::parse("{{ strftime_now('%d %b %Y') }}", "dated");
  CHECK(chat.render(Json::object(), TemplateDate{2024, 7, 26}) == "26 Jul 2024");
  CHECK_THROWS_WITH(chat.render(Json::object()), ContainsSubstring("none was given"));
  CHECK(parse_template_date("2024-02-29T23:59:58").second == 58);
  for (const char* wrong :
       {"", "2024-02-30", "2024-2-3", "26 Jul 2024", "2024-07-26T24:00:00", "2024-07-2x", "2024-07--1"})
    CHECK_THROWS_AS(parse_template_date(wrong), ConfigError);
}

TEST_CASE("A request becomes the variables that templates expect", "[text]") {
  ChatRequest request;
  request.messages = {{"user", "Hi"}, {"assistant", "Yo", "Think."}};
  request.bos_token = "<s>";
  request.variables = {{"enable_thinking", false}};
  const std::string source =
      "{{ bos_token }}{{ eos_token is defined }}{{ tools }}{{ messages[1].reasoning_content }}"
      "{{ messages[1].thinking }}{{ add_generation_prompt }}{{ enable_thinking }}{{ 'tool_calls' in "
      "messages[1] }}";
  CHECK(ChatTemplate::parse(source, "t").render(request) == "<s>FalseNoneThink.Think.TrueFalseFalse");
  request.tools = "none";
  CHECK_THROWS_AS(ChatTemplate::parse(source, "t").render(request), ConfigError);
}

TEST_CASE("A model directory's template is found where publishers put it", "[text]") {
  const ScratchDir scratch;
  const auto read = [&](const std::string& which = "") {
    return ChatTemplate::read(scratch.path(), which).render(Json::object());
  };
  CHECK_THROWS_WITH(read(),
                    ContainsSubstring("no chat template") && ContainsSubstring("tokenizer_config.json"));
  write(scratch / "chat_template.json", R"({"chat_template": "third"})");
  CHECK(read() == "third");
  write(scratch / "tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "second"},
                                                                  {"name": "tool_use", "template": "tools"}]})");
  CHECK(read() == "second");
  CHECK(read("tool_use") == "tools");
  CHECK_THROWS_WITH(read("rag"), ContainsSubstring("there are: default, tool_use"));
  write(scratch / "chat_template.jinja", "first\n");
  CHECK(read() == "first");
  write(scratch / "additional_chat_templates" / "rag.jinja", "fourth");
  CHECK(read("rag") == "fourth");
  write(scratch / "chat_template.jinja", "{{ 1");
  CHECK_THROWS_AS(read(), TemplateError);
  std::filesystem::remove(scratch / "chat_template.jinja");
  write(scratch / "tokenizer_config.json", R"({"chat_template": 5})");
  CHECK_THROWS_WITH(read(), ContainsSubstring("neither a text nor a list"));
}
