// Collects problems, so that a user sees all of them at once instead of one a run.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace moelab::config {

class Problems {
 public:
  void add(std::string problem) {
    for (const std::string& known : list_) {
      if (known == problem) return;
    }
    list_.push_back(std::move(problem));
  }

  // The problems that an error of throw_if_any() tells, each for itself.
  void add_all(const ConfigError& error) {
    std::string_view rest = error.what();
    if (rest.substr(0, rest.find('\n')).ends_with(header_end)) rest.remove_prefix(rest.find('\n') + 1);
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      add(std::string(rest.substr(0, end)));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }

  bool empty() const { return list_.empty(); }
  const std::vector<std::string>& list() const { return list_; }

  // Throws ConfigError with every problem, each on lines of its own, when there is any.
  void throw_if_any() const {
    if (list_.empty()) return;
    if (list_.size() == 1) throw ConfigError(list_.front());
    std::string text = fmt::format("{}{}", list_.size(), header_end);
    for (const std::string& problem : list_) text += "\n" + problem;
    throw ConfigError(text);
  }

 private:
  static constexpr std::string_view header_end = " problems in the configuration:";

  std::vector<std::string> list_;
};

}  // namespace moelab::config
