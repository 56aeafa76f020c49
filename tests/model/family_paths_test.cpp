// Every way through the runtime on the families whose parts differ from Llama's: gradients, options, reading
// in pieces and greedy generation, against transformers' one full pass.
#include <cmath>

#include "core/engine/generate.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

using namespace moelab;
using namespace moelab::testing;

namespace {

const std::vector<std::string> kPlanNames = {"logit_shift", "mixed"};

std::vector<steering::Plan> reference_plans(const ModelReference& reference) {
  return {reference.plan(kPlanNames[0]), reference.plan(kPlanNames[1])};
}

// Row of the plans in a batch: 0 for the original.
std::size_t plan_row(const Json& entry) {
  if (entry.at("plan").is_null()) return 0;
  return entry.at("plan") == kPlanNames[0] ? 1 : 2;
}

// Reads one prompt in pieces of `size` tokens and checks the logits after each piece.
void check_pieces(const ModelReference& reference, engine::Decoder& decoder, std::size_t prompt,
                  std::int64_t plan, std::size_t size) {
  const std::string prefix = plan == 0 ? "" : "plan." + kPlanNames[static_cast<std::size_t>(plan) - 1] + ".";
  const at::Tensor expected = reference.tensor(fmt::format("{}prompt.{}.logits", prefix, prompt));
  const std::span<const std::int32_t> all = reference.prompts[prompt];
  engine::DecodeRow row{{}, plan};
  for (std::size_t start = 0; start < all.size(); start += size) {
    const auto piece = all.subspan(start, std::min(size, all.size() - start));
    REQUIRE(decoder.cache().reserve(row.kv, static_cast<std::int64_t>(piece.size())));
    const at::Tensor logits = decoder.feed(std::vector<engine::Feed>{{&row, piece}});
    CAPTURE(prompt, plan, size, start);
    CHECK(largest_difference(logits[0], expected[static_cast<std::int64_t>(start + piece.size()) - 1]) <=
          reference.tolerance);
  }
  decoder.cache().release(row.kv);
}

}  // namespace

TEST_CASE("families: gradients to the embeddings equal autograd's over transformers", "[model]") {
  const ModelReference reference(GENERATE(as<std::string>(), "granitemoe_tiny", "phimoe_tiny"));
  const auto engine = load_engine(reference.checkpoint);
  std::vector<engine::GradientItem> items;
  for (const auto& prompt : reference.prompts) items.push_back({prompt, 1});
  const auto results = engine.gradients(items);
  for (std::size_t p = 0; p < items.size(); ++p) {
    const at::Tensor expected = reference.tensor(fmt::format("prompt.{}.gradient", p));
    CHECK(results[p].loss == Catch::Approx(reference.fields.at("losses")[p].get<double>()).epsilon(1e-5));
    CHECK(largest_difference(results[p].gradient, expected) < 1e-3 * expected.abs().max().item<double>());
  }
}

TEST_CASE("families: options score as in one full pass an option, plans side by side", "[model]") {
  const ModelReference reference(GENERATE(as<std::string>(), "granitemoe_tiny", "phimoe_tiny"));
  const auto engine = load_engine(reference.checkpoint);
  std::vector<engine::ScoreItem> items;
  for (const Json& entry : reference.fields.at("options"))
    items.push_back({reference.prompts.at(entry.at("prompt").get<std::size_t>()),
                     entry.at("options").get<std::vector<engine::Tokens>>()});
  const auto plans = reference_plans(reference);
  const auto report = engine.score(items, plans);
  REQUIRE(items.size() >= 3);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Json& entry = reference.fields.at("options")[i];
    const auto expected = entry.at("log_probs").get<std::vector<double>>();
    for (std::size_t o = 0; o < expected.size(); ++o)
      CHECK(std::abs(report.items[i].log_probabilities[plan_row(entry)][o] - expected[o]) <
            1e-5 * std::max(1.0, std::abs(expected[o])));
  }
}

TEST_CASE("families: reading in pieces and token by token gives the logits of one pass", "[model]") {
  const ModelReference reference(GENERATE(as<std::string>(), "granitemoe_tiny", "phimoe_tiny"));
  const auto engine = load_engine(reference.checkpoint);
  engine::Decoder decoder(engine, reference_plans(reference), {40, 4});
  for (const std::size_t size : {1, 5, 100})
    for (std::int64_t plan = 0; plan < 3; ++plan)
      for (std::size_t p = 0; p < reference.prompts.size(); ++p)
        check_pieces(reference, decoder, p, plan, size);
}

TEST_CASE("families: greedy tokens equal the reference's full passes", "[model]") {
  const ModelReference reference(GENERATE(as<std::string>(), "granitemoe_tiny", "phimoe_tiny"));
  const auto engine = load_engine(reference.checkpoint);
  std::vector<engine::GenerateRequest> requests;
  for (const Json& entry : reference.fields.at("greedy")) {
    engine::GenerateRequest request;
    request.question = "q";
    request.prompt = reference.prompts.at(entry.at("prompt").get<std::size_t>());
    request.max_new_tokens = 8;
    request.stop_at_eos = false;
    request.plan = static_cast<std::int64_t>(plan_row(entry));
    requests.push_back(request);
  }
  engine::GenerateOptions options;
  options.cache = {64, 4};
  const auto report = engine::generate(engine, reference_plans(reference), requests, options);
  REQUIRE(requests.size() == 12);
  for (std::size_t i = 0; i < requests.size(); ++i)
    CHECK(report.samples[i].tokens == reference.fields.at("greedy")[i].at("tokens").get<engine::Tokens>());
}
