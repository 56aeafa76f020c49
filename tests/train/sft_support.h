// Tuned models of the references, and passes from their files.
#pragma once

#include <ATen/ops/tensor.h>

#include <cmath>

#include "core/base/json.h"
#include "core/train/sft.h"
#include "tests/support/files.h"

namespace moelab::testing {

inline std::filesystem::path sft_data() { return data_dir() / "train/sft"; }
inline std::filesystem::path tiny_model() { return data_dir() / "train/start"; }

// The reference's adapter: size * sin(phase + 1.7 i) by position.
inline void fill_wave(const at::Tensor& tensor, double size, double phase) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    values.push_back(size * std::sin(phase + 1.7 * static_cast<double>(i)));
  tensor.detach().copy_(at::tensor(values, at::kDouble).view(tensor.sizes()));
}

inline void fill_adapter(train::TunedModel& tuned) {
  for (const train::LoraSite& site : tuned.sites()) {
    fill_wave(site.a, 0.3, 0.0);
    fill_wave(site.b, 0.02, 1.0);
  }
}

inline train::TunedModel with_adapter(const std::filesystem::path& model, std::int64_t rank,
                                      train::AdapterLayout layout) {
  train::TuneOptions options;
  options.lora = {.rank = rank, .alpha = 2.0 * static_cast<double>(rank), .layout = layout};
  train::TunedModel tuned = train::TunedModel::load(model, options);
  fill_adapter(tuned);
  return tuned;
}

// [[tokens, length of the prompt], ...]
inline std::vector<train::SftExample> read_examples(const Json& list) {
  std::vector<train::SftExample> examples;
  for (const Json& entry : list) {
    const auto tokens = entry.at(0).get<std::vector<std::int32_t>>();
    const auto prompt = entry.at(1).get<std::ptrdiff_t>();
    examples.push_back(train::make_example("reference", {tokens.begin(), tokens.begin() + prompt},
                                           {tokens.begin() + prompt, tokens.end()}));
  }
  return examples;
}

inline train::Batch pack_all(const std::vector<train::SftExample>& examples) {
  std::vector<train::Row> rows;
  for (const train::SftExample& example : examples) rows.push_back({&example.document});
  return train::pack(rows);
}

// Logits of one sequence, [tokens, vocabulary].
inline at::Tensor logits_of(const model::Model& model, const std::vector<std::int64_t>& tokens) {
  const std::vector<std::int64_t> lengths = {static_cast<std::int64_t>(tokens.size())};
  const model::Layout layout = model::make_layout(lengths, at::kCPU);
  return model.logits(
      model.run_layers(model.embed(at::tensor(tokens, at::kLong)), layout, {0, model.spec().layers}));
}

}  // namespace moelab::testing
