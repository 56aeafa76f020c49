#include "core/train/batch.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

#include "core/base/random.h"

namespace moelab::train {

Batch pack(std::span<const Row> rows, at::Device device) {
  Batch batch;
  std::vector<model::SequenceShape> shapes;
  std::vector<std::int64_t> tokens, predicting, target, row_of_token, domain_of_token;
  std::vector<float> weight, content;
  for (const Row& row : rows) {
    if (row.empty()) continue;
    shapes.emplace_back();
    for (const Document* document : row) {
      const auto start = static_cast<std::int64_t>(tokens.size());
      shapes.back().branches.push_back(static_cast<std::int64_t>(document->tokens.size()));
      for (std::size_t i = 0; i < document->tokens.size(); ++i) {
        if (i > 0 && document->weight[i] != 0) {
          predicting.push_back(start + static_cast<std::int64_t>(i) - 1);
          target.push_back(document->tokens[i]);
          weight.push_back(document->weight[i]);
        }
        tokens.push_back(document->tokens[i]);
        content.push_back(document->content[i]);
        row_of_token.push_back(batch.rows);
        domain_of_token.push_back(document->domain);
      }
    }
    ++batch.rows;
  }
  if (target.empty()) throw Error("a batch has no token to predict: its documents are all masked");
  batch.layout = model::make_layout(shapes, device);
  batch.tokens = at::tensor(tokens, at::kLong).to(device);
  batch.predicting = at::tensor(predicting, at::kLong).to(device);
  batch.target = at::tensor(target, at::kLong).to(device);
  batch.weight = at::tensor(weight, at::kFloat).to(device);
  batch.row_of_token = at::tensor(row_of_token, at::kLong).to(device);
  batch.domain_of_token = at::tensor(domain_of_token, at::kLong).to(device);
  batch.content = at::tensor(content, at::kFloat).to(device);
  return batch;
}

Sampler::Sampler(Corpus corpus, const SamplerOptions& options) : corpus_(std::move(corpus)), options_(options) {
  const std::size_t domains = corpus_.domains.size();
  if (options_.rows < static_cast<std::int64_t>(domains))
    throw ConfigError("batch_rows is {}, but a row holds one domain and the corpus has {}", options_.rows, domains);
  documents_of_.resize(domains);
  cumulative_rate_.resize(domains);
  token_share_.assign(domains, 0.0);
  for (std::size_t i = 0; i < corpus_.documents.size(); ++i) {
    Document& document = corpus_.documents[i];
    const auto longest = static_cast<std::size_t>(options_.sequence_length);
    if (document.tokens.size() > longest) {
      document.tokens.resize(longest);
      document.weight.resize(longest);
      document.content.resize(longest);
    }
    const auto domain = static_cast<std::size_t>(document.domain);
    auto& rates = cumulative_rate_[domain];
    rates.push_back((rates.empty() ? 0.0 : rates.back()) + document.rate);
    documents_of_[domain].push_back(i);
    token_share_[domain] += document.rate * static_cast<double>(document.tokens.size());
  }
  const double total = std::accumulate(token_share_.begin(), token_share_.end(), 0.0);
  for (double& share : token_share_) share /= total;
}

std::vector<std::int64_t> Sampler::share_rows(std::int64_t step) const {
  const double phase = RandomStream(options_.seed, fmt::format("{}/rows", step)).uniform();
  std::vector<std::int64_t> counts(token_share_.size(), 0);
  double bound = 0;
  std::int64_t given = 0;
  for (std::size_t domain = 0; domain < counts.size(); ++domain) {
    bound += token_share_[domain] * static_cast<double>(options_.rows);
    const bool last = domain + 1 == counts.size();
    while (given < options_.rows && (last || static_cast<double>(given) + phase < bound)) {
      ++counts[domain];
      ++given;
    }
  }
  return counts;
}

void Sampler::fill_rows(std::int64_t step, std::size_t domain, std::int64_t count, std::vector<Row>& rows) const {
  RandomStream random(options_.seed, fmt::format("{}/{}", step, corpus_.domains[domain]));
  const std::size_t first = rows.size();
  std::vector<std::int64_t> room(static_cast<std::size_t>(count), options_.sequence_length);
  rows.resize(first + room.size());
  const auto& rates = cumulative_rate_[domain];
  while (true) {
    const auto found = std::upper_bound(rates.begin(), rates.end(), random.uniform() * rates.back());
    const auto drawn = std::min<std::size_t>(static_cast<std::size_t>(found - rates.begin()), rates.size() - 1);
    const Document& document = corpus_.documents[documents_of_[domain][drawn]];
    const auto length = static_cast<std::int64_t>(document.tokens.size());
    std::size_t row = 0;
    while (row < room.size() && room[row] < length) ++row;
    // Stopping here, instead of trying shorter documents, keeps the rates: a search would prefer short ones.
    if (row == room.size()) return;
    rows[first + row].push_back(&document);
    room[row] -= length;
  }
}

Batch Sampler::batch(std::int64_t step) const {
  const auto counts = share_rows(step);
  std::vector<Row> rows;
  for (std::size_t domain = 0; domain < counts.size(); ++domain) fill_rows(step, domain, counts[domain], rows);
  return pack(rows);
}

}  // namespace moelab::train
