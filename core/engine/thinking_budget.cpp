#include "core/engine/thinking_budget.h"

#include <algorithm>

#include "core/base/error.h"

namespace moelab::engine {
namespace {

const std::vector<std::int32_t>& closing_ids(const ThinkingBudget& budget) {
  return budget.forced_ids.empty() ? budget.close_ids : budget.forced_ids;
}

void require_thinking(bool holds, const char* key, const char* rule) {
  if (!holds) throw ConfigError("thinking.{}: {}", key, rule);
}

}  // namespace

void validate(const ThinkingBudget& budget) {
  require_thinking(budget.max_tokens >= 0, "max_tokens", "must not be negative; 0 allows no thinking");
  require_thinking(!budget.close_ids.empty(), "close_ids",
                   "a budget needs the token ids that close thinking");
  require_thinking(budget.opened_by_prompt || !budget.open_ids.empty(), "open_ids",
                   "neither the prompt nor any token opens thinking, so the budget would do nothing");
  require_thinking(budget.open_ids != budget.close_ids, "open_ids", "the same ids open and close thinking");
  const auto& closing = closing_ids(budget);
  require_thinking(std::search(closing.begin(), closing.end(), budget.close_ids.begin(),
                               budget.close_ids.end()) != closing.end(),
                   "forced_ids", "must hold close_ids, or thinking would stay open");
}

ThinkingTracker::ThinkingTracker(const ThinkingBudget* budget) : budget_(budget) {
  if (budget_ == nullptr) return;
  is_open_ = budget_->opened_by_prompt;
  force_when_spent();
}

std::optional<std::int32_t> ThinkingTracker::forced() const {
  if (!next_forced_) return std::nullopt;
  return closing_ids(*budget_)[*next_forced_];
}

void ThinkingTracker::add(std::int32_t token) {
  if (budget_ == nullptr) return;
  if (next_forced_ && ++*next_forced_ == closing_ids(*budget_).size()) next_forced_.reset();
  written_.push_back(token);
  if (is_open_) ++spent_;
  if (just_wrote(is_open_ ? budget_->close_ids : budget_->open_ids)) {
    if (is_open_) spent_ -= static_cast<std::int64_t>(budget_->close_ids.size());
    is_open_ = !is_open_;
    written_.clear();
  }
  force_when_spent();
}

bool ThinkingTracker::just_wrote(const std::vector<std::int32_t>& ids) const {
  return !ids.empty() && written_.size() >= ids.size() &&
         std::equal(ids.begin(), ids.end(), written_.end() - static_cast<std::ptrdiff_t>(ids.size()));
}

void ThinkingTracker::force_when_spent() {
  if (is_open_ && !next_forced_ && spent_ >= budget_->max_tokens) next_forced_ = 0;
}

}  // namespace moelab::engine
