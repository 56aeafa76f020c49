#include "core/engine/generating_row.h"

#include <algorithm>

namespace moelab::engine {
namespace {

// Bytes and not decoded text: a stop string may begin inside one token and end inside another. Output layers
// are often wider than the vocabulary: such a token has no text.
std::string bytes_of(std::int32_t token, const text::Tokenizer& tokenizer) {
  try {
    return tokenizer.token_bytes(token);
  } catch (const Error&) {
    return {};
  }
}

// Whether the text with the last token holds a stop string that it did not hold before.
bool has_stop_string(GeneratingRow& row, const text::Tokenizer* tokenizer) {
  const auto& stops = row.request->stop_strings;
  if (stops.empty()) return false;
  const std::size_t before = row.text.size();
  row.text += bytes_of(row.sample.tokens.back(), *tokenizer);
  return std::any_of(stops.begin(), stops.end(), [&](const std::string& stop) {
    const std::size_t from = before < stop.size() ? 0 : before - stop.size() + 1;
    return row.text.find(stop, from) != std::string::npos;
  });
}

}  // namespace

GeneratingRow make_row(std::span<const GenerateRequest> requests, std::size_t index, std::int64_t repeat) {
  const GenerateRequest& request = requests[index];
  GeneratingRow row;
  row.request = &request;
  row.sample.request = index;
  row.sample.repeat = repeat;
  if (request.thinking) row.thinking = ThinkingTracker(&*request.thinking);
  return row;
}

std::int32_t add_token(GeneratingRow& row, std::span<const float> logits) {
  const GenerateRequest& request = *row.request;
  const auto position = static_cast<std::int64_t>(row.sample.tokens.size());
  const std::string name = fmt::format("question '{}', repeat {}, token {} of the answer", request.question,
                                       row.sample.repeat, position);
  const SamplerRow choices{logits, row.sequence, name};
  std::int32_t token = 0;
  if (const auto forced = row.thinking.forced()) {
    require_distribution(choices);  // a broken model fails here too
    token = *forced;
    row.sample.forced_close = true;
  } else {
    token = sample(choices, request.sampling, {request.seed, request.question, row.sample.repeat, position});
  }
  row.thinking.add(token);
  row.sample.tokens.push_back(token);
  row.sequence.push_back(token);
  return token;
}

std::optional<StopReason> stop_reason(GeneratingRow& row, const model::ModelSpec& spec,
                                      const text::Tokenizer* tokenizer) {
  const GenerateRequest& request = *row.request;
  const std::int32_t token = row.sample.tokens.back();
  const auto holds = [&](const auto& ids) { return std::find(ids.begin(), ids.end(), token) != ids.end(); };
  if (request.stop_at_eos && holds(spec.eos_ids)) return StopReason::eos;
  if (holds(request.stop_ids)) return StopReason::stop_id;
  if (has_stop_string(row, tokenizer)) return StopReason::stop_string;
  if (static_cast<std::int64_t>(row.sample.tokens.size()) == request.max_new_tokens)
    return StopReason::length;
  if (static_cast<std::int64_t>(row.sequence.size()) == spec.max_positions) return StopReason::context;
  return std::nullopt;
}

}  // namespace moelab::engine
