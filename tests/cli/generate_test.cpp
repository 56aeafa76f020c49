// moelab generate, run as a user would: texts, stops, draws, chats, interruption.
#include <csignal>
#include <thread>

#include "experiments/cli.h"
#include "tests/cli/generate_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// The options of a case of the reference.
std::vector<std::string> words_of(const Json& entry) {
  std::vector<std::string> words = {"--prompt", entry.at("prompt"), "max_new_tokens=60"};
  if (entry.at("chat").is_null()) return words;
  words.push_back("--chat");
  for (const auto& [key, value] : entry.at("chat").items())
    words.push_back(key + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  return words;
}

ProgramResult generate_from(const std::filesystem::path& input, const std::vector<std::string>& more) {
  const ScratchDir dir;
  boost::process::child child(
      binary(), boost::process::args(generate_words(mixed_model(), more)),
      boost::process::std_in<input.string(), boost::process::std_out>(dir / "out").string(),
      boost::process::std_err > (dir / "err").string());
  child.wait();
  return {child.exit_code(), read_text(dir / "out"), read_text(dir / "err")};
}

}  // namespace

TEST_CASE("generate writes what transformers writes, also through a chat template, and counts the thinking",
          "[cli]") {
  ModelCopy model;
  model.write("chat_template.jinja", test_chat_template());
  const Json cases = generate_cases();
  REQUIRE(cases.at("texts").size() == 6);
  for (const Json& entry : cases.at("texts")) {
    INFO(entry.dump());
    const ProgramResult result = model.generate(words_of(entry));
    CHECK(result.status == 0);
    CHECK(result.out == fmt::format("{}\n[{} tokens, stopped by {}; {} thinking, {} answer, closed]\n",
                                    entry.at("text").get<std::string>(), entry.at("tokens").get<int>(),
                                    entry.at("stop").get<std::string>(), entry.at("thinking").get<int>(),
                                    entry.at("answer").get<int>()));
  }
}

TEST_CASE("a thinking budget closes the thinking by force, and one that is not spent changes nothing",
          "[cli]") {
  const Json sum = generate_cases().at("texts").at(1);
  const std::string written = sum.at("text");
  const std::vector<std::string> words = {"--prompt", sum.at("prompt"), "max_new_tokens=60"};
  const auto with_budget = [&](const std::string& tokens) {
    auto more = words;
    more.push_back("thinking_budget=" + tokens);
    return generate(more);
  };
  const ProgramResult cut = with_budget("7");
  CHECK(cut.status == 0);
  // The reference's first thinking tokens (digits, signs and line breaks are one each), then the marker.
  CHECK_THAT(cut.out,
             Catch::Matchers::StartsWith(written.substr(0, std::string("<think>").size() + 7) + "</think>"));
  CHECK_THAT(cut.out, ContainsSubstring("; 7 thinking, ") && ContainsSubstring(", closed by force]"));
  CHECK(with_budget("100").out == generate(words).out);
  CHECK(with_budget("-1").status == 2);
}

TEST_CASE("a prompt may come from a file or standard input, whose last line break does not count", "[cli]") {
  const ScratchDir dir;
  write_atomic(dir / "prompt", "Q: What is\n");
  const std::string direct = generate({"--prompt", "Q: What is", "max_new_tokens=6"}).out;
  CHECK(!direct.empty());
  CHECK(generate({"prompt_file=" + (dir / "prompt").string(), "max_new_tokens=6"}).out == direct);
  CHECK(generate_from(dir / "prompt", {"--prompt", "-", "max_new_tokens=6"}).out == direct);
}

TEST_CASE("draws repeat with their seed, and repeats are written one after another", "[cli]") {
  const std::vector<std::string> draw = {"--prompt",      "Q: What is", "max_new_tokens=12",
                                         "temperature=2", "repeats=2",  "seed=3"};
  const ProgramResult drawn = generate(draw);
  CHECK(drawn.status == 0);
  CHECK_THAT(drawn.out, ContainsSubstring("--- sample 1 of 2\n"));
  CHECK_THAT(drawn.out, ContainsSubstring("]\n\n--- sample 2 of 2\n"));
  CHECK(generate(draw).out == drawn.out);
  auto other = draw;
  other.back() = "seed=4";
  CHECK(generate(other).out != drawn.out);
}

TEST_CASE("a sample ends at the first of its stop texts, and says when none was met", "[cli]") {
  const std::vector<std::string> question = {"--prompt", "Q: What is 68+575?\nA:"};
  auto words = question;
  words.push_back("stop=never this,</think>\\n");
  const ProgramResult stopped = generate(words);
  CHECK(stopped.status == 0);
  CHECK_THAT(stopped.out, ContainsSubstring("</think>\n\n["));
  CHECK_THAT(stopped.out, ContainsSubstring("stopped by stop_string; "));
  words.back() = "stop=never this";
  CHECK_THAT(generate(words).out, ContainsSubstring(", no stop text was met; "));
}

TEST_CASE("the end tokens of generation_config.json end a sample too", "[cli]") {
  ModelCopy model;
  // <think>, which the model writes first
  model.write("generation_config.json", R"({"eos_token_id": [0, 2]})");
  const ProgramResult result = model.generate({"--prompt", "Q: What is 68+575?\nA:"});
  CHECK_THAT(result.out, ContainsSubstring("[1 tokens, stopped by stop_id; "));
}

TEST_CASE("thinking is faint on a terminal alone, and not where NO_COLOR is set", "[cli]") {
  const auto words = generate_words(mixed_model(), {"--prompt", "Q: What is 68+575?\nA:"});
  boost::process::environment plain = boost::this_process::environment();
  plain.erase("NO_COLOR");
  plain["TERM"] = "xterm";
  const std::string shown = run_on_terminal(words, plain);
  CHECK_THAT(shown, ContainsSubstring("\x1b[2m</think>\x1b[0m"));
  CHECK_THAT(shown, ContainsSubstring("boxed"));
  boost::process::environment refused = plain;
  refused["NO_COLOR"] = "1";
  CHECK(run_on_terminal(words, refused).find('\x1b') == std::string::npos);
  CHECK(run_moelab(words).out.find('\x1b') == std::string::npos);
}

TEST_CASE("Ctrl-C leaves what was written, says so, and ends with status 3", "[cli]") {
  const ScratchDir logs;
  RunningProgram program(logs.path(), generate_words(mixed_model(), {"--prompt", "Q: What is",
                                                                     "temperature=1", "repeats=100000"}));
  const auto written = [&] {
    return std::filesystem::exists(logs / "stdout") ? std::filesystem::file_size(logs / "stdout") : 0;
  };
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (written() < 200 && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(program.is_running());
  ::kill(program.id(), SIGINT);
  REQUIRE(program.wait_for(std::chrono::seconds(60)));
  const ProgramResult stopped = program.finish();
  CHECK(stopped.status == 3);
  CHECK(stopped.out.size() >= 200);
  CHECK_THAT(stopped.out, ContainsSubstring("--- sample 1 of 100000"));
  const std::string last = stopped.out.substr(stopped.out.rfind("[interrupted after "));
  CHECK_THAT(last, ContainsSubstring(" tokens; "));
  CHECK(last.ends_with("]\n"));
}

TEST_CASE("the examples of generate's help do what they say, typed as they are", "[cli]") {
  for (const std::string& example : experiments::verb_generate().spec.examples) {
    INFO(example);
    boost::process::ipstream out;
    const std::string command =
        fmt::format("cd '{}' && {}", source_dir().string(),
                    "\"$MOELAB_BINARY\"" + example.substr(std::string("moelab").size()));
    boost::process::child child("/bin/sh", boost::process::args({"-c", command}),
                                boost::process::std_out > out);
    const std::string text((std::istreambuf_iterator<char>(out)), std::istreambuf_iterator<char>());
    child.wait();
    CHECK(child.exit_code() == 0);
    CHECK_THAT(text, ContainsSubstring(" tokens, stopped by "));
  }
}
