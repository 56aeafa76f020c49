#include "experiments/published_questions.h"

#include <fstream>

#include "experiments/question_prompt.h"
#include "experiments/study_run.h"
#include "experiments/study_splits.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::MiniStudy;

std::filesystem::path set_file(const std::string& name) { return testing::data_dir() / "sets" / name; }

// An option of configs/benchmark beside those of the miniature study, bound as the program binds it.
StudyConfig bind_published_study(const MiniStudy& mini, const std::string& yaml,
                                 const std::vector<std::string>& more = {"split.discovery=0",
                                                                         "axes.method=[original]"}) {
  mini.write("configs/benchmark/made_up.yaml", yaml);
  std::vector<std::string> overrides = {"axes.benchmark=[made_up]", "protocol=paper", "nulls.aa=false"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return mini.bind(overrides);
}

std::int64_t stored_count(store::Store& store, const std::string& sql) {
  return std::stoll(store.query(sql).rows.at(0).at(0).value_or("0"));
}

std::string gpqa_yaml(const std::string& more) {
  return "files: [" + set_file("gpqa.csv").string() + "]\n" + more;
}

Benchmark load_yaml(const std::string& yaml) {
  const MiniStudy mini;
  return load_benchmark(bind_published_study(mini, yaml).benchmarks.at(0));
}

std::string bind_error(const std::string& yaml) {
  const MiniStudy mini;
  try {
    load_benchmark(bind_published_study(mini, yaml).benchmarks.at(0));
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("A published set has its own domains, subdomains or one for all", "[experiments]") {
  const Benchmark by_domain = load_yaml(gpqa_yaml("prompt: gpqa/simple_evals\n"));
  CHECK(by_domain.domain_names() == std::vector<std::string>{"biology", "chemistry", "physics"});
  const Benchmark by_subdomain = load_yaml(gpqa_yaml("prompt: gpqa/simple_evals\ndomain_by: subdomain\n"));
  CHECK_THAT(fmt::format("{}", fmt::join(by_subdomain.domain_names(), " ")),
             ContainsSubstring("optics_and_acoustics") && ContainsSubstring("organic_chemistry"));
  const Benchmark as_one = load_yaml(gpqa_yaml("prompt: gpqa/simple_evals\ndomain_by: all\n"));
  CHECK(as_one.domain("made_up").size() == 14);
  const Benchmark some = load_yaml(gpqa_yaml("prompt: gpqa/simple_evals\ndomains: [physics]\n"));
  CHECK(some.domain_names() == std::vector<std::string>{"physics"});
  CHECK(domain_key(" Physics (general) ") == "physics_general");
}

TEST_CASE("A private set's text is in its prompts and not in its rows", "[experiments]") {
  const Benchmark benchmark = load_yaml(gpqa_yaml("prompt: gpqa/official\n"));
  for (const auto& [domain, questions] : benchmark.domains)
    for (const Question& question : questions) {
      const store::QuestionRow row = question_row(question, "made_up");
      const Json stored = {row.text, row.options, row.gold, row.name};
      for (const std::string& option : question.options)
        CHECK_THAT(stored.dump(), !ContainsSubstring(Json(option).dump()));
      CHECK_THAT(stored.dump(), !ContainsSubstring(Json(question.text).dump()));
      CHECK(row.options.size() == 4);
      CHECK(render_prompt(question, PromptStyle::published).prompt.find(question.text) != std::string::npos);
    }
}

TEST_CASE("Configurations of published sets that cannot work say why", "[experiments]") {
  CHECK_THAT(bind_error("prompt: gpqa/official\n"),
             ContainsSubstring("'questions'") && ContainsSubstring("'files'"));
  CHECK_THAT(bind_error("questions: data/demo/questions\nprompt: gpqa/official\n"),
             ContainsSubstring("'files'"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: aime/boxed\n")), ContainsSubstring("is for aime"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: worked\n")), ContainsSubstring("cannot show options"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: gpqa/official\nevaluators: [aime/exact]\n")),
             ContainsSubstring("'aime/exact' judges numbers"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: gpqa/official\nevaluators: [gpqa/oficial]\n")),
             ContainsSubstring("gpqa/official"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: letter\nevaluators: [gpqa/official]\n")),
             ContainsSubstring("leave out 'evaluators'"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: gpqa/official\nshots: 3\n")),
             ContainsSubstring("takes no examples"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: gpqa/official\ndomains: [law]\n")), ContainsSubstring("'law'"));
  CHECK_THAT(
      bind_error(gpqa_yaml("prompt: gpqa/official\nexamples: [" + set_file("gpqa.csv").string() + "]\n")),
      ContainsSubstring("leave out 'examples'"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: gpqa/official\nchat_options: {system: Hello}\n")),
             ContainsSubstring("'chat: true'"));
  CHECK_THAT(bind_error(gpqa_yaml("prompt: gpqa/official\nchat: true\nchat_options: {date: tomorrow}\n")),
             ContainsSubstring("'tomorrow'"));
  CHECK_THAT(bind_error("files: [" + set_file("math_ai.jsonl").string() + "]\nprompt: letter\n"),
             ContainsSubstring("needs options"));
  const testing::ScratchDir scratch;
  write_atomic(scratch / "gsm8k.jsonl", R"({"question": "How many?", "answer": "All of them.\n#### 5,600"})");
  CHECK_THAT(bind_error("files: [" + (scratch / "gsm8k.jsonl").string() + "]\nprompt: worked\n"),
             ContainsSubstring("integers from 0 to 999"));
}

TEST_CASE("The released code's letter prompt takes a published set's options", "[experiments]") {
  const Benchmark benchmark = load_yaml(gpqa_yaml("prompt: letter\n"));
  const Question& question = benchmark.domain("physics").front();
  const RenderedQuestion rendered = render_prompt(question, PromptStyle::letter);
  CHECK(rendered.continuations == std::vector<std::string>{" A", " B", " C", " D"});
  CHECK(question.answer_text() == question.options.at(question.answer));
  // The official order: I1, I2, I3, C are shuffled, so the right letter is not always the same.
  std::set<std::size_t> answers;
  for (const auto& [domain, questions] : benchmark.domains)
    for (const Question& each : questions) answers.insert(each.answer);
  CHECK(answers.size() == 4);
}

TEST_CASE("Near-duplicates of a published set are one group and stay together", "[experiments]") {
  const MiniStudy mini;
  {
    std::ofstream out(mini.folder / "set.jsonl");
    for (int i = 0; i < 40; ++i)
      out << Json({{"id", i},
                   {"problem", fmt::format("Problem {} of pair {}{}", i / 2, i / 2, i % 2 ? "?" : ".")},
                   {"answer", "7"}})
                 .dump()
          << "\n";
  }
  StudyConfig study = bind_published_study(
      mini, "files: [" + (mini.folder / "set.jsonl").string() + "]\nprompt: aime/boxed\n");
  study.split.discovery = 10;
  study.split.tests_discovery = false;
  const Benchmark benchmark = load_benchmark(study.benchmarks.at(0));
  const auto& questions = benchmark.domain("aime");
  for (std::size_t i = 0; i < questions.size(); i += 2) CHECK(questions[i].group == questions[i + 1].group);
  const DomainSplit split = make_splits(benchmark, study).at("aime");
  CHECK(split.discovery.size() == 10);
  std::set<std::string> found, scored;
  for (const std::size_t i : split.discovery) found.insert(questions[i].group);
  for (const std::size_t i : split.scored) scored.insert(questions[i].group);
  for (const std::string& group : found) CHECK_FALSE(scored.contains(group));
}

TEST_CASE("Chat prompts go through the model's template, which may open the thinking", "[experiments]") {
  const MiniStudy mini;
  const auto tokenizer = text::Tokenizer::load(mini.folder / "tiny/tokenizer.json");
  const StudyConfig study =
      bind_published_study(mini, "files: [" + set_file("math_ai.jsonl").string() +
                                     "]\nprompt: aime/boxed\nchat: true\ngeneration: {thinking: think}\n");
  const Benchmark benchmark = load_benchmark(study.benchmarks.at(0));
  CHECK_THROWS_WITH(QuestionPrompts(benchmark, tokenizer, mini.folder / "tiny"),
                    ContainsSubstring("'made_up'") && ContainsSubstring("chat template"));
  mini.write("tiny/chat_template.jinja",
             "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}<think>");
  const QuestionPrompts prompts(benchmark, tokenizer, mini.folder / "tiny");
  const Question& question = benchmark.domain("aime").front();
  const QuestionTokens put = prompts.put(question);
  const std::string expected = "[user]" + question.put->text(0) + "<think>";
  CHECK(put.rendered.prompt == expected);
  CHECK(put.item.prompt == tokenizer.encode(expected));
  CHECK(put.opened == text::ThinkingOptions::Opened::thinking);
  CHECK(template_of(benchmark) == "aime/boxed/1+chat");
}

TEST_CASE("A benchmark says what its chat template is given", "[experiments]") {
  const MiniStudy mini;
  mini.write("tiny/chat_template.jinja",
             "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ enable_thinking }}|"
             "{{ reasoning_effort }}|{{ strftime_now('%d.%m.%Y') }}");
  const std::string yaml =
      "files: [" + set_file("math_ai.jsonl").string() +
      "]\nprompt: aime/boxed\nchat: true\nchat_options: {system: Be brief., enable_thinking: false, "
      "reasoning_effort: high, date: 2026-02-03}\n";
  const Benchmark benchmark = load_benchmark(bind_published_study(mini, yaml).benchmarks.at(0));
  const auto tokenizer = text::Tokenizer::load(mini.folder / "tiny/tokenizer.json");
  const Question& question = benchmark.domain("aime").front();
  CHECK(QuestionPrompts(benchmark, tokenizer, mini.folder / "tiny").put(question).rendered.prompt ==
        "[system]Be brief.[user]" + question.put->text(0) + "False|high|03.02.2026");
  CHECK(
      template_of(benchmark) ==
      R"(aime/boxed/1+chat{"date":"2026-02-03","enable_thinking":false,"reasoning_effort":"high","system":"Be brief."})");
}

TEST_CASE("Domains of a folder can be made of its subdomains", "[experiments]") {
  const MiniStudy mini;
  std::filesystem::create_directory(mini.folder / "kinds");
  std::string lines;
  for (int i = 0; i < 6; ++i)
    lines += Json({{"id", fmt::format("s{}", i)},
                   {"question", fmt::format("What is {}+1?", i)},
                   {"answer", i + 1},
                   {"group", fmt::format("{}", i)},
                   {"subdomain", i < 2 ? "Small sums" : "large"}})
                 .dump() +
             "\n";
  mini.write("kinds/sums.jsonl", lines);
  const std::string folder = "questions: " + (mini.folder / "kinds").string() + "\nprompt: worked\n";
  const Benchmark kinds = load_yaml(folder + "domain_by: subdomain\n");
  CHECK(kinds.domain("small_sums").size() == 2);
  CHECK(kinds.domain("large").front().domain == "large");
  CHECK(load_yaml(folder + "domain_by: subdomain\ndomains: [large]\n").domain_names() ==
        std::vector<std::string>{"large"});
  CHECK(load_yaml(folder + "domain_by: all\n").domain("made_up").size() == 6);
  CHECK_THAT(bind_error(folder + "domain_by: subdomain\ndomains: [lage]\n"), ContainsSubstring("'large'"));
}

TEST_CASE("MMLU-Pro's local script drops examples until a prompt has fewer than 2048 tokens",
          "[experiments]") {
  if (!data::reads_parquet()) return;
  const MiniStudy mini;
  const auto tokenizer = text::Tokenizer::load(mini.folder / "tiny/tokenizer.json");
  const StudyConfig study = bind_published_study(
      mini, "files: [" + set_file("mmlu_pro_test.parquet").string() + "]\nexamples: [" +
                set_file("mmlu_pro_validation.parquet").string() + "]\nprompt: mmlu_pro/official\n");
  const Benchmark benchmark = load_benchmark(study.benchmarks.at(0));
  const QuestionPrompts prompts(benchmark, tokenizer, mini.folder / "tiny");
  for (const auto& [domain, questions] : benchmark.domains) {
    const Question& question = questions.front();
    std::size_t shots = 5;  // as the script counts down
    while (shots > 0 && tokenizer.encode(question.put->text(shots), true).size() >= 2048) --shots;
    CHECK(prompts.put(question).rendered.prompt == question.put->text(shots));
  }
  Question longer = benchmark.domain("law").front();
  std::vector<std::string> lead = *longer.put->lead;
  for (std::size_t i = 1; i < lead.size(); ++i)
    for (int k = 0; k < 150; ++k) lead[i] += "one two three ";
  longer.put->lead = std::make_shared<const std::vector<std::string>>(lead);
  CHECK(prompts.put(longer).item.prompt.size() < 2048);
  CHECK(prompts.put(longer).rendered.prompt.size() < longer.put->text(5).size());
}

TEST_CASE("A study of a published prompt stores a verdict of each of its evaluators", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = bind_published_study(
      mini, "files: [" + set_file("math_ai.jsonl").string() + ", " + set_file("opencompass.jsonl").string() +
                "]\nprompt: aime/lm_eval\nevaluators: [aime/exact, aime/lm_eval]\n"
                "generation: {max_new_tokens: 3}\n");
  CHECK(study.evaluator == "aime/exact");
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  CHECK(stored_count(store, "SELECT count(*) FROM sample") == 12);
  CHECK(stored_count(store, "SELECT count(*) FROM verdict WHERE evaluator = 'aime/exact'") == 12);
  CHECK(stored_count(store, "SELECT count(*) FROM verdict WHERE evaluator = 'aime/lm_eval'") == 12);
  CHECK(stored_count(store, "SELECT count(*) FROM question WHERE gold = '336'") == 1);
}

TEST_CASE("A set with a bad row is refused with the row, and nothing of it is stored", "[experiments]") {
  const MiniStudy mini;
  mini.write("bad.jsonl",
             "{\"id\": 1, \"problem\": \"P\", \"answer\": \"7\"}\n{\"id\": 2, \"problem\": \"Q\", "
             "\"answer\": \"1000\"}\n");
  const StudyConfig study = bind_published_study(
      mini, "files: [" + (mini.folder / "bad.jsonl").string() + "]\nprompt: aime/boxed\n");
  store::Store store = mini.open("study.db");
  CHECK_THROWS_WITH(run_study(study, store), ContainsSubstring("bad.jsonl:2") && ContainsSubstring("1000"));
  for (const char* table : {"question", "split", "study_cell", "sample"})
    CHECK(stored_count(store, fmt::format("SELECT count(*) FROM {}", table)) == 0);
}

TEST_CASE("A study of a private set leaves none of its text in the database", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = bind_published_study(
      mini, gpqa_yaml("prompt: letter\ndomain_by: all\n"),
      {"split.discovery=4", "axes.method=[original,dsmoe]", "axes.n_steered=[2]", "axes.alpha=[3]"});
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  CHECK(stored_count(store, "SELECT count(*) FROM token_importance") > 0);
  CHECK(stored_count(store, "SELECT count(*) FROM token_importance WHERE token <> ''") == 0);
  CHECK(stored_count(store, "SELECT count(*) FROM question WHERE text NOT LIKE '(this set%'") == 0);
  CHECK(stored_count(store, "SELECT count(*) FROM verdict WHERE evaluator = 'mcq_letter'") == 28);
}

}  // namespace moelab::experiments
