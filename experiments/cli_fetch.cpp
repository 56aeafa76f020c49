// moelab fetch: brings a published model into the hub's cache through the hub's own command line.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/cli.h"
#include "experiments/hub_cache.h"
#include "experiments/hub_download.h"
#include "experiments/model_files.h"
#include "experiments/model_place.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

std::vector<std::string> download_words(const ModelPlace& place) {
  std::vector<std::string> words = {"download", place.hub_id, "--revision", place.revision};
  for (const std::string& pattern : place.files) {
    words.emplace_back("--include");
    words.push_back(pattern);
  }
  return words;
}

// A word as a shell reads it back.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "_-./:=@%+,";
  const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [&](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || kPlain.find(letter) != kPlain.npos;
  });
  if (is_plain) return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

int fetch(const Arguments& arguments) {
  const ModelPlace place = find_model(arguments, arguments.words[0]);
  if (place.hub_id.empty())
    throw ConfigError(
        "'{}' is a folder here, or has no hub_id: there is nothing to fetch; give an option of configs/model "
        "with one, or org/name",
        arguments.words[0]);
  const std::vector<std::string> words = download_words(place);
  std::string line = "hf";
  for (const std::string& word : words) line += " " + shell_word(word);
  fmt::print("{}\n", line);
  if (arguments.has("--dry-run")) return kExitDone;
  run_hf(words, "",
         "the same command goes on where it stopped. A model with terms to accept needs: hf auth login");
  const auto folder = cached_snapshot(hub_cache_directory(), place.hub_id, place.revision);
  if (!folder)
    throw Error("hf reported success, but {} is not in {}; is HF_HUB_CACHE the same for both?",
                place.described(), hub_cache_directory().string());
  const ModelFiles files = find_files(*folder);
  if (!files.missing.empty())
    throw Error("{} lacks {}: the patterns did not name them, or hf is older than 1.0", folder->string(),
                fmt::join(files.missing, ", "));
  fmt::print("{}\n", folder->string());
  return kExitDone;
}

}  // namespace

Verb verb_fetch() {
  VerbSpec spec;
  spec.name = "fetch";
  spec.summary = "fetch a published model with the hub's command line 'hf'";
  spec.usage = "MODEL [--dry-run]";
  spec.text =
      "MODEL is an option of configs/model or an id org/name of the Hugging Face hub. The files go to the "
      "hub's cache\n"
      "(HF_HUB_CACHE, HF_HOME or ~/.cache/huggingface), where every verb finds them by the same name. A "
      "download that was\n"
      "stopped goes on with the same command.";
  spec.flags = {{"--dry-run", "", "print the command and run nothing"}, config_dir_flag()};
  spec.words = {1, 1};
  spec.examples = {"moelab fetch gpt_oss_20b --dry-run",
                   "moelab fetch ibm-granite/granite-3.1-1b-a400m-instruct",
                   "moelab fetch phi_tiny && moelab inspect phi_tiny"};
  return {spec, fetch};
}

}  // namespace moelab::experiments
