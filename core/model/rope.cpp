#include "core/model/rope.h"

#include <algorithm>
#include <cmath>

namespace moelab::model {
namespace {

struct RopeFields {
  const Json* object = nullptr;  // null: no object names the field
  std::string where;
};

RopeFields find_rope_field(const Json& config, const char* key, const std::string& where) {
  const auto names = [key](const Json& fields) {
    return fields.is_object() && fields.contains(key) && !fields.at(key).is_null();
  };
  for (const char* object : {"rope_scaling", "rope_parameters"})
    if (config.contains(object) && names(config.at(object)))
      return {&config.at(object), fmt::format("{}: {}", where, object)};
  if (names(config)) return {&config, where};
  return {};
}

double read_rope_number(const Json& config, const char* key, double fallback, const std::string& where) {
  const RopeFields found = find_rope_field(config, key, where);
  return found.object != nullptr ? json_get<double>(*found.object, key, found.where) : fallback;
}

std::vector<double> read_factors(const Json& fields, const char* key, std::int64_t rotary_dim,
                                 const std::string& where) {
  auto factors = json_get<std::vector<double>>(fields, key, where);
  const auto is_good = [](double factor) { return std::isfinite(factor) && factor > 0; };
  if (static_cast<std::int64_t>(factors.size()) != rotary_dim / 2 ||
      !std::all_of(factors.begin(), factors.end(), is_good))
    throw FileError("{}: '{}' must be {} positive numbers, half of the rotated dimensions; it has {}", where,
                    key, rotary_dim / 2, factors.size());
  return factors;
}

RopeScaling read_longrope(const Json& config, const Json& fields, std::int64_t rotary_dim,
                          const std::string& where) {
  RopeScaling scaling;
  scaling.short_factor = read_factors(fields, "short_factor", rotary_dim, where);
  scaling.long_factor = read_factors(fields, "long_factor", rotary_dim, where);
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

// The dimension pair that turns `rotations` times over the original context (arXiv 2309.00071, Eq. 19).
double yarn_dimension(double rotations, std::int64_t rotary_dim, double theta, double original_positions) {
  constexpr double kTwoPi = 6.283185307179586;
  return static_cast<double>(rotary_dim) * std::log(original_positions / (rotations * kTwoPi)) /
         (2 * std::log(theta));
}

// What each frequency is divided by: 1 where it turns often, `factor` where it hardly turns, a ramp between.
std::vector<double> yarn_factors(const Json& fields, double factor, std::int64_t rotary_dim, double theta,
                                 double original_positions, const std::string& where) {
  const double fast = json_get_or<double>(fields, "beta_fast", 32.0, where);
  const double slow = json_get_or<double>(fields, "beta_slow", 1.0, where);
  if (!(theta > 1) || !(slow > 0) || !(fast >= slow))
    throw FileError(
        "{}: yarn needs rope_theta above 1 and beta_fast >= beta_slow > 0; they are {}, {} and {}", where,
        theta, fast, slow);
  double low = yarn_dimension(fast, rotary_dim, theta, original_positions);
  double high = yarn_dimension(slow, rotary_dim, theta, original_positions);
  if (json_get_or<bool>(fields, "truncate", true, where)) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(rotary_dim - 1));
  if (low == high) high += 0.001;
  std::vector<double> factors;
  for (std::int64_t i = 0; i < rotary_dim / 2; ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    factors.push_back(1.0 / (ramp / factor + (1.0 - ramp)));
  }
  return factors;
}

// 1 for a factor up to 1.
double yarn_temperature(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

RopeScaling read_yarn(const Json& config, const Json& fields, std::int64_t rotary_dim, double theta,
                      const std::string& where) {
  const char* original = "original_max_position_embeddings";
  const auto original_positions = json_get<double>(fields, original, where);
  if (!(original_positions > 0))
    throw FileError("{}: the field '{}' is {}, but must be positive", where, original, original_positions);
  const bool has_factor = fields.contains("factor") && !fields.at("factor").is_null();
  const double factor = has_factor
                            ? json_get<double>(fields, "factor", where)
                            : json_get<double>(config, "max_position_embeddings", where) / original_positions;
  if (!(factor >= 1) || !std::isfinite(factor))
    throw FileError("{}: the field 'factor' is {}, but must be at least 1", where, factor);
  RopeScaling scaling;
  scaling.short_factor = yarn_factors(fields, factor, rotary_dim, theta, original_positions, where);
  const auto mscale = json_get_or<double>(fields, "mscale", 0.0, where);
  const auto all_dim = json_get_or<double>(fields, "mscale_all_dim", 0.0, where);
  const bool has_both = mscale != 0.0 && all_dim != 0.0;
  scaling.short_scale = has_both ? yarn_temperature(factor, mscale) / yarn_temperature(factor, all_dim)
                                 : yarn_temperature(factor, 1.0);
  const double score_temperature = all_dim != 0.0 ? yarn_temperature(factor, all_dim) : 1.0;
  scaling.score_scale = score_temperature * score_temperature;
  if (fields.contains("attention_factor") && !fields.at("attention_factor").is_null())
    scaling.short_scale = json_get<double>(fields, "attention_factor", where);
  return scaling;
}

}  // namespace

bool names_rope_field(const Json& config, const char* key) {
  return find_rope_field(config, key, {}).object != nullptr;
}

std::int64_t read_rotary_dim(const Json& config, std::int64_t head_dim, const std::string& where) {
  const char* key = "partial_rotary_factor";
  const double share = read_rope_number(config, key, 1.0, where);
  const auto rotary_dim = static_cast<std::int64_t>(static_cast<double>(head_dim) * share);
  if (!(share > 0) || share > 1 || rotary_dim <= 0 || rotary_dim % 2 != 0)
    throw FileError("{}: {} {} of head_dim {} leaves no positive even number of dimensions to rotate", where,
                    key, share, head_dim);
  return rotary_dim;
}

RopeConfig read_rope(const Json& config, std::int64_t rotary_dim, const std::string& where,
                     std::initializer_list<std::string_view> allowed) {
  RopeConfig rope;
  rope.theta = read_rope_number(config, "rope_theta", rope.theta, where);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) continue;
    if (!found->is_object()) throw FileError("{}: the field '{}' is no object", where, key);
    const std::string here = where + ": " + key;
    const auto type = json_get_or<std::string>(
        *found, "rope_type", json_get_or<std::string>(*found, "type", "default", here), here);
    if (type == "default") continue;
    if (std::find(allowed.begin(), allowed.end(), type) == allowed.end())
      throw FileError("{}: rope type '{}' is not supported by this family; {} is", where, type,
                      fmt::join(allowed, ", "));
    rope.scaling = type == "yarn" ? read_yarn(config, *found, rotary_dim, rope.theta, here)
                                  : read_longrope(config, *found, rotary_dim, here);
    break;
  }
  if (!(rope.theta > 0) || !std::isfinite(rope.theta))
    throw FileError("{}: the field 'rope_theta' is {}, but must be positive", where, rope.theta);
  return rope;
}

}  // namespace moelab::model
