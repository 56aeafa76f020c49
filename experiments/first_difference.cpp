#include "experiments/first_difference.h"

#include <ATen/ops/softmax.h>

#include <algorithm>

#include "core/engine/decoder.h"

namespace moelab::experiments {
namespace {

constexpr std::size_t kPieceTokens = 256;

// Logits [2, vocab] after all tokens: the original's, the plan's.
at::Tensor logits_after(const engine::Engine& engine, const steering::Plan& plan,
                        std::span<const std::int32_t> read) {
  model::KvCacheOptions cache;
  const auto tokens = static_cast<std::int64_t>(read.size());
  cache.pages = 2 * (tokens / cache.page_tokens + 1);
  engine::Decoder decoder(engine, {&plan, 1}, cache);
  std::array<engine::DecodeRow, 2> rows;
  rows[1].plan = 1;
  for (engine::DecodeRow& row : rows)
    if (!decoder.cache().reserve(row.kv, tokens))
      throw Error("the KV cache is too small for {} tokens", tokens);
  at::Tensor logits;
  for (std::size_t begin = 0; begin < read.size(); begin += kPieceTokens) {
    const auto piece = read.subspan(begin, std::min(kPieceTokens, read.size() - begin));
    const std::array<engine::Feed, 2> feeds = {engine::Feed{&rows[0], piece, tokens},
                                               engine::Feed{&rows[1], piece, tokens}};
    logits = decoder.feed(feeds);
  }
  return logits;
}

}  // namespace

std::optional<FirstDifference> first_difference(std::span<const std::int32_t> original,
                                                std::span<const std::int32_t> steered) {
  const auto [left, right] = std::mismatch(original.begin(), original.end(), steered.begin(), steered.end());
  if (left == original.end() || right == steered.end()) return std::nullopt;
  return FirstDifference{static_cast<std::size_t>(left - original.begin()), *left, *right};
}

std::array<TokenPair, 2> chances_at(const engine::Engine& engine, const steering::Plan& plan,
                                    std::span<const std::int32_t> read, const FirstDifference& difference) {
  const at::Tensor chances = at::softmax(logits_after(engine, plan, read).to(at::kDouble), 1);
  const auto table = chances.accessor<double, 2>();
  std::array<TokenPair, 2> result;
  for (std::size_t model = 0; model < 2; ++model) {
    const auto row = table[static_cast<std::int64_t>(model)];
    result[model] = {row[difference.original], row[difference.steered]};
  }
  return result;
}

}  // namespace moelab::experiments
