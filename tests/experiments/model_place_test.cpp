// Models by name: the options of configs/model, their advice, and what a command line makes of it.
#include "experiments/model_place.h"

#include <algorithm>

#include "core/base/files.h"
#include "core/config/config.h"
#include "experiments/hub_cache.h"
#include "experiments/study_config.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::experiments;
using namespace moelab::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

ModelPlace advised_place() {
  ModelPlace place;
  place.option = "tiny";
  place.sampling = {0.6, 0.95, 20, std::nullopt};
  place.chat = {"think", true, "low"};
  return place;
}

Arguments generate_arguments(std::map<std::string, std::string> settings, bool chat) {
  Arguments arguments;
  arguments.settings = std::move(settings);
  if (chat) arguments.flags["--chat"] = "";
  return arguments;
}

}  // namespace

TEST_CASE("every option of configs/model reads, and the paper's ten models are among them", "[experiments]") {
  Arguments arguments;
  arguments.flags["--config-dir"] = (source_dir() / "configs").string();
  const config::Tree tree({source_dir() / "configs"});
  std::vector<std::string> hub_ids;
  for (const std::string& option : tree.options("model")) {
    INFO(option);
    const ModelPlace place = find_model(arguments, option);
    CHECK(place.option == option);
    if (option.starts_with("demo_")) continue;
    CHECK(is_hub_id(place.hub_id));
    CHECK(place.revision == "main");
    CHECK(std::find(place.files.begin(), place.files.end(), "config.json") != place.files.end());
    hub_ids.push_back(place.hub_id);
  }
  // Table 7 of the DSMoE paper (arXiv 2604.05267).
  for (const char* id :
       {"microsoft/Phi-tiny-MoE-instruct", "allenai/OLMoE-1B-7B-0924", "Qwen/Qwen1.5-MoE-A2.7B",
        "deepseek-ai/deepseek-moe-16b-base", "openai/gpt-oss-20b", "baidu/ERNIE-4.5-21B-A3B-Thinking",
        "Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen/Qwen3-30B-A3B-Thinking-2507",
        "Qwen/Qwen3-Next-80B-A3B-Thinking", "openai/gpt-oss-120b"}) {
    INFO(id);
    CHECK(std::count(hub_ids.begin(), hub_ids.end(), id) == 1);
  }
}

TEST_CASE("a command line that is silent takes the advice and says so", "[experiments]") {
  const AdvisedArguments advised = with_advice(generate_arguments({}, true), advised_place());
  CHECK(advised.arguments.settings == std::map<std::string, std::string>{{"temperature", "0.6"},
                                                                         {"top_p", "0.95"},
                                                                         {"top_k", "20"},
                                                                         {"thinking", "think"},
                                                                         {"enable_thinking", "true"},
                                                                         {"reasoning_effort", "low"}});
  CHECK_THAT(advised.note,
             ContainsSubstring("configs/model/tiny recommends: temperature 0.6, top_p 0.95, top_k 20"));
}

TEST_CASE("any choice of the user's wins over all advice on drawing", "[experiments]") {
  for (const auto& [key, value] : std::map<std::string, std::string>{{"greedy", "true"}, {"min_p", "0.1"}}) {
    const AdvisedArguments advised = with_advice(generate_arguments({{key, value}}, false), advised_place());
    CHECK(advised.arguments.settings ==
          std::map<std::string, std::string>{{key, value}, {"thinking", "think"}});
    CHECK(advised.note.empty());
  }
  const AdvisedArguments chat = with_advice(
      generate_arguments({{"thinking", "none"}, {"enable_thinking", "false"}}, true), advised_place());
  CHECK(chat.arguments.settings.at("thinking") == "none");
  CHECK(chat.arguments.settings.at("enable_thinking") == "false");
}

TEST_CASE("greedy advice changes nothing and is told, no advice is not", "[experiments]") {
  ModelPlace place;
  place.option = "tiny";
  CHECK(with_advice({}, place).note.empty());
  place.sampling.temperature = 0;
  const AdvisedArguments advised = with_advice({}, place);
  CHECK(advised.arguments.settings.empty());
  CHECK_THAT(advised.note, ContainsSubstring("the likeliest token"));
}

TEST_CASE("generation_config.json gives the publisher's advice", "[experiments]") {
  const ScratchDir dir;
  CHECK(published_advice(dir.path()).is_empty());
  write_atomic(dir / "generation_config.json", R"({"eos_token_id": 2})");
  CHECK(published_advice(dir.path()).is_empty());
  write_atomic(dir / "generation_config.json", R"({"do_sample": true, "temperature": 0.6, "top_k": 20})");
  CHECK(published_advice(dir.path()) == SamplingAdvice{0.6, std::nullopt, 20, std::nullopt});
  write_atomic(dir / "generation_config.json", R"({"do_sample": false, "temperature": 0.6})");
  CHECK(advice_text(published_advice(dir.path())) == "the likeliest token");
}

TEST_CASE("a model that is nowhere is an error that says how to fetch it", "[experiments]") {
  Arguments arguments;
  arguments.flags["--config-dir"] = (source_dir() / "configs").string();
  CHECK_THROWS_WITH(model_directory(arguments, "no-such-org/no-such-model"),
                    ContainsSubstring("moelab fetch no-such-org/no-such-model"));
  CHECK_THROWS_WITH(model_directory(arguments, "demo_mixt"), ContainsSubstring("did you mean 'demo_mixed'"));
}

TEST_CASE("a study takes a hub id in place of an option", "[experiments]") {
  const config::Tree tree({source_dir() / "configs"});
  const std::vector<std::string> overrides = {"study=demo", "axes.model=[org/tiny]"};
  const StudyConfig study = bind_study(tree, tree.compose("config", overrides));
  REQUIRE(study.models.size() == 1);
  CHECK(study.models[0].name == "org/tiny");
  CHECK(study.models[0].hub_id == "org/tiny");
}
