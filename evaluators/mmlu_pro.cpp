#include "evaluators/mmlu_pro.h"

#include "evaluators/mcq_generated.h"

namespace moelab::evaluators {
namespace {

Extraction letter_extraction(const std::optional<FoundLetter>& found) {
  if (!found) return no_extraction();
  return {std::string(1, found->letter), found->rule, found->at, found->at + 1};
}

}  // namespace

Extraction extract_mmlu_pro(std::string_view text) { return letter_extraction(find_letter(text)); }

Extraction extract_mmlu_pro_lm_eval(std::string_view text) { return letter_extraction(find_answer_is(text)); }

std::size_t official_guess(PythonRandom& random, std::size_t n_options) {
  return static_cast<std::size_t>(random.randint(0, static_cast<std::int64_t>(n_options) - 1));
}

std::vector<std::vector<std::size_t>> official_guesses(
    const std::vector<std::vector<std::size_t>>& unanswered) {
  PythonRandom random(kOfficialGuessSeed);
  std::vector<std::vector<std::size_t>> guesses = unanswered;
  for (std::size_t subject = 0; subject < unanswered.size(); ++subject)
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < unanswered[subject].size(); ++i)
        guesses[subject][i] = official_guess(random, unanswered[subject][i]);
  return guesses;
}

}  // namespace moelab::evaluators
