#include "experiments/own_examples.h"

#include <fstream>

#include "core/base/hash.h"
#include "evaluators/prompts/makers.h"
#include "experiments/published_questions.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::MiniStudy;

std::filesystem::path yaml_of_examples() { return testing::data_dir() / "prompts/own_examples.yaml"; }

// GSM8K's rows with the prompt that has its own examples, bound as the program binds it.
Benchmark load_cot(const std::filesystem::path& examples, const std::string& more = "") {
  const MiniStudy mini;
  mini.write("configs/benchmark/cot.yaml",
             "files: [" + (testing::data_dir() / "sets/gsm8k_train.jsonl").string() +
                 "]\nprompt: gsm8k/lm_eval_cot\nexamples: [" + examples.string() + "]\n" + more);
  return load_benchmark(mini.bind({"axes.benchmark=[cot]", "axes.method=[original]", "split.discovery=0",
                                   "protocol=paper", "nulls.aa=false"})
                            .benchmarks.at(0));
}

std::string load_error(const std::filesystem::path& examples, const std::string& more = "") {
  try {
    load_cot(examples, more);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("Prompts with examples of lm-eval's layout are those that lm-eval builds", "[experiments]") {
  std::map<std::size_t, Benchmark> by_shots;
  std::int64_t compared = 0;
  for (const std::string& text : read_lines(testing::data_dir() / "prompts/prompts.jsonl")) {
    const Json line = parse_json(text, "prompts.jsonl");
    if (line.value("prompt", "") != "gsm8k/lm_eval_cot") continue;
    const std::size_t shots = line.at("shots");
    if (!by_shots.contains(shots))
      by_shots[shots] = load_cot(yaml_of_examples(), fmt::format("shots: {}\n", shots));
    const std::string row = line.at("question");
    const Question& question =
        by_shots.at(shots).domain("gsm8k").at(std::stoul(row.substr(row.find('#') + 1)));
    INFO(shots << " shots, " << row);
    const std::string prompt = render_prompt(question, PromptStyle::published).prompt;
    if (line.contains("text"))
      CHECK(prompt == line.at("text").get<std::string>());
    else
      CHECK(sha256(prompt) == line.at("sha256").get<std::string>());
    ++compared;
  }
  CHECK(compared == 15);
}

TEST_CASE("Lines of JSON give the same examples as the YAML, and another text another key", "[experiments]") {
  const testing::ScratchDir scratch;
  const Benchmark from_yaml = load_cot(yaml_of_examples());
  BenchmarkConfig config = from_yaml.config;
  const data::QuestionSet examples = read_own_examples(config);
  REQUIRE(examples.questions.size() == 9);
  std::string lines;
  for (const data::SetQuestion& example : examples.questions)
    lines += Json({{"question", example.text}, {"target", example.solution}}).dump() + "\n";
  write_atomic(scratch / "same.jsonl", lines);
  const Benchmark from_lines = load_cot(scratch / "same.jsonl");
  CHECK(template_of(from_lines) == template_of(from_yaml));
  CHECK(from_lines.domain("gsm8k")[3].put->text(8) == from_yaml.domain("gsm8k")[3].put->text(8));
  CHECK_THROWS_WITH(from_lines.domain("gsm8k")[3].put->text(9), ContainsSubstring("there are 8"));
  write_atomic(scratch / "other.jsonl", prompts::replaced_all(lines, "answer is 7", "answer is 8"));
  CHECK(template_of(load_cot(scratch / "other.jsonl")) != template_of(from_yaml));
}

TEST_CASE("Examples that cannot be used say why", "[experiments]") {
  const testing::ScratchDir scratch;
  CHECK_THAT(load_error(scratch / "absent.yaml"), ContainsSubstring("absent.yaml"));
  CHECK_THAT(load_error(yaml_of_examples(), "shots: 10\n"),
             ContainsSubstring("10 examples") && ContainsSubstring("has 9"));
  const auto error_of = [&](const std::string& name, const std::string& text) {
    write_atomic(scratch / name, text);
    return load_error(scratch / name);
  };
  CHECK_THAT(error_of("flat.yaml", "samples: [{question: a, target: b}]\n"),
             ContainsSubstring("flat.yaml") && ContainsSubstring("'fewshot_config.samples'"));
  CHECK_THAT(error_of("key.yaml", "fewshot_config:\n  samples:\n  - question: a\n    answer: b\n"),
             ContainsSubstring("key.yaml:3") && ContainsSubstring("target"));
  CHECK_THAT(error_of("empty.jsonl", "{\"question\": \"\", \"target\": \"b\"}\n"),
             ContainsSubstring("empty.jsonl:1") && ContainsSubstring("empty"));
  CHECK_THAT(error_of("few.jsonl", "{\"question\": \"a\", \"target\": \"b\"}\n"), ContainsSubstring("has 1"));
  CHECK_THAT(error_of("examples.csv", "question,target\na,b\n"), ContainsSubstring(".yaml or .jsonl"));
  CHECK_THAT(error_of("broken.yaml", "fewshot_config: [\n"), ContainsSubstring("broken.yaml"));
}

}  // namespace moelab::experiments
