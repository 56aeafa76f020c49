// What moelab generate refuses before anything runs: errors that end with status 2.
#include "experiments/cli.h"
#include "tests/cli/generate_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// In this process: every call of the program would load LibTorch again.
void check_refusal(const std::filesystem::path& model, const std::vector<std::string>& more,
                   const std::string& text) {
  std::vector<std::string> words = generate_words(model, more);
  words.erase(words.begin());
  const experiments::Verb verb = experiments::verb_generate();
  try {
    verb.run(experiments::parse_arguments(verb.spec, words));
    FAIL_CHECK("not refused: " + text);
  } catch (const ConfigError& problem) {
    CHECK_THAT(problem.what(), ContainsSubstring(text));
  }
}

void check_refusal(const std::vector<std::string>& more, const std::string& text) {
  check_refusal(mixed_model(), more, text);
}

}  // namespace

TEST_CASE("what is refused ends with status 2, a line on stderr and nothing on stdout", "[cli]") {
  const ProgramResult result = generate({"--prompt", "Q", "top_p=0"});
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, ContainsSubstring("moelab: sampling.top_p: "));
}

TEST_CASE("generate refuses prompts that it cannot go on from", "[cli]") {
  const ScratchDir dir;
  write_atomic(dir / "empty", "\n");
  std::string longest;
  for (int i = 0; i < 600; ++i) longest += " gold";
  check_refusal({}, "--prompt");
  check_refusal({"--prompt", ""}, "the prompt is empty");
  check_refusal({"prompt_file=" + (dir / "empty").string()}, "the prompt is empty");
  check_refusal({"prompt_file=" + (dir / "none").string()}, "none");
  check_refusal({"--prompt", "a", "prompt_file=b"}, "one of them");
  check_refusal({"--prompt", longest}, "the model's context of 512 leaves no room");
  check_refusal({"--prompt", "\xFF"}, "not valid UTF-8");
}

TEST_CASE("generate refuses sampling options that are out of range or contradict each other", "[cli]") {
  const auto refuses = [](const std::vector<std::string>& keys, const std::string& text) {
    std::vector<std::string> words = {"--prompt", "Q"};
    words.insert(words.end(), keys.begin(), keys.end());
    check_refusal(words, text);
  };
  refuses({"top_p=0"}, "sampling.top_p");
  refuses({"temperature=0"}, "sampling.temperature");
  refuses({"greedy=true", "temperature=0.5"}, "sampling.temperature: has no meaning with greedy=true");
  refuses({"temperature=1", "seed=-1"}, "seed");
  refuses({"seed=1"}, "nothing is drawn");
  refuses({"repeats=2"}, "all would be equal");
  refuses({"repeats=0", "temperature=1"}, "repeats: 0 is not at least 1");
  refuses({"max_new_tokens=0"}, "max_new_tokens: 0 is not at least 1");
  refuses({"stop="}, "stop: ");
  refuses({"thinking=loud"}, "there is no thinking format 'loud'");
  refuses({"device=abacus"}, "abacus");
}

TEST_CASE("generate refuses plans that are another model's, and comparing without one", "[cli]") {
  const auto refuses = [](const std::vector<std::string>& keys, const std::string& text) {
    std::vector<std::string> words = {"--prompt", "Q"};
    words.insert(words.end(), keys.begin(), keys.end());
    check_refusal(words, text);
  };
  const ScratchDir dir;
  write_atomic(dir / "plan.csv", "layer,expert\n1,63\n");
  refuses({"--plan", (dir / "plan.csv").string()}, "the layer has experts 0 to 15");
  refuses({"plan=" + (dir / "none.csv").string()}, "none.csv");
  refuses({"experts=99:0"}, "the model has layers 0 to 3");
  refuses({"experts=1:0", "plan=x.csv"}, "not both");
  refuses({"alpha=3"}, "without a plan");
  refuses({"--compare"}, "--compare: ");
  refuses({"--compare", "experts=1:0", "repeats=2", "temperature=1"}, "repeats: ");
}

TEST_CASE("generate refuses to chat without a template, and chat keys without --chat", "[cli]") {
  check_refusal({"--prompt", "Q", "--chat"}, "no chat template");
  check_refusal({"--prompt", "Q", "system=Be brief."}, "system: does nothing without --chat");
  ModelCopy model;
  const auto refuses = [&](const std::string& source, const std::vector<std::string>& keys,
                           const std::string& text) {
    model.write("chat_template.jinja", source);
    std::vector<std::string> words = {"--prompt", "Q", "--chat"};
    words.insert(words.end(), keys.begin(), keys.end());
    check_refusal(model.path(), words, text);
  };
  refuses(test_chat_template(), {"enable_thinking=maybe"}, "enable_thinking: 'maybe'");
  refuses(test_chat_template(), {"date=tomorrow"}, "tomorrow");
  refuses("{{ strftime_now('%Y') }}", {}, "date");
}

TEST_CASE("generate refuses hostile templates and damaged files with a clear text", "[cli]") {
  ModelCopy model;
  const auto refuses = [&](const std::string& source, const std::string& text) {
    model.write("chat_template.jinja", source);
    check_refusal(model.path(), {"--prompt", "Q", "--chat"}, text);
  };
  refuses("", "gave no text");
  refuses("{% for m in messages %}", "chat_template.jinja:1:");
  refuses("{{ raise_exception('no such role') }}", "no such role");
  refuses("{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}", "Limit");
  refuses("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "chat_template.jinja");
  model.write("tokenizer_config.json", R"({"bos_token": 7})");
  refuses(test_chat_template(), "bos_token");
  model.write("tokenizer.json", "{\"model\": [");
  check_refusal(model.path(), {"--prompt", "Q"}, "tokenizer.json");
}
