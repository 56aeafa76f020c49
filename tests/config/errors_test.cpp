// What a user reads when a config is wrong, and inputs that must not hurt the program.
#include <fstream>

#include "core/config/config.h"
#include "core/config/view.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

namespace {

using moelab::ConfigError;
using moelab::Json;
using moelab::testing::ScratchDir;
using namespace moelab::config;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

class Files {
 public:
  explicit Files(const std::map<std::string, std::string>& texts) {
    for (const auto& [name, text] : texts) {
      fs::create_directories((scratch_ / name).parent_path());
      std::ofstream(scratch_ / name) << text;
    }
  }
  // A tree of config.yaml alone.
  explicit Files(const std::string& text)
      : Files(std::map<std::string, std::string>{{"config.yaml", text}}) {}

  const fs::path& path() const { return scratch_.path(); }

  Composed compose(std::vector<std::string> overrides = {}, const std::string& name = "config") const {
    return Tree({scratch_.path()}).compose(name, overrides);
  }
  std::string problem(std::vector<std::string> overrides = {}, const std::string& name = "config") const {
    try {
      compose(std::move(overrides), name);
    } catch (const ConfigError& problem) {
      return problem.what();
    }
    return "";
  }

 private:
  ScratchDir scratch_;
};

const std::map<std::string, std::string> small_tree{
    {"config.yaml",
     "defaults:\n  - model: olmoe\n  - _self_\nseed: 1\naxes:\n  alpha: [1, 2]\n  mode: shift\n"},
    {"model/olmoe.yaml", "name: olmoe\nlayers: 16\n"},
    {"model/qwen.yaml", "name: qwen\nlayers: 48\n"},
};

TEST_CASE("A key that does not exist names the nearest key and the way to add it", "[config]") {
  const Files files(small_tree);
  CHECK_THAT(files.problem({"axes.alfa=1"}), ContainsSubstring("'axes.alfa=1'"));
  CHECK_THAT(files.problem({"axes.alfa=1"}),
             ContainsSubstring("did you mean 'axes.alpha'? (to add it: +axes.alfa=1)"));
  CHECK_THAT(files.problem({"modell=qwen"}), ContainsSubstring("did you mean 'model'?"));
}

TEST_CASE("A missing option lists the options of its group, nearest first", "[config]") {
  const Files files(small_tree);
  CHECK_THAT(files.problem({"model=quen"}), ContainsSubstring("there is no config 'model/quen'"));
  CHECK_THAT(files.problem({"model=quen"}), ContainsSubstring("nearest first: qwen, olmoe"));
  CHECK_THAT(files.problem({"model=olmo"}), ContainsSubstring("nearest first: olmoe, qwen"));
  CHECK(Tree({files.path()}).options("model") == std::vector<std::string>{"olmoe", "qwen"});
  CHECK(Tree({files.path()}).options("nothing").empty());
}

TEST_CASE("All problems are told at once, each on lines of its own", "[config]") {
  const Files files(small_tree);
  const std::string values = files.problem({"nope=1", "axes.mod=2", "~absent"});
  CHECK_THAT(values, ContainsSubstring("3 problems"));
  CHECK_THAT(values, ContainsSubstring("'nope=1'"));
  CHECK_THAT(values, ContainsSubstring("did you mean 'axes.mode'?"));
  const std::string early = files.problem({"a=[", "model=quen", "b c=1"});
  CHECK_THAT(early, ContainsSubstring("3 problems"));
  CHECK_THAT(early, ContainsSubstring("the override 'a=[' cannot be read"));
}

TEST_CASE("Every value knows the file and line it came from, or the command line", "[config]") {
  const Files files(small_tree);
  const Composed composed = files.compose({"axes.mode=weight", "+axes.new.key=[1]"});
  CHECK(composed.origins.at("model.layers").file == (files.path() / "model/olmoe.yaml").string());
  CHECK(composed.origins.at("model.layers").line == 2);
  CHECK(composed.origins.at("seed").line == 4);
  CHECK(composed.origins.at("axes.alpha.1").line == 6);
  CHECK(describe(composed.origins.at("axes.mode")) == "command line");
  CHECK(describe(composed.origins.at("axes.new.key.0")) == "command line");
  CHECK(Tree({files.path()}).compose("config", {}, {.with_origins = false}).origins.empty());
  CHECK(describe(composed.origins.at("seed")) == (files.path() / "config.yaml").string() + ":4");
}

TEST_CASE("Duplicate keys, tabs, bad UTF-8 and syntax errors name file and line", "[config]") {
  CHECK_THAT(Files("a: 1\nb:\n  c: 1\n  c: 2\n").problem(),
             ContainsSubstring("config.yaml:4: the key 'c' stands twice in one mapping (first at line 3)"));
  CHECK_THAT(Files("a: 1\nb: \xff\n").problem(), ContainsSubstring("config.yaml:2: the file is not UTF-8"));
  CHECK_THAT(Files("a:\n\tb: 1\n").problem(), ContainsSubstring("config.yaml:2"));
  CHECK_THAT(Files("a: 1\nb: [1\n").problem(), ContainsSubstring("config.yaml:"));
  CHECK_THAT(Files("a: 1\nb: 99999999999999999999\n").problem(),
             ContainsSubstring("config.yaml:2: the integer 99999999999999999999 does not fit into 64 bits"));
  CHECK_THAT(Files("a: ${b\n").problem(), ContainsSubstring("config.yaml:1: the interpolation"));
}

TEST_CASE("All problems of all files are told together", "[config]") {
  const Files files(
      std::map<std::string, std::string>{{"config.yaml", "defaults:\n  - one\n  - two\na: 1\n"},
                                         {"one.yaml", "a: ${x\nb: 1\nb: 2\nc: 99999999999999999999\n"},
                                         {"two.yaml", "d: 1\nd: 2\ne: [1\n"}});
  const std::string problem = files.problem({"f=["});
  CHECK_THAT(problem, ContainsSubstring("6 problems"));
  CHECK_THAT(problem, ContainsSubstring("one.yaml:1: the interpolation"));
  CHECK_THAT(problem, ContainsSubstring("one.yaml:3: the key 'b' stands twice"));
  CHECK_THAT(problem, ContainsSubstring("one.yaml:4: the integer"));
  CHECK_THAT(problem, ContainsSubstring("two.yaml:2: the key 'd' stands twice"));
  CHECK_THAT(problem, ContainsSubstring("two.yaml:4: "));
  CHECK_THAT(problem, ContainsSubstring("'f=['"));
}

TEST_CASE("Words are completed from groups, options and keys", "[config]") {
  const Files files(small_tree);
  const Tree tree({files.path()});
  CHECK(complete(tree, "config", "mo") == std::vector<std::string>{"model.", "model="});
  CHECK(complete(tree, "config", "model=q") == std::vector<std::string>{"model=qwen"});
  CHECK(complete(tree, "config", "axes.a") == std::vector<std::string>{"axes.alpha="});
  CHECK(complete(tree, "config", "~se") == std::vector<std::string>{"~seed="});
  CHECK(complete(tree, "config", "seed=") == std::vector<std::string>{"seed=1"});
  CHECK(complete(tree, "absent", "mo") == std::vector<std::string>{"model="});
}

TEST_CASE("A config is shown whole or in part, as YAML, JSON or with origins", "[config]") {
  const Files files("a: ${b}\nb: {c: 1}\nhydra: {job: {name: mine}, run: {dir: 'out/${b.c}'}}\n");
  const Composed composed = files.compose();
  CHECK(view(composed, {}) == "a: ${b}\nb:\n  c: 1\n");
  CHECK(view(composed, {.resolve = true, .json = true}) == "{\"a\":{\"c\":1},\"b\":{\"c\":1}}\n");
  CHECK(view(composed, {.package = "b"}) == "# @package b\nc: 1\n");
  CHECK_THAT(view(composed, {.origins = true}),
             ContainsSubstring("b.c = 1") && ContainsSubstring("config.yaml:2"));
  CHECK_THAT(view(composed, {.part = ConfigPart::hydra, .package = "hydra.run"}),
             ContainsSubstring("dir: out/${b.c}"));
  Composed whole = composed;
  whole.hydra["job"]["id"] = whole.hydra["job"]["num"] = 0;
  CHECK_THAT(view(whole, {.part = ConfigPart::all, .resolve = true}), ContainsSubstring("dir: out/1\n"));
  CHECK_THROWS_WITH(view(composed, {.package = "x"}), ContainsSubstring("no key 'x'"));
  CHECK_THROWS_AS(parse_part("everything"), ConfigError);
}

TEST_CASE("The sweep of a tree starts with its own parameters", "[config]") {
  const Files files("a: 1\nb: 1\nhydra: {sweeper: {params: {a: '1,2', b: 5}}}\n");
  const Sweep sweep = sweep_of(Tree({files.path()}), "config", std::vector<std::string>{"b=7,8"});
  CHECK(sweep.jobs == std::vector<std::vector<std::string>>{
                          {"a=1", "b=7"}, {"a=1", "b=8"}, {"a=2", "b=7"}, {"a=2", "b=8"}});
}

TEST_CASE("Alias bombs, deep nesting and long values stop at a bound", "[config]") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  CHECK_THAT(Files(bomb).problem(), ContainsSubstring("more than 200000 values"));
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  CHECK(Files({{"config.yaml", "a: " + deep + "\n"}}).problem() != "");
  CHECK_THAT(Files("a: 1\n").problem({"a=" + deep}), ContainsSubstring("nested deeper"));
  CHECK_THAT(Files("a: &a [*a]\n").problem(), ContainsSubstring("config.yaml:1"));
}

TEST_CASE("Interpolations that multiply stop at a bound", "[config]") {
  std::string yaml = "a0: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "'${a" + std::to_string(i - 1) + "}'";
    yaml += "a" + std::to_string(i) + ": [" + before;
    for (int k = 0; k < 9; ++k) yaml += ", " + before;
    yaml += "]\n";
  }
  Composed composed = Files(yaml).compose();
  CHECK_THROWS_WITH(resolve(composed), ContainsSubstring("more than 1000000 values"));
}

TEST_CASE("Directories, unreadable files and wrong search paths are clear errors", "[config]") {
  const Files files(small_tree);
  CHECK_THAT(files.problem({}, "model"), ContainsSubstring("('model' is a directory)"));
  CHECK_THAT(files.problem({}, "confg"), ContainsSubstring("did you mean 'config'?"));
  fs::create_directories(files.path() / "folder.yaml");
  CHECK_THAT(files.problem({}, "folder"), ContainsSubstring("is a directory"));
  CHECK_THROWS_WITH(Tree({files.path() / "absent"}), ContainsSubstring("does not exist"));
  CHECK_THROWS_AS(Tree({}), ConfigError);
}

TEST_CASE("Circles in defaults lists and in interpolations show their way", "[config]") {
  CHECK_THAT(Files(std::map<std::string, std::string>{{"config.yaml", "defaults:\n  - other\n"},
                                                      {"other.yaml", "defaults:\n  - config\n"}})
                 .problem(),
             ContainsSubstring("go in a circle: config -> other -> config"));
  Composed composed = Files("a: ${b}\nb: ${a}\n").compose();
  CHECK_THROWS_WITH(resolve(composed),
                    ContainsSubstring("config.yaml:1: 'a': the interpolations go in a circle: a -> b -> a"));
}

TEST_CASE("A group without a choice lists its options", "[config]") {
  std::map<std::string, std::string> tree = small_tree;
  tree["config.yaml"] = "defaults:\n  - model: ???\n";
  CHECK_THAT(Files(tree).problem(),
             ContainsSubstring("config.yaml:2: the group 'model' needs a choice: model=OPTION"));
  CHECK_THAT(Files(tree).problem(), ContainsSubstring("one of olmoe, qwen"));
}

TEST_CASE("A mandatory value names its place until it is given", "[config]") {
  const Files files("a: 1\nb:\n  c: ???\n");
  CHECK_THAT(files.problem(), ContainsSubstring("config.yaml:3: 'b.c' must be given: b.c=VALUE"));
  CHECK(files.compose({"b.c=5"}).tree["b"]["c"] == 5);
}

TEST_CASE("An unknown function or resolver lists the known ones, nearest first", "[config]") {
  const Files files(small_tree);
  CHECK_THAT(files.problem({"seed=rnage(3)"}),
             ContainsSubstring("no function 'rnage'; nearest first: range"));
  Composed composed = Files("a: ${oc.evn:HOME}\n").compose();
  CHECK_THROWS_WITH(resolve(composed), ContainsSubstring("config.yaml:1: 'a'"));
  CHECK_THROWS_WITH(resolve(composed), ContainsSubstring("no resolver 'oc.evn'; nearest first: oc.env"));
}

TEST_CASE("Hydra's own node is read and does not appear in the job's config", "[config]") {
  const Composed composed = Files("hydra: {job: {name: mine}}\nx: 1\n").compose({"hydra.run.dir=out", "x=2"});
  CHECK(composed.tree.dump() == R"({"x":2})");
  CHECK(composed.hydra["job"]["name"] == "mine");
  CHECK(composed.hydra["run"]["dir"] == "out");
  CHECK(composed.hydra["overrides"].dump() == R"({"hydra":["hydra.run.dir=out"],"task":["x=2"]})");
}

TEST_CASE("shuffle() draws an order of its own from its text, the same one every time", "[config]") {
  const std::vector<std::string> twelve{"a=shuffle(range(12))"};
  const auto jobs = expand_sweep(twelve);
  CHECK(jobs == expand_sweep(twelve));
  CHECK(jobs != expand_sweep(std::vector<std::string>{"a=range(12)"}));
  auto sorted = jobs;
  auto plain = expand_sweep(std::vector<std::string>{"a=range(12)"});
  std::sort(sorted.begin(), sorted.end());
  std::sort(plain.begin(), plain.end());
  CHECK(sorted == plain);
  const Json list = parse_override("a=shuffle([1,2,3,4,5,6,7,8])").values[0];
  CHECK(list != Json::parse("[1,2,3,4,5,6,7,8]"));
  CHECK(list == parse_override("b=shuffle([1,2,3,4,5,6,7,8])").values[0]);
  CHECK(list.size() == 8);
}

TEST_CASE("Several values in a single composition ask for a sweep, and sweeps are bounded", "[config]") {
  CHECK_THAT(Files(small_tree).problem({"seed=1,2"}), ContainsSubstring("that is a sweep"));
  const std::vector<std::string> many{"a=1,2,3", "b=1,2,3", "c=1,2,3"};
  CHECK(split_sweep(many, {.max_jobs = 27}).jobs.size() == 27);
  CHECK_THROWS_WITH(split_sweep(many, {.max_jobs = 26}), ContainsSubstring("more than 26 jobs"));
  CHECK(split_sweep(std::vector<std::string>{"x=5", "b=1,2", "a=1,2"}).key_paths ==
        std::vector<std::string>{"b", "a"});
}

TEST_CASE("A composed tree written as YAML composes to the same tree again", "[config]") {
  const Json tree = Json::parse(
      R"({"a": "two\nlines\n", "b": "tab\t\"q\" \\", "c": ["", " x", "- y", "a: b", "#c", "1:30", "0x1F", "~"],
    "d": [[1, [2.5, -0.0]], {"k": {"yes": "no"}}, [], {}], "e": 1e300, "f": 9223372036854775807, "g": "\u00e9 'x'", "h": "a\rb\u0001",
    "i": "1e3", "j": "=", "k": "<<", "l": "2024-01-01", "m": "*x", "n": "x: ", "o": "---", "p": "? x", "q": "null", "": 1, "1": "int key"})");
  const Files files(to_yaml(tree));
  CHECK(files.compose().tree.dump() == tree.dump());
}

}  // namespace
