// A limit on the thinking of a sample: thinking is counted on token ids, and closed by force when the limit
// is spent.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace moelab::engine {

struct ThinkingBudget {
  std::int64_t max_tokens = 0;  // thinking tokens of a sample over all its thinking; 0: no thinking
  std::vector<std::int32_t>
      open_ids;  // what the model writes to open thinking; empty: the prompt alone opens it
  std::vector<std::int32_t> close_ids;  // what the model writes to close it
  std::vector<std::int32_t>
      forced_ids;                 // what closes it by force, close_ids among it; empty: close_ids itself
  bool opened_by_prompt = false;  // the prompt ends inside thinking
};

// Throws ConfigError naming the key: a negative limit, no ids that close, forced ids that do not close,
// thinking that neither the prompt nor any id opens, or the same ids for both ends.
void validate(const ThinkingBudget& budget);

// Follows one sample. Markers are no thinking; of a closing marker of several ids those before the last one
// count until it is complete.
class ThinkingTracker {
 public:
  // Without a budget nothing is ever forced. The budget must outlive the tracker.
  explicit ThinkingTracker(const ThinkingBudget* budget = nullptr);

  // The token that must come next; none: the model chooses.
  std::optional<std::int32_t> forced() const;

  // Takes the sample's next token, forced or not.
  void add(std::int32_t token);

 private:
  bool just_wrote(const std::vector<std::int32_t>& ids) const;
  void force_when_spent();

  const ThinkingBudget* budget_;
  std::vector<std::int32_t> written_;       // since the last marker
  std::int64_t spent_ = 0;                  // thinking tokens
  bool is_open_ = false;                    // inside thinking
  std::optional<std::size_t> next_forced_;  // place in the forced ids, while they are written
};

}  // namespace moelab::engine
