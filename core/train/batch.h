// Batches of training documents: rows of one domain each, drawn by rate, the same for the same (seed, step).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/layout.h"
#include "core/train/corpus.h"

namespace moelab::train {

// One batch as packed token rows without padding. Documents of a row stand side by side and do not see each other;
// each starts at position 0, as a prompt does.
struct Batch {
  at::Tensor tokens;  // [tokens] int64
  model::Layout layout;
  at::Tensor predicting;       // [targets] int64: the token row whose output predicts the target
  at::Tensor target;           // [targets] int64
  at::Tensor weight;           // [targets] float32: Document::weight of the target, never 0
  at::Tensor row_of_token;     // [tokens] int64
  at::Tensor domain_of_token;  // [tokens] int64
  at::Tensor content;          // [tokens] float32, 0 or 1
  std::int64_t rows = 0;
};

using Row = std::vector<const Document*>;

// Packs rows that are already chosen; empty rows are left out. Throws Error when there is no target at all.
Batch pack(std::span<const Row> rows, at::Device device = at::kCPU);

struct SamplerOptions {
  std::uint64_t seed = 1;             // names the stream of documents
  std::int64_t rows = 32;             // rows in a batch
  std::int64_t sequence_length = 128; // tokens that fit in a row; only a longer document is cut
};

// Draws batches. The rows are shared out among the domains in proportion to their tokens (systematic sampling), so
// each domain that is due a row a batch is in every batch. Keeps a reference to the corpus's documents.
class Sampler {
 public:
  // Throws ConfigError when there are fewer rows than domains.
  Sampler(Corpus corpus, const SamplerOptions& options);

  const Corpus& corpus() const { return corpus_; }

  // Depends on (seed, step) alone, so a run resumes without any state of the sampler.
  Batch batch(std::int64_t step) const;

 private:
  std::vector<std::int64_t> share_rows(std::int64_t step) const;
  void fill_rows(std::int64_t step, std::size_t domain, std::int64_t count, std::vector<Row>& rows) const;

  Corpus corpus_;
  SamplerOptions options_;
  std::vector<std::vector<std::size_t>> documents_of_;  // [domains]
  std::vector<std::vector<double>> cumulative_rate_;    // [domains][documents]
  std::vector<double> token_share_;                     // [domains], sums to 1
};

}  // namespace moelab::train
