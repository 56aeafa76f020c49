#include "experiments/study_run.h"

#include <atomic>

#include "evaluators/mcq.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::MiniStudy;
using testing::Rows;

// Everything that a run found, without ids that depend on the order of writing, times and digests of paths.
Rows figures(store::Store& store) {
  Rows all;
  for (const char* sql :
       {"SELECT c.key, c.status, c.n_samples, c.tokens, q.name, s.key, s.scores FROM cell AS c "
        "JOIN sample AS s ON s.cell = c.id JOIN question AS q ON q.id = s.question ORDER BY 1, 5",
        "SELECT c.key, e.layer, e.rows, e.selections, e.changed, e.steered_selected, e.state, "
        "round(e.weight_change, 9), round(e.dose, 9) FROM effect_stat AS e JOIN cell AS c ON c.id = e.cell "
        "ORDER BY 1, 2",
        "SELECT domain, method, draw, steered_domain, evaluator, n, gain, p, p_holm, p_null, "
        "gain_other_domains, "
        "flip_noise, specificity, specificity_lo, specificity_hi, p_specific, p_labels, round(dose, 9) FROM "
        "comparison ORDER BY 1, 2, 3, 4, 5",
        "SELECT x.domain, x.method, x.draw, x.assignment, x.fold, c.key, x.n, x.correct FROM selection AS x "
        "JOIN cell AS c ON c.id = x.chosen ORDER BY 1, 2, 3, 4, 5"})
    for (const auto& row : store.query(sql).rows) all.push_back(row);
  return all;
}

}  // namespace

TEST_CASE("A study runs from questions to verdicts, and a second run adds nothing", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind();
  store::Store store = mini.open("study.db");
  std::int64_t calls = 0;
  RunProgress last;
  RunHooks hooks;
  hooks.progress = [&](const RunProgress& progress) {
    ++calls;
    CHECK(progress.samples_done <= progress.samples_total);
    last = progress;
  };
  const RunSummary first = run_study(study, store, hooks);
  // A domain: original, aa, two methods at four settings, two draws at four; and later each method's plan of
  // the other domain at the setting that was chosen most.
  const std::int64_t cells = 2 * (2 + 2 * 4 + 2 * 4 + 2);
  CHECK(first.cells_done == cells);
  CHECK(first.cells_failed == 0);
  CHECK(first.cells_skipped == 0);
  CHECK((first.samples_new == count_of(store, "SELECT count(*) FROM sample")));
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE status IN ('done', 'inert')") == cells);
  CHECK(count_of(store, "SELECT count(*) FROM study_cell WHERE role = 'other_domain'") == 4);
  CHECK(count_of(store,
                 "SELECT count(*) FROM cell WHERE n_samples <> (SELECT count(*) FROM sample WHERE cell = "
                 "cell.id)") == 0);
  CHECK(count_of(store, "SELECT count(*) FROM verdict") == 2 * first.samples_new);
  CHECK(count_of(store, "SELECT count(*) FROM discovery_run") == 2);
  CHECK(count_of(store, "SELECT count(DISTINCT score) FROM expert_score") == 7);
  // dsmoe, contrast, two draws: two assignments of three folds each, on two domains.
  CHECK(count_of(store, "SELECT count(*) FROM selection") == 2 * 4 * 6);
  CHECK(count_of(store, "SELECT count(*) FROM comparison WHERE p_holm IS NOT NULL") == 2 * 2 * 2);
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'verdict'") == 1);
  // Every steered layer's dose is measured, and every own comparison has its specificity and dose.
  CHECK(count_of(store, "SELECT count(*) FROM effect_stat WHERE dose > 0") ==
        count_of(store, "SELECT count(*) FROM effect_stat"));
  CHECK(count_of(
            store,
            "SELECT count(*) FROM comparison WHERE p_holm IS NOT NULL AND specificity = gain - "
            "gain_other_domains AND specificity BETWEEN specificity_lo AND specificity_hi AND p_specific > 0 "
            "AND p_labels IN (0.5, 1) AND dose > 0") == 2 * 2 * 2);
  CHECK(last.phase == "analyse");
  CHECK(last.samples_done == first.samples_new);
  CHECK(last.samples_total == first.samples_new);
  CHECK(last.cells_done == cells);
  CHECK(calls > 4);
  const Rows before = figures(store);
  const RunSummary second = run_study(study, store);
  CHECK((second.samples_new == 0));
  CHECK((second.cells_done == 0));
  CHECK((second.cells_skipped == cells));
  CHECK((figures(store) == before));
  CHECK(count_of(store, "SELECT count(*) FROM study") == 1);
}

TEST_CASE("Stored scores are those of the engine, and verdicts follow from them", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study =
      mini.bind({"axes.domain=[elements]", "axes.method=[original]", "nulls.aa=false", "limit=5"});
  store::Store store = mini.open("study.db");
  run_study(study, store);
  CHECK(count_of(store, "SELECT count(*) FROM sample") == 5);
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE status = 'partial'") == 1);
  const auto engine = engine::Engine::load(mini.folder / "tiny", {});
  const auto tokenizer = text::Tokenizer::load(mini.folder / "tiny" / "tokenizer.json");
  const auto rows = store.query(
      "SELECT q.text, q.options, s.scores, v.answer, q.gold, v.correct FROM sample AS s JOIN question AS q "
      "ON q.id = s.question JOIN verdict AS v ON v.sample = s.id AND v.evaluator = 'mcq_continuation'");
  for (const auto& row : rows.rows) {
    engine::ScoreItem item{tokenizer.encode("Q: " + *row[0] + "\nA:"), {}};
    const Json options = parse_json(*row[1], "options");
    for (const Json& option : options)
      item.options.push_back(tokenizer.encode(" " + option.get<std::string>()));
    const auto expected = engine.score({&item, 1}, {}).items[0].log_probabilities[0];
    const auto stored = evaluators::from_json(*row[2], "scores");
    REQUIRE((stored.size() == expected.size()));
    std::size_t best = 0;
    for (std::size_t o = 0; o < expected.size(); ++o) {
      CHECK(stored[o].log_probability == Approx(expected[o]).margin(2e-5));
      CHECK((stored[o].bytes == static_cast<std::int64_t>(options[o].get<std::string>().size()) + 1));
      if (stored[o].log_probability > stored[best].log_probability) best = o;
    }
    CHECK(*row[3] == std::string(1, static_cast<char>('A' + best)));
    CHECK((*row[5] == "1") == (*row[3] == *row[4]));
  }
}

TEST_CASE("Interrupted and resumed equals uninterrupted", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind();
  store::Store whole = mini.open("whole.db");
  run_study(study, whole);
  store::Store parts = mini.open("parts.db");
  std::int64_t interruptions = 0;
  for (std::int64_t stop_after = 1; interruptions < 20; ++stop_after) {
    std::atomic<bool> stop = false;
    RunHooks hooks;
    hooks.interrupt = &stop;
    // Stops as soon as this call has stored something.
    hooks.progress = [&](const RunProgress& progress) {
      stop = progress.phase != "load" && progress.samples_done > 0;
    };
    const std::int64_t before = count_of(parts, "SELECT count(*) FROM sample");
    try {
      run_study(study, parts, hooks);
      break;
    } catch (const Interrupted&) {
      ++interruptions;
      CHECK(count_of(parts, "SELECT count(*) FROM sample") > before);
    }
  }
  CHECK(interruptions >= 4);
  CHECK((figures(parts) == figures(whole)));
}

TEST_CASE("Studies share cells, and a limited study is completed by the whole one", "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  const std::vector<std::string> small = {"name=small", "axes.domain=[elements]", "axes.method=[original]"};
  StudyConfig limited =
      mini.bind({"name=small", "axes.domain=[elements]", "axes.method=[original]", "limit=8"});
  CHECK(run_study(limited, store).samples_new == 16);  // the original and aa
  const RunSummary rest = run_study(mini.bind(small), store);
  const std::int64_t scored =
      count_of(store,
               "SELECT count(*) FROM split WHERE role = 'test' AND assignment = 0 AND "
               "study = (SELECT max(id) FROM study)");
  CHECK(scored >= 80);  // a discovery set takes whole groups, so it may stay below the wanted 20
  CHECK((rest.samples_new == 2 * scored - 16));
  CHECK(rest.cells_done == 2);
  CHECK(count_of(store, "SELECT count(*) FROM cell") == 2);
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE status = 'done'") == 2);
  CHECK(run_study(limited, store).samples_new == 0);
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE status = 'done'") == 2);
}

TEST_CASE("A plan that changes nothing is kept and marked inert", "[experiments]") {
  const MiniStudy mini;
  mini.write("plan.csv", "layer,expert\n0,1\n1,2\n");
  const StudyConfig study =
      mini.bind({"axes.domain=[elements]", "axes.method=[original,file]", "axes.n_steered=[2]",
                 "axes.alpha=[1,50]", "plan=" + (mini.folder / "plan.csv").string()});
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  const auto status = [&](const std::string& alpha) {
    return *store.query("SELECT status FROM cell WHERE method = 'file' AND alpha = " + alpha)
                .rows.at(0)
                .at(0);
  };
  CHECK(status("1") == "inert");
  CHECK(status("50") == "done");
  CHECK(count_of(
            store,
            "SELECT sum(changed) FROM effect_stat AS e JOIN cell AS c ON c.id = e.cell WHERE c.alpha = 1") ==
        0);
  // Same answers as the original, so neither gain nor flips.
  CHECK(
      count_of(store,
               "SELECT wrong_right + right_wrong FROM gain_over_original WHERE method = 'file' AND alpha = 1 "
               "AND evaluator = 'mcq_continuation'") == 0);
}

TEST_CASE("A model that cannot be loaded fails its cells, and the study goes on", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind({"axes.model=[missing,tiny]", "axes.domain=[elements]",
                                       "axes.method=[original,dsmoe]", "nulls.aa=false"});
  store::Store store = mini.open("study.db");
  const RunSummary first = run_study(study, store);
  CHECK(first.cells_failed == 5);
  CHECK(first.cells_done == 5);
  CHECK_THAT(*store.query("SELECT error FROM cell WHERE status = 'failed'").rows.at(0).at(0),
             ContainsSubstring((mini.folder / "missing").string()));
  CHECK(count_of(store, "SELECT count(*) FROM study WHERE finished IS NOT NULL") == 0);
  testing::write_tiny_model(mini.folder / "missing", 8);
  const RunSummary second = run_study(study, store);
  CHECK((second.cells_failed == 0));
  CHECK((second.cells_done == 5));
  CHECK((second.cells_skipped == 5));
  CHECK(count_of(store, "SELECT count(*) FROM study_cell") == 10);
  CHECK(count_of(store, "SELECT count(*) FROM study WHERE finished IS NOT NULL") == 1);
}

TEST_CASE("More experts than there are fail their cells and leave the others", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind({"axes.domain=[elements]", "axes.method=[original,dsmoe]",
                                       "nulls.aa=false", "axes.n_steered=[1,1000]", "axes.alpha=[3]"});
  store::Store store = mini.open("study.db");
  const RunSummary summary = run_study(study, store);
  CHECK(summary.cells_failed == 1);
  CHECK(summary.cells_done == 2);
  CHECK(run_study(study, store).cells_failed == 1);
}

TEST_CASE("Letters are scored by their own evaluator, and holdout reports on test questions only",
          "[experiments]") {
  const MiniStudy mini;
  mini.write("configs/benchmark/letters.yaml",
             "name: letters\nprompt: letter\nquestions: " + (mini.folder / "questions").string() + "\n");
  const StudyConfig study =
      mini.bind({"axes.benchmark=[letters]", "axes.method=[original,dsmoe]", "axes.alpha=[3]",
                 "protocol=holdout", "split.tuning=30", "nulls.aa=false", "axes.domain=[elements]"});
  CHECK(study.evaluator == "mcq_letter");
  store::Store store = mini.open("study.db");
  run_study(study, store);
  CHECK(count_of(store, "SELECT count(*) FROM verdict WHERE evaluator <> 'mcq_letter'") == 0);
  CHECK((count_of(store, "SELECT n FROM comparison WHERE method = 'dsmoe'") ==
         count_of(store, "SELECT count(*) FROM split WHERE role = 'test'")));
  CHECK(count_of(store, "SELECT count(*) FROM split WHERE role = 'tuning'") > 20);
  CHECK(count_of(store, "SELECT count(*) FROM selection WHERE rule = 'best_accuracy/holdout'") == 1);
}

TEST_CASE("Questions and domains that do not fit are refused before a model is loaded", "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  CHECK_THROWS_WITH(run_study(mini.bind({"axes.domain=[element]"}), store), ContainsSubstring("elements"));
  CHECK_THROWS_WITH(run_study(mini.bind({"split.discovery=100"}), store), ContainsSubstring("split"));
  const std::string good = read_text(mini.folder / "questions" / "elements.jsonl");
  mini.write("questions/elements.jsonl", good + "{\"id\": \"x\"}\n");
  CHECK_THROWS_WITH(run_study(mini.bind(), store), ContainsSubstring("elements.jsonl:101"));
  CHECK(count_of(store, "SELECT count(*) FROM study") == 0);
}

}  // namespace moelab::experiments
