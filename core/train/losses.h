// The losses of training: language, load balance, planted experts, router z-loss and alike experts, put together.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "core/model/model.h"
#include "core/train/batch.h"
#include "core/train/options.h"

namespace moelab::train {

// Which experts are planted for a domain, as 0 / 1 tables.
struct PlantingTables {
  at::Tensor all;      // [domains, experts] float32: planted on every token
  at::Tensor content;  // [domains, experts] float32: planted on content tokens only
};

// Throws ConfigError naming the entry: a domain that the corpus lacks, an expert or layer that the model lacks, an
// unknown kind.
PlantingTables make_planting_tables(const PlantingOptions& options, const std::vector<std::string>& domains,
                                    const model::ModelSpec& spec);

// The language loss: the pooled tokens' weighted mean and the answer tokens' own mean (0 where there are none).
struct LanguageLoss {
  at::Tensor pooled;
  at::Tensor answer;
};

// `logits` [targets, vocab] predict batch.target.
LanguageLoss language_loss(const at::Tensor& logits, const Batch& batch);

// Switch Transformer's balance loss (Fedus et al. 2022, Eq. 4-6) of one layer: experts * sum_e f_e * p_e, with f_e the
// share of selections and p_e the mean routing probability of expert e over the batch, or over each row and then
// averaged over rows. 1 when balanced.
at::Tensor balance_loss(const at::Tensor& probabilities, const at::Tensor& ids, const Batch& batch, bool by_row);

// Pushes a token to every expert that is planted for it, and off the experts planted for others: the mean over the
// tokens that have planted experts of sum_e -ln(min(p_e, cap)), plus `exclusive` x the mean over all tokens of
// -ln(1 - probability of the planted experts that are not the token's own). Each expert has its own cap: were their sum
// capped, one of them would satisfy it alone.
at::Tensor planting_loss(const at::Tensor& probabilities, const PlantingTables& tables, const Batch& batch,
                         const PlantingOptions& options);

// mean(logsumexp(router logits)^2) (ST-MoE, Zoph et al. 2022, Eq. 5).
at::Tensor router_z_loss(const at::Tensor& logits);

// All parts of one step's loss; `total` is the one that is minimised.
struct Losses {
  at::Tensor total;
  at::Tensor language, answer, balance, planting, z, similarity;  // without their coefficients
};

Losses total_loss(const model::Model& model, const Batch& batch, const LossOptions& loss, const PlantingOptions& planting,
                  const PlantingTables& tables);

}  // namespace moelab::train
