#include "experiments/study_variants.h"

#include <set>

#include "experiments/cell_keys.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::MiniStudy;

}  // namespace

TEST_CASE("A hint names the domain before the question, and other domains' hints are the control",
          "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study =
      mini.bind({"axes.method=[original,dsmoe,prompt]", "axes.n_steered=[1]", "axes.alpha=[3]", "limit=20"});
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  CHECK(count_of(store, "SELECT count(*) FROM cell WHERE method = 'prompt' AND plan IS NULL") == 2 * 2);
  // The stored scores are those of the hinted prompt.
  const auto engine = engine::Engine::load(mini.folder / "tiny", {});
  const auto tokenizer = text::Tokenizer::load(mini.folder / "tiny" / "tokenizer.json");
  const auto rows = store.query(
      "SELECT q.text, q.options, s.scores, c.steered_domain, s.prompt_tokens FROM sample AS s JOIN question "
      "AS q ON "
      "q.id = s.question JOIN cell AS c ON c.id = s.cell WHERE c.method = 'prompt' LIMIT 10");
  for (const auto& row : rows.rows) {
    const std::string text = "Q: The following question is about " + *row[3] + ".\n" + *row[0] + "\nA:";
    const Json option = parse_json(*row[1], "options")[0];
    const engine::ScoreItem item{tokenizer.encode(text), {tokenizer.encode(" " + option.get<std::string>())}};
    const auto expected = engine.score({&item, 1}, {}).items[0].log_probabilities[0][0];
    CHECK_THAT(*row[2], ContainsSubstring(fmt::format("{:.3f}", expected).substr(0, 5)));
  }
  CHECK(count_of(
            store,
            "SELECT count(*) FROM comparison WHERE method = 'prompt' AND gain_other_domains IS NOT NULL") ==
        4);
}

TEST_CASE("The hints that a question may get are its own domain's and the other domains'", "[experiments]") {
  StudyConfig study;
  study.methods.resize(2);
  study.methods[1].kind = MethodKind::prompt;
  study.methods[1].hint = "On {domain}: ";
  CHECK(hints_of(study, {"law", "physics"}) == std::vector<std::string>{"", "On law: ", "On physics: "});
}

TEST_CASE(
    "Other numbers of active experts are cells of their own, and the model's own number is the original",
    "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind({"axes.method=[original,top_k]", "axes.top_k=[1,2,8,9]", "limit=20",
                                       "axes.domain=[elements]", "nulls.aa=false"});
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 1);
  CHECK_THAT(*store.query("SELECT error FROM cell WHERE status = 'failed'").rows.at(0).at(0),
             ContainsSubstring("9 active experts"));
  const auto scores_of = [&](const std::string& where) {
    return store
        .query("SELECT s.scores FROM sample AS s JOIN cell AS c ON c.id = s.cell WHERE " + where +
               " ORDER BY s.question")
        .rows;
  };
  CHECK((scores_of("method = 'top_k' AND n_steered = 2") == scores_of("method = 'original'")));
  CHECK((scores_of("method = 'top_k' AND n_steered = 1") != scores_of("method = 'original'")));
  CHECK((scores_of("method = 'top_k' AND n_steered = 1") != scores_of("method = 'top_k' AND n_steered = 8")));
  // All eight experts, as transformers would route with num_experts_per_tok = 8.
  Json config = read_json(mini.folder / "tiny" / "config.json");
  config["num_experts_per_tok"] = 8;
  mini.write("tiny/config.json", config.dump());
  const StudyConfig all =
      mini.bind({"axes.method=[original]", "limit=20", "axes.domain=[elements]", "nulls.aa=false"});
  store::Store other = mini.open("other.db");
  run_study(all, other);
  const auto expected = other.query("SELECT scores FROM sample ORDER BY question").rows;
  CHECK((scores_of("method = 'top_k' AND n_steered = 8") == expected));
  CHECK(count_of(store,
                 "SELECT count(*) FROM gain_over_original WHERE method = 'top_k' AND evaluator = "
                 "'mcq_continuation'") == 3);
}

TEST_CASE("Hints and numbers of active experts are told apart in keys", "[experiments]") {
  PlannedCell original, hinted, other, fewer;
  hinted.variant.hint = "a";
  other.variant.hint = "b";
  fewer.variant.top_k = 1;
  std::set<std::string> contents, keys;
  for (const PlannedCell& cell : {original, hinted, other, fewer}) {
    contents.insert(plan_content(cell));
    keys.insert(cell_key("condition", cell));
  }
  CHECK(contents.size() == 4);
  CHECK(keys.size() == 4);
}

}  // namespace moelab::experiments
