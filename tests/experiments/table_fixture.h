// A small study filled in by hand, for the tables: every figure that they print can be worked out on paper.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/store/store.h"
#include "experiments/study_results.h"
#include "tests/store/fixture.h"
#include "tests/support/files.h"

namespace moelab::testing {

// The expected text of a table, tests/data/tables/<name>.
inline std::string approved(const std::string& name) { return read_text(data_dir() / "tables" / name); }

struct TableFixture {
  TableFixture() {
    store::StudyRow row;
    row.name = "demo";
    row.config = R"({"evaluator": "mcq_continuation"})";
    row.config_hash = "c0";
    row.protocol = "crossfit";
    row.code_version = "0.1.0";
    row.device = "cpu";
    study = store.put_study(row);
    store::ModelRow model_row;
    model_row.digest = "m0";
    model_row.name = "tiny";
    model_row.family = "qwen3_moe";
    model = store.put_model(model_row);
  }

  experiments::TableRequest request() const {
    experiments::TableRequest wanted;
    wanted.study = study;
    return wanted;
  }

  store::ComparisonRow comparison(const std::string& method, double accuracy, double gain) const {
    store::ComparisonRow row;
    row.study = study;
    row.model = model;
    row.benchmark = "facts";
    row.domain = "chemistry";
    row.method = method;
    row.steered_domain = "chemistry";
    row.evaluator = "mcq_continuation/raw";
    row.protocol = "crossfit";
    row.n = 200;
    row.accuracy_original = 0.5;
    row.accuracy = accuracy;
    row.gain = gain;
    row.flip_noise = 0.005;
    row.settings = R"({"chance": 0.1})";
    return row;
  }

  // dsmoe, significant; contrast, not; three random draws; physics' plan and the original again, which have
  // no line.
  void add_comparisons() {
    store::ComparisonRow dsmoe = comparison("dsmoe", 0.56, 0.06);
    dsmoe.wrong_right = 20;
    dsmoe.right_wrong = 8;
    dsmoe.lo = 0.01;
    dsmoe.hi = 0.111;
    dsmoe.p = 0.0357;
    dsmoe.p_holm = 0.0357;
    dsmoe.p_null = 0.05;
    dsmoe.n_null = 3;
    dsmoe.gain_other_domains = -0.012;
    dsmoe.specificity = 0.072;
    dsmoe.specificity_lo = 0.02;
    dsmoe.specificity_hi = 0.124;
    dsmoe.p_specific = 0.004;
    dsmoe.p_labels = 0.0014;
    dsmoe.dose = 1.234;
    dsmoe.smallest_detectable = 0.07408;
    dsmoe.settings = R"({"chance": 0.1, "chosen": {"n_steered": 4, "alpha": 1.5, "mode": "logit_shift"},
      "chosen_share": 0.62, "changed_share": 0.1834, "lo_accuracy": 0.49, "hi_accuracy": 0.63,
      "gain_low": 0.045, "gain_high": 0.07, "exact": "no"})";
    store::ComparisonRow contrast = comparison("contrast", 0.52, 0.02);
    contrast.wrong_right = 10;
    contrast.right_wrong = 6;
    contrast.lo = -0.02;
    contrast.hi = 0.06;
    contrast.p = 0.4545;
    contrast.p_holm = 0.909;
    contrast.p_null = 0.5;
    contrast.n_null = 3;
    contrast.smallest_detectable = 0.056;
    std::vector<store::ComparisonRow> rows = {dsmoe, contrast};
    for (int draw = 1; draw <= 3; ++draw) {
      rows.push_back(comparison("random", 0.45 + 0.03 * draw, -0.05 + 0.03 * draw));
      rows.back().draw = draw;
    }
    rows.push_back(comparison("dsmoe", 0.488, -0.012));
    rows.back().steered_domain = "physics";
    rows.push_back(comparison("aa", 0.5, 0));
    store.put_comparisons(rows);
  }

  // A cell whose answers are given as letters: R right, W wrong.
  store::Id add_cell(const store::CellRow& settings, const std::string& role, const std::string& answers) {
    store::CellRow cell = settings;
    cell.key = fmt::format("cell-{}", ++cells_);
    cell.condition = "same";
    cell.model = model;
    cell.benchmark = "facts";
    cell.domain = "chemistry";
    cell.status = "done";
    const store::Id id = store.put_cell(cell);
    store.add_to_study(study, id, role);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      auto verdicts = make_verdicts(answers[i] == 'R');
      verdicts[0].evaluator = "mcq_continuation/raw";
      store.put_sample(make_sample(id, questions[i]), verdicts);
    }
    return id;
  }

  static store::CellRow steered(const std::string& method, int n_steered, double alpha, int draw = 0) {
    store::CellRow cell;
    cell.method = method;
    cell.n_steered = n_steered;
    cell.alpha = alpha;
    cell.mode = "logit_shift";
    cell.draw = draw;
    cell.steered_domain = "chemistry";
    return cell;
  }

  void add_grid() {
    std::vector<store::QuestionRow> rows;
    for (int i = 0; i < 4; ++i) rows.push_back(make_question(i));
    questions = store.put_questions(rows);
    store::CellRow original;
    original.method = "original";
    original.mode = "logit_shift";
    add_cell(original, "original", "RRWW");
    add_cell(original, "aa", "RRWR");
    add_cell(steered("dsmoe", 2, 3), "grid", "RRRW");
    add_cell(steered("dsmoe", 2, 10), "grid", "RWWW");
    add_cell(steered("dsmoe", 4, 3), "grid", "RR");
    add_cell(steered("random", 2, 3, 1), "null", "RRWW");
    add_cell(steered("random", 2, 3, 2), "null", "RWRR");
    store::CellRow other = steered("dsmoe", 2, 3);
    other.steered_domain = "physics";
    add_cell(other, "other_domain", "WWWW");
  }

  // Two layers of four experts; chemistry's usage has the order of its scores, physics' best expert but one
  // is the least used.
  void add_discovery() {
    if (questions.empty()) questions = store.put_questions(std::vector{make_question(0), make_question(1)});
    const std::vector<double> chemistry = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9};
    std::vector<double> physics = chemistry;
    physics[0] = 0.8;
    add_run("chemistry", chemistry);
    add_run("physics", physics);
  }

  ScratchDir dir;
  store::Store store = store::Store::open(dir / "tables.db", store::Mode::read_write_create);
  store::Id study = 0, model = 0;
  std::vector<store::Id> questions;

 private:
  void add_run(const std::string& domain, const std::vector<double>& scores) {
    store::DiscoveryRow run;
    run.key = "run-" + domain;
    run.model = model;
    run.domain = domain;
    run.n_questions = 1;
    run.n_tokens = 18;
    store::DiscoveryData data;
    for (int flat = 0; flat < 8; ++flat) {
      int rank = 1;
      for (const double other : scores) rank += other > scores[static_cast<std::size_t>(flat)] ? 1 : 0;
      data.scores.push_back({"paper", flat / 4, flat % 4, scores[static_cast<std::size_t>(flat)], rank});
      data.routing.push_back({questions[0], flat / 4, flat % 4, flat + 1, flat, 1});
    }
    store.put_discovery(run, data);
  }

  int cells_ = 0;
};

}  // namespace moelab::testing
