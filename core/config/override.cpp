#include <fnmatch.h>

#include <algorithm>

#include "core/config/config.h"
#include "core/config/override_lexer.h"
#include "core/config/override_values.h"
#include "core/config/problems.h"
#include "core/config/yaml_reader.h"

namespace moelab::config {
namespace {

using OverrideKind = ParsedOverride::Kind;

bool is_key_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }

bool is_key_char(char c) { return is_key_start(c) || (c >= '0' && c <= '9') || c == '-'; }

// One part of a dotted path: a name that may hold $, or a list index behind a first part or before a dot.
bool is_path_part(std::string_view part) {
  if (part.empty()) return false;
  if (is_key_start(part[0])) return std::all_of(part.begin(), part.end(), is_key_char);
  return integer_length(part) == part.size();
}

bool is_key_path(std::string_view key) {
  const bool dotted = key.find('.') != std::string_view::npos;
  if (!dotted) return is_path_part(key) && is_key_start(key[0]);
  for (;;) {
    const std::size_t dot = key.find('.');
    if (!is_path_part(key.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    key.remove_prefix(dot + 1);
  }
}

bool is_group_path(std::string_view key) {
  for (;;) {
    const std::size_t slash = key.find('/');
    const std::string_view part = key.substr(0, slash);
    if (part.empty() || identifier_length(part) != part.size()) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

OverrideKind take_prefix(std::string_view& text) {
  const auto take = [&](std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  };
  if (take("++")) return OverrideKind::force_add;
  if (take("+")) return OverrideKind::add;
  return take("~") ? OverrideKind::remove : OverrideKind::set;
}

std::string_view prefix_of(OverrideKind kind) {
  switch (kind) {
    case OverrideKind::add:
      return "+";
    case OverrideKind::force_add:
      return "++";
    case OverrideKind::remove:
      return "~";
    case OverrideKind::set:
    case OverrideKind::extend:
      break;
  }
  return "";
}

void parse_key(std::string_view key, ParsedOverride& parsed) {
  const std::size_t at = key.find('@');
  const std::string_view name = key.substr(0, at);
  if (!name.empty() && !is_key_path(name) && !is_group_path(name)) {
    throw ConfigError("'{}' is neither a key path such as engine.dtype nor a group such as model", name);
  }
  parsed.key = name;
  if (at == std::string_view::npos) return;
  parsed.package = key.substr(at + 1);
  if (!is_key_path(parsed.package)) throw ConfigError("'{}' is not a package (expected group@package)", key);
}

// The key with its prefix and package: what makes two overrides of a sweep the same axis.
std::string key_element(const ParsedOverride& parsed) {
  const std::string at = parsed.package.empty() ? "" : "@" + parsed.package;
  return fmt::format("{}{}{}", prefix_of(parsed.kind), parsed.key, at);
}

struct Axis {
  std::string element;
  ParsedOverride parsed;
};

std::vector<Axis> axes_of(std::span<const std::string> overrides) {
  Problems problems;
  std::vector<Axis> axes;
  for (const std::string& text : overrides) {
    try {
      ParsedOverride parsed = parse_override(text);
      const std::string element = key_element(parsed);
      const auto known =
          std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.element == element; });
      if (known != axes.end()) {
        known->parsed = std::move(parsed);
      } else {
        axes.push_back({element, std::move(parsed)});
      }
    } catch (const ConfigError& problem) {
      problems.add(problem.what());
    }
  }
  problems.throw_if_any();
  return axes;
}

// One value, as it is given to one job.
void put_value(const Value& value, ParsedOverride& parsed) {
  parsed.values.push_back(value_json(value));
  parsed.value_texts.push_back(value_text(value));
}

void put_sweep(const Value& value, std::string_view seed_text, ParsedOverride& parsed) {
  using Sweep = ParsedOverride::Sweep;
  parsed.is_sweep = true;
  parsed.tags.assign(value.tags.begin(), value.tags.end());
  switch (value.kind) {
    case Value::Kind::glob:
      parsed.sweep = Sweep::glob;
      parsed.include = value.include;
      parsed.exclude = value.exclude;
      return;
    case Value::Kind::interval:
      parsed.sweep = Sweep::interval;
      for (const Value& bound : value.items) put_value(bound, parsed);
      return;
    default:
      parsed.sweep = value.kind == Value::Kind::range ? Sweep::range : Sweep::choice;
      for (const Value& element : enumerate(value, seed_text)) put_value(element, parsed);
  }
}

void parse_right_side(std::string_view text, ParsedOverride& parsed) {
  const Value value = parse_value(text);
  if (value.is_sweep()) return put_sweep(value, text, parsed);
  if (value.kind != Value::Kind::extension) return put_value(value, parsed);
  if (parsed.kind != OverrideKind::set) throw ConfigError("extend_list() stands behind a plain key= only");
  parsed.kind = OverrideKind::extend;
  const Value list{.kind = Value::Kind::list, .items = value.items};
  parsed.values.push_back(value_json(list));
  std::string arguments = value_text(list);
  parsed.value_texts.push_back(fmt::format("extend_list({})", arguments.substr(1, arguments.size() - 2)));
}

bool matches_any(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
  });
}

// The texts that one axis gives to the jobs.
std::vector<std::string> axis_texts(const ParsedOverride& parsed, const SweepOptions& options) {
  if (parsed.sweep == ParsedOverride::Sweep::interval) {
    throw ConfigError("command line: '{}': an interval has no elements, so it cannot be swept", parsed.text);
  }
  if (parsed.sweep == ParsedOverride::Sweep::glob) {
    if (options.tree == nullptr)
      throw ConfigError("command line: '{}': there is no config tree here", parsed.text);
    std::vector<std::string> names = options.tree->options(parsed.key);
    std::erase_if(names, [&](const std::string& name) {
      return !matches_any(name, parsed.include) || matches_any(name, parsed.exclude);
    });
    return names;
  }
  if (parsed.value_texts.empty() && !parsed.is_sweep) return {"null"};  // ~key means ~key=null
  return parsed.value_texts;
}

}  // namespace

ParsedOverride parse_override(std::string_view text) {
  if (invalid_utf8(text) != std::string_view::npos)
    throw ConfigError("command line: an override is not UTF-8");
  ParsedOverride parsed;
  parsed.text = text;
  try {
    std::string_view rest = text;
    parsed.kind = take_prefix(rest);
    const std::size_t equal = rest.find('=');
    parse_key(rest.substr(0, equal), parsed);
    if (equal == std::string_view::npos) {
      if (parsed.kind == OverrideKind::remove) return parsed;
      throw ConfigError("'=' and a value are missing");
    }
    parse_right_side(rest.substr(std::min(rest.find_first_not_of(" \t", equal + 1), rest.size())), parsed);
  } catch (const ConfigError& problem) {
    throw ConfigError("command line: the override '{}' cannot be read: {}", text, problem.what());
  }
  return parsed;
}

Sweep split_sweep(std::span<const std::string> overrides, const SweepOptions& options) {
  Sweep sweep;
  sweep.jobs.emplace_back();
  for (const Axis& axis : axes_of(overrides)) {
    const std::vector<std::string> texts = axis_texts(axis.parsed, options);
    if (axis.parsed.is_sweep) sweep.key_paths.push_back(axis.parsed.key);
    if (!texts.empty() && sweep.jobs.size() > options.max_jobs / texts.size()) {
      throw ConfigError("command line: the sweep has more than {} jobs at '{}'", options.max_jobs,
                        axis.parsed.text);
    }
    std::vector<std::vector<std::string>> jobs;
    jobs.reserve(sweep.jobs.size() * texts.size());
    for (const std::vector<std::string>& job : sweep.jobs) {
      for (const std::string& text : texts) {
        jobs.push_back(job);
        jobs.back().push_back(fmt::format("{}={}", axis.element, text));
      }
    }
    sweep.jobs = std::move(jobs);
  }
  return sweep;
}

std::vector<std::vector<std::string>> expand_sweep(std::span<const std::string> overrides) {
  return split_sweep(overrides).jobs;
}

}  // namespace moelab::config
