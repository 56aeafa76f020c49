#include "experiments/completion.h"

#include <algorithm>

#include "core/config/view.h"
#include "experiments/cli.h"
#include "experiments/config_view.h"

namespace moelab::experiments {

namespace {

// bash breaks words at '=', so what stands before it is cut from the candidates again.
constexpr const char* kBash = R"(_moelab() {
  local line=${COMP_LINE:0:COMP_POINT} word cut candidate
  word=${line##* }
  cut=
  if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then cut=${word%"${word##*=}"}; fi
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("${candidate#"$cut"}")
  done < <("${COMP_WORDS[0]}" --complete "$line" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _moelab moelab
)";

constexpr const char* kZsh = R"(#compdef moelab
_moelab() {
  local -a candidates
  candidates=("${(@f)$(${words[1]} --complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
  candidates=(${candidates:#})
  compadd -Q -S '' -- ${(M)candidates:#*[=./]}
  compadd -Q -- ${candidates:#*[=./]}
}
compdef _moelab moelab
)";

std::vector<std::string> override_words(const Arguments& arguments, const std::string& word) {
  return config::complete(config::Tree(tree_directories(arguments)), config_name(arguments), word);
}

// The flags among the words that say which configs are meant; anything else is left alone.
Arguments config_place(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == "--config-dir" || words[i] == "--config-name") arguments.flags[words[i]] = words[i + 1];
  }
  return arguments;
}

std::vector<std::string> verb_words(const VerbSpec& spec, const std::vector<std::string>& words) {
  const std::string& word = words.back();
  std::vector<std::string> found;
  if (word.starts_with("-")) {
    for (const Flag& flag : spec.flags) found.push_back(flag.name);
    found.emplace_back("--help");
    return found;
  }
  for (const KeySpec& setting : spec.settings) found.push_back(setting.name + "=");
  if (!spec.takes_overrides) return found;
  for (std::string& candidate : override_words(config_place(words), word))
    found.push_back(std::move(candidate));
  return found;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  throw ConfigError("completion is there for bash and zsh, not for '{}'", shell);
}

std::vector<std::string> completions(const std::string& line) {
  const bool is_new_word = line.empty() || line.back() == ' ';
  std::vector<std::string> words = split_text(line, ' ');
  std::erase(words, "");
  if (is_new_word) words.emplace_back();
  std::vector<std::string> found;
  try {
    for (const Verb& verb : verbs()) {
      if (words.size() == 2) found.push_back(verb.spec.name);
      if (words.size() > 2 && verb.spec.name == words[1]) found = verb_words(verb.spec, words);
    }
  } catch (const Error&) {
    return {};
  }
  std::erase_if(found, [&](const std::string& candidate) { return !candidate.starts_with(words.back()); });
  return found;
}

}  // namespace moelab::experiments
