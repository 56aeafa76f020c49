#include "core/config/group_overrides.h"

#include <algorithm>

#include "core/config/nearest.h"

namespace moelab::config {
namespace {

using OverrideKind = ParsedOverride::Kind;

std::string with_package(const ParsedOverride& parsed) {
  return parsed.package.empty() ? parsed.key : fmt::format("{}@{}", parsed.key, parsed.package);
}

bool is_text_list(const Json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
}

}  // namespace

GroupOverrides::GroupOverrides(std::span<const ParsedOverride> overrides, Problems& problems) {
  for (const ParsedOverride& parsed : overrides) add_external(parsed, problems);
}

void GroupOverrides::add_external(const ParsedOverride& parsed, Problems& problems) {
  const Json value = parsed.values.empty() ? Json(nullptr) : parsed.values.front();
  const auto note = [&](std::string_view problem) {
    problems.add(fmt::format("command line: '{}': {}", parsed.text, problem));
  };
  if (parsed.kind == OverrideKind::force_add) return note("a config group cannot be added with ++; use +");
  if (parsed.kind == OverrideKind::extend)
    return note("a config group's options cannot be extended; list them all");
  if (parsed.kind == OverrideKind::remove) {
    if (!value.is_null() && !value.is_string()) return note("the option to delete must be a text");
    Deletion deletion{.option = {}, .text = parsed.text};
    if (value.is_string()) deletion.option = value.get<std::string>();
    deletions_[with_package(parsed)] = std::move(deletion);
    return;
  }
  if (!value.is_string() && !is_text_list(value)) {
    return note(fmt::format("'{}' is a config group; its option must be a text or a list of texts, got {}",
                            parsed.key, value.dump()));
  }
  std::optional<std::string> option;
  if (value.is_string()) option = value.get<std::string>();
  std::vector<std::string> options;
  if (value.is_array()) options = value.get<std::vector<std::string>>();
  const Origin origin{.file = command_line_name()};
  if (parsed.kind == OverrideKind::add) {
    Choice item{.is_group = true, .path = parsed.key, .option = option, .options = options};
    item.has_list = value.is_array();
    if (!parsed.package.empty()) item.package = parsed.package;
    item.is_appended = true;
    item.origin = origin;
    appended_.push_back(std::move(item));
    return;
  }
  replacements_[with_package(parsed)] = {option, options, value.is_array(), origin, parsed.text};
}

void GroupOverrides::add(const Choice& item) {
  replacements_.try_emplace(item.override_key(),
                            Replacement{item.option, item.options, item.has_list, item.origin, ""});
}

void GroupOverrides::apply(Choice& item) {
  if (!item.is_group) return;
  const auto found = replacements_.find(item.override_key());
  if (found == replacements_.end()) return;
  Replacement& replacement = found->second;
  item.option = replacement.option;
  item.options = replacement.options;
  item.has_list = replacement.has_list;
  item.origin = replacement.origin;
  replacement.used = true;
}

bool GroupOverrides::deletes(const Choice& item) {
  if (!item.is_group) return false;
  const auto found = deletions_.find(item.override_key());
  if (found == deletions_.end()) return false;
  if (found->second.option && found->second.option != item.option) return false;
  return found->second.used = true;
}

void GroupOverrides::note_choice(const Choice& item, Problems& problems) {
  if (!item.is_group) return;
  const std::string key = item.override_key();
  const auto known =
      std::find_if(known_.begin(), known_.end(), [&](const auto& pair) { return pair.first == key; });
  if (known == known_.end()) {
    known_.emplace_back(key, item.option);
  } else if (known->second != item.option) {
    problems.add(fmt::format(
        "{}: '{}' is chosen twice, as '{}' and '{}'; use 'override {}: ...' to replace a choice",
        describe(item.origin), key, known->second.value_or("null"), item.option.value_or("null"), key));
  }
  keys_of_group_[item.group_path()].insert(key);
}

Json GroupOverrides::choices() const {
  Json choices = Json::object();
  for (const auto& [key, option] : known_) choices[key] = option ? Json(*option) : Json(nullptr);
  return choices;
}

void GroupOverrides::report_unused(Problems& problems) const {
  for (const auto& [key, replacement] : replacements_) {
    if (replacement.used) continue;
    const auto same_group = keys_of_group_.find(key.substr(0, key.find('@')));
    std::vector<std::string> keys;
    if (same_group != keys_of_group_.end()) keys.assign(same_group->second.begin(), same_group->second.end());
    std::string problem = fmt::format("{}: the group '{}' is in no defaults list, so it cannot be overridden",
                                      describe(replacement.origin), key);
    if (!keys.empty()) problem += fmt::format("; did you mean {}?", join_names(nearest_first(key, keys)));
    if (!replacement.text.empty()) problem += fmt::format(" (to add it: +{})", replacement.text);
    problems.add(std::move(problem));
  }
  for (const auto& [key, deletion] : deletions_) {
    if (!deletion.used) {
      problems.add(fmt::format(
          "command line: '{}' deletes nothing: the group '{}' is not chosen so in any defaults list",
          deletion.text, key));
    }
  }
}

}  // namespace moelab::config
