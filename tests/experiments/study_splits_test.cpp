#include "experiments/study_splits.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Matchers::ContainsSubstring;

// `count` questions of one domain, three to a group.
std::vector<Question> questions(const std::string& domain, int count) {
  std::vector<Question> all;
  for (int i = 0; i < count; ++i) {
    Question question;
    question.name = fmt::format("{}-{}", domain, i);
    question.domain = domain;
    question.group = fmt::format("{} group {}", domain, i / 3);
    all.push_back(question);
  }
  return all;
}

Benchmark benchmark_to_split() {
  Benchmark benchmark;
  benchmark.domains["a"] = questions("a", 60);
  benchmark.domains["b"] = questions("b", 45);
  return benchmark;
}

StudyConfig study_of(Protocol protocol) {
  StudyConfig study;
  study.protocol = protocol;
  study.split = {12, protocol == Protocol::holdout ? 15 : 0, 4, 3};
  return study;
}

std::set<std::string> groups_of(const Benchmark& benchmark, const std::string& domain,
                                const std::vector<std::size_t>& indices) {
  std::set<std::string> groups;
  for (const std::size_t i : indices) groups.insert(benchmark.domain(domain)[i].group);
  return groups;
}

bool overlap(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& group) { return b.contains(group); });
}

}  // namespace

TEST_CASE("Discovery, tuning and test never share a group", "[experiments]") {
  const Benchmark benchmark = benchmark_to_split();
  const auto splits = make_splits(benchmark, study_of(Protocol::holdout));
  for (const char* domain : {"a", "b"}) {
    const DomainSplit& split = splits.at(domain);
    CHECK(split.discovery.size() == 12);
    CHECK(split.tuning.size() == 15);
    CHECK(split.discovery.size() + split.scored.size() == benchmark.domain(domain).size());
    std::vector<std::size_t> test;
    for (const std::size_t i : split.scored)
      if (std::find(split.tuning.begin(), split.tuning.end(), i) == split.tuning.end()) test.push_back(i);
    const auto found = groups_of(benchmark, domain, split.discovery);
    const auto tuned = groups_of(benchmark, domain, split.tuning);
    CHECK_FALSE(overlap(found, groups_of(benchmark, domain, split.scored)));
    CHECK_FALSE(overlap(tuned, groups_of(benchmark, domain, test)));
  }
}

TEST_CASE("Every scored question has one fold in each assignment, with its group", "[experiments]") {
  const Benchmark benchmark = benchmark_to_split();
  const auto splits = make_splits(benchmark, study_of(Protocol::crossfit));
  const DomainSplit& split = splits.at("a");
  REQUIRE(split.folds.size() == 3);
  CHECK(split.folds[0] != split.folds[1]);
  for (const auto& folds : split.folds) {
    REQUIRE(folds.size() == split.scored.size());
    std::map<std::string, int> fold_of;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      const std::string& group = benchmark.domain("a")[split.scored[i]].group;
      CHECK(fold_of.try_emplace(group, folds[i]).first->second == folds[i]);
    }
    CHECK(*std::max_element(folds.begin(), folds.end()) == 3);
  }
  const std::vector<store::Id> ids(60, 1);
  CHECK(split_rows(split, ids, Protocol::crossfit).size() == 12 + 3 * 48);
}

TEST_CASE("A larger limit only adds questions", "[experiments]") {
  const Benchmark benchmark = benchmark_to_split();
  StudyConfig study = study_of(Protocol::paper);
  study.limit = 10;
  const auto few = make_splits(benchmark, study).at("a");
  study.limit = 20;
  const auto more = make_splits(benchmark, study).at("a");
  CHECK(few.scored.size() == 10);
  CHECK(few.unlimited == 60);
  CHECK(std::equal(few.scored.begin(), few.scored.end(), more.scored.begin()));
}

TEST_CASE("The paper's protocol tests discovery's questions too, under a limit they come first",
          "[experiments]") {
  const Benchmark benchmark = benchmark_to_split();
  StudyConfig study = study_of(Protocol::paper);
  study.limit = 20;
  const DomainSplit split = make_splits(benchmark, study).at("a");
  REQUIRE(split.discovery.size() == 12);
  const std::set<std::size_t> first(split.scored.begin(), split.scored.begin() + 12);
  CHECK(first == std::set<std::size_t>(split.discovery.begin(), split.discovery.end()));
  // Every question has one role, and a tested one is a test question.
  const std::vector<store::Id> ids(60, 1);
  CHECK(split_rows(split, ids, Protocol::paper).size() == 20);
  study.split.tests_discovery = false;
  const DomainSplit apart = make_splits(benchmark, study).at("a");
  CHECK(apart.unlimited == 48);
  for (const std::size_t i : apart.scored) CHECK_FALSE(first.contains(i));
  CHECK(split_rows(apart, ids, Protocol::paper).size() == 12 + 20);
  study = study_of(Protocol::crossfit);  // of another protocol it is not asked for
  CHECK(make_splits(benchmark, study).at("a").unlimited == 48);
}

TEST_CASE("Seeds act on what they are named for", "[experiments]") {
  const Benchmark benchmark = benchmark_to_split();
  StudyConfig study = study_of(Protocol::holdout);
  const auto before = make_splits(benchmark, study).at("a");
  study.seed.split = 2;
  const auto resplit = make_splits(benchmark, study).at("a");
  CHECK(resplit.discovery == before.discovery);
  CHECK(resplit.tuning != before.tuning);
  study.seed.discovery = 2;
  CHECK(make_splits(benchmark, study).at("a").discovery != before.discovery);
}

TEST_CASE("Too few questions are an error that names the domain", "[experiments]") {
  StudyConfig study = study_of(Protocol::paper);
  study.split.discovery = 50;
  CHECK_THROWS_WITH(make_splits(benchmark_to_split(), study), ContainsSubstring("'b'"));
}

}  // namespace moelab::experiments
