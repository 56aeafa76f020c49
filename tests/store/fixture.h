// A small study in a scratch database: two models' worth of rows is never needed, one is.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/store/store.h"
#include "tests/support/files.h"

namespace moelab::testing {

inline store::QuestionRow make_question(int number, const std::string& domain = "chemistry") {
  store::QuestionRow question;
  question.set_name = "facts";
  question.name = fmt::format("q{}", number);
  question.group_id = fmt::format("g{}", number / 2);
  question.domain = domain;
  question.text = fmt::format("Question {}?", number);
  question.text_digest = fmt::format("digest-{}", number);
  question.options = {"one", "two", "three", "four"};
  question.gold = "B";
  return question;
}

inline store::SampleRow make_sample(store::Id cell, store::Id question, int repeat = 0) {
  store::SampleRow sample;
  sample.cell = cell;
  sample.question = question;
  sample.repeat = repeat;
  sample.key = fmt::format("{:064x}", cell * 1'000'000 + question * 100 + repeat);
  sample.prompt_tokens = 40;
  sample.stop = "scored";
  sample.scores = "[[-1.25,3],[-0.5,2],[-2.75,4],[-3.5,1]]";
  return sample;
}

inline std::vector<store::VerdictRow> make_verdicts(bool correct) {
  store::VerdictRow verdict;
  verdict.evaluator = "mcq_continuation";
  verdict.answer = correct ? "B" : "C";
  verdict.rule = "argmax";
  verdict.correct = correct;
  return {verdict};
}

// A study with one model, `n_questions` questions and no cells yet.
struct StudyFixture {
  StudyFixture(store::Store& target, int n_questions) : store(target) {
    store::StudyRow row;
    row.name = "demo";
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
    std::vector<store::QuestionRow> rows;
    for (int i = 0; i < n_questions; ++i) rows.push_back(make_question(i));
    questions = store.put_questions(rows);
  }

  store::Id add_cell(const std::string& key, const std::string& method = "original",
                     const std::string& steered_domain = "") {
    store::CellRow cell;
    cell.key = key;
    cell.condition = "same";
    cell.model = model;
    cell.benchmark = "facts";
    cell.domain = "chemistry";
    cell.method = method;
    cell.steered_domain = steered_domain;
    cell.mode = "logit_shift";
    const store::Id id = store.put_cell(cell);
    store.add_to_study(study, id, "grid");
    return id;
  }

  store::Store& store;
  store::Id study = 0;
  store::Id model = 0;
  std::vector<store::Id> questions;
};

// A store in a folder that goes away with it.
struct Scratch {
  ScratchDir dir;
  store::Store store = store::Store::open(dir / "test.db", store::Mode::read_write_create);
  std::string value(const std::string& sql) { return store.query(sql).rows.at(0).at(0).value_or("NULL"); }
};

}  // namespace moelab::testing
