#include "experiments/generate_cells.h"

#include <atomic>

#include "core/base/hash.h"
#include "core/engine/generate.h"
#include "experiments/cell_keys.h"
#include "experiments/generate_runs.h"
#include "experiments/model_session.h"
#include "experiments/tables.h"
#include "tests/experiments/broken_model.h"
#include "tests/experiments/written_cells.h"
#include "tests/experiments/written_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::put_task;
using testing::Rows;
using testing::stored_sums;
using testing::WrittenStudy;

double real_of(store::Store& store, const std::string& sql) {
  return std::stod(store.query(sql).rows.at(0).at(0).value_or("nan"));
}

// Everything that was written and concluded, without ids, times and digests of paths.
Rows written_figures(store::Store& store) {
  Rows all;
  for (const char* sql :
       {"SELECT c.key, c.status, c.n_samples, c.tokens, q.name, s.repeat, s.key, s.output, s.n_think, "
        "s.n_answer, "
        "s.closed, s.stop, v.answer, v.correct FROM cell AS c JOIN sample AS s ON s.cell = c.id JOIN verdict "
        "AS v "
        "ON v.sample = s.id JOIN question AS q ON q.id = s.question ORDER BY 1, 5, 6",
        "SELECT c.key, e.layer, e.rows, e.selections, e.changed, e.steered_selected, e.state, "
        "round(e.weight_change, 6) FROM effect_stat AS e JOIN cell AS c ON c.id = e.cell ORDER BY 1, 2",
        "SELECT method, draw, evaluator, n, gain, p, p_holm, p_null, flip_noise FROM comparison ORDER BY 1, "
        "2, 3"})
    for (const auto& row : store.query(sql).rows) all.push_back(row);
  return all;
}

void write_model_without_nines(const std::filesystem::path& folder) {
  const auto tokenizer = text::Tokenizer::load(testing::source_dir() / "data/demo/tokenizer.json");
  const auto nine = tokenizer.encode("9");
  REQUIRE(nine.size() == 1);
  testing::write_model_without(folder, nine.front());
}

}  // namespace

TEST_CASE("A study of written answers runs from questions to tables, and a second run adds nothing",
          "[experiments]") {
  const WrittenStudy mini;
  const StudyConfig study = mini.sums({"protocol=paper"});
  store::Store store = mini.open("study.db");
  const RunSummary first = run_study(study, store);
  CHECK(first.cells_failed == 0);
  CHECK(first.cells_done == 4);  // original, aa, dsmoe, one draw
  const std::int64_t questions = count_of(store, "SELECT count(*) FROM split WHERE role = 'test'");
  CHECK(questions >= 20);
  CHECK(first.samples_new == 4 * 2 * questions);
  CHECK(count_of(store, "SELECT count(*) FROM sample WHERE output IS NOT NULL AND scores IS NULL") ==
        first.samples_new);
  CHECK(count_of(store, "SELECT count(*) FROM sample WHERE n_think + n_answer > 8") == 0);
  CHECK(count_of(store, "SELECT count(*) FROM sample WHERE truncated <> (stop = 'length')") == 0);
  CHECK(count_of(store, "SELECT count(*) FROM verdict WHERE evaluator = 'aime/exact'") == first.samples_new);
  // Both samples of a question are draws of their own, and the same prompt tokens.
  CHECK(count_of(store,
                 "SELECT count(*) FROM sample AS a JOIN sample AS b ON b.cell = a.cell AND b.question = "
                 "a.question AND b.repeat = 1 WHERE a.repeat = 0 AND a.output <> b.output") > questions);
  CHECK(count_of(store,
                 "SELECT count(DISTINCT output) FROM sample AS s JOIN cell AS c ON c.id = s.cell WHERE "
                 "c.method IN ('original', 'aa')") ==
        count_of(store,
                 "SELECT count(DISTINCT output) FROM sample AS s JOIN cell AS c ON c.id = s.cell WHERE "
                 "c.method = 'original'"));
  CHECK(count_of(store, "SELECT count(*) FROM effect_stat WHERE state = 'acted'") > 0);
  CHECK(real_of(store, "SELECT json_extract(provenance, '$.generation.temperature') FROM cell LIMIT 1") ==
        0.8);
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'verdict'") ==
        0);  // one domain tells nothing
  const Rows before = written_figures(store);
  CHECK(run_study(study, store).samples_new == 0);
  CHECK((written_figures(store) == before));
  TableRequest request;
  request.study = require_study(store, "");
  const std::string table = render(thinking_table(store, request, false), TableFormat::text);
  CHECK_THAT(table, ContainsSubstring("thinking tokens") && ContainsSubstring("dsmoe"));
  CHECK_THAT(render(methods_table(store, request, false), TableFormat::text),
             ContainsSubstring("chance 0.0, 2 samples each") && ContainsSubstring("sign flips"));
}

TEST_CASE("Written answers that were interrupted and resumed equal those that were not", "[experiments]") {
  const WrittenStudy mini;
  const StudyConfig study = mini.sums();
  store::Store whole = mini.open("whole.db");
  run_study(study, whole);
  store::Store parts = mini.open("parts.db");
  std::int64_t interruptions = 0;
  for (; interruptions < 100; ++interruptions) {
    std::atomic<bool> stop = false;
    RunHooks hooks;
    hooks.interrupt = &stop;
    hooks.progress = [&](const RunProgress& progress) { stop = progress.samples_done > 0; };
    try {
      run_study(study, parts, hooks);
      break;
    } catch (const Interrupted&) {
    }
  }
  CHECK(interruptions >= 4);
  CHECK((written_figures(parts) == written_figures(whole)));
}

TEST_CASE("More repeats only add samples, and the seed makes others", "[experiments]") {
  const WrittenStudy mini;
  store::Store store = mini.open("study.db");
  const std::vector<std::string> small = {"axes.method=[original]", "nulls.aa=false", "limit=5"};
  CHECK(run_study(mini.sums(small), store).samples_new == 10);
  std::string yaml = read_text(mini.folder / "configs/benchmark/mini_sums.yaml");
  yaml.replace(yaml.find("repeats: 2"), 10, "repeats: 3");
  mini.write("configs/benchmark/mini_sums.yaml", yaml);
  CHECK(run_study(mini.sums(small), store).samples_new == 5);
  CHECK(count_of(store, "SELECT count(*) FROM cell") == 1);
  auto seeded = small;
  seeded.push_back("seed.sampling=2");
  CHECK(run_study(mini.sums(seeded), store).samples_new == 15);
  CHECK(count_of(store, "SELECT count(*) FROM cell") == 2);
  CHECK(count_of(store,
                 "SELECT count(*) FROM sample AS a JOIN sample AS b ON a.question = b.question AND "
                 "a.repeat = b.repeat AND a.cell < b.cell WHERE a.output = b.output") < 5);
}

TEST_CASE("The thinking table counts a study's own questions, whatever another study asked in its cells",
          "[experiments]") {
  const WrittenStudy mini;
  store::Store store = mini.open("study.db");
  run_study(mini.sums({"name=small", "protocol=paper", "limit=6"}), store);
  TableRequest request;
  request.study = require_study(store, "small");
  const std::string table = render(thinking_table(store, request, true), TableFormat::csv);
  CHECK(run_study(mini.sums({"name=large", "axes.method=[original]", "nulls.aa=false"}), store).samples_new >
        0);
  CHECK(render(thinking_table(store, request, true), TableFormat::csv) == table);
}

TEST_CASE("Accuracy over repeats is the mean of the questions' means", "[experiments]") {
  const WrittenStudy mini;
  store::Store store = mini.open("study.db");
  const StudyConfig study = mini.sums({"protocol=paper", "axes.method=[original,dsmoe]"});
  run_study(study, store);
  // A random model is never right: some of its verdicts are made right by hand, and the study analysed again.
  store.database().run("UPDATE verdict SET correct = 1 WHERE sample % 3 = 0");
  run_study(study, store);
  const auto accuracy = [&](const std::string& method) {
    return real_of(
        store,
        "SELECT avg(v.correct) FROM verdict AS v JOIN sample AS s ON s.id = v.sample JOIN cell AS c "
        "ON c.id = s.cell WHERE c.method = '" +
            method + "'");
  };
  CHECK(real_of(store, "SELECT accuracy_original FROM comparison WHERE method = 'dsmoe'") ==
        Approx(accuracy("original")));
  CHECK(real_of(store, "SELECT accuracy FROM comparison WHERE method = 'dsmoe'") ==
        Approx(accuracy("dsmoe")));
  CHECK(count_of(store,
                 "SELECT json_extract(settings, '$.repeats') FROM comparison WHERE method = 'dsmoe'") == 2);
  CHECK(count_of(store, "SELECT n FROM comparison WHERE method = 'dsmoe'") ==
        count_of(store, "SELECT count(*) FROM split WHERE role = 'test'"));
  CHECK(count_of(store,
                 "SELECT sum(n) - 2 * (SELECT count(*) FROM split WHERE role = 'test') FROM selection") == 0);
}

TEST_CASE("Options in the prompt are answered in writing and judged by the letter", "[experiments]") {
  const WrittenStudy mini;
  store::Store store = mini.open("study.db");
  const StudyConfig study =
      mini.bind({"axes.benchmark=[mini_written]", "axes.method=[original]", "nulls.aa=false", "limit=6"});
  CHECK(run_study(study, store).samples_new == 6);
  CHECK(count_of(store, "SELECT count(*) FROM verdict WHERE evaluator = 'mcq_generated'") == 6);
  // Greedy tokens are those of `generate` on the prompt of the corpus.
  const auto engine = engine::Engine::load(mini.folder / "tiny", {});
  const auto tokenizer = text::Tokenizer::load(mini.folder / "tiny" / "tokenizer.json");
  const auto row = store
                       .query(
                           "SELECT q.text, q.options, s.output FROM sample AS s JOIN question AS q ON q.id = "
                           "s.question LIMIT 1")
                       .rows.at(0);
  const Json options = parse_json(*row[1], "options");
  std::string prompt = "Q: " + *row[0] + "\n";
  for (std::size_t i = 0; i < options.size(); ++i)
    prompt += (i == 0 ? "(" : " (") + std::string(1, static_cast<char>('A' + i)) + ") " +
              options[i].get<std::string>();
  engine::GenerateRequest request;
  request.question = "q";
  request.prompt = tokenizer.encode(prompt + "\nAnswer:");
  request.max_new_tokens = 4;
  const auto made = engine::generate(engine, {}, {&request, 1}).samples.at(0).tokens;
  CHECK(tokenizer.decode(made) == *row[2]);
}

TEST_CASE("A plan that fails is marked, its finished samples stay, and the others go on", "[experiments]") {
  const WrittenStudy mini;
  write_model_without_nines(mini.folder / "broken");
  engine::EngineOptions options;
  options.threads = 1;
  options.check_weights = false;
  options.batch_tokens = 32;  // one row at a time
  const ModelSession session({"broken", mini.folder / "broken", "", "", {}}, options);
  store::Store store = mini.open("cells.db");
  const store::Id model = store.put_model(session.row());
  const auto questions = stored_sums(session, store, {"1+2?", "3+4?", "5+9?", "6+1?"});
  GenerateSetup setup;
  setup.cells.engine = &session.engine();
  setup.cells.prompt = PromptStyle::worked;
  setup.cells.questions = questions;
  setup.cells.wanted = 4;
  setup.generation.max_new_tokens = 6;
  setup.tokenizer = &session.tokenizer();
  setup.cache_bytes = session.cache_bytes();
  const steering::Plan bad{.mode = steering::Mode::logit_shift,
                           .entries = {{9, 0, steering::Operation::scale, 2.0}}};
  SECTION("an original that meets NaN logits") {
    generate_cells(setup, {put_task(store, model, "original", {})}, store, {});
    const store::CellRow cell = store.cell(1);
    CHECK(cell.status == "failed");
    CHECK_THAT(cell.error, ContainsSubstring("5+9?") && ContainsSubstring("token 0"));
    CHECK(count_of(store, "SELECT count(*) FROM sample WHERE cell = 1") == 2);
  }
  SECTION("a plan for a layer that the model lacks") {
    setup.cells.questions = std::span(questions).first(2);
    setup.cells.wanted = 2;
    generate_cells(setup, {put_task(store, model, "original", {}), put_task(store, model, "bad", bad)}, store,
                   {});
    CHECK(store.cell(1).status == "done");
    CHECK(store.cell(2).status == "failed");
    CHECK_THAT(store.cell(2).error, ContainsSubstring("9"));
    CHECK(count_of(store, "SELECT count(*) FROM sample WHERE cell = 2") == 0);
  }
}

TEST_CASE("Answers outside of cells are the same in chunks, and can be stopped between two",
          "[experiments]") {
  const WrittenStudy written;
  const StudyConfig study = written.sums();
  const ModelSession session(study.models[0], {.batch_tokens = 24});
  store::Store store = written.open("chunks.db");
  const auto questions = stored_sums(session, store, std::vector<std::string>(12, "2 + 2"));
  GenerateSetup setup;
  setup.cells.engine = &session.engine();
  setup.cells.questions = questions;
  setup.generation.max_new_tokens = 4;
  setup.tokenizer = &session.tokenizer();
  setup.cache_bytes = session.cache_bytes();
  int chunks = 0;
  const auto made = generate_original(setup, [&] { ++chunks; });
  CHECK(chunks > 1);
  REQUIRE(made.size() == questions.size());
  for (std::size_t i = 0; i < made.size(); ++i) CHECK(made[i].request == i);
  const ModelSession wide(study.models[0], {.batch_tokens = 4096});
  setup.cells.engine = &wide.engine();
  chunks = 0;
  const auto at_once = generate_original(setup, [&] { ++chunks; });
  CHECK(chunks == 1);
  for (std::size_t i = 0; i < made.size(); ++i) CHECK(made[i].tokens == at_once.at(i).tokens);
  setup.cells.engine = &session.engine();
  const auto stop_after_one = [&, calls = 0]() mutable {
    if (++calls == 2) throw Interrupted("stopped");
  };
  CHECK_THROWS_AS(generate_original(setup, stop_after_one), Interrupted);
}

TEST_CASE("Keys of scored cells are what they were, and generation is part of the others'", "[experiments]") {
  Condition condition{"m", "t", "short/1", "q", "Float", false};
  // The key's text as it was before answers could be written.
  CHECK(
      key_of(condition) ==
      sha256(
          R"({"dtype":"Float","exact":false,"model":"m","prompt":"short/1","questions":"q","tokenizer":"t"})"));
  GenerationConfig config;
  condition.generation = generation_key(config, 1);
  const std::string greedy = key_of(condition);
  CHECK(greedy != key_of({"m", "t", "short/1", "q", "Float", false}));
  CHECK(generation_key(config, 2) == generation_key(config, 1));  // a seed that nothing draws from
  config.temperature = 0.5;
  CHECK(generation_key(config, 2) != generation_key(config, 1));
  GenerationConfig more = config;
  more.repeats = 8;
  CHECK(generation_key(more, 1) == generation_key(config, 1));
  more.thinking = "think";
  CHECK(generation_key(more, 1) != generation_key(config, 1));
  CHECK(sample_key("c", "p", "q") == sha256("c|p|q|0"));
  CHECK(sample_key("c", "p", "q", 1) == sha256("c|p|q|1"));
}

TEST_CASE("Contradictory generation settings are refused by name", "[experiments]") {
  const WrittenStudy mini;
  const auto error_of = [&](const std::string& prompt, const std::string& generation) {
    mini.write("configs/benchmark/mini_sums.yaml",
               "name: mini_sums\ndomains: [sums]\nprompt: " + prompt + "\nquestions: " +
                   (mini.folder / "questions").string() + "\ngeneration: " + generation + "\n");
    try {
      mini.sums();
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK_THAT(error_of("worked", "{repeats: 2}"),
             ContainsSubstring("generation.repeats") && ContainsSubstring("greedy"));
  CHECK_THAT(error_of("worked", "{top_p: 0.5}"), ContainsSubstring("top_p"));
  CHECK_THAT(error_of("worked", "{stop: ['']}"), ContainsSubstring("generation.stop"));
  CHECK_THAT(error_of("worked", "{thinking: thonk}"), ContainsSubstring("think"));
  CHECK_THAT(error_of("worked", "{max_new_tokens: 0}"), ContainsSubstring("max_new_tokens"));
  CHECK_THAT(error_of("worked", "{thinking_budget: 5}"), ContainsSubstring("generation.thinking_budget"));
  CHECK_THAT(error_of("short", "{max_new_tokens: 9}"),
             ContainsSubstring("nothing in 'generation' would act"));
  CHECK(error_of("worked", "{temperature: 0.5, repeats: 2}") == "no error");
}

TEST_CASE("Sums are read with their integers and nothing else", "[experiments]") {
  const WrittenStudy mini;
  BenchmarkConfig config{"sums", mini.folder / "questions", {}, PromptStyle::worked};
  const Benchmark benchmark = load_benchmark(config);
  CHECK(benchmark.domain_names() == std::vector<std::string>{"sums"});
  const Question& first = benchmark.domain("sums").front();
  CHECK(first.answer_text() == "643");
  CHECK(question_row(first, "sums").gold == "643");
  CHECK(question_row(first, "sums").options.empty());
  CHECK(render_prompt(first, PromptStyle::worked).prompt == "Q: What is 68+575?\nA:");
  CHECK(render_discovery_prompt(first, false) == "Q: What is 68+575?\nA:");
  config.domains = {"elements"};
  CHECK_THROWS_WITH(load_benchmark(config),
                    ContainsSubstring("elements.jsonl:1") && ContainsSubstring("options"));
  std::ofstream(mini.folder / "questions" / "large.jsonl")
      << R"({"id": "l-1", "group": "l", "question": "What?", "answer": 1000})";
  config.domains = {"large"};
  CHECK_THROWS_WITH(load_benchmark(config), ContainsSubstring("'answer' is 1000"));
}

TEST_CASE("The written prompt is the trained one", "[experiments]") {
  Question question;
  question.text = "Which?";
  question.options = {"one", "two"};
  // multiple_choice of scripts/demo_data/phrasing.py, up to the answer.
  CHECK(render_prompt(question, PromptStyle::written).prompt == "Q: Which?\n(A) one (B) two\nAnswer:");
  CHECK(render_prompt(question, PromptStyle::written).continuations.empty());
}

}  // namespace moelab::experiments
