// The words of a command line: what a verb takes, reading it, and the help text that says so.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace moelab::experiments {

// An option that starts with dashes.
struct Flag {
  std::string name;          // "--format"
  std::string value;         // placeholder of its value, "" for a switch
  std::string help;          // one line
  std::string short_name{};  // "-m", "" for none
};

// A key=value of a verb that composes no configuration.
struct KeySpec {
  std::string name;
  std::string help;
};

// What a verb takes; its help is made from this.
struct VerbSpec {
  std::string name;
  std::string summary;              // one line, for the list of verbs
  std::string usage;                // what follows "moelab NAME"
  std::string text;                 // a paragraph
  std::vector<KeySpec> settings{};  // the key=value pairs that are known
  bool takes_overrides = false;     // any key=value: an override of the configuration
  std::vector<Flag> flags{};
  std::pair<int, int> words = {0, 0};  // fewest and most words that are neither
  std::vector<std::string> examples{};
};

struct Arguments {
  std::vector<std::string> words;
  std::vector<std::string> overrides;           // key=value in their order, when the verb takes overrides
  std::map<std::string, std::string> settings;  // key=value otherwise
  std::map<std::string, std::string> flags;     // by long name; "" for switches
  bool wants_help = false;

  bool has(const std::string& flag) const { return flags.contains(flag); }
  std::string flag(const std::string& name, const std::string& fallback) const;
  std::string setting(const std::string& name, const std::string& fallback = "") const;
  // Throws ConfigError when the text is no number of that kind.
  std::int64_t integer(const std::string& name, std::int64_t fallback) const;
  double real(const std::string& name, double fallback) const;
  // See split_list; empty when not given.
  std::vector<std::string> list(const std::string& name) const;
};

// Reads the words behind the verb. Whatever follows "--" is a plain word. Throws ConfigError naming the word
// and the nearest one that is known.
Arguments parse_arguments(const VerbSpec& spec, std::span<const std::string> words);

// The text of `moelab VERB --help`; it ends in the examples.
std::string help_text(const VerbSpec& spec);

// The whole text as a number. Throws ConfigError naming `what`.
std::int64_t parse_integer(std::string_view text, std::string_view what);
double parse_real(std::string_view text, std::string_view what);

// The parts between the separators, spaces around them cut; no parts for "".
std::vector<std::string> split_text(std::string_view text, char separator);

// "a,b", or "[a,b]" as a study's config writes lists.
std::vector<std::string> split_list(std::string_view text);

}  // namespace moelab::experiments
