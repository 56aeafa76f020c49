#include "experiments/answer_states.h"

#include "experiments/shown_options.h"

namespace moelab::experiments {

std::vector<SampleState> sample_states(store::Store& store, store::Id cell, const std::string& evaluator) {
  std::vector<SampleState> states;
  store::Statement row = store.database().prepare(
      "SELECT s.question, s.repeat, v.correct, v.answer, v.guessed, s.truncated, s.n_think, s.n_answer, "
      "s.closed, s.option_order FROM sample AS s CROSS JOIN verdict AS v ON v.sample = s.id AND v.evaluator "
      "= ?2 "
      "WHERE s.cell = ?1 AND s.output IS NOT NULL ORDER BY s.question, s.repeat, v.version");
  row.bind(cell, evaluator);
  while (row.step()) {
    SampleState next;
    next.question = row.get<store::Id>(0);
    next.repeat = row.get<int>(1);
    const bool is_guessed = row.get<bool>(4);
    next.state = {row.get<bool>(2), !row.is_null(3) && !is_guessed, row.get<bool>(5)};
    if (next.state.is_parsed)
      next.answer = own_answer(row.get<std::string>(3), row.get<std::optional<std::string>>(9));
    next.n_think = row.get<std::int64_t>(6);
    next.n_answer = row.get<std::int64_t>(7);
    next.closed = row.get<bool>(8);
    // Newer versions follow older ones of the same sample.
    if (!states.empty() && states.back().question == next.question && states.back().repeat == next.repeat)
      states.pop_back();
    states.push_back(std::move(next));
  }
  return states;
}

StatesByQuestion states_by_question(store::Store& store, store::Id cell, const std::string& evaluator,
                                    std::int64_t repeats) {
  StatesByQuestion states;
  for (const SampleState& sample : sample_states(store, cell, evaluator))
    if (sample.repeat < repeats) states[sample.question].push_back(sample.state);
  std::erase_if(states, [&](const auto& each) { return std::ssize(each.second) < repeats; });
  return states;
}

}  // namespace moelab::experiments
