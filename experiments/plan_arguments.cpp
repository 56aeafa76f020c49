#include "experiments/plan_arguments.h"

#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

// "2:13,3:1" as experts.
std::vector<steering::ExpertId> parse_experts(const std::string& list) {
  std::vector<steering::ExpertId> experts;
  for (const std::string& item : split_text(list, ',')) {
    const std::vector<std::string> parts = split_text(item, ':');
    if (parts.size() != 2) throw ConfigError("experts: '{}' is not layer:expert", item);
    experts.push_back(
        {parse_integer(parts[0], "experts: layer"), parse_integer(parts[1], "experts: expert")});
  }
  return experts;
}

}  // namespace

std::vector<KeySpec> plan_settings() {
  return {{"plan", "CSV with the columns layer, expert and maybe operation, value"},
          {"experts", "layer:expert,... instead of a file"},
          {"alpha", "multiplies the experts' weight before normalisation (default: 3)"},
          {"mode", "where alpha acts (default: logit_shift)"}};
}

bool has_plan(const Arguments& arguments) {
  return arguments.settings.contains("plan") || arguments.settings.contains("experts");
}

steering::Plan read_plan(const Arguments& arguments) {
  const steering::Mode mode = steering::parse_mode(arguments.setting("mode", "logit_shift"));
  const double alpha = arguments.real("alpha", 3);
  const bool has_file = arguments.settings.contains("plan");
  const bool has_experts = arguments.settings.contains("experts");
  if (has_file == has_experts) throw ConfigError("give plan=FILE or experts=layer:expert,..., and not both");
  if (has_file) return steering::read_plan_csv(find_path(arguments.setting("plan")), mode, alpha);
  return steering::scale_plan(parse_experts(arguments.setting("experts")), alpha, mode);
}

}  // namespace moelab::experiments
