// Whole runs: resuming, stopping on a loss that is not finite, saving, and damage to the router.
#include <ATen/ops/isfinite.h>

#include "core/model/safetensors.h"
#include "core/train/train.h"
#include "tests/support/catch.h"
#include "tests/train/small_run.h"

using namespace moelab;
using namespace moelab::train;

namespace {

struct Stop {};

std::vector<double> run(const TrainOptions& options) {
  std::vector<double> losses;
  train::train(options, [&](const StepReport& report) { losses.push_back(report.loss); });
  return losses;
}

}  // namespace

TEST_CASE("a run that was killed and resumed ends with the same bits as one that was not", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  options.save_dtype = "float32";
  const auto losses = run(options);
  REQUIRE(losses.size() == 12);
  CHECK(losses.back() < losses.front());
  const std::string uninterrupted = read_text(options.output / "model.safetensors");
  std::filesystem::remove_all(options.output);
  std::filesystem::remove(options.checkpoint);
  // Step 7 ends the first run: its last checkpoint is that of step 4.
  CHECK_THROWS_AS(train::train(options, [](const StepReport& report) { if (report.step == 7) throw Stop(); }), Stop);
  REQUIRE_FALSE(std::filesystem::exists(options.output));
  std::vector<std::int64_t> steps;
  const TrainResult result =
      train::train(options, [&](const StepReport& report) { steps.push_back(report.step); });
  CHECK(result.first_step == 4);
  CHECK(steps.front() == 5);
  CHECK(result.loss == losses.back());
  CHECK(read_text(options.output / "model.safetensors") == uninterrupted);
}

TEST_CASE("a checkpoint of another run is refused", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  run(options);
  options.optimizer.learning_rate *= 2;
  REQUIRE_THROWS_WITH(train::train(options), Catch::Matchers::ContainsSubstring("belongs to a run with other options"));
}

TEST_CASE("a loss that is not finite stops the run and leaves the last checkpoint intact", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  options.steps = 40;
  options.checkpoint_every = 1;
  options.optimizer.learning_rate = 1e25;
  options.optimizer.clip = 0;
  options.optimizer.warmup = 0;
  std::int64_t last = 0;
  REQUIRE_THROWS_WITH(train::train(options, [&](const StepReport& report) { last = report.step; }),
                      Catch::Matchers::ContainsSubstring("training stopped"));
  const model::SafetensorsFile checkpoint(options.checkpoint);
  CHECK(checkpoint.tensor("step").item<std::int64_t>() == last);
  for (const auto& [name, entry] : checkpoint.entries())
    if (entry.dtype == at::kFloat) CHECK(at::isfinite(checkpoint.tensor(name)).all().item<bool>());
  CHECK_FALSE(std::filesystem::exists(options.output));
}

TEST_CASE("a saved model loads with the weights that were trained, and the truth lies beside it", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  run(options);
  const model::Model loaded = model::Model::load(options.output);
  const model::SafetensorsFile checkpoint(options.checkpoint);
  const at::Tensor trained = checkpoint.tensor("matrices.weight").narrow(0, 0, 3072 * 16).view({3072, 16});
  CHECK(loaded.weights().embedding.equal(trained.to(at::kBFloat16).to(at::kFloat)));
  CHECK(read_json(options.output / "tokenizer_config.json").at("eos_token") == "<|endoftext|>");
  const Json truth = read_json(options.output / "planted.json");
  CHECK(truth.at("verdict") == "experts without gain");
  CHECK(truth.at("planted").dump() ==
        R"({"elements":[{"layer":1,"expert":0,"kind":"all_tokens"},{"layer":1,"expert":1,"kind":"content_tokens"}]})");
}

TEST_CASE("planting moves the routing of the planted domain", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  options.steps = 60;
  double first = 0, last = 0;
  train::train(options, [&](const StepReport& report) { (report.step == 1 ? first : last) = report.planting; });
  CHECK(first > 1.2);          // uniform routing over four experts: 1.4 a planted expert and more for the others' tokens
  CHECK(last < first - 0.3);
}

TEST_CASE("noise on the gates grows until the accuracy has dropped, and is the same draw again", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  options.steps = 150;
  options.save_dtype = "float32";
  options.evaluation = {{scratch / "questions.jsonl"}, 1.0, 0};
  train::train(options);
  DamageOptions damage;
  damage.source = options.output;
  damage.output = scratch / "damaged";
  damage.layers = {1};
  damage.noise = 0.5;
  damage.max_steps = 100;
  damage.drop = 20;
  damage.save_dtype = "float32";
  damage.evaluation = options.evaluation;
  std::vector<double> accuracies;
  const DamageResult result =
      train::damage(damage, [&](const StepReport& report) { accuracies.push_back(report.accuracy); });
  CHECK(result.accuracy_after <= result.accuracy_before - 0.2);
  CHECK(static_cast<std::int64_t>(accuracies.size()) == result.steps);
  for (std::size_t i = 0; i + 1 < accuracies.size(); ++i) CHECK(accuracies[i] > result.accuracy_before - 0.2);

  // The rows' errors have the length that the options say: steps * noise * norm, as a random draw of 16 numbers has.
  const model::Checkpoint before(damage.source), after(damage.output);
  const std::string gate = "model.layers.1.mlp.gate.weight";
  const at::Tensor error = (after.tensor(gate) - before.tensor(gate)).square().sum().sqrt();
  const double expected = 0.5 * static_cast<double>(result.steps) *
                          before.tensor(gate).square().sum().sqrt().item<double>();
  CHECK(error.item<double>() > 0.6 * expected);
  CHECK(error.item<double>() < 1.4 * expected);
  CHECK(before.tensor("model.layers.0.mlp.gate.weight").equal(after.tensor("model.layers.0.mlp.gate.weight")));
  damage.output = scratch / "again";
  train::damage(damage);
  CHECK(model::Checkpoint(damage.output).tensor(gate).equal(after.tensor(gate)));

  damage.layers = {7};
  REQUIRE_THROWS_WITH(train::damage(damage), Catch::Matchers::ContainsSubstring("layer 7"));
}

TEST_CASE("damage changes the listed gates and nothing else", "[train]") {
  const testing::ScratchDir scratch;
  TrainOptions options = testing::small_options(scratch);
  options.steps = 150;
  options.save_dtype = "float32";
  options.evaluation = {{scratch / "questions.jsonl"}, 1.0, 0};
  const TrainResult trained = train::train(options);
  REQUIRE(trained.accuracy >= 0.75);
  DamageOptions damage;
  damage.source = options.output;
  damage.corpus = options.corpus;
  damage.output = scratch / "damaged";
  damage.layers = {0, 1};
  damage.learning_rate = 0.5;
  damage.drop = 20;
  damage.measure_every = 1;
  damage.batch_rows = 4;
  damage.sequence_length = 32;
  damage.save_dtype = "float32";
  damage.verdict = "experts with gain";
  damage.evaluation = options.evaluation;
  const DamageResult result = train::damage(damage);
  CHECK(result.accuracy_before == trained.accuracy);
  CHECK(result.accuracy_after <= result.accuracy_before - 0.2);
  const model::Checkpoint before(damage.source), after(damage.output);
  REQUIRE(before.names() == after.names());
  for (const std::string& name : before.names()) {
    CAPTURE(name);
    CHECK(before.tensor(name).equal(after.tensor(name)) == !name.ends_with("mlp.gate.weight"));
  }
  CHECK(read_json(damage.output / "planted.json").at("verdict") == "experts with gain");
}
