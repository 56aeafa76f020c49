// Successive halving (Jamieson and Talwalkar, 2016): all settings answer a few questions, the best go on to
// more.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "experiments/selection.h"

namespace moelab::experiments {

struct HalvingOptions {
  std::int64_t eta = 2;    // a rung keeps 1 / eta of its settings and asks eta times as many questions
  std::int64_t rungs = 0;  // 0: as many as leave one setting, which are never exceeded
};

struct RungSize {
  std::size_t settings = 0;
  std::size_t questions = 0;  // from the first one on, those of earlier rungs among them
  bool operator==(const RungSize&) const = default;
};

// The first rung has all settings, the next one ceil(n / eta) of the n before it. The last has all questions,
// the one before it ceil(m / eta) of the m behind it; rungs that could not have fewer questions than the next
// are left out. A last rung that several settings reach keeps the best one. Empty without settings or
// questions.
std::vector<RungSize> rung_sizes(std::size_t settings, std::size_t questions, const HalvingOptions& options);

// A rung that was run: its settings, the first of equals first, and how many answers each has right.
struct Rung {
  std::size_t questions = 0;
  std::vector<std::size_t> settings;
  std::vector<std::int64_t> right;
};

struct Halving {
  std::vector<Rung> rungs;        // those that all of their settings have answered
  std::vector<std::size_t> left;  // who goes on; the winner alone at the end
  std::size_t next = 0;           // questions that those left have to answer; 0 at the end
  bool is_done() const { return next == 0 && left.size() == 1; }
};

// How far the halving is. answers[setting]: right answers to the questions in their order, up to the first
// that is missing; settings in the order of the tie rule, by which the first of equals goes on.
Halving halve(std::span<const Answers> answers, std::size_t questions, const HalvingOptions& options);

// The sum over rungs of settings x questions that they answer anew.
std::size_t asked_answers(std::span<const RungSize> rungs);

}  // namespace moelab::experiments
