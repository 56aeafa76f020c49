// Runs of fine-tuning: order, resuming, early stop and explosions.
#include "core/train/sft.h"

#include <set>

#include "tests/support/catch.h"
#include "tests/train/sft_support.h"

using namespace moelab;
using namespace moelab::train;

namespace {

struct Killed {};

// Each prompt's answer follows from its first token.
std::vector<SftExample> make_examples(std::int32_t shift) {
  std::vector<SftExample> examples;
  for (std::int32_t i = 0; i < 10; ++i)
    examples.push_back(make_example(fmt::format("question {}", i), {i, 40, 41}, {20 + (i + shift) % 10, 47}));
  return examples;
}

SftOptions quick_options() {
  SftOptions options;
  options.steps = 24;
  options.batch_rows = 2;
  options.accumulation = 2;
  options.evaluate_every = 4;
  options.checkpoint_every = 5;
  options.optimizer.learning_rate = 0.02;
  options.optimizer.warmup = 2;
  return options;
}

TunedModel small_model() {
  TuneOptions options;
  options.lora.rank = 4;
  return TunedModel::load(testing::tiny_model(), options);
}

}  // namespace

TEST_CASE("every epoch takes each example once, in an order of its own", "[train]") {
  SftOptions options = quick_options();
  std::vector<std::size_t> taken;
  for (std::int64_t step = 0; step < 5; ++step)
    for (const std::size_t example : examples_of_step(step, 10, options)) taken.push_back(example);
  REQUIRE(taken.size() == 20);
  const std::vector<std::size_t> first(taken.begin(), taken.begin() + 10),
      second(taken.begin() + 10, taken.end());
  CHECK(std::set(first.begin(), first.end()).size() == 10);
  CHECK(std::set(second.begin(), second.end()).size() == 10);
  CHECK(first != second);
  options.seed = 2;
  CHECK(examples_of_step(0, 10, options) != examples_of_step(0, 10, quick_options()));
}

TEST_CASE("fine-tuning learns the answers, and the best state on the tuning examples is kept", "[train]") {
  TunedModel tuned = small_model();
  const auto examples = make_examples(0);
  SftOptions options = quick_options();
  options.steps = 60;
  std::vector<double> looks;
  const SftResult result = fine_tune(tuned, examples, examples, options, [&](const SftStep& step) {
    if (!std::isnan(step.tuning_loss)) looks.push_back(step.tuning_loss);
  });
  CHECK(result.end == SftEnd::all_steps);
  REQUIRE(looks.size() == 15);
  CHECK(result.tuning_loss == *std::min_element(looks.begin(), looks.end()));
  CHECK(looks.back() < 0.5 * looks.front());
  // The kept weights are those that the figure belongs to.
  const Batch all = testing::pack_all(examples);
  CHECK(loss_sum(tuned, {&all, 1}) / 20 == Catch::Approx(result.tuning_loss).epsilon(1e-4));
}

TEST_CASE("fine-tuning that was killed and resumed ends with the same bits", "[train]") {
  const testing::ScratchDir scratch;
  const auto examples = make_examples(0), tuning = make_examples(0);
  SftOptions options = quick_options();
  TunedModel whole = small_model();
  const SftResult expected = fine_tune(whole, examples, tuning, options);
  options.checkpoint = scratch / "state.safetensors";
  TunedModel killed = small_model();
  CHECK_THROWS_AS(fine_tune(killed, examples, tuning, options,
                            [](const SftStep& step) {
                              if (step.step == 13) throw Killed();
                            }),
                  Killed);
  TunedModel resumed = small_model();
  std::int64_t first = 0;
  const SftResult result = fine_tune(resumed, examples, tuning, options, [&](const SftStep& step) {
    if (first == 0) first = step.step;
  });
  CHECK(first == 11);
  CHECK(result.first_step == 10);
  CHECK(result.kept_step == expected.kept_step);
  CHECK(result.tokens == expected.tokens);
  CHECK(resumed.leaves().groups[0].weight.equal(whole.leaves().groups[0].weight));
  CHECK_FALSE(resumed.leaves().groups[0].weight.equal(small_model().leaves().groups[0].weight));

  options.optimizer.learning_rate *= 2;
  REQUIRE_THROWS_WITH(fine_tune(resumed, examples, tuning, options),
                      Catch::Matchers::ContainsSubstring("belongs to a run with other options"));
}

TEST_CASE("training stops early when the tuning examples get worse, and the start is kept", "[train]") {
  TunedModel tuned = small_model();
  const at::Tensor start = tuned.leaves().groups[0].weight.clone();
  // The tuning answers are one off, so that every step towards the trained ones makes them less likely, once
  // the model has learned that answers are numbers at all: it is given that by the first run.
  SftOptions options = quick_options();
  options.steps = 40;
  const auto mixed = make_examples(5);
  fine_tune(tuned, mixed, {}, options);
  options.steps = 400;
  options.patience = 2;
  const at::Tensor before = tuned.leaves().groups[0].weight.clone();
  const SftResult result = fine_tune(tuned, make_examples(0), mixed, options);
  CHECK(result.end == SftEnd::early);
  CHECK(result.steps == 8);
  CHECK(result.kept_step == 0);
  CHECK(tuned.leaves().groups[0].weight.equal(before));
  CHECK_FALSE(before.equal(start));
}

TEST_CASE("an exploding loss stops training and leaves the last good state", "[train]") {
  TunedModel tuned = small_model();
  SftOptions options = quick_options();
  options.steps = 60;
  fine_tune(tuned, make_examples(0), {}, options);  // to a loss from where there is a way up
  options.steps = 200;
  options.evaluate_every = 1;
  options.optimizer.learning_rate = 20;
  options.optimizer.warmup = 2000;  // five steps at a low rate, then ever more
  options.optimizer.clip = 0;
  options.explosion = 2;
  std::vector<double> losses;
  const SftResult result = fine_tune(tuned, make_examples(0), {}, options,
                                     [&](const SftStep& step) { losses.push_back(step.loss); });
  REQUIRE(result.end == SftEnd::exploded);
  CHECK(result.message.find("training stopped") != std::string::npos);
  CHECK(result.message.find(fmt::format("after step {}", result.kept_step)) != std::string::npos);
  const double first = (losses[0] + losses[1] + losses[2] + losses[3] + losses[4]) / 5;
  for (const double loss : losses) CHECK(loss <= 2 * first);
  const Batch all = testing::pack_all(make_examples(0));
  CHECK(std::isfinite(loss_sum(tuned, {&all, 1})));

  options.optimizer.learning_rate = 1e30;
  TunedModel other = small_model();
  const at::Tensor start = other.leaves().groups[0].weight.clone();
  const SftResult infinite = fine_tune(other, make_examples(0), {}, options);
  CHECK(infinite.end == SftEnd::exploded);
  CHECK(infinite.kept_step == 0);
  CHECK(other.leaves().groups[0].weight.equal(start));
}

TEST_CASE("a tuning loss that is no number before training ends the run at once", "[train]") {
  const testing::ScratchDir scratch;
  TunedModel tuned = small_model();
  tuned.leaves().groups[0].weight.detach().fill_(std::numeric_limits<float>::infinity());
  SftOptions options = quick_options();
  options.checkpoint = scratch / "state.safetensors";
  const SftResult result = fine_tune(tuned, make_examples(0), make_examples(0), options);
  CHECK(result.end == SftEnd::exploded);
  CHECK(result.steps == 0);
  CHECK(std::isnan(result.tuning_loss));
  CHECK_FALSE(std::filesystem::exists(options.checkpoint));
}

TEST_CASE("what cannot be trained on is refused by name", "[train]") {
  TunedModel tuned = small_model();
  REQUIRE_THROWS_WITH(make_example("q7", {1}, {}), Catch::Matchers::ContainsSubstring("'q7': its answer"));
  REQUIRE_THROWS_WITH(fine_tune(tuned, {}, {}, quick_options()),
                      Catch::Matchers::ContainsSubstring("no example to train on"));
  const std::vector<SftExample> long_one = {make_example("q8", std::vector<std::int32_t>(64, 1), {2})};
  REQUIRE_THROWS_WITH(fine_tune(tuned, long_one, {}, quick_options()),
                      Catch::Matchers::ContainsSubstring("'q8' has 65 tokens"));
  SftOptions options = quick_options();
  options.optimizer.schedule = "step";
  REQUIRE_THROWS_WITH(fine_tune(tuned, make_examples(0), {}, options),
                      Catch::Matchers::ContainsSubstring("optimizer.schedule"));
}
