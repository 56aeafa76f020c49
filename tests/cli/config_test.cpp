// moelab config, completion and run's checks of a configuration, as a user calls them.
#include <boost/process.hpp>
#include <iterator>

#include "tests/cli/run_binary.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

// A tree as a Hydra user has it, with nothing of moelab's.
class ForeignTree {
 public:
  ForeignTree() {
    std::filesystem::create_directories(dir_ / "db");
    write_atomic(dir_ / "app.yaml",
                 "defaults:\n  - db: mysql\n  - override hydra/job_logging: disabled\n  - _self_\n"
                 "port: 80\nurl: ${db.name}:${port}\nhydra:\n  run: {dir: out}\n");
    write_atomic(dir_ / "db" / "mysql.yaml", "name: mysql\n");
    write_atomic(dir_ / "db" / "sqlite.yaml", "name: sqlite\n");
  }

  ProgramResult config(std::vector<std::string> words) const {
    words.insert(words.begin(), {"config", "--config-dir", dir_.path().string(), "--config-name", "app"});
    return run_moelab(words);
  }
  std::string path() const { return dir_.path().string(); }

 private:
  ScratchDir dir_;
};

}  // namespace

TEST_CASE("config composes a foreign Hydra tree and leaves its references alone until --resolve", "[cli]") {
  const ForeignTree tree;
  CHECK(tree.config({"db=sqlite"}).out == "db:\n  name: sqlite\nport: 80\nurl: ${db.name}:${port}\n");
  CHECK(tree.config({"--resolve", "--json"}).out == R"({"db":{"name":"mysql"},"port":80,"url":"mysql:80"})"
                                                    "\n");
  CHECK(tree.config({"--package", "db"}).out == "# @package db\nname: mysql\n");
  CHECK_THAT(tree.config({"--cfg", "hydra"}).out, ContainsSubstring("  run:\n    dir: out\n"));
  CHECK(tree.config({"--cfg", "none"}).status == 2);
  CHECK(tree.config({"--defaults-tree"}).out == "app @ _global_\n  db/mysql @ db\n  _self_ @ _global_\n");
}

TEST_CASE("config -m prints every job of the sweep in the basic sweeper's order", "[cli]") {
  const ForeignTree tree;
  const ProgramResult jobs = tree.config({"db=mysql,sqlite", "port=range(1,3)", "-m"});
  CHECK_THAT(jobs.out, ContainsSubstring("# job 0: db=mysql port=1\n"));
  CHECK_THAT(jobs.out, ContainsSubstring("# job 1: db=mysql port=2\n"));
  CHECK_THAT(jobs.out, ContainsSubstring("# job 3: db=sqlite port=2\n"));
  const ProgramResult json = tree.config({"db=glob(*)", "-m", "--json", "--resolve"});
  CHECK(json.out ==
        "{\"db\":{\"name\":\"mysql\"},\"port\":80,\"url\":\"mysql:80\"}\n"
        "{\"db\":{\"name\":\"sqlite\"},\"port\":80,\"url\":\"sqlite:80\"}\n");
  const ProgramResult wrong = tree.config({"db=mysql,postgres", "-m"});
  CHECK(wrong.status == 2);
  CHECK(wrong.out == "");
  CHECK_THAT(wrong.err, ContainsSubstring("nearest first"));
}

TEST_CASE("completion offers verbs, options, groups, keys and values", "[cli]") {
  const ForeignTree tree;
  const auto words = [](const std::string& line) { return run_moelab({"--complete", line}).out; };
  const std::string place = "moelab config --config-dir " + tree.path() + " --config-name app ";
  CHECK(words("moelab con") == "config\n");
  CHECK_THAT(words("moelab config --or"), ContainsSubstring("--origin\n"));
  CHECK(words(place + "db=s") == "db=sqlite\n");
  CHECK_THAT(words(place + "d"), ContainsSubstring("db=\n"));
  CHECK(words(place + "db.") == "db.name=\n");
  CHECK(words(place + "po") == "port=\n");
  CHECK_THAT(run_moelab({"completion", "bash"}).out, ContainsSubstring("complete -F _moelab moelab"));
  CHECK_THAT(run_moelab({"completion", "zsh"}).out, ContainsSubstring("#compdef moelab"));
  CHECK(run_moelab({"completion", "fish"}).status == 2);
}

TEST_CASE("no Python runs: a python3 in front of PATH is never started", "[cli]") {
  const ForeignTree tree;
  const ScratchDir bin;
  const std::filesystem::path mark = bin / "was-started";
  write_atomic(bin / "python3", "#!/bin/sh\ntouch " + mark.string() + "\n");
  std::filesystem::permissions(bin / "python3", std::filesystem::perms::owner_all);
  boost::process::environment environment = boost::this_process::environment();
  environment["PATH"] = bin.path().string();
  boost::process::ipstream out;
  boost::process::child child(binary(),
                              boost::process::args({"config", "--config-dir", tree.path(), "--config-name",
                                                    "app", "port=81", "--resolve"}),
                              environment, boost::process::std_out > out);
  const std::string text{std::istreambuf_iterator<char>(out), {}};
  child.wait();
  CHECK(child.exit_code() == 0);
  CHECK_THAT(text, ContainsSubstring("url: mysql:81"));
  CHECK(!std::filesystem::exists(mark));
}

TEST_CASE("run tells wrong overrides and wrong values together, and refuses a grid that is too large",
          "[cli]") {
  const ProgramResult both =
      run_moelab({"run", "study=demo", "axes.alhpa=[3]", "split.folds=1", "--dry-run"});
  CHECK(both.status == 2);
  CHECK_THAT(both.err, ContainsSubstring("did you mean 'axes.alpha'?") && ContainsSubstring("split.folds"));
  const ProgramResult large = run_moelab({"run", "study=demo", "limits.cells=10", "--dry-run"});
  CHECK(large.status == 2);
  CHECK_THAT(large.err, ContainsSubstring("10 are allowed; if you mean it, add limits.cells="));
  const ProgramResult shown = run_moelab({"run", "study=demo", "--cfg", "job"});
  CHECK(shown.status == 0);
  CHECK_THAT(shown.out, ContainsSubstring("name: demo\n"));
}
