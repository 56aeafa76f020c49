// Studies of every kind of method on a tiny model, from config to verdict.
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::MiniStudy;

std::string shipped(const std::string& query) {
  return "score_sql=" + (testing::source_dir() / "configs" / "method" / "sql" / query).string();
}

std::int64_t cells_of(store::Store& store, const std::string& method, const std::string& role) {
  return count_of(store,
                  "SELECT count(*) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE c.method = '" +
                      method + "' AND x.role = '" + role + "' AND c.status IN ('done', 'inert')");
}

}  // namespace

TEST_CASE("A query is judged like a built-in score: plans, nulls, other domains and comparison",
          "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study =
      mini.bind({"axes.method=[original,dsmoe,sql,random]", "nulls.match=sql", shipped("eq8.sql")});
  store::Store store = mini.open("study.db");
  const RunSummary summary = run_study(study, store);
  CHECK(summary.cells_failed == 0);
  CHECK(cells_of(store, "sql", "grid") == 2 * 4);
  CHECK(cells_of(store, "sql", "other_domain") == 2);
  // The query is Eq. 8, so its cells have dsmoe's answers and gains.
  CHECK(count_of(store,
                 "SELECT count(*) FROM comparison AS a JOIN comparison AS b USING (domain, evaluator, draw, "
                 "steered_domain) WHERE a.method = 'sql' AND b.method = 'dsmoe' AND a.gain = b.gain AND "
                 "a.p_null = b.p_null AND a.gain_other_domains = b.gain_other_domains") == 2 * 2);
  const std::string name = study.methods.at(2).sql->name();
  CHECK(count_of(store,
                 "SELECT count(*) FROM expert_score AS a JOIN expert_score AS b USING (run, layer, expert) "
                 "WHERE a.score = '" +
                     name + "' AND b.score = 'paper' AND a.rank = b.rank") == 2 * 16);
  CHECK_THAT(*store.query("SELECT config FROM study").rows.at(0).at(0), ContainsSubstring("DSMoE, Eq. 8"));
  CHECK(run_study(study, store).samples_new == 0);
}

TEST_CASE("A query that fails on the model's data fails its own cells only", "[experiments]") {
  const MiniStudy mini;
  mini.write("bad.sql",
             "SELECT layer, expert, CASE WHEN domain = 'elements' THEN 1 END AS score FROM experts, target");
  const StudyConfig study = mini.bind({"axes.method=[original,dsmoe,sql]", "nulls.aa=false",
                                       "score_sql=" + (mini.folder / "bad.sql").string()});
  store::Store store = mini.open("study.db");
  // Geography's own, and its plan on elements.
  CHECK(run_study(study, store).cells_failed == 4 + 1);
  CHECK(cells_of(store, "sql", "grid") == 4);
  CHECK(cells_of(store, "dsmoe", "grid") == 8);
  CHECK_THAT(*store.query("SELECT DISTINCT error FROM cell WHERE status = 'failed'").rows.at(0).at(0),
             ContainsSubstring("bad.sql: row 1 of the result: score is NULL"));
}

TEST_CASE("Methods that force and forbid go through the same study", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study =
      mini.bind({"axes.method=[original,bottom,steermoe,steermoe_activate,prune,only,random]",
                 "axes.n_steered=[1,6]", "axes.alpha=[3]", "nulls.match=prune", "nulls.draws=1"});
  store::Store store = mini.open("study.db");
  const RunSummary summary = run_study(study, store);
  CHECK(summary.cells_failed == 0);
  // `bottom` is a null, so it is no part of Holm's family.
  for (const std::string method : {"bottom", "steermoe", "steermoe_activate", "prune", "only"}) {
    INFO(method);
    CHECK(cells_of(store, method, "grid") == 4);
    CHECK(cells_of(store, method, "other_domain") == (method == "bottom" ? 0 : 2));
    CHECK(count_of(store, "SELECT count(*) FROM comparison WHERE method = '" + method +
                              "' AND steered_domain = domain AND p_holm IS NOT NULL") ==
          (method == "bottom" ? 0 : 4));
  }
  CHECK(cells_of(store, "random", "null") == 4);
  CHECK(count_of(store,
                 "SELECT count(*) FROM plan_entry AS e JOIN plan AS p ON p.id = e.plan WHERE p.method = "
                 "'steermoe_activate' AND e.operation <> 'force'") == 0);
  // Two layers of top-2: of six experts at least two cannot be forced.
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'plan' AND text LIKE '%of 6 activated%'") >=
        2);
}

TEST_CASE("What is wrong with a method's config is said before anything runs", "[experiments]") {
  const MiniStudy mini;
  CHECK_THROWS_WITH(mini.bind({"axes.method=[original,sql]"}), ContainsSubstring("score_sql=FILE"));
  CHECK_THROWS_WITH(mini.bind({"axes.method=[original,sql]", "score_sql=nowhere.sql"}),
                    ContainsSubstring("nowhere.sql"));
  CHECK_THROWS_WITH(mini.bind({"nulls.match=only"}), ContainsSubstring("nulls.match"));
  std::filesystem::create_directories(mini.folder / "configs" / "method");
  mini.write("configs/method/both.yaml", "kind: steermoe\nactivate: -1\ndeactivate: -1\n");
  CHECK_THROWS_WITH(mini.bind({"axes.method=[both]"}), ContainsSubstring("'activate' or 'deactivate'"));
  const auto refuses = [&](const std::string& text, const std::string& key) {
    INFO(text);
    mini.write("configs/method/both.yaml", text);
    CHECK_THROWS_WITH(mini.bind({"axes.method=[both]"}),
                      ContainsSubstring("'both'") && ContainsSubstring(key));
  };
  refuses("kind: score\nactivate: 2\n", "'activate' acts on methods of kind steermoe");
  refuses("kind: prune\ndeactivate: 2\n", "'deactivate' acts on methods of kind steermoe");
  refuses("kind: score\nhint: About {domain}.\n", "'hint' acts on methods of kind prompt");
  refuses("kind: bottom\nscore_sql: my.sql\n", "'score_sql' acts on");
  for (const std::string key : {"experts", "beta", "modes"})
    refuses("kind: rice\nrice: {" + key + ": []}\n", "'rice." + key + "' needs at least one entry");
  mini.write("configs/method/both.yaml", "kind: steermo\n");
  CHECK_THROWS_WITH(mini.bind({"axes.method=[both]"}), ContainsSubstring("steermoe"));
}

TEST_CASE("Another query with the same name is another study, and its ranking is stored beside the first",
          "[experiments]") {
  const MiniStudy mini;
  const std::vector<std::string> keys = {
      "axes.domain=[elements]", "axes.method=[original,sql]",
      "nulls.aa=false",         "axes.n_steered=[1]",
      "axes.alpha=[3]",         "score_sql=" + (mini.folder / "my.sql").string()};
  store::Store store = mini.open("study.db");
  mini.write("my.sql", "SELECT layer, expert, layer * 8 + expert AS score FROM experts");
  const StudyConfig first = mini.bind(keys);
  run_study(first, store);
  mini.write("my.sql", "SELECT layer, expert, -(layer * 8 + expert) AS score FROM experts");
  const StudyConfig second = mini.bind(keys);
  run_study(second, store);
  CHECK(first.hash() != second.hash());
  CHECK(count_of(store, "SELECT count(DISTINCT score) FROM expert_score WHERE score LIKE 'sql/my@%'") == 2);
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE method = 'sql'") == 2);
  CHECK(
      count_of(store,
               "SELECT count(*) FROM plan_entry AS e JOIN plan AS p ON p.id = e.plan WHERE p.method = 'sql' "
               "AND (layer, expert) IN (VALUES (1, 7), (0, 0))") == 2);
}

}  // namespace moelab::experiments
