#include "experiments/thinking_family.h"

#include "core/base/files.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::experiments;
using Opened = text::ThinkingOptions::Opened;

TEST_CASE("the thinking format is guessed from the model type, the template, and the tokens",
          "[experiments]") {
  CHECK(guess_thinking_family({"gpt_oss", "", false}) == "harmony");
  CHECK(guess_thinking_family({"x", "..<|start|>assistant<|channel|>analysis..", false}) == "harmony");
  CHECK(guess_thinking_family({"x", "{{ content.split('</think>')[-1] }}", false}) == "think");
  CHECK(guess_thinking_family({"x", "<think>\n</think>\n\n<response>", false}) == "ernie");
  CHECK(guess_thinking_family({"x", "<think>..</think><answer>", false}) == "hunyuan");
  CHECK(guess_thinking_family({"x", "<response> alone, <answer> too", false}) == "none");
  CHECK(guess_thinking_family({"x", "", true}) == "think");
  CHECK(guess_thinking_family({"x", "", false}) == "none");
}

TEST_CASE("published templates are taken for the formats that their models write", "[experiments]") {
  const std::filesystem::path folder = testing::source_dir() / ".." / "shared" / "assets" / "chat_templates";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: no published chat templates at hand");
    return;
  }
  const auto guess = [&](const std::string& name) {
    return guess_thinking_family({"x", read_text(folder / (name + ".jinja")), false});
  };
  CHECK(guess("qwen3_0.6b") == "think");
  CHECK(guess("deepseek-r1_8b") == "think");
  CHECK(guess("olmo2_7b") == "none");
  CHECK(guess("mixtral_8x7b") == "none");
}

TEST_CASE("a prompt opens what its end says, and a marker before the end opens nothing", "[experiments]") {
  const text::ThinkingFormat tags = text::thinking_format("think");
  CHECK(opened_by_prompt("<|im_start|>assistant\n<think>\n", tags) == Opened::thinking);
  CHECK(opened_by_prompt("assistant\n<think>\n\n</think>\n\n", tags) == Opened::answer);
  CHECK(opened_by_prompt("What does <think> mean?\nA:", tags) == Opened::nothing);
  CHECK(opened_by_prompt("", tags) == Opened::nothing);
  CHECK(opened_by_prompt("</think>\n\n<response>\n", text::thinking_format("ernie")) == Opened::answer);
  const text::ThinkingFormat harmony = text::thinking_format("harmony");
  CHECK(opened_by_prompt("<|start|>assistant", harmony) == Opened::nothing);
  CHECK(opened_by_prompt("<|start|>assistant<|channel|>analysis<|message|>", harmony) == Opened::thinking);
  CHECK(opened_by_prompt("<|start|>assistant<|channel|>final<|message|>", harmony) == Opened::answer);
  CHECK(opened_by_prompt("<think>", text::thinking_format("none")) == Opened::nothing);
}
