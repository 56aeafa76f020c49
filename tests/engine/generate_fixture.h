// What the tests of generation share: requests, settings of a run, the tokens that it gave, and rows that go
// on from one prompt.
#pragma once

#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/generate.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

namespace moelab::testing {

inline engine::GenerateOptions options_of(std::int64_t rows, std::int64_t prefill,
                                          model::KvCacheOptions cache) {
  engine::GenerateOptions options;
  options.rows = rows;
  options.prefill_tokens = prefill;
  options.cache = cache;
  return options;
}

inline std::vector<engine::Tokens> tokens_of(const engine::GenerateReport& report) {
  std::vector<engine::Tokens> tokens;
  for (const auto& sample : report.samples) tokens.push_back(sample.tokens);
  return tokens;
}

// The first `questions` of three questions with 3, 4 and 5 repeats of 6, 7 and 8 tokens, drawn, under two
// plans in turn; prompts of 9, 17 and 24 tokens.
inline std::vector<engine::GenerateRequest> repeated_requests(const ModelReference& reference,
                                                              std::size_t questions) {
  std::vector<engine::GenerateRequest> requests;
  for (std::size_t i = 0; i < questions; ++i) {
    engine::GenerateRequest request;
    request.question = fmt::format("q{}", i);
    request.prompt = reference.prompts[i + 1];
    request.plan = static_cast<std::int64_t>(i % 2);
    request.sampling = {false, 1.1, 0, 0.95, 0.0, 1.0};
    request.max_new_tokens = 6 + static_cast<std::int64_t>(i);
    request.stop_at_eos = false;
    request.repeats = 3 + static_cast<std::int64_t>(i);
    request.seed = 9;
    requests.push_back(request);
  }
  return requests;
}

// Logits after the last token of a whole sequence, without any cache.
inline at::Tensor last_logits(const engine::Engine& engine, const engine::Tokens& tokens) {
  return engine.logits(std::vector<engine::Tokens>{tokens})[0][-1];
}

// A row of a decoder and all that it has read.
struct ReadRow {
  engine::DecodeRow row;
  engine::Tokens tokens;
};

// Both rows read three more tokens, each its own, in passes that they share; their logits must be those of
// their whole sequences.
inline void check_reading_on(const engine::Engine& engine, engine::Decoder& decoder, ReadRow& first,
                             ReadRow& second, double tolerance) {
  for (const auto& [a, b] : {std::pair{30, 40}, std::pair{31, 41}, std::pair{32, 42}}) {
    const engine::Tokens next_a = {a}, next_b = {b};
    first.tokens.push_back(a);
    second.tokens.push_back(b);
    REQUIRE(decoder.cache().reserve(first.row.kv, 1));
    REQUIRE(decoder.cache().reserve(second.row.kv, 1));
    const std::vector<engine::Feed> feeds = {{&first.row, next_a}, {&second.row, next_b}};
    const at::Tensor logits = decoder.feed(feeds);
    CHECK(largest_difference(logits[0], last_logits(engine, first.tokens)) <= tolerance);
    CHECK(largest_difference(logits[1], last_logits(engine, second.tokens)) <= tolerance);
  }
}

}  // namespace moelab::testing
