// moelab data: figures of a set's files, and fetching with a stand-in for the `hf` command.
#include <cstdlib>
#include <fstream>

#include "tests/cli/run_binary.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string set_path(const std::string& name) { return (data_dir() / "sets" / name).string(); }

// Puts a folder before all others in PATH while it lives.
class PathBefore {
 public:
  explicit PathBefore(const std::string& folder) : before_(std::getenv("PATH")) {
    ::setenv("PATH", (folder + ":" + before_).c_str(), 1);
  }
  ~PathBefore() { ::setenv("PATH", before_.c_str(), 1); }
  PathBefore(const PathBefore&) = delete;
  PathBefore& operator=(const PathBefore&) = delete;

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("data check prints figures and no question", "[cli]") {
  const ProgramResult gpqa = run_moelab({"data", "check", set_path("gpqa.csv")});
  CHECK(gpqa.status == 0);
  CHECK_THAT(gpqa.out, ContainsSubstring("Idavidrein/gpqa") && ContainsSubstring("questions   14"));
  CHECK_THAT(gpqa.out, !ContainsSubstring("enzyme"));  // a word of nearly every made-up question
  const ProgramResult aime = run_moelab({"data", "check", set_path("opencompass.jsonl")});
  CHECK_THAT(aime.out, ContainsSubstring("opencompass/AIME2025") && ContainsSubstring("integers from"));
  const ProgramResult wrong = run_moelab({"data", "check", set_path("tables.json")});
  CHECK(wrong.status == 1);
  CHECK_THAT(wrong.err, ContainsSubstring("tables.json"));
}

TEST_CASE("data fetch calls hf with the set's files and checks what came", "[cli]") {
  const ScratchDir folder;
  {
    std::ofstream program(folder / "hf");
    program << "#!/bin/sh\necho \"$@\" > " << (folder / "words").string() << "\nmkdir -p "
            << (folder / "to").string() << "\ncp " << set_path("gpqa.csv") << " " << (folder / "to").string()
            << "/gpqa_diamond.csv\n";
  }
  std::filesystem::permissions(folder / "hf", std::filesystem::perms::owner_all);
  const PathBefore path(folder.path().string());
  const ProgramResult fetched =
      run_moelab({"data", "fetch", "gpqa_diamond", "to=" + (folder / "to").string()});
  CHECK(fetched.status == 0);
  CHECK(read_text(folder / "words") == "download Idavidrein/gpqa --repo-type dataset --local-dir " +
                                           (folder / "to").string() + " --include gpqa_diamond.csv\n");
  CHECK_THAT(fetched.out, ContainsSubstring("questions   14"));
  std::ofstream(folder / "hf") << "#!/bin/sh\nexit 3\n";
  const ProgramResult failed = run_moelab({"data", "fetch", "mmlu_pro", "to=" + (folder / "to").string()});
  CHECK(failed.status == 1);
  CHECK_THAT(failed.err, ContainsSubstring("status 3"));
  const ProgramResult unknown = run_moelab({"data", "fetch", "mmlu_por"});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("mmlu_pro"));
}
