// The hub's cache as its own library lays it out.
#include "experiments/hub_cache.h"

#include <boost/process.hpp>

#include "core/base/files.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
namespace fs = std::filesystem;

namespace {

// Sets variables of this process and puts them back.
class Variables {
 public:
  explicit Variables(const std::map<std::string, std::string>& values) {
    for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"}) {
      const char* const old = std::getenv(name);
      before_[name] = old == nullptr ? "" : old;
      ::unsetenv(name);
    }
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& [name, value] : before_)
      value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::map<std::string, std::string> before_;
};

}  // namespace

TEST_CASE("a hub id is two plain names around one slash", "[experiments]") {
  for (const char* id : {"openai/gpt-oss-20b", "Qwen/Qwen1.5-MoE-A2.7B", "a/b_c"}) CHECK(is_hub_id(id));
  for (const char* id : {"gpt-oss-20b", "a/b/c", "/b", "a/", "../b", "a/..", "a/.b", "a b/c", "a/b..c", ""})
    CHECK_FALSE(is_hub_id(id));
}

TEST_CASE("the cache lies where the variables say, the most special one first", "[experiments]") {
  const std::map<std::string, std::string> all = {
      {"HF_HUB_CACHE", "/cache"}, {"HF_HOME", "/hf"}, {"XDG_CACHE_HOME", "/xdg"}, {"HOME", "/home/me"}};
  const auto without = [&](std::vector<std::string> names) {
    auto values = all;
    for (const std::string& name : names) values.erase(name);
    const Variables set(values);
    return hub_cache_directory();
  };
  CHECK(without({}) == "/cache");
  CHECK(without({"HF_HUB_CACHE"}) == "/hf/hub");
  CHECK(without({"HF_HUB_CACHE", "HF_HOME"}) == "/xdg/huggingface/hub");
  CHECK(without({"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) == "/home/me/.cache/huggingface/hub");
}

TEST_CASE("a snapshot is found by branch and by commit, and only a whole one", "[experiments]") {
  const ScratchDir cache;
  const fs::path model = cache / "models--org--tiny-1.0";
  fs::create_directories(model / "refs");
  fs::create_directories(model / "snapshots" / "abc123");
  write_atomic(model / "refs" / "main", "abc123\n");
  write_atomic(model / "refs" / "gone", "def456");
  write_atomic(model / "refs" / "evil", "../../..");
  const auto find = [&](const std::string& revision) {
    return cached_snapshot(cache.path(), "org/tiny-1.0", revision);
  };
  CHECK(find("main") == model / "snapshots" / "abc123");
  CHECK(find("abc123") == model / "snapshots" / "abc123");
  CHECK(find("gone") == std::nullopt);
  CHECK(find("other") == std::nullopt);
  CHECK(find("evil") == std::nullopt);
  CHECK(find("../snapshots/abc123") == std::nullopt);
  CHECK(find("") == std::nullopt);
  CHECK(cached_snapshot(cache.path(), "org/other", "main") == std::nullopt);
  CHECK(cached_snapshot(cache / "none", "org/tiny-1.0", "main") == std::nullopt);
}
