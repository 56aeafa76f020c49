// Studies whose fine-tuning is a command, and the commands themselves.
#include "experiments/external_training.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "experiments/child_process.h"
#include "experiments/study_notes.h"
#include "experiments/study_run.h"
#include "tests/experiments/failure.h"
#include "tests/experiments/study_fixture.h"
#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;
using testing::count_of;
using testing::failure_of;
using testing::MiniStudy;

// A study that trains on the domain elements, with more overrides.
StudyConfig elements_study(const MiniStudy& mini, std::vector<std::string> more) {
  std::vector<std::string> overrides = {"axes.method=[original,sft]",
                                        "axes.domain=[elements]",
                                        "nulls.aa=false",
                                        "limit=8",
                                        "sft.steps=3",
                                        "sft.rank=2",
                                        "sft.learning_rate=0.01"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return mini.bind(overrides);
}

// The command `sh script`, given the output folder and the seed.
StudyConfig external_study(const MiniStudy& mini, const std::string& script,
                           std::vector<std::string> more = {}) {
  mini.write("train.sh", script);
  more.push_back("sft.trainer=external");
  more.push_back("sft.command=[/bin/sh,'" + (mini.folder / "train.sh").string() + "','{output}','{seed}']");
  return elements_study(mini, more);
}

std::string weights_of(store::Store& store) { return notes(store, 1, "training").at(0).at("weights"); }

// Everything that was scored, of one method.
testing::Rows scores_of(store::Store& store, const std::string& method) {
  return store
      .query(
          "SELECT q.name, s.scores FROM sample AS s JOIN cell AS c ON c.id = s.cell JOIN question AS q ON "
          "q.id = s.question WHERE c.method = '" +
          method + "' ORDER BY q.name")
      .rows;
}

// The folder of the only training beside the database.
std::filesystem::path training_folder(const MiniStudy& mini) {
  std::filesystem::path folder;
  for (const auto& entry : std::filesystem::directory_iterator(mini.folder / "training"))
    folder = entry.path();
  return folder;
}

}  // namespace

TEST_CASE("An adapter that a command writes is tested as one that was trained here, and is written once",
          "[experiments]") {
  const MiniStudy own, other;
  store::Store trained = own.open("study.db");
  run_study(elements_study(own, {}), trained);
  const std::string adapter = training_folder(own).string();
  const StudyConfig study =
      external_study(other, "cp " + adapter + "/adapter_* \"$1\"; echo \"$2 $MOELAB_SEED\" >> " +
                                (other.folder / "runs").string());
  store::Store store = other.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  CHECK(weights_of(store) == weights_of(trained));
  CHECK(scores_of(store, "sft").size() == 8);
  CHECK((scores_of(store, "sft") == scores_of(trained, "sft")));
  CHECK((scores_of(store, "sft") != scores_of(store, "original")));
  CHECK(run_study(study, store).samples_new == 0);
  CHECK(read_text(other.folder / "runs") == "1 1\n");
  CHECK(count_of(store, "SELECT count(*) FROM event WHERE kind = 'training'") == 1);
  // What was removed is made again.
  std::filesystem::remove_all(training_folder(other) / "output");
  CHECK(run_study(study, store).cells_failed == 0);
  CHECK(read_text(other.folder / "runs") == "1 1\n1 1\n");
}

TEST_CASE("A command is given every example as text, in the paths that it is told", "[experiments]") {
  const MiniStudy mini;
  const StudyConfig study = external_study(
      mini,
      "cp \"$MOELAB_MODEL\"/* \"$1\"; cp \"$MOELAB_TRAIN\" \"$MOELAB_TUNING\" " + mini.folder.path().string(),
      {"protocol=holdout", "split.tuning=10"});
  store::Store store = mini.open("study.db");
  CHECK(run_study(study, store).cells_failed == 0);
  // A whole model: here the original itself.
  CHECK((scores_of(store, "sft") == scores_of(store, "original")));
  std::map<std::string, std::string> answers;  // by prompt
  for (const std::string& line : read_lines(mini.folder / "questions/elements.jsonl")) {
    const Json question = parse_json(line, "question");
    answers["Q: " + question.at("question").get<std::string>() + "\nA:"] =
        " " + question.at("options").at(question.at("answer").get<std::size_t>()).get<std::string>();
  }
  for (const auto& [file, role] :
       {std::pair("train.jsonl", "discovery"), std::pair("tuning.jsonl", "tuning")}) {
    CAPTURE(file);
    const auto lines = read_lines(mini.folder / file);
    CHECK(std::ssize(lines) ==
          count_of(store, fmt::format(
                              "SELECT count(*) FROM split AS x JOIN question AS q ON q.id = x.question WHERE "
                              "x.role = '{}' AND q.domain = 'elements'",
                              role)));
    for (const std::string& line : lines) {
      const Json example = parse_json(line, file);
      CHECK(answers.at(example.at("prompt")) == example.at("completion"));
    }
  }
}

TEST_CASE("A command that fails, or writes nothing, fails its cell with the reason", "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  CHECK(run_study(external_study(mini, "echo started >&2; echo no device >&2; exit 3"), store).cells_failed ==
        1);
  CHECK_THAT(failure_of(store),
             ContainsSubstring("ended with status 3") && ContainsSubstring("started\nno device"));
  CHECK(run_study(external_study(mini, "exit 0"), store).cells_failed == 1);
  CHECK_THAT(failure_of(store), ContainsSubstring("wrote neither an adapter"));
  // What failed is tried again.
  CHECK(run_study(external_study(mini, "cp \"$MOELAB_MODEL\"/* \"$1\""), store).cells_failed == 0);
  CHECK_THROWS_WITH(elements_study(mini, {"sft.trainer=external"}), ContainsSubstring("needs sft.command"));
  CHECK_THROWS_WITH(elements_study(mini, {"sft.command=[train]"}),
                    ContainsSubstring("sft.trainer is not external"));
}

TEST_CASE("An output that was changed afterwards is refused", "[experiments]") {
  const MiniStudy mini;
  store::Store store = mini.open("study.db");
  const StudyConfig study = external_study(mini, "cp \"$MOELAB_MODEL\"/* \"$1\"");
  CHECK(run_study(study, store).cells_failed == 0);
  testing::write_tiny_model(mini.folder / "another", 8);
  std::filesystem::copy_file(mini.folder / "another/model.safetensors",
                             training_folder(mini) / "output/model.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(run_study(study, store).cells_failed == 1);
  CHECK_THAT(failure_of(store), ContainsSubstring("was changed after sft.command had ended"));
}

TEST_CASE("A wish to stop ends a child and what it has started", "[experiments]") {
  struct Stop {};
  const testing::ScratchDir scratch;
  const auto start = std::chrono::steady_clock::now();
  ChildOptions options;
  options.check_stop = [&] {
    if (std::filesystem::exists(scratch / "ready")) throw Stop();
  };
  const std::string script = "sleep 100 & echo $! > pid; mv pid ready; wait";
  CHECK_THROWS_AS(run_child("sh", {"-c", "cd " + scratch.path().string() + "; " + script}, options), Stop);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(8));
  // A process that nobody has waited for yet still has its number: it may take a moment.
  const int grandchild = std::stoi(read_text(scratch / "ready"));
  for (int look = 0; look < 100 && ::kill(grandchild, 0) == 0; ++look)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const bool is_gone = ::kill(grandchild, 0) != 0 ||
                       read_text(fmt::format("/proc/{}/stat", grandchild)).find(") Z") != std::string::npos;
  CHECK(is_gone);
  CHECK(run_child("sh", {"-c", "exit 7"}) == 7);
  CHECK_THROWS_WITH(run_child("no-such-program", {}),
                    ContainsSubstring("'no-such-program' is not installed"));
}

TEST_CASE("What a child has started is given its time to save when the child itself ends at once",
          "[experiments]") {
  struct Stop {};
  const testing::ScratchDir scratch;
  ChildOptions options;
  options.check_stop = [&] {
    if (std::filesystem::exists(scratch / "ready")) throw Stop();
  };
  // The shell dies of the signal; its grandchild answers it half a second later.
  const std::string script =
      "(trap 'sleep 0.5; echo saved > saved; exit' TERM; : > ready; while :; do sleep 0.1; done) & wait";
  CHECK_THROWS_AS(run_child("sh", {"-c", "cd " + scratch.path().string() + "; " + script}, options), Stop);
  REQUIRE(std::filesystem::exists(scratch / "saved"));
  CHECK(read_text(scratch / "saved") == "saved\n");
}

#ifdef __linux__
TEST_CASE("A child ends when the program that waits for it is ended by force", "[experiments]") {
  const testing::ScratchDir scratch;
  const pid_t waiting = ::fork();
  REQUIRE(waiting >= 0);
  if (waiting == 0) {
    const std::string script =
        "trap 'echo ended > ended; exit' TERM; : > ready; for look in $(seq 100); do sleep 0.1; done";
    try {
      ChildOptions options;
      options.check_stop = [] {};
      run_child("sh", {"-c", "cd " + scratch.path().string() + "; " + script}, options);
    } catch (...) {
    }
    ::_exit(0);
  }
  const auto appears = [&](const char* name) {
    for (int look = 0; look < 250 && !std::filesystem::exists(scratch / name); ++look)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return std::filesystem::exists(scratch / name);
  };
  CHECK(appears("ready"));
  ::kill(waiting, SIGKILL);
  ::waitpid(waiting, nullptr, 0);
  CHECK(appears("ended"));
}
#endif

}  // namespace moelab::experiments
