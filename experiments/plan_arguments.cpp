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
  if (experts.empty()) throw ConfigError("experts: none is named; write layer:expert,...");
  return experts;
}

std::optional<std::string> plan_file(const Arguments& arguments) {
  const bool is_key = arguments.settings.contains("plan");
  if (is_key && arguments.has("--plan")) throw ConfigError("give plan=FILE or --plan FILE, and not both");
  if (is_key) return arguments.setting("plan");
  if (arguments.has("--plan")) return arguments.flag("--plan", "");
  return std::nullopt;
}

}  // namespace

std::vector<KeySpec> plan_settings() {
  return {{"plan", "CSV with the columns layer, expert and maybe operation, value"},
          {"experts", "layer:expert,... instead of a file"},
          {"alpha", "multiplies the experts' weight before normalisation (default: 3)"},
          {"mode", "where alpha acts (default: logit_shift)"}};
}

Flag plan_flag() { return {"--plan", "FILE", "the same as plan=FILE"}; }

steering::Plan read_plan(const Arguments& arguments) {
  const steering::Mode mode = steering::parse_mode(arguments.setting("mode", "logit_shift"));
  const double alpha = arguments.real("alpha", 3);
  const std::optional<std::string> file = plan_file(arguments);
  const bool has_experts = arguments.settings.contains("experts");
  if (file.has_value() == has_experts)
    throw ConfigError("give plan=FILE or experts=layer:expert,..., and not both");
  if (file) return steering::read_plan_csv(find_path(*file), mode, alpha);
  return steering::scale_plan(parse_experts(arguments.setting("experts")), alpha, mode);
}

std::optional<steering::Plan> read_optional_plan(const Arguments& arguments) {
  if (plan_file(arguments) || arguments.settings.contains("experts")) return read_plan(arguments);
  for (const char* key : {"alpha", "mode"})
    if (arguments.settings.contains(key))
      throw ConfigError("{}: does nothing without a plan; give plan=FILE or experts=layer:expert,...", key);
  return std::nullopt;
}

}  // namespace moelab::experiments
