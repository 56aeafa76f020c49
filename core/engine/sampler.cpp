#include "core/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/base/random.h"

namespace moelab::engine {
namespace {

struct Candidate {
  std::int32_t token;
  float logit;
};

std::vector<Candidate> penalised(const SamplerRow& row, double penalty) {
  std::vector<Candidate> all(row.logits.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = {static_cast<std::int32_t>(i), row.logits[i]};
  if (penalty == 1.0) return all;
  const float factor = static_cast<float>(penalty);
  std::vector<bool> seen(all.size(), false);
  for (const std::int32_t token : row.context) {
    const auto index = static_cast<std::size_t>(token);
    if (token < 0 || index >= all.size() || seen[index]) continue;
    seen[index] = true;
    float& logit = all[index].logit;
    logit = logit < 0 ? logit * factor : logit / factor;
  }
  return all;
}

bool likelier(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

void keep_top_k(std::vector<Candidate>& tokens, std::int64_t top_k) {
  if (top_k == 0 || static_cast<std::size_t>(top_k) >= tokens.size()) return;
  const auto last = tokens.begin() + (top_k - 1);
  std::nth_element(tokens.begin(), last, tokens.end(), likelier);
  const float threshold = last->logit;
  std::erase_if(tokens, [&](const Candidate& c) { return c.logit < threshold; });
}

double largest_logit(const std::vector<Candidate>& tokens) {
  return std::max_element(tokens.begin(), tokens.end(),
                          [](const Candidate& a, const Candidate& b) { return a.logit < b.logit; })
      ->logit;
}

// Drops the least likely tokens while their summed mass is at most 1 - top_p.
void keep_top_p(std::vector<Candidate>& tokens, double top_p) {
  if (top_p == 1.0) return;
  std::sort(tokens.begin(), tokens.end(), likelier);
  const double largest = tokens.front().logit;
  double total = 0;
  for (const Candidate& c : tokens) total += std::exp(c.logit - largest);
  double tail = 0;
  std::size_t kept = tokens.size();
  for (; kept > 1; --kept) {
    tail += std::exp(tokens[kept - 1].logit - largest) / total;
    if (tail > 1.0 - top_p) break;
  }
  tokens.resize(kept);
}

void keep_min_p(std::vector<Candidate>& tokens, double min_p) {
  if (min_p == 0.0) return;
  const double largest = largest_logit(tokens);
  std::erase_if(tokens, [&](const Candidate& c) { return std::exp(c.logit - largest) < min_p; });
}

void require(bool holds, const char* key, const char* rule) {
  if (!holds) throw ConfigError("sampling.{}: {}", key, rule);
}

}  // namespace

void require_distribution(const SamplerRow& row) {
  bool finite = false;
  for (std::size_t i = 0; i < row.logits.size(); ++i) {
    const float logit = row.logits[i];
    if (std::isnan(logit) || logit == std::numeric_limits<float>::infinity())
      throw LogitsError("{}: the model's logit of token {} is {}", row.name, i,
                        std::isnan(logit) ? "NaN" : "infinite");
    finite = finite || std::isfinite(logit);
  }
  if (!finite) throw LogitsError("{}: no token has a finite logit", row.name);
}

void validate(const SamplingOptions& options) {
  require(std::isfinite(options.temperature) && options.temperature > 0, "temperature",
          "must be positive and finite; for the likeliest token use greedy=true");
  require(options.top_k >= 0, "top_k", "must not be negative; 0 keeps all tokens");
  require(options.top_p > 0 && options.top_p <= 1, "top_p", "must be above 0 and at most 1");
  require(options.min_p >= 0 && options.min_p <= 1, "min_p", "must be from 0 to 1");
  require(std::isfinite(options.repetition_penalty) && options.repetition_penalty > 0, "repetition_penalty",
          "must be positive and finite; 1 is none");
  if (!options.greedy) return;
  const char* const rule = "has no meaning with greedy=true; set greedy=false or leave it out";
  require(options.temperature == 1.0, "temperature", rule);
  require(options.top_k == 0, "top_k", rule);
  require(options.top_p == 1.0, "top_p", rule);
  require(options.min_p == 0.0, "min_p", rule);
}

std::vector<TokenProbability> filtered_distribution(const SamplerRow& row, const SamplingOptions& options) {
  require_distribution(row);
  std::vector<Candidate> tokens = penalised(row, options.repetition_penalty);
  if (options.greedy) return {{std::min_element(tokens.begin(), tokens.end(), likelier)->token, 1.0}};
  if (options.temperature != 1.0)
    for (Candidate& c : tokens) c.logit /= static_cast<float>(options.temperature);
  keep_top_k(tokens, options.top_k);
  keep_top_p(tokens, options.top_p);
  keep_min_p(tokens, options.min_p);
  // By id and not by rank: two nearly equal logits that change ranks then hardly move a draw.
  std::sort(tokens.begin(), tokens.end(),
            [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
  const double largest = largest_logit(tokens);
  double total = 0;
  for (const Candidate& c : tokens) total += std::exp(c.logit - largest);
  std::vector<TokenProbability> kept;
  for (const Candidate& c : tokens) {
    const double probability = std::exp(c.logit - largest) / total;
    if (probability > 0) kept.push_back({c.token, probability});
  }
  return kept;
}

std::int32_t sample(const SamplerRow& row, const SamplingOptions& options, const SampleKey& key) {
  const std::vector<TokenProbability> tokens = filtered_distribution(row, options);
  if (tokens.size() == 1) return tokens.front().token;
  RandomStream stream(key.seed, fmt::format("sample/{}/{}/{}", key.position, key.repeat, key.question));
  double left = stream.uniform();
  for (const TokenProbability& entry : tokens) {
    if (left < entry.probability) return entry.token;
    left -= entry.probability;
  }
  return tokens.back().token;  // the sum may fall short of one by rounding
}

}  // namespace moelab::engine
