// Composes YAML configs as Hydra does: defaults lists, config groups, overrides, interpolation and sweeps.
#pragma once

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace moelab::config {

class Repository;

// Where a value was written: a YAML file and its line, or "command line" and line 0.
struct Origin {
  std::string file;
  int line = 0;
};

// "configs/study/demo.yaml:12", or "command line".
std::string describe(const Origin& origin);

struct Composed {
  Json tree;                              // interpolations as written, until resolve() replaces them
  std::map<std::string, Origin> origins;  // by dotted key path; list elements as "axes.alpha.0"
  bool resolved = false;                  // resolve() has replaced every interpolation
  Json hydra = nullptr;                   // Hydra's own node, for ${hydra:...} and --cfg hydra
  std::time_t now = 0;                    // what ${now:...} reads; 0 for the time of resolve()
  std::vector<std::string> warnings{};    // search paths that are not there, and the like
};

struct ComposeOptions {
  bool with_origins = true;    // fill `origins`; a sweep whose first job has been checked goes faster without
  bool allow_missing = false;  // keep values left at ??? instead of reporting them, as Hydra's --cfg job does
  std::vector<std::string>* problems =
      nullptr;  // takes problems that leave a usable tree, instead of a throw
};

// One line of an expanded defaults list, in the order of merging.
struct DefaultsEntry {
  std::string config;      // "model/olmoe"
  std::string package;     // "" is the root
  int depth = 0;           // in the tree of defaults lists
  bool is_loaded = false;  // its content is merged here; not so for a file whose _self_ follows below
  bool is_self = false;    // the content of a file with a defaults list
  std::string note{};      // "optional, not there" and the like
};

// A search path of config directories; the first directory that holds a file wins. Every file is read once
// and kept, so composing thousands of jobs costs merging only. Copies share what has been read; compose() may
// be called from several threads.
class Tree {
 public:
  // Throws ConfigError when a directory does not exist.
  explicit Tree(std::vector<std::filesystem::path> directories);

  // Composes <config_name>.yaml with its defaults list and applies the overrides in their order. Throws one
  // ConfigError with all problems found, each with file:line, key path and the nearest valid key or option.
  Composed compose(const std::string& config_name, std::span<const std::string> overrides,
                   const ComposeOptions& options = {}) const;

  // The expanded defaults list of what compose() would merge. Throws as compose() does.
  std::vector<DefaultsEntry> defaults(const std::string& config_name,
                                      std::span<const std::string> overrides) const;

  // The sorted option names of a group over all directories; empty when there is no such group.
  std::vector<std::string> options(const std::string& group) const;

  // The sorted names of the groups directly inside a group ("" is the root).
  std::vector<std::string> groups(const std::string& group) const;

 private:
  std::shared_ptr<Repository> repository_;
};

// The jobs of a sweep, and the keys that vary.
struct Sweep {
  std::vector<std::string> key_paths;          // swept keys, in the order of their first override
  std::vector<std::vector<std::string>> jobs;  // every job's overrides
};

struct SweepOptions {
  std::size_t max_jobs = 1'000'000;  // more are an error
  const Tree* tree = nullptr;        // whose groups glob() looks into
};

// Splits sweeps (a=1,2 b=range(3)) into jobs: the last swept key varies fastest, and a repeated key keeps its
// first place with its last value, as in Hydra's basic sweeper. Values are written anew ("[1, 2]" becomes
// "[1,2]"). shuffle() draws the same order for the same text every time. Throws ConfigError on overrides that
// cannot be parsed, on intervals and above `max_jobs` jobs.
Sweep split_sweep(std::span<const std::string> overrides, const SweepOptions& options = {});

// The jobs of split_sweep().
std::vector<std::vector<std::string>> expand_sweep(std::span<const std::string> overrides);

struct ParsedOverride {
  enum class Kind { set, add, force_add, remove, extend };  // key=, +key=, ++key=, ~key, key=extend_list()
  enum class Sweep { none, choice, range, interval, glob };
  Kind kind = Kind::set;
  std::string key;           // dotted key path, or a group such as "model" or "db/engine"
  std::string package;       // of group@package, else empty
  std::vector<Json> values;  // one, or all of a sweep; start and end of an interval; none for ~key and glob()
  bool is_sweep = false;
  Sweep sweep = Sweep::none;
  std::vector<std::string> tags{};                // of tag(), sorted
  std::vector<std::string> include{}, exclude{};  // patterns of glob()
  std::string text;                               // the override as given
  std::vector<std::string> value_texts;           // each value as it is written in an override of its own
};

// Parses one override by Hydra's grammar: "axes.alpha=1.5,3" has the key "axes.alpha" and the values 1.5
// and 3. Throws ConfigError that shows where the text stops making sense.
ParsedOverride parse_override(std::string_view text);

// Replaces every interpolation (${a.b}, ${.sibling}, ${oc.env:NAME,default}) by its value. Throws one
// ConfigError with all that cannot be resolved: unknown key, cycle, unset variable without a default. ???
// stays as it is.
void resolve(Json& tree);

// The same for a composed config; problems name the file and line too.
void resolve(Composed& composed);

// The value at `key_path` ("" is the root) with its interpolations replaced against the whole tree.
// Throws ConfigError when the key does not exist or an interpolation cannot be resolved.
Json resolved_at(const Composed& composed, const std::string& key_path);

// The value at a dotted key path ("axes.alpha.0"), or null pointer; no interpolation is followed.
const Json* find_key(const Json& tree, std::string_view key_path);

// Block-style YAML that this library and OmegaConf read back as the same tree.
std::string to_yaml(const Json& tree);

}  // namespace moelab::config
