// Fifty steps against PyTorch: transformers' model, torch.optim.AdamW, losses written from their formulas.
#include "core/base/json.h"
#include "core/train/trainer.h"
#include "tests/support/catch.h"
#include "tests/support/files.h"

using namespace moelab;
using namespace moelab::train;

namespace {

Document read_document(const Json& value) {
  Document document;
  document.tokens = value.at("tokens").get<std::vector<std::int32_t>>();
  document.weight = value.at("weight").get<std::vector<float>>();
  document.content = value.at("content").get<std::vector<std::uint8_t>>();
  document.domain = value.at("domain").get<std::int64_t>();
  return document;
}

Batch read_batch(const Json& rows) {
  std::vector<std::vector<Document>> documents;
  std::vector<Row> chosen;
  for (const Json& row : rows) {
    documents.emplace_back();
    for (const Json& document : row) documents.back().push_back(read_document(document));
  }
  for (const auto& row : documents) {
    chosen.emplace_back();
    for (const Document& document : row) chosen.back().push_back(&document);
  }
  return pack(chosen);
}

StepOptions read_options(const Json& reference, const std::string& kind) {
  const std::vector<std::string> domains = {"a", "b", "c"};
  const Json &loss = reference.at("loss"), &planting = reference.at("planting"), &from = reference.at("optimizer");
  StepOptions options;
  options.steps = static_cast<std::int64_t>(reference.at("batches").size());
  options.loss.answer_weight = loss.at("answer_weight");
  options.loss.balance = loss.at("balance");
  options.loss.z_loss = loss.at("z_loss");
  options.loss.balance_over = kind == "sequence" ? "sequence" : "batch";
  if (kind == "similarity") {
    const Json& alike = reference.at("similarity_loss");
    options.loss.similarity = {alike.at("coefficient"), alike.at("threshold"), alike.at("pairs"), alike.at("tokens")};
  }
  options.planting.coefficient = planting.at("coefficient");
  options.planting.cap = planting.at("cap");
  options.planting.exclusive = planting.at("exclusive");
  options.planting.layers = planting.at("layers").get<std::vector<std::int64_t>>();
  for (const Json& planted : planting.at("experts"))
    options.planting.experts.push_back({domains[planted[0].get<std::size_t>()], planted[1], planted[2]});
  options.optimizer = {.learning_rate = from.at("learning_rate"), .warmup = from.at("warmup"),
                       .floor = from.at("floor"), .beta1 = from.at("beta1"), .beta2 = from.at("beta2"),
                       .epsilon = from.at("epsilon"), .weight_decay = from.at("weight_decay"),
                       .clip = from.at("clip")};
  return options;
}

void compare(const std::string& kind) {
  const auto folder = testing::data_dir() / "train";
  const Json reference = read_json(folder / "reference.json");
  Trainer trainer(Parameters::load(folder / "start"), read_options(reference, kind), {"a", "b", "c"});
  const Json &batches = reference.at("batches"), &expected = reference.at(kind);
  REQUIRE(batches.size() == 50);
  for (std::size_t step = 0; step < batches.size(); ++step) {
    CAPTURE(step);
    const StepReport report = trainer.step(read_batch(batches[step]));
    CHECK(report.loss == Catch::Approx(expected[step][0].get<double>()).epsilon(0).margin(1e-3));
    CHECK(report.balance == Catch::Approx(expected[step][1].get<double>()).epsilon(0).margin(1e-3));
    CHECK(report.planting == Catch::Approx(expected[step][2].get<double>()).epsilon(0).margin(1e-3));
    CHECK(report.gradient_norm == Catch::Approx(expected[step][3].get<double>()).epsilon(1e-3));
    CHECK(report.similarity == Catch::Approx(expected[step][4].get<double>()).epsilon(0).margin(1e-3));
  }
}

}  // namespace

TEST_CASE("fifty losses with balance over the batch equal PyTorch's", "[train]") { compare("batch"); }

TEST_CASE("fifty losses with balance over each sequence equal PyTorch's", "[train]") { compare("sequence"); }

TEST_CASE("fifty losses with the loss on alike experts equal PyTorch's", "[train]") { compare("similarity"); }
