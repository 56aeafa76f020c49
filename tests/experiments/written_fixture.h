// A miniature study whose model writes its answers: sums with thinking and questions with their options.
#pragma once

#include <string>
#include <vector>

#include "tests/experiments/study_fixture.h"

namespace moelab::testing {

// benchmark=mini_sums (two samples a question) and benchmark=mini_written (greedy) beside those of MiniStudy.
// Batches are small, so that a cell takes several chunks.
struct WrittenStudy : MiniStudy {
  WrittenStudy() {
    write_questions(folder / "questions", {"sums"}, 30);
    const std::string questions = "questions: " + (folder / "questions").string() + "\n";
    write("configs/benchmark/mini_sums.yaml",
          "name: mini_sums\ndomains: [sums]\nprompt: worked\n" + questions +
              "generation: {max_new_tokens: 8, repeats: 2, temperature: 0.8, top_p: 0.9, thinking: think}\n");
    write("configs/benchmark/mini_written.yaml",
          "name: mini_written\ndomains: [elements]\nprompt: written\n" + questions +
              "generation: {max_new_tokens: 4}\n");
  }

  experiments::StudyConfig sums(std::vector<std::string> more = {}) const {
    std::vector<std::string> overrides = {"axes.benchmark=[mini_sums]", "axes.method=[original,dsmoe,random]",
                                          "axes.n_steered=[2]",         "axes.alpha=[20]",
                                          "split.discovery=8",          "nulls.draws=1",
                                          "engine.batch_tokens=128"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return bind(overrides);
  }
};

}  // namespace moelab::testing
