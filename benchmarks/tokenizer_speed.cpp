// Encodes a text with a tokenizer.json on one thread and prints processor seconds and the digest of the ids
// as JSON.
//
//   tokenizer_speed TOKENIZER.json TEXT [repeats]
//
// TEXT is encoded line by line, each line with its line end. Run by benchmarks/run_tokenizer_speed.py, which
// compares with the tokenizers package.
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <string>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/text/tokenizer.h"

namespace {

using namespace moelab;
// Processor time of this process, which has one thread: other programs on the machine do not count.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

Json measure(const std::string& tokenizer_file, const std::string& text_file, int repeats) {
  const double load_start = processor_seconds();
  const auto tokenizer = text::Tokenizer::load(tokenizer_file);
  Json result{{"load_seconds", processor_seconds() - load_start}};
  const std::vector<std::string> pieces = pieces_of(read_text(text_file));
  double best = 1e30;
  std::vector<std::int32_t> ids;
  for (int i = 0; i < repeats; ++i) {
    ids.clear();
    const double start = processor_seconds();
    for (const std::string& piece : pieces) {
      const auto more = tokenizer.encode(piece);
      ids.insert(ids.end(), more.begin(), more.end());
    }
    best = std::min(best, processor_seconds() - start);
  }
  const double decode_start = processor_seconds();
  const std::string decoded = tokenizer.decode(ids);
  result["decode_seconds"] = processor_seconds() - decode_start;
  result["encode_seconds"] = best;
  result["tokens"] = ids.size();
  result["sha256"] = sha256(fmt::format("{}", fmt::join(ids, ",")));
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw ConfigError("usage: tokenizer_speed TOKENIZER.json TEXT [repeats]");
    std::cout << measure(argv[1], argv[2], argc > 3 ? std::stoi(argv[3]) : 1).dump() << "\n";
  } catch (const std::exception& problem) {
    std::cerr << "tokenizer_speed: " << problem.what() << "\n";
    return 1;
  }
}
