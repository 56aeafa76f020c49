// Classes of ASCII characters, whatever the locale says.
#pragma once

namespace moelab {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace moelab
