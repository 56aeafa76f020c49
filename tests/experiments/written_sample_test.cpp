#include "experiments/written_sample.h"

#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::experiments {
namespace {

constexpr std::int64_t kDemoEos = 0;  // <|endoftext|> of the demo's tokenizer

const text::Tokenizer& demo_tokenizer() {
  static const auto tokenizer = text::Tokenizer::load(testing::source_dir() / "data/demo/tokenizer.json");
  return tokenizer;
}

WrittenSample read_text_as(PromptStyle style, const GenerationConfig& config, const std::string& text,
                           engine::StopReason reason) {
  engine::Generation generation;
  generation.tokens = demo_tokenizer().encode(text);
  generation.reason = reason;
  ScoredQuestion question;
  question.answer = 2;
  question.integer = 643;
  return AnswerReader(demo_tokenizer(), style, config, {&kDemoEos, 1}).read(question, generation);
}

GenerationConfig thinking_config() {
  GenerationConfig config;
  config.thinking = "think";
  return config;
}

}  // namespace

TEST_CASE("A worked sum is split into thinking and answer, counted and judged", "[experiments]") {
  const std::string thinking = "\n068+575\n8+5+0=13\n=643\n", answer = "\n\\boxed{643}\n";
  const WrittenSample sample =
      read_text_as(PromptStyle::worked, thinking_config(),
                   "<think>" + thinking + "</think>" + answer + "<|endoftext|>", engine::StopReason::eos);
  // The tags are single tokens, so the parts may be encoded apart.
  CHECK(sample.row.n_think == std::ssize(demo_tokenizer().encode(thinking)));
  CHECK(sample.row.n_answer == std::ssize(demo_tokenizer().encode(answer)));
  CHECK(sample.row.closed);
  CHECK_FALSE(sample.row.truncated);
  CHECK(sample.row.stop == "eos");
  CHECK(sample.row.output == "<think>" + thinking + "</think>" + answer);
  CHECK(sample.verdict.evaluator == "aime/exact");
  CHECK(sample.verdict.answer == "643");
  CHECK(sample.verdict.correct);
}

TEST_CASE("A number inside thinking that is cut off is no answer", "[experiments]") {
  const WrittenSample sample = read_text_as(PromptStyle::worked, thinking_config(),
                                            "<think>\n=643 \\boxed{643}", engine::StopReason::length);
  CHECK_FALSE(sample.row.closed);
  CHECK(sample.row.truncated);
  CHECK(sample.row.stop == "length");
  CHECK(sample.row.n_answer == 0);
  CHECK(sample.verdict.rule == "unclosed");
  CHECK_FALSE(sample.verdict.answer.has_value());
  CHECK_FALSE(sample.verdict.correct);
}

TEST_CASE("A written choice is judged by its letter, up to a stop text", "[experiments]") {
  GenerationConfig config;
  config.stop = {"Question:"};
  const WrittenSample sample =
      read_text_as(PromptStyle::written, config, " gold. Answer: C\nQuestion: the answer is (D)",
                   engine::StopReason::stop_string);
  CHECK(sample.verdict.evaluator == "mcq_generated");
  CHECK(sample.verdict.answer == "C");
  CHECK(sample.verdict.rule == "answer");
  CHECK(sample.verdict.correct);
  CHECK(sample.row.n_think == 0);
  CHECK_FALSE(sample.row.truncated);
}

}  // namespace moelab::experiments
