// libFuzzer target: a hostile tokenizer.json and a text (behind a byte 0xFF) must give ids or a
// moelab::Error, in bounded time and memory; decoding as a stream must agree with decoding at once. Run by
// scripts/fuzz_text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "core/base/error.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

namespace {

using moelab::text::DecodeStream;
using moelab::text::Tokenizer;

void check_decoding(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids, bool skip) {
  const std::string whole = tokenizer.decode(ids, skip);
  DecodeStream stream(tokenizer, skip);
  std::string pieces;
  for (const std::int32_t id : ids) pieces += stream.push(id);
  pieces += stream.finish();
  if (pieces == whole && !moelab::text::first_invalid_utf8(whole)) return;
  std::cerr << "decoded '" << whole << "', as a stream '" << pieces << "'\n";
  std::abort();
}

void run(std::string_view input) {
  const std::size_t cut = input.rfind('\xFF');
  const Tokenizer tokenizer = Tokenizer::parse(input.substr(0, cut), "fuzz");
  const std::string text =
      moelab::text::repair_utf8(cut == std::string_view::npos ? "Hello, 123 world" : input.substr(cut + 1));
  // Ids that the text may not reach are decoded in any case.
  std::vector<std::int32_t> some;
  for (std::int32_t id = -1; id < 40; ++id) some.push_back(id);
  for (const bool skip : {false, true}) check_decoding(tokenizer, some, skip);
  const auto ids = tokenizer.encode(text, true);
  for (const std::int32_t id : ids) (void)tokenizer.token_bytes(id);
  for (const bool skip : {false, true}) check_decoding(tokenizer, ids, skip);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    run({reinterpret_cast<const char*>(data), size});
  } catch (const moelab::Error&) {
    // What a damaged file or a text without tokens must give.
  }
  return 0;
}
