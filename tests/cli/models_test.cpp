// moelab fetch, export, inspect and generate on models that are named by their id on the hub.
#include "core/base/json.h"
#include "tests/cli/generate_fixture.h"
#include "tests/support/catch.h"

using namespace moelab;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

// A world with a hub cache, a program `hf`, and configs of its own.
class HubFixture {
 public:
  HubFixture() : environment_(boost::this_process::environment()) {
    fs::create_directories(dir_ / "bin");
    fs::create_directories(dir_ / "configs/model");
    fs::create_directories(dir_ / "cache");
    environment_["PATH"] = (dir_ / "bin").string() + ":/usr/bin:/bin";
    environment_["HF_HUB_CACHE"] = (dir_ / "cache").string();
    write_atomic(dir_ / "configs/config.yaml", "name: tiny\n");
    write_atomic(dir_ / "configs/model/tiny.yaml",
                 "hub_id: org/tiny\nrevision: v1\nfiles: [config.json, 'tokenizer*', '*.safetensors']\n"
                 "sampling: {temperature: 0.7, top_p: 0.9}\n");
  }

  // A program that writes its words to a file, makes what `hf` would make, and ends with `status`.
  void install_hf(int status, const fs::path& source) {
    write_atomic(dir_ / "bin/hf", fmt::format("#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}/words\n"
                                              "echo Fetching 3 files; echo no luck >&2\n"
                                              "[ {1} = 0 ] || exit {1}\n"
                                              "m={0}/cache/models--org--tiny; mkdir -p $m/refs $m/snapshots\n"
                                              "printf abc > $m/refs/v1; cp -r {2} $m/snapshots/abc\n",
                                              dir_.path().string(), status, source.string()));
    fs::permissions(dir_ / "bin/hf", fs::perms::owner_all);
  }

  ProgramResult run(std::vector<std::string> words) const {
    words.insert(words.end(), {"--config-dir", (dir_ / "configs").string()});
    for (const char* name : {"out", "err"}) fs::remove(dir_ / name);  // a file is written over, not anew
    boost::process::child child(
        binary(), boost::process::args(words), environment_,
        boost::process::std_in<boost::process::null, boost::process::std_out>(dir_ / "out").string(),
        boost::process::std_err > (dir_ / "err").string());
    child.wait();
    return {child.exit_code(), read_text(dir_ / "out"), read_text(dir_ / "err")};
  }

  std::vector<std::string> hf_words() const { return read_lines(dir_ / "words"); }
  fs::path snapshot() const { return dir_ / "cache/models--org--tiny/snapshots/abc"; }
  fs::path operator/(const std::string& name) const { return dir_ / name; }

 private:
  ScratchDir dir_;
  boost::process::environment environment_;
};

}  // namespace

TEST_CASE("fetch calls hf with the option's id, revision and patterns, and names the folder", "[cli]") {
  HubFixture hub;
  hub.install_hf(0, mixed_model());
  const ProgramResult result = hub.run({"fetch", "tiny"});
  CHECK(result.status == 0);
  CHECK(hub.hf_words() == std::vector<std::string>{"download", "org/tiny", "--revision", "v1", "--include",
                                                   "config.json", "--include", "tokenizer*", "--include",
                                                   "*.safetensors"});
  CHECK(
      result.out ==
      fmt::format("hf download org/tiny --revision v1 --include config.json --include 'tokenizer*' --include "
                  "'*.safetensors'\nFetching 3 files\n{}\n",
                  hub.snapshot().string()));
  CHECK(result.err == "no luck\n");
}

TEST_CASE("fetch --dry-run prints the command and runs nothing", "[cli]") {
  const HubFixture hub;
  const ProgramResult option = hub.run({"fetch", "tiny", "--dry-run"});
  CHECK(option.status == 0);
  CHECK_THAT(option.out,
             Catch::Matchers::StartsWith("hf download org/tiny --revision v1 --include config.json"));
  const ProgramResult id = hub.run({"fetch", "else/other", "--dry-run"});
  CHECK(id.status == 0);
  CHECK_THAT(id.out, ContainsSubstring("hf download else/other --revision main --include config.json") &&
                         ContainsSubstring("'model*.safetensors*'"));
}

TEST_CASE("fetch says how to install hf, when hf failed, and when files are missing", "[cli]") {
  HubFixture hub;
  const ProgramResult none = hub.run({"fetch", "tiny"});
  CHECK(none.status == 1);
  CHECK_THAT(none.err, ContainsSubstring("'hf'") && ContainsSubstring("pip install -U huggingface_hub"));
  hub.install_hf(7, mixed_model());
  const ProgramResult failed = hub.run({"fetch", "tiny"});
  CHECK(failed.status == 1);
  CHECK_THAT(failed.err, ContainsSubstring("no luck") && ContainsSubstring("hf ended with status 7"));
  hub.install_hf(0, data_dir() / "model" / "olmoe_tiny");
  const ProgramResult part = hub.run({"fetch", "tiny"});
  CHECK(part.status == 1);
  CHECK_THAT(part.err, ContainsSubstring("lacks tokenizer.json"));
  const ProgramResult folder = hub.run({"fetch", mixed_model().string()});
  CHECK(folder.status == 2);
}

TEST_CASE("a model in the hub cache is found by its option and by its id", "[cli]") {
  HubFixture hub;
  const ProgramResult before = hub.run({"inspect", "org/tiny"});
  CHECK(before.status == 2);
  CHECK_THAT(before.err, ContainsSubstring("moelab fetch org/tiny"));
  hub.install_hf(0, mixed_model());
  REQUIRE(hub.run({"fetch", "tiny"}).status == 0);
  for (const char* name : {"tiny", "org/tiny"}) {
    const ProgramResult result = hub.run({"inspect", name, "--no-self-test"});
    CHECK(result.status == 0);
    CHECK_THAT(result.out,
               ContainsSubstring("directory        " + hub.snapshot().string() + "\n") &&
                   ContainsSubstring("published as     org/tiny at v1\n") &&
                   ContainsSubstring("sampling         temperature 0.7, top_p 0.9 (configs/model/tiny)"));
  }
}

TEST_CASE("generate draws as the option recommends, says so, and obeys the user", "[cli]") {
  HubFixture hub;
  hub.install_hf(0, mixed_model());
  REQUIRE(hub.run({"fetch", "tiny"}).status == 0);
  const std::vector<std::string> words = {"generate", "tiny", "--prompt", "Q: What", "max_new_tokens=12"};
  const auto with = [&](const std::vector<std::string>& more) {
    auto all = words;
    all.insert(all.end(), more.begin(), more.end());
    return hub.run(all);
  };
  const ProgramResult advised = with({"seed=3"});
  CHECK(advised.status == 0);
  CHECK_THAT(advised.err, ContainsSubstring("configs/model/tiny recommends: temperature 0.7, top_p 0.9"));
  const ProgramResult spelt = with({"seed=3", "temperature=0.7", "top_p=0.9"});
  CHECK(spelt.out == advised.out);
  CHECK(spelt.err.empty());
  const ProgramResult greedy = with({"greedy=true"});
  CHECK(greedy.err.empty());
  CHECK(greedy.out == generate({"--prompt", "Q: What", "max_new_tokens=12"}).out);
}

TEST_CASE("inspect says what runs where, which files are here, and how thinking is marked", "[cli]") {
  ModelCopy model;
  const auto inspect = [&] { return run_moelab({"inspect", model.path().string(), "--no-self-test"}).out; };
  const std::string plain = inspect();
  CHECK_THAT(plain, ContainsSubstring("GPUs             from 16 GB"));
  CHECK_THAT(plain, ContainsSubstring("files            config.json, tokenizer.json, tokenizer_config.json, "
                                      "generation_config.json, model.safetensors"));
  CHECK_THAT(plain, ContainsSubstring("not there        chat_template.jinja"));
  CHECK_THAT(plain, ContainsSubstring("thinking         <think> .. </think> (no chat template)"));
  CHECK_THAT(plain, ContainsSubstring("sampling         the likeliest token (generation_config.json)"));
  model.write("chat_template.jinja", "{{ messages[0].content }}<think>\n");
  CHECK_THAT(inspect(),
             ContainsSubstring("thinking         <think> .. </think>; opened by the chat template"));
  model.write("chat_template.jinja", "{{ messages[0].content }}<|channel|>");
  CHECK_THAT(inspect(), ContainsSubstring("thinking         channel 'analysis', answer in channel 'final'"));
  model.write("chat_template.jinja", "{{ broken");
  CHECK_THAT(inspect(),
             ContainsSubstring("thinking         <think> .. </think> (without --chat, because of ") &&
                 ContainsSubstring("chat_template.jinja:1:"));
}

TEST_CASE("inspect counts shards, and tests nothing where some are missing", "[cli]") {
  const ScratchDir dir;
  const fs::path model = dir / "model";
  fs::copy(data_dir() / "model" / "qwen3_moe_tiny", model);
  fs::remove(model / "model-00002-of-00002.safetensors");
  const ProgramResult result = run_moelab({"inspect", model.string()});
  CHECK(result.status == 0);
  CHECK_THAT(result.out, ContainsSubstring("1 of 2 shards"));
  CHECK_THAT(result.out,
             ContainsSubstring("missing          tokenizer.json, model-00002-of-00002.safetensors"));
  CHECK_THAT(result.out, ContainsSubstring("not here: no self-test"));
  // 3 layers x 2 heads x 16 x 2 x 2 bytes a token, 64 positions.
  CHECK_THAT(result.out,
             ContainsSubstring("0.8 KB a token in float32, 0.4 KB in bfloat16: 0.0 MB for 64 tokens"));
}

TEST_CASE("export writes a folder that generates the same, and refuses what it cannot do", "[cli]") {
  const ScratchDir dir;
  const fs::path out = dir / "out";
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"export", mixed_model().string(), out.string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_moelab(words);
  };
  CHECK_THAT(run({}).err, ContainsSubstring("--hf"));
  CHECK(run({"--hf", "--dtype", "int8"}).status == 2);
  CHECK(run({"--hf", "--max-shard-size", "0"}).status == 2);
  CHECK(run({"--hf", "--max-shard-size", "5 GB"}).status == 2);
  CHECK(!fs::exists(out));
  const ProgramResult done = run({"--hf", "--dtype", "float32", "--max-shard-size", "1MB"});
  CHECK(done.status == 0);
  CHECK_THAT(done.out, ContainsSubstring(" files\n"));
  CHECK(fs::exists(out / "model.safetensors.index.json"));
  const std::vector<std::string> prompt = {"--prompt", "The capital of Peru is", "max_new_tokens=12"};
  CHECK(run_moelab(generate_words(out, prompt)).out == generate(prompt).out);
  const ProgramResult again = run({"--hf"});
  CHECK(again.status == 2);
  CHECK_THAT(again.err, ContainsSubstring("is there already"));
}
