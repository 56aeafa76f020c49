#include "experiments/analyse.h"

#include <array>
#include <set>

#include "core/base/json.h"
#include "experiments/study_notes.h"
#include "experiments/verdict.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;

// A study of one model and domain whose answers are written by hand: 12 questions, two folds of six.
struct HandMade {
  explicit HandMade(const std::string& protocol = "crossfit", const std::string& domain_name = "d")
      : store(store::Store::open(folder / "study.db", store::Mode::read_write_create)), domain(domain_name) {
    const Json config = {{"evaluator", "mcq_continuation"},
                         {"limit", 0},
                         {"nulls", {{"match", "ours"}}},
                         {"options",
                          {{"benchmark", Json::array({{{"name", "hand"}, {"prompt", "short"}}})},
                           {"model", Json::array({{{"name", "m"}, {"planted", planted()}}})}}}};
    store::StudyRow row;
    row.name = "hand";
    row.config = config.dump();
    row.protocol = protocol;
    study = store.put_study(row);
    store::ModelRow model_row;
    model_row.digest = "m";
    model_row.name = "m";
    model_row.spec = R"({"layers": 2, "moe_layers": [1], "experts": 6, "top_k": 1})";
    model = store.put_model(model_row);
    put_questions();
  }

  static Json planted() {
    return {{"verdict", "experts_with_gain"},
            {"planted",
             {{"d", Json::array({{{"layer", 1}, {"expert", 0}, {"kind", "all_tokens"}},
                                 {{"layer", 1}, {"expert", 3}, {"kind", "content_tokens"}}})}}}};
  }

  void put_questions() {
    std::vector<store::QuestionRow> rows;
    for (int i = 0; i < 12; ++i) {
      store::QuestionRow question;
      question.set_name = "hand";
      question.name = fmt::format("q{}", i);
      question.group_id = question.name;
      question.domain = domain;
      question.text_digest = question.name;
      question.options = {"x", "y", "z", "w"};
      question.gold = "A";
      rows.push_back(question);
    }
    questions = store.put_questions(rows);
    std::vector<store::SplitRow> splits;
    for (int i = 0; i < 12; ++i)
      splits.push_back({questions[static_cast<std::size_t>(i)], 0, "test", i < 6 ? 0 : 1});
    store.put_splits(study, splits);
  }

  struct Label {
    std::string role = "grid", method = "ours", steered_domain = "d";
    int n_steered = 1, draw = 0;
    double alpha = 3;
  };

  // `right` is one character a question: 1 right, 0 wrong.
  store::Id add_cell(const Label& label, const std::string& right) {
    store::CellRow cell;
    cell.key = fmt::format("{} {} {} {} {} {}", label.role, label.method, label.steered_domain,
                           label.n_steered, label.draw, label.alpha);
    cell.condition = "c";
    cell.model = model;
    cell.benchmark = "hand";
    cell.domain = domain;
    cell.method = label.method;
    cell.n_steered = label.n_steered;
    cell.alpha = label.alpha;
    cell.mode = "logit_shift";
    cell.draw = label.draw;
    cell.steered_domain = label.steered_domain;
    cell.status = "done";
    const store::Id id = store.put_cell(cell);
    store.add_to_study(study, id, label.role);
    for (std::size_t q = 0; q < right.size(); ++q) add_sample(id, questions[q], right[q] == '1');
    return id;
  }

  void add_sample(store::Id cell, store::Id question, bool right) {
    store::SampleRow sample;
    sample.cell = cell;
    sample.question = question;
    sample.key = "k";
    sample.stop = "scored";
    std::vector<store::VerdictRow> verdicts(2);
    verdicts[0].evaluator = "mcq_continuation";
    verdicts[0].correct = right;
    verdicts[1].evaluator = "mcq_continuation_norm";
    verdicts[1].correct = !right;
    store.put_sample(sample, verdicts);
  }

  void add_original(const std::string& right) { add_cell({"original", "original", "", 0, 0, 1}, right); }

  store::ComparisonRow comparison(const std::string& method, int draw = 0,
                                  const std::string& evaluator = "mcq_continuation") {
    for (const store::ComparisonRow& row : store.comparisons(study))
      if (row.method == method && row.draw == draw && row.evaluator == evaluator &&
          (row.steered_domain.empty() || row.steered_domain == domain))
        return row;
    throw Error("no comparison of {}", method);
  }

  Json settings(const store::ComparisonRow& row) { return parse_json(row.settings, "settings"); }

  testing::ScratchDir folder;
  store::Store store;
  std::string domain;
  store::Id study = 0, model = 0;
  std::vector<store::Id> questions;
};

constexpr const char* kHalf = "111000111000";  // the original: six right

// Ours gains four in each fold at alpha 3 and is useless at alpha 10; a rival and three draws; another
// domain's plan.
void add_full_study(HandMade& hand) {
  hand.add_original(kHalf);
  hand.add_cell({"aa", "aa", "", 0, 0, 1}, "111000111001");
  const store::Id ours = hand.add_cell({"grid", "ours", "d", 1, 0, 3}, "111111111111");
  hand.store.put_effects(ours, std::vector<store::EffectRow>{{ours, 0, 10, 10, 4, 0.1, 4, "acted", 0.5},
                                                             {ours, 1, 10, 10, 2, 0.1, 2, "acted", 0.25}});
  hand.add_cell({"grid", "ours", "d", 1, 0, 10}, "000000000000");
  hand.add_cell({"grid", "rival", "d", 1, 0, 3}, kHalf);
  hand.add_cell({"null", "random", "d", 1, 1, 3}, "111000111000");
  hand.add_cell({"null", "random", "d", 1, 2, 3}, "111100111100");
  hand.add_cell({"null", "random", "d", 1, 3, 3}, "110000110000");
  hand.add_cell({"other_domain", "ours", "e", 1, 0, 3}, "111000111100");
  hand.add_cell({"other_domain", "ours", "f", 1, 0, 3}, "110000110000");
  hand.add_cell({"other_domain", "ours", "f", 1, 0, 10}, "111111111111");  // not the modal setting
}

// Every token of domain d goes to expert 0 of layer 1, every token of e to expert 1.
void add_found_routing(HandMade& hand) {
  put_note(hand.store, hand.study, "model", {{"name", "m"}, {"model", hand.model}});
  std::vector<store::QuestionRow> rows(8);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].set_name = "found";
    rows[i].name = rows[i].group_id = rows[i].text_digest = fmt::format("f{}", i);
    rows[i].domain = i < 4 ? "d" : "e";
    rows[i].options = {"x", "y"};
    rows[i].gold = "A";
  }
  const auto ids = hand.store.put_questions(rows);
  for (const std::string domain : {"d", "e"}) {
    store::DiscoveryRow run;
    run.key = domain;
    run.model = hand.model;
    run.domain = domain;
    store::DiscoveryData data;
    for (std::size_t i = 0; i < 4; ++i)
      data.routing.push_back({ids[i + (domain == "e" ? 4 : 0)], 1, domain == "e" ? 1 : 0, 10, 10, 0});
    for (int e = 0; e < 6; ++e) {
      data.scores.push_back({"contrast", 1, e, -e * 1.0, e + 1});  // 0, 1, 2 ... : finds expert 0 only
      data.scores.push_back({"paper", 1, e, e * 1.0, 6 - e});      // 5, 4, 3 ... : finds none
    }
    const store::Id id = hand.store.put_discovery(run, data);
    put_note(hand.store, hand.study, "discovery",
             {{"model", hand.model}, {"benchmark", "hand"}, {"domain", domain}, {"run", id}});
  }
}

}  // namespace

TEST_CASE("Every figure of a comparison is the one worked by hand", "[experiments]") {
  HandMade hand;
  add_full_study(hand);
  analyse_study(hand.store, hand.study);
  const store::ComparisonRow row = hand.comparison("ours");
  CHECK(row.n == 12);
  CHECK(row.accuracy_original == Approx(0.5));
  CHECK(row.accuracy == Approx(1.0));
  CHECK(row.wrong_right == 6);
  CHECK(row.right_wrong == 0);
  CHECK(row.gain == Approx(0.5));
  CHECK(*row.p == Approx(0.03125));      // 2 / 2^6
  CHECK(*row.p_holm == Approx(0.0625));  // the smaller of two, times two
  CHECK(*hand.comparison("rival").p_holm == Approx(1.0));
  // Null gains 0, +2/12 and -2/12: none reaches 1/2, so p = 1/4; they reach the rival's 0 twice: p = 3/4.
  CHECK(*row.p_null == Approx(0.25));
  CHECK(*hand.comparison("rival").p_null == Approx(0.75));
  CHECK(row.n_null == 3);
  CHECK(*row.flip_noise == Approx(1.0 / 12));
  CHECK(*row.smallest_detectable == Approx(2.8 * std::sqrt(0.5 / 12)));
  // Other domains' plans gain +1/12 and -2/12, on average -1/24.
  CHECK(*row.gain_other_domains == Approx(-1.0 / 24));
  const Json settings = hand.settings(row);
  CHECK(*row.specificity == Approx(0.5 + 1.0 / 24));
  // Of three plans ours has all right: alone on five questions, with one other on three, with both on four.
  CHECK(*row.p_specific == Approx(std::pow(1.0 / 3, 5) * std::pow(2.0 / 3, 3)));
  CHECK_FALSE(row.p_labels);         // one tested domain
  CHECK(*row.dose == Approx(0.75));  // 0.5 + 0.25
  CHECK(settings.at("changed_share").get<double>() == Approx(6.0 / 20));
  CHECK_FALSE(hand.comparison("rival").dose);
  CHECK(settings.at("chance").get<double>() == Approx(0.25));
  CHECK(settings.at("chosen").at("alpha") == 3);
  CHECK(settings.at("chosen_share").get<double>() == Approx(1.0));
  CHECK(settings.at("null_mean_gain").get<double>() == Approx(0.0).margin(1e-12));
  CHECK(settings.at("null_match") == "ours");
  CHECK(settings.at("original_as_good").get<double>() == 0);
  CHECK(hand.settings(hand.comparison("rival")).at("original_as_good").get<double>() == 1);
  CHECK_FALSE(hand.comparison("random", 2).p_holm);
}

TEST_CASE("Another evaluator is reported on the choice of the first", "[experiments]") {
  HandMade hand;
  add_full_study(hand);
  analyse_study(hand.store, hand.study);
  // Its verdicts are the opposite, so by itself it would choose alpha 10; the choice stays and the gain
  // turns.
  const store::ComparisonRow row = hand.comparison("ours", 0, "mcq_continuation_norm");
  CHECK(row.gain == Approx(-0.5));
  CHECK(hand.settings(row).at("chosen").at("alpha") == 3);
  for (const store::SelectionRow& selection : hand.store.selections(hand.study))
    CHECK(selection.evaluator == "mcq_continuation");
}

TEST_CASE("A cell that shines only where it is reported is caught by crossfit and not by the paper's way",
          "[experiments]") {
  for (const std::string protocol : {"crossfit", "paper"}) {
    HandMade hand(protocol);
    hand.add_original(kHalf);
    const store::Id first = hand.add_cell({"grid", "ours", "d", 1, 0, 3}, "111111000000");
    const store::Id second = hand.add_cell({"grid", "ours", "d", 1, 0, 5}, "000000111111");
    hand.add_cell({"grid", "ours", "d", 1, 0, 10}, "111110111110");
    analyse_study(hand.store, hand.study);
    const store::ComparisonRow row = hand.comparison("ours");
    const auto selections = hand.store.selections(hand.study);
    if (protocol == "paper") {
      CHECK(row.gain == Approx(10.0 / 12 - 0.5));
      REQUIRE(selections.size() == 1);
      CHECK(selections[0].rule == "best_accuracy/paper");
    } else {
      // Chosen on the other fold, each of the two is all wrong where it is reported.
      CHECK(row.accuracy == 0);
      CHECK(row.gain == Approx(-0.5));
      REQUIRE(selections.size() == 2);
      CHECK(selections[0].chosen == second);
      CHECK((selections[1].chosen == first));
      CHECK(selections[0].n == 6);
      CHECK(selections[0].correct == 0);
      const Json candidates = parse_json(selections[0].candidates, "candidates");
      REQUIRE(candidates.size() == 3);
      CHECK((candidates[0] == Json({{"cell", first}, {"correct", 0}, {"n", 6}})));
      CHECK((candidates[1] == Json({{"cell", second}, {"correct", 6}, {"n", 6}})));
    }
  }
}

TEST_CASE("The paper's protocol shows the null's best of the grid", "[experiments]") {
  HandMade hand("paper");
  hand.add_original(kHalf);
  hand.add_cell({"grid", "ours", "d", 1, 0, 3}, "111100111000");
  hand.add_cell({"null", "random", "d", 1, 1, 3}, "111110111000");
  hand.add_cell({"null", "random", "d", 1, 1, 10}, "000000000000");
  hand.add_cell({"null", "random", "d", 1, 2, 3}, kHalf);
  hand.add_cell({"null", "random", "d", 1, 2, 10}, "000000000000");
  analyse_study(hand.store, hand.study);
  // Best of each draw: +2/12 and 0; ours +1/12 is reached by one of two.
  CHECK(hand.settings(hand.comparison("ours")).at("null_best_of_grid").get<double>() == Approx(1.0 / 12));
  CHECK(*hand.comparison("ours").p_null == Approx(2.0 / 3));
}

TEST_CASE("Only questions that all cells answered are compared, and failed cells do not count",
          "[experiments]") {
  HandMade hand;
  hand.add_original(kHalf);
  hand.add_cell({"grid", "ours", "d", 1, 0, 3}, "1111111111");  // ten answers so far
  const store::Id failed = hand.add_cell({"grid", "ours", "d", 1, 0, 10}, "1");
  hand.store.set_outcome(failed, {"failed", 1, 0, 0, "broken", "{}"});
  hand.add_cell({"grid", "ours", "d", 1, 0, 20}, "");
  analyse_study(hand.store, hand.study);
  CHECK(hand.comparison("ours").n == 10);
  CHECK(hand.comparison("ours").wrong_right == 4);
}

TEST_CASE("Analysing again changes nothing", "[experiments]") {
  HandMade hand;
  add_full_study(hand);
  const auto figures = [&] {
    return hand.store
        .query(
            "SELECT model, method, draw, evaluator, gain, p_holm, p_null, settings FROM comparison "
            "ORDER BY method, draw, evaluator, steered_domain")
        .rows;
  };
  analyse_study(hand.store, hand.study);
  const auto before = figures();
  CHECK(before.size() > 10);
  analyse_study(hand.store, hand.study);
  CHECK((figures() == before));
}

TEST_CASE("A verdict joins routing, comparisons and the planted truth", "[experiments]") {
  HandMade hand;
  add_full_study(hand);
  analyse_study(hand.store, hand.study);
  add_found_routing(hand);
  const auto verdicts = model_verdicts(hand.store, hand.study);
  REQUIRE(verdicts.size() == 1);
  const ModelVerdict& verdict = verdicts[0];
  REQUIRE(verdict.existence.size() == 2);
  // Four of six experts are chosen; one differs by +1, on the other domain's by -1, the rest not at all. The
  // choice on the first half takes the +1 and three zeros: 1/4 on average.
  CHECK(verdict.existence[0].contrast == Approx(0.25));
  REQUIRE(verdict.gains.size() == 2);
  CHECK_FALSE(verdict.gains[0].counts());  // p = .0625 after Holm
  CHECK(verdict.truth == Verdict::experts_with_gain);
  REQUIRE((verdict.recall.size() == 2));
  CHECK((verdict.recall[1].score == "paper"));
  CHECK((verdict.recall[1].recall == 0));
  CHECK(verdict.recall[0].recall == Approx(0.5));
  CHECK(verdict.recall[0].by_kind.at("all_tokens") == Approx(1.0));
  CHECK(verdict.recall[0].by_kind.at("content_tokens") == Approx(0.0).margin(1e-12));
  store_verdicts(hand.store, hand.study);
  CHECK(notes(hand.store, hand.study, "verdict").at(0).at("truth") == "experts_with_gain");
}

TEST_CASE("Nulls are no part of Holm's family, and only what steers a domain's experts brings a gain",
          "[experiments]") {
  HandMade hand;
  hand.add_original(kHalf);
  Json config = parse_json(hand.store.study(hand.study).config, "config");
  Json& kinds = config["options"]["method"] = Json::array();
  const std::vector<std::array<std::string, 3>> methods = {{"ours", "score", "ours"},
                                                           {"last", "bottom", "last"},
                                                           {"hinted", "prompt", "hinted"},
                                                           {"fewer", "top_k", "fewer"},
                                                           {"sft", "sft", "sft/2"}};
  for (const auto& [name, kind, shown] : methods) {
    kinds.push_back({{"name", name}, {"kind", kind}});
    hand.add_cell({"grid", shown, "d", 1, 0, 3}, "111111111111");
  }
  add_found_routing(hand);
  const auto gaining = [&] {
    analyse_study(hand.store, hand.study);
    std::set<std::string> names;
    for (const GainEvidence& gain : model_verdicts(hand.store, hand.study).at(0).gains)
      names.insert(gain.method);
    return names;
  };
  // A stored config that names no kinds is read as it was.
  CHECK(gaining().size() == 5);
  CHECK(*hand.comparison("ours").p_holm == Approx(5 * 0.03125));
  hand.store.database().run("UPDATE study SET config = ?1 WHERE id = ?2", config.dump(), hand.study);
  CHECK(gaining() == std::set<std::string>{"ours"});
  CHECK(*hand.comparison("ours").p_holm == Approx(4 * 0.03125));
  CHECK_FALSE(hand.comparison("last").p_holm);
  CHECK(hand.comparison("sft/2").p_holm);
}

}  // namespace moelab::experiments
