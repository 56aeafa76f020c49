// Answer texts with the verdicts of other people's code, a case a line.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/support/files.h"

namespace moelab::testing {

// The lines of a file that a script of tests/reference/evaluators made, the committed one or, where the
// variable MOELAB_VERDICTS names a folder (scripts/fresh_verdicts), one of another seed. The first says with
// what it was made.
inline std::vector<Json> reference_lines(const std::string& file) {
  const char* fresh = std::getenv("MOELAB_VERDICTS");
  const auto path = (fresh != nullptr ? std::filesystem::path(fresh) : data_dir() / "evaluators") / file;
  std::vector<Json> lines;
  for (const std::string& line : read_lines(path)) lines.push_back(parse_json(line, path.string()));
  return lines;
}

// A case's text: a string, or a list of [piece, times] where it is long.
inline std::string text_of(const Json& each) {
  const Json& text = each.at("text");
  if (text.is_string()) return text.get<std::string>();
  std::string whole;
  for (const Json& part : text)
    for (int i = 0; i < part.at(1).get<int>(); ++i) whole += part.at(0).get<std::string>();
  return whole;
}

}  // namespace moelab::testing
