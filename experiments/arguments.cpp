#include "experiments/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/config/nearest.h"

namespace moelab::experiments {

namespace {

const Flag kHelp{"--help", "", "this text", "-h"};

std::vector<Flag> all_flags(const VerbSpec& spec) {
  std::vector<Flag> flags = spec.flags;
  flags.push_back(kHelp);
  return flags;
}

// The length of the key in "key=value", or nothing when the word is not of that form: the SQL and the
// questions that verbs take contain equals signs too.
std::optional<std::size_t> key_length(std::string_view word) {
  std::size_t length = 0;
  while (length < word.size() &&
         (std::isalnum(static_cast<unsigned char>(word[length])) != 0 ||
          std::string_view("_.@/+~-:").find(word[length]) != std::string_view::npos)) {
    ++length;
  }
  if (length == 0 || length == word.size() || word[length] != '=') return std::nullopt;
  return length;
}

[[noreturn]] void unknown(const VerbSpec& spec, std::string_view kind, std::string_view word,
                          const std::vector<std::string>& known) {
  throw ConfigError("unknown {} '{}' of 'moelab {}'{} See moelab {} --help", kind, word, spec.name,
                    known.empty() ? "." : config::did_you_mean(word, known), spec.name);
}

// Reads the flag at words[i] and moves i to its last word.
void read_flag(const VerbSpec& spec, std::span<const std::string> words, std::size_t& i, Arguments& result) {
  const std::string& word = words[i];
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  std::vector<std::string> known;
  for (const Flag& flag : all_flags(spec)) {
    known.push_back(flag.name);
    if (name != flag.name && (flag.short_name.empty() || name != flag.short_name)) continue;
    if (flag.name == kHelp.name) result.wants_help = true;
    if (flag.value.empty()) {
      if (equals != std::string::npos) throw ConfigError("the option '{}' takes no value", name);
      result.flags[flag.name] = "";
    } else if (equals != std::string::npos) {
      result.flags[flag.name] = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      result.flags[flag.name] = words[++i];
    } else {
      throw ConfigError("the option '{}' needs a value: {} {}", name, flag.name, flag.value);
    }
    return;
  }
  unknown(spec, "option", name, known);
}

void read_setting(const VerbSpec& spec, const std::string& word, std::size_t length, Arguments& result) {
  const std::string key = word.substr(0, length);
  std::vector<std::string> known;
  for (const KeySpec& setting : spec.settings) known.push_back(setting.name);
  if (std::find(known.begin(), known.end(), key) == known.end()) unknown(spec, "key", key, known);
  if (!result.settings.emplace(key, word.substr(length + 1)).second) {
    throw ConfigError("the key '{}' is given twice", key);
  }
}

void check_words(const VerbSpec& spec, const Arguments& arguments) {
  if (arguments.wants_help) return;
  const auto count = static_cast<int>(arguments.words.size());
  if (count < spec.words.first) throw ConfigError("usage: moelab {} {}", spec.name, spec.usage);
  if (count > spec.words.second) {
    throw ConfigError("'{}' is one word too many; usage: moelab {} {}",
                      arguments.words[static_cast<std::size_t>(spec.words.second)], spec.name, spec.usage);
  }
}

}  // namespace

Arguments parse_arguments(const VerbSpec& spec, std::span<const std::string> words) {
  Arguments result;
  bool plain = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto length = key_length(word);
    if (plain) {
      result.words.push_back(word);
    } else if (word == "--") {
      plain = true;
    } else if (word.size() > 1 && word[0] == '-' && word.find(' ') == std::string::npos) {
      read_flag(spec, words, i, result);
    } else if (spec.takes_overrides && (length || word[0] == '~')) {
      result.overrides.push_back(word);
    } else if (length) {
      read_setting(spec, word, *length, result);
    } else {
      result.words.push_back(word);
    }
  }
  check_words(spec, result);
  return result;
}

std::string help_text(const VerbSpec& spec) {
  std::string text = fmt::format("moelab {}: {}\n\nUsage: moelab {} {}\n\n{}\n", spec.name, spec.summary,
                                 spec.name, spec.usage, spec.text);
  if (!spec.settings.empty()) {
    text += "\nKeys:\n";
    for (const KeySpec& setting : spec.settings) {
      text += fmt::format("  {:<16} {}\n", setting.name + "=", setting.help);
    }
  }
  text += "\nOptions:\n";
  for (const Flag& flag : all_flags(spec)) {
    std::string name = flag.short_name.empty() ? flag.name : flag.short_name + ", " + flag.name;
    if (!flag.value.empty()) name += " " + flag.value;
    text += fmt::format("  {:<22} {}\n", name, flag.help);
  }
  text += "\nExamples:\n";
  for (const std::string& example : spec.examples) text += "  " + example + "\n";
  return text;
}

std::string Arguments::flag(const std::string& name, const std::string& fallback) const {
  const auto found = flags.find(name);
  return found == flags.end() ? fallback : found->second;
}

std::string Arguments::setting(const std::string& name, const std::string& fallback) const {
  const auto found = settings.find(name);
  return found == settings.end() ? fallback : found->second;
}

std::int64_t Arguments::integer(const std::string& name, std::int64_t fallback) const {
  const auto found = settings.find(name);
  return found == settings.end() ? fallback : parse_integer(found->second, name);
}

double Arguments::real(const std::string& name, double fallback) const {
  const auto found = settings.find(name);
  return found == settings.end() ? fallback : parse_real(found->second, name);
}

std::vector<std::string> Arguments::list(const std::string& name) const { return split_list(setting(name)); }

std::vector<std::string> split_list(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  return split_text(text, ',');
}

std::int64_t parse_integer(std::string_view text, std::string_view what) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) {
    throw ConfigError("{}: '{}' is not a whole number", what, text);
  }
  return value;
}

double parse_real(std::string_view text, std::string_view what) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) {
    throw ConfigError("{}: '{}' is not a number", what, text);
  }
  return value;
}

std::vector<std::string> split_text(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace moelab::experiments
