#include "experiments/study_config.h"

#include <fstream>

#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::MiniStudy;

StudyConfig bind_repository(const std::vector<std::string>& overrides) {
  const config::Tree tree({testing::source_dir() / "configs"});
  return bind_study(tree, tree.compose("config", overrides));
}

}  // namespace

TEST_CASE("The committed studies bind", "[experiments]") {
  const StudyConfig demo = bind_repository({"study=demo"});
  CHECK(demo.name == "demo");
  CHECK(demo.protocol == Protocol::crossfit);
  CHECK(demo.models.size() == 3);
  CHECK(demo.axes.domain.size() == 3);
  CHECK(demo.evaluator == "mcq_continuation");
  CHECK(demo.null.draws == 19);
  CHECK(demo.match.score == discovery::Score::paper);
  CHECK(demo.limit == 0);
  const StudyConfig full = bind_repository({"study=demo_full"});
  CHECK(full.axes.domain.empty());
  CHECK(full.axes.n_steered == std::vector<std::int64_t>{1, 2, 3, 4, 6, 8});
  CHECK(full.axes.alpha == std::vector<double>{1.5, 3, 5, 10, 30});
}

TEST_CASE("All problems of a study are reported at once", "[experiments]") {
  const MiniStudy mini;
  CHECK_THROWS_WITH(mini.bind({"axes.model=[tinny]", "axes.method=[dsmoe,randm]", "axes.alpha=[3]"}),
                    ContainsSubstring("tiny") && ContainsSubstring("random"));
  CHECK_THROWS_WITH(mini.bind({"axes.alpha=[0]", "split.folds=1"}),
                    ContainsSubstring("axes.alpha") && ContainsSubstring("split.folds"));
  CHECK_THROWS_WITH(mini.bind({"+axes.alhpa=[3]"}),
                    ContainsSubstring("axes.alhpa") && ContainsSubstring("alpha"));
  CHECK_THROWS_WITH(mini.bind({"axes.mode=[logit_shft]"}), ContainsSubstring("logit_shift"));
  CHECK_THROWS_WITH(mini.bind({"evaluator=mcq_letter"}),
                    ContainsSubstring("does not judge the prompt 'short'"));
  CHECK_THROWS_WITH(mini.bind({"axes.method=[file]"}), ContainsSubstring("plan=FILE"));
  CHECK_THROWS_WITH(mini.bind({"protocol=holdout"}), ContainsSubstring("split.tuning"));
  CHECK_THROWS_WITH(mini.bind({"null.match=original"}), ContainsSubstring("null.match"));
  CHECK_THROWS_WITH(mini.bind({"split.discovery=0"}), ContainsSubstring("split.discovery"));
  CHECK_THROWS_WITH(mini.bind({"axes.alpha=[0]", "axes.model=[tinny]", "protocol=crosfit"}),
                    ContainsSubstring("3 problems") && ContainsSubstring("axes.alpha") &&
                        ContainsSubstring("did you mean 'tiny'?") && ContainsSubstring("crossfit"));
}

TEST_CASE("A grid above limits.cells asks for a larger limit", "[experiments]") {
  const MiniStudy mini;
  CHECK_THROWS_WITH(mini.bind({"limits.cells=1"}),
                    ContainsSubstring("'limits.cells'") && ContainsSubstring("add limits.cells="));
  CHECK_NOTHROW(mini.bind({"limits.cells=1000000"}));
}

TEST_CASE("A single value on an axis is a list of one", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = mini.bind({"axes.alpha=5", "axes.n_steered=2"});
  CHECK(study.axes.alpha == std::vector<double>{5});
  CHECK(study.axes.n_steered == std::vector<std::int64_t>{2});
}

TEST_CASE("The hash follows what can change a figure and nothing else", "[experiments]") {
  const MiniStudy mini;
  const std::string hash = mini.bind().hash();
  CHECK(mini.bind({"db=elsewhere.db", "engine.threads=1", "engine.batch_tokens=64"}).hash() == hash);
  CHECK(mini.bind({"axes.alpha=[3]"}).hash() != hash);
  CHECK(mini.bind({"seed.draw=2"}).hash() != hash);
  CHECK(mini.bind({"engine.dtype=bfloat16"}).hash() != hash);
}

TEST_CASE("A study that asks for nothing of what came later keeps the hash that it had before",
          "[experiments]") {
  const MiniStudy mini;
  const std::vector<std::string> apart = {"protocol=paper", "split.tests_discovery=false"};
  for (const StudyConfig& study : {mini.bind(), mini.bind(apart)}) {
    StudyConfig earlier = study;
    for (const char* key : {"score_sql", "calibration", "transfer", "sft", "search"})
      CHECK(earlier.tree.erase(key) == 1);
    CHECK(earlier.tree["split"].erase("tests_discovery") == 1);
    CHECK(earlier.tree["axes"].erase("top_k") == 1);
    CHECK(earlier.tree["seed"].erase("training") == 1);
    CHECK(earlier.hash() == study.hash());
  }
  CHECK(mini.bind({"protocol=paper"}).hash() != mini.bind(apart).hash());
}

TEST_CASE("A search changes the hash by the keys that act in it", "[experiments]") {
  const MiniStudy mini;
  const std::vector<std::string> halving = {"protocol=holdout", "split.tuning=10", "search.kind=halving"};
  const auto hash = [&](std::vector<std::string> base, const std::string& more) {
    if (!more.empty()) base.push_back(more);
    return mini.bind(base).hash();
  };
  CHECK(hash({}, "search.settings=3") == hash({}, ""));
  CHECK(hash({}, "search.eta=3") == hash({}, ""));
  CHECK(hash({}, "search.kind=random") != hash({}, ""));
  CHECK(hash({"search.kind=random"}, "search.settings=3") != hash({"search.kind=random"}, ""));
  CHECK(hash({"search.kind=random"}, "search.seed=2") != hash({"search.kind=random"}, ""));
  CHECK(hash({"search.kind=random"}, "search.eta=3") == hash({"search.kind=random"}, ""));
  CHECK(hash({"search.kind=random"}, "search.rungs=3") == hash({"search.kind=random"}, ""));
  CHECK(hash(halving, "search.eta=3") != hash(halving, ""));
  CHECK(hash(halving, "search.rungs=1") != hash(halving, ""));
  CHECK(hash(halving, "search.settings=3") == hash(halving, ""));
}

TEST_CASE("A search that the protocol or the grid does not allow says so", "[experiments]") {
  const MiniStudy mini;
  CHECK_THROWS_WITH(mini.bind({"search.kind=halving"}), ContainsSubstring("needs protocol=holdout"));
  CHECK_THROWS_WITH(mini.bind({"search.kind=halving", "protocol=paper"}),
                    ContainsSubstring("the tuning questions are the report"));
  CHECK_THROWS_WITH(mini.bind({"search.kind=best"}), ContainsSubstring("search.kind"));
  CHECK_THROWS_WITH(mini.bind({"search.eta=1"}), ContainsSubstring("search.eta"));
}

TEST_CASE("Cells of a calibration count for limits.cells", "[experiments]") {
  const MiniStudy mini;
  mini.write("nothing.json", R"({"verdict": "no_domain_experts", "planted": {}})");
  mini.write("configs/model/tiny.yaml", "name: tiny\npath: " + (mini.folder / "tiny").string() +
                                            "\ntruth: " + (mini.folder / "nothing.json").string() + "\n");
  // A domain: the original once, two methods at four settings, two draws of four.
  const std::vector<std::string> base = {"axes.domain=[elements,geography]"};
  const std::string grid = "limits.cells=" + std::to_string(2 * (1 + 8 + 8));
  CHECK_NOTHROW(mini.bind({base[0], grid}));
  CHECK_THROWS_WITH(mini.bind({base[0], "limits.cells=33"}), ContainsSubstring("at least 34 cells"));
  // The other domain's plans at every setting, and for each of three permutations two labels' plans.
  const std::string more = "calibration.permutations=3";
  CHECK_THROWS_WITH(mini.bind({base[0], grid, more}),
                    ContainsSubstring("add limits.cells=" + std::to_string(34 + 2 * 8 + 3 * 2 * 8)));
}

}  // namespace moelab::experiments
