// Fine-tuning against PyTorch: transformers' model, peft's adapter layers, torch.optim.AdamW.
#include "core/train/sft.h"
#include "tests/support/catch.h"
#include "tests/train/sft_support.h"

using namespace moelab;
using namespace moelab::train;

namespace {

SftOptions read_sft_options(const Json& reference) {
  const Json& from = reference.at("optimizer");
  SftOptions options;
  options.steps = static_cast<std::int64_t>(reference.at("tiny_batches").size());
  options.optimizer = {.learning_rate = from.at("learning_rate"),
                       .warmup = from.at("warmup"),
                       .schedule = from.at("schedule"),
                       .floor = from.at("floor"),
                       .beta1 = from.at("beta1"),
                       .beta2 = from.at("beta2"),
                       .epsilon = from.at("epsilon"),
                       .weight_decay = from.at("weight_decay"),
                       .clip = from.at("clip")};
  return options;
}

// Trains on the reference's batches; the largest difference of a loss from the reference's.
double compare(TunedModel tuned, const Json& reference, const std::string& batches, const std::string& run,
               bool recompute) {
  SftOptions options = read_sft_options(reference);
  options.recompute = recompute;
  if (run == "demo_lora") options.optimizer.learning_rate = reference.at("demo_learning_rate");
  AdamW optimizer(tuned.leaves().groups, options.optimizer);
  const Json &steps = reference.at(batches), &expected = reference.at(run);
  REQUIRE(steps.size() == 50);
  double largest = 0;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    CAPTURE(step);
    std::vector<Batch> passes;
    for (const Json& pass : steps[step]) passes.push_back(testing::pack_all(testing::read_examples(pass)));
    const SftStep done = sft_step(tuned, optimizer, passes, static_cast<std::int64_t>(step), options);
    CHECK(done.loss == Catch::Approx(expected[step][0].get<double>()).epsilon(0).margin(1e-4));
    CHECK(done.gradient_norm == Catch::Approx(expected[step][1].get<double>()).epsilon(1e-3));
    largest = std::max(largest, std::abs(done.loss - expected[step][0].get<double>()));
  }
  return largest;
}

Json read_reference() { return read_json(testing::sft_data() / "reference.json"); }

}  // namespace

TEST_CASE("fifty losses of an adapter on attention and experts equal peft's", "[train]") {
  const Json reference = read_reference();
  const double plain = compare(testing::with_adapter(testing::tiny_model(), 4, AdapterLayout::parameters),
                               reference, "tiny_batches", "tiny_lora", false);
  INFO("largest difference " << plain);
  CHECK(plain < 2e-5);
  compare(testing::with_adapter(testing::tiny_model(), 4, AdapterLayout::parameters), reference,
          "tiny_batches", "tiny_lora", true);
}

TEST_CASE("fifty losses of full fine-tuning without the routers equal PyTorch's", "[train]") {
  const Json reference = read_reference();
  TuneOptions options;
  options.kind = "full";
  const double largest = compare(TunedModel::load(testing::tiny_model(), options), reference, "tiny_batches",
                                 "tiny_full", false);
  INFO("largest difference " << largest);
  CHECK(largest < 2e-5);
}

TEST_CASE("fifty losses of an adapter on a demo model equal peft's", "[train]") {
  const Json reference = read_reference();
  const double largest = compare(
      testing::with_adapter(testing::source_dir() / "models/demo/specialised", 2, AdapterLayout::parameters),
      reference, "demo_batches", "demo_lora", false);
  INFO("largest difference " << largest);
  CHECK(largest < 5e-5);
}
