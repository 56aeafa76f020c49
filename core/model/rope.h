// What a config.json says of the rotary position embedding: its base and how its frequencies are scaled.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace moelab::model {

// Frequency i of a scaled rotation is theta^(-2i / rotary_dim) / factor_i; cosines and sines are multiplied
// by the scale. A sequence of more than `original_positions` tokens takes the long set for all of its tokens.
struct RopeScaling {
  std::vector<double> short_factor;     // [rotary_dim / 2]
  std::vector<double> long_factor;      // [rotary_dim / 2]; empty: the short set at every length
  double short_scale = 1.0;             // of cosines and sines
  double long_scale = 1.0;              // the same past original_positions
  std::int64_t original_positions = 0;  // longest sequence that takes the short set
  double score_scale = 1.0;             // of the attention's scores; attention over latents alone applies it
};

struct RopeConfig {
  double theta = 10000.0;
  std::optional<RopeScaling> scaling;  // none: theta's own frequencies
};

// Whether a field of the rotation is there and not null: in rope_scaling, in rope_parameters as transformers
// 5 writes it, or at the top. The first of these that names it counts.
bool names_rope_field(const Json& config, const char* key);

// How many leading dimensions of a head are rotated: head_dim times partial_rotary_factor (see
// names_rope_field). Throws FileError when that is no positive even number up to head_dim.
std::int64_t read_rotary_dim(const Json& config, std::int64_t head_dim, const std::string& where);

// Reads rope_theta (see names_rope_field) and the scaling in rope_parameters or rope_scaling, of type
// 'longrope' (arXiv 2402.13753, with Phi's short_mscale and long_mscale) or 'yarn' (arXiv 2309.00071, Eq. 23
// and the temperature of its section 3.4; `truncate` false leaves the ramp's ends unrounded; mscale_all_dim
// gives score_scale, as DeepSeek's code has it). Throws FileError naming the field: a type that `allowed`
// lacks ('default' always is), lists that do not have rotary_dim / 2 positive numbers, a factor below 1.
RopeConfig read_rope(const Json& config, std::int64_t rotary_dim, const std::string& where,
                     std::initializer_list<std::string_view> allowed);

}  // namespace moelab::model
