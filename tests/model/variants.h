// Deliberately wrong variants of the decoder, by the name that the reference data give each mistake.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/model/model.h"

namespace moelab::testing {

using Change = std::function<void(model::ModelSpec&, model::ModelWeights&)>;
using Changes = std::map<std::string, Change>;

inline void for_each_moe(model::ModelWeights& weights,
                         const std::function<void(model::MoeWeights&)>& change) {
  for (model::LayerWeights& layer : weights.layers)
    if (auto* moe = std::get_if<model::MoeWeights>(&layer.mlp)) change(*moe);
}

}  // namespace moelab::testing
