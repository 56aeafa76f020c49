// moelab data: what a file of published questions holds, and fetching such files with the `hf` command.
#include <fmt/format.h>

#include <algorithm>

#include "core/config/nearest.h"
#include "evaluators/data/set_report.h"
#include "experiments/cli.h"
#include "experiments/hub_download.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

namespace fs = std::filesystem;

// A published set: where it lies and which of its files are wanted.
struct PublishedSet {
  const char* name;
  const char* repository;
  std::vector<std::string> files;  // patterns of `hf download --include`
};

const std::vector<PublishedSet>& published_sets() {
  static const std::vector<PublishedSet> all = {
      {"aime_2024", "HuggingFaceH4/aime_2024", {"*.parquet"}},
      {"aime_2024_maxwell_jia", "Maxwell-Jia/AIME_2024", {"*.parquet", "*.jsonl"}},
      {"aime_2025", "yentinglin/aime_2025", {"*.parquet", "*.jsonl"}},
      {"aime_2025_math_ai", "math-ai/aime25", {"*.parquet", "*.jsonl"}},
      {"aime_2025_opencompass", "opencompass/AIME2025", {"*.jsonl"}},
      {"gpqa_diamond", "Idavidrein/gpqa", {"gpqa_diamond.csv"}},
      {"gsm8k", "openai/gsm8k", {"main/*.parquet"}},
      {"mmlu", "cais/mmlu", {"all/*.parquet"}},
      {"mmlu_pro", "TIGER-Lab/MMLU-Pro", {"data/*.parquet"}},
  };
  return all;
}

const PublishedSet& find_published(const std::string& name) {
  std::vector<std::string> names;
  for (const PublishedSet& set : published_sets()) {
    if (set.name == name) return set;
    names.emplace_back(set.name);
  }
  throw ConfigError("there is no set '{}'{} valid: {}", name, config::did_you_mean(name, names),
                    config::join_names(names, names.size()));
}

bool is_table(const fs::path& path) {
  const std::string ending = path.extension().string();
  return ending == ".jsonl" || ending == ".json" || ending == ".csv" || ending == ".parquet";
}

// The file itself, or the files in a folder and below it, in order; hidden folders are left out.
std::vector<fs::path> table_files(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(path); entry != fs::recursive_directory_iterator();
       ++entry) {
    if (entry->path().filename().string().starts_with(".")) {
      if (entry->is_directory()) entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && is_table(entry->path())) {
      files.push_back(entry->path());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) throw FileError("{}: holds no .jsonl, .json, .csv or .parquet file", path.string());
  return files;
}

int check(const fs::path& path) {
  for (const fs::path& file : table_files(path)) {
    const data::SetReport report = data::report_on(data::read_question_set({&file, 1}));
    fmt::print("{}\n{}\n", file.string(), data::report_text(report));
  }
  return kExitDone;
}

int fetch(const std::string& name, const fs::path& folder) {
  const PublishedSet& set = find_published(name);
  std::vector<std::string> words = {"download", set.repository, "--repo-type",
                                    "dataset",  "--local-dir",  folder.string()};
  for (const std::string& pattern : set.files) words.insert(words.end(), {"--include", pattern});
  run_hf(words,
         fmt::format("or fetch {} of the data set {} by hand into {}",
                     config::join_names(set.files, set.files.size()), set.repository, folder.string()),
         "sets that ask for an agreement need 'hf auth login' first");
  return check(folder);
}

int run_data(const Arguments& arguments) {
  const std::string& action = arguments.words.at(0);
  if (action == "check") return check(find_path(arguments.words.at(1)));
  if (action != "fetch") throw ConfigError("moelab data: '{}' is neither check nor fetch", action);
  const std::string& name = arguments.words.at(1);
  return fetch(name, arguments.setting("to", (fs::path("data/benchmarks") / name).string()));
}

}  // namespace

Verb verb_data() {
  VerbSpec spec;
  spec.name = "data";
  spec.summary = "check a file of published questions, or fetch one";
  spec.usage = "check PATH | fetch NAME [to=FOLDER]";
  spec.text =
      "check reads a file, or every file in a folder, and prints which published set it is, its rows, "
      "domains,\n"
      "answers, options, near-duplicates and a digest: figures alone, no question. fetch calls the `hf` "
      "command\n"
      "for one of the sets and checks what came. Some sets ask for an agreement on their page first.";
  spec.settings = {{"to", "the folder for fetched files (default: data/benchmarks/NAME)"}};
  spec.words = {2, 2};
  spec.examples = {"moelab data check data/benchmarks/gpqa_diamond", "moelab data fetch mmlu_pro",
                   "moelab data fetch aime_2025 to=/scratch/aime_2025"};
  return {spec, run_data};
}

}  // namespace moelab::experiments
