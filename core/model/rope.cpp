#include "core/model/rope.h"

#include <algorithm>
#include <cmath>

namespace moelab::model {
namespace {

std::vector<double> read_factors(const Json& fields, const char* key, std::int64_t head_dim,
                                 const std::string& where) {
  auto factors = json_get<std::vector<double>>(fields, key, where);
  const auto is_good = [](double factor) { return std::isfinite(factor) && factor > 0; };
  if (static_cast<std::int64_t>(factors.size()) != head_dim / 2 ||
      !std::all_of(factors.begin(), factors.end(), is_good))
    throw FileError("{}: '{}' must be {} positive numbers, half of head_dim; it has {}", where, key,
                    head_dim / 2, factors.size());
  return factors;
}

RopeScaling read_longrope(const Json& config, const Json& fields, std::int64_t head_dim,
                          const std::string& where) {
  RopeScaling scaling;
  scaling.short_factor = read_factors(fields, "short_factor", head_dim, where);
  scaling.long_factor = read_factors(fields, "long_factor", head_dim, where);
  scaling.short_scale = json_get<double>(fields, "short_mscale", where);
  scaling.long_scale = json_get<double>(fields, "long_mscale", where);
  const char* original = "original_max_position_embeddings";
  scaling.original_positions =
      json_get<std::int64_t>(fields.contains(original) ? fields : config, original, where);
  if (scaling.original_positions <= 0)
    throw FileError("{}: the field '{}' is {}, but must be positive", where, original,
                    scaling.original_positions);
  return scaling;
}

}  // namespace

RopeConfig read_rope(const Json& config, std::int64_t head_dim, const std::string& where,
                     std::initializer_list<std::string_view> allowed) {
  RopeConfig rope;
  rope.theta = json_get_or<double>(config, "rope_theta", 10000.0, where);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) continue;
    const std::string here = where + ": " + key;
    rope.theta = json_get_or<double>(*found, "rope_theta", rope.theta, here);
    const auto type = json_get_or<std::string>(
        *found, "rope_type", json_get_or<std::string>(*found, "type", "default", here), here);
    if (type == "default") return rope;
    if (std::find(allowed.begin(), allowed.end(), type) == allowed.end())
      throw FileError("{}: rope type '{}' is not supported by this family; {} is", where, type,
                      fmt::join(allowed, ", "));
    rope.scaling = read_longrope(config, *found, head_dim, here);
    return rope;
  }
  return rope;
}

}  // namespace moelab::model
