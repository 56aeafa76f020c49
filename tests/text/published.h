// Published tokenizers: they are not part of this repository; where a folder of them lies beside it, they are
// checked too.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include "tests/support/files.h"

namespace moelab::testing {

inline std::filesystem::path text_data(const std::string& name) { return data_dir() / "text" / name; }

// tokenizer.json of the published tokenizer `name`, unpacked into `scratch`; nothing, with the reason
// printed, when it is not there or cannot be unpacked.
inline std::optional<std::filesystem::path> unpack_published(const ScratchDir& scratch,
                                                             const std::string& name) {
  const auto packed =
      source_dir().parent_path() / "shared" / "assets" / "tokenizers" / name / "tokenizer.json.xz";
  if (!std::filesystem::exists(packed)) {
    std::cout << "skipped: the published tokenizer " << packed << " is not there\n";
    return std::nullopt;
  }
  const auto plain = scratch / "tokenizer.json";
  const std::string command =
      fmt::format("xz --decompress --stdout '{}' > '{}'", packed.string(), plain.string());
  if (std::system(command.c_str()) != 0) {
    std::cout << "skipped: the program xz could not unpack " << packed << "\n";
    return std::nullopt;
  }
  return plain;
}

}  // namespace moelab::testing
