#include "core/config/defaults.h"

#include <algorithm>
#include <set>

#include "core/config/choice.h"
#include "core/config/group_overrides.h"
#include "core/config/hydra_node.h"
#include "core/config/interpolation.h"
#include "core/config/nearest.h"

namespace moelab::config {
namespace {

constexpr std::size_t max_parts = 10'000;

// A file with the items of its defaults list; `children` is empty for a file without such a list.
struct Branch {
  Choice choice;
  const Document* document = nullptr;
  std::vector<Branch> children{};
};

class Expander {
 public:
  Expander(Repository& repository, std::span<const ParsedOverride> overrides, Problems& problems)
      : repository_(repository), problems_(problems), overrides_(overrides, problems) {}

  Expansion run(const std::string& config_name) {
    Branch root;
    root.choice.path = config_name;
    expand(root, {.is_root = true});
    overrides_.report_unused(problems_);
    collect(root, 0);
    result_.choices = overrides_.choices();
    return std::move(result_);
  }

 private:
  struct Place {
    bool is_root = false;
    bool is_interpolated = false;  // below an item whose option was an interpolation
  };

  void note(const Choice& choice, std::string_view problem) {
    const std::string place = choice.origin.file.empty() ? "" : describe(choice.origin) + ": ";
    problems_.add(place + std::string(problem));
  }

  // Loads the file of a branch and expands its defaults list, the last item first: `override` items of later
  // files come before those of earlier ones, and interpolations after everything else.
  void expand(Branch& branch, Place place) {
    Choice& choice = branch.choice;
    if (++branches_ > max_parts)
      return note(choice, fmt::format("the defaults lists load more than {} files", max_parts));
    const bool has_name = !choice.is_group || choice.option.has_value();
    const bool is_open = has_name && choice.name() == "???";
    if (has_name && !is_open && !load(branch)) return;
    if (branch.document != nullptr) choice.set_header(branch.document->package);
    if (overrides_.deletes(choice)) {
      choice.deleted = true;
      return;
    }
    overrides_.note_choice(choice, problems_);
    if (!has_name) return;
    if (is_open) return note_open_choice(choice);
    if (branch.document == nullptr) {
      choice.deleted = choice.optional;
      if (!choice.optional) note_not_found(choice, place);
      return;
    }
    const std::string path = choice.config_path();
    if (std::find(chain_.begin(), chain_.end(), path) != chain_.end()) {
      std::string circle;
      for (const std::string& step : chain_) circle += step + " -> ";
      return note(choice, fmt::format("the defaults lists go in a circle: {}{}", circle, path));
    }
    chain_.push_back(path);
    expand_items(branch, place);
    chain_.pop_back();
  }

  bool load(Branch& branch) {
    try {
      branch.document = repository_.find(branch.choice.config_path());
      return true;
    } catch (const ConfigError& problem) {
      problems_.add_all(problem);
      return false;
    }
  }

  void expand_items(Branch& branch, Place place) {
    std::vector<Choice> items = read_items(branch, place);
    note_override_items(branch.choice, items, place);
    const std::string group = branch.choice.group_path(), package = branch.choice.final_package(true);
    std::vector<Branch> children;  // in reverse order
    for (auto item = items.rbegin(); item != items.rend(); ++item) {
      if (item->is_override && !is_hydras_file(*item)) continue;
      Branch child{.choice = *item};
      if (!item->is_self()) {
        child.choice.place(group, package);
        overrides_.apply(child.choice);
      }
      if (child.choice.has_list) {
        add_options(child.choice, children, place, group, package);
      } else {
        if (!item->is_self() && !child.choice.is_interpolation())
          expand(child, {.is_interpolated = place.is_interpolated});
        children.push_back(std::move(child));
      }
    }
    for (Branch& child : children) {
      if (child.choice.is_self() || !child.choice.is_interpolation()) continue;
      if (resolve_choice(child.choice)) expand(child, {.is_interpolated = true});
    }
    std::reverse(children.begin(), children.end());
    branch.children = std::move(children);
  }

  // The file's items with _self_ put last where it is missing, and the appended ones of the command line.
  std::vector<Choice> read_items(const Branch& branch, Place place) {
    std::vector<Choice> items;
    std::size_t selves = 0, plain = 0;
    for (const DefaultItem& item : branch.document->defaults) {
      items.push_back(make_choice(item, branch.document->file));
      selves += item.is_self() ? 1 : 0;
      plain += item.is_override ? 0 : 1;
      if (item.is_self() && selves > 1) note(items.back(), "_self_ stands twice in the defaults list");
    }
    const bool appends = place.is_root && !overrides_.appended().empty();
    const bool has_list = !branch.document->defaults.empty() || appends;
    if (has_list && selves == 0 && (plain > 0 || branch.document->defaults.empty())) {
      items.push_back({.path = "_self_"});
    }
    if (appends) items.insert(items.end(), overrides_.appended().begin(), overrides_.appended().end());
    return items;
  }

  void note_override_items(const Choice& parent, std::vector<Choice>& items, Place place) {
    const Choice* last_override = nullptr;
    for (Choice& item : items) {
      if (item.is_self()) continue;
      Choice placed = item;
      placed.place(parent.group_path(), parent.final_package(true));
      if (last_override != nullptr && !item.is_override && !item.is_appended) {
        note(item, fmt::format(
                       "'{}' stands behind 'override {}'; overrides must be at the end of the defaults list",
                       item.path, last_override->path));
      }
      if (!item.is_override) continue;
      last_override = &item;
      if (is_hydras_own(placed.group_path())) continue;
      if (place.is_interpolated) {
        note(item, "an override item is not allowed below a choice that is an interpolation");
        continue;
      }
      overrides_.add(placed);
    }
  }

  // A choice of Hydra's own (its launcher, its logging) is followed where the tree has a file for it; what
  // comes with Hydra itself or with its plug-ins is not here.
  bool is_hydras_file(const Choice& item) {
    if (item.has_list || !is_hydras_own(item.group_path())) return false;
    try {
      return repository_.find(item.config_path()) != nullptr;
    } catch (const ConfigError&) {
      return true;  // it is there and cannot be read, which is told when it is loaded
    }
  }

  void add_options(const Choice& list, std::vector<Branch>& children, Place place, const std::string& group,
                   const std::string& package) {
    for (auto option = list.options.rbegin(); option != list.options.rend(); ++option) {
      if (option->find("${") != std::string::npos) {
        note(list, "an interpolation inside a list of options is not supported");
        continue;
      }
      Branch child;
      child.choice = {.path = fmt::format("{}/{}", list.path, *option), .package = list.package};
      child.choice.optional = list.optional;
      child.choice.origin = list.origin;
      child.choice.place(group, package);
      expand(child, {.is_interpolated = place.is_interpolated});
      children.push_back(std::move(child));
    }
  }

  bool resolve_choice(Choice& choice) {
    const Json known = overrides_.choices();
    try {
      if (!choice.is_group && !choice.base_group.empty()) {
        throw ConfigError("an interpolated config path inside a group is not supported yet");
      }
      const Json value = Resolver(known).evaluate({"_"}, choice.is_group ? *choice.option : choice.path);
      if (!value.is_string()) throw ConfigError("the interpolation gives {}, not a name", value.dump());
      (choice.is_group ? choice.option.emplace() : choice.path) = value.get<std::string>();
      return true;
    } catch (const ConfigError& problem) {
      std::vector<std::string> keys;
      for (const auto& item : known.items()) keys.push_back(item.key());
      note(choice, fmt::format("{} (choices known here: {})", problem.what(), join_names(keys)));
      return false;
    }
  }

  void note_open_choice(const Choice& choice) {
    if (!choice.is_group) return note(choice, "??? is no config name");
    note(choice,
         fmt::format("the group '{}' needs a choice: {}=OPTION with OPTION one of {}", choice.group_path(),
                     choice.override_key(), join_names(repository_.options(choice.group_path()))));
  }

  void note_not_found(const Choice& choice, Place place) {
    const std::string path = choice.config_path(), group = choice.group_path();
    std::vector<std::string> options = nearest_first(choice.name(), repository_.options(group));
    std::string problem = fmt::format("there is no config '{}' in {}", path, repository_.search_path());
    if (repository_.has_group(path)) problem += fmt::format(" ('{}' is a directory)", path);
    if (!options.empty()) {
      problem += place.is_root
                     ? did_you_mean(path, options)
                     : fmt::format("; options of '{}', nearest first: {}", group, join_names(options));
    }
    note(choice, problem);
  }

  void collect(const Branch& branch, int depth) {
    if (branch.children.empty()) return add_part(branch, depth);
    result_.entries.push_back({.config = branch.choice.config_path(),
                               .package = branch.choice.final_package(true),
                               .depth = depth});
    for (const Branch& child : branch.children) {
      if (!child.choice.is_self()) {
        collect(child, depth + 1);
        continue;
      }
      result_.parts.push_back({branch.document, branch.choice.final_package(true)});
      result_.entries.push_back({.config = branch.choice.config_path(),
                                 .package = branch.choice.final_package(true),
                                 .depth = depth + 1,
                                 .is_loaded = true,
                                 .is_self = true});
    }
  }

  void add_part(const Branch& branch, int depth) {
    const Choice& choice = branch.choice;
    const bool is_loaded = !choice.deleted && branch.document != nullptr;
    DefaultsEntry entry{.config = choice.config_path(),
                        .package = choice.final_package(true),
                        .depth = depth,
                        .is_loaded = is_loaded};
    if (!is_loaded) entry.note = choice.is_group && !choice.option ? "no option chosen" : "left out";
    result_.entries.push_back(entry);
    if (!is_loaded) return;
    if (choice.is_group && !seen_.insert(choice.override_key()).second) {
      note(choice, fmt::format("the group '{}' is chosen more than once", choice.override_key()));
    }
    result_.parts.push_back({branch.document, entry.package});
  }

  Repository& repository_;
  Problems& problems_;
  GroupOverrides overrides_;
  std::vector<std::string> chain_;  // the files being expanded, to find circles
  std::set<std::string> seen_;
  Expansion result_;
  std::size_t branches_ = 0;
};

}  // namespace

Expansion expand_defaults(Repository& repository, const std::string& config_name,
                          std::span<const ParsedOverride> group_overrides, Problems& problems) {
  return Expander(repository, group_overrides, problems).run(config_name);
}

}  // namespace moelab::config
