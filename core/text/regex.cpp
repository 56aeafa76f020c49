#include "core/text/regex.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "core/base/error.h"
#include "core/text/regex_syntax.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

constexpr std::size_t longest_pattern = 65536;
// Steps of one match: enough for every published pattern, which need a few for each byte, and for a short
// text too few to be noticed.
constexpr std::size_t steps_at_least = 100'000;
constexpr std::size_t steps_for_each_byte = 100;
constexpr std::size_t steps_at_most = 10'000'000;
constexpr std::uint32_t heap_limit_kib = 64 * 1024;
constexpr std::size_t jit_stack_start = 64 * 1024;
constexpr std::size_t jit_stack_most = 16 * 1024 * 1024;

std::string pcre2_message(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  std::string message;
  for (const PCRE2_UCHAR unit : buffer) {
    if (unit == 0) break;
    message.push_back(static_cast<char>(unit));
  }
  return message;
}

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

pcre2_match_data* RegexScratch::data() {
  if (!data_) prepare();
  return data_.get();
}

void RegexScratch::prepare() {
  context_.reset(pcre2_match_context_create(nullptr));
  stack_.reset(pcre2_jit_stack_create(jit_stack_start, jit_stack_most, nullptr));
  data_.reset(pcre2_match_data_create(1, nullptr));
  if (!data_ || !context_) throw std::bad_alloc();
  pcre2_set_heap_limit(context_.get(), heap_limit_kib);
  // Without a stack of its own (a PCRE2 built without JIT) matching still works, only slower.
  if (stack_) pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
}

Regex::Regex(std::string pattern, std::unique_ptr<pcre2_code, Release> code)
    : pattern_(std::move(pattern)), code_(std::move(code)) {}

Regex Regex::build(std::string_view shown, std::string_view pattern, std::uint32_t options,
                   std::string_view origin) {
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  if (!context) throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_max_pattern_length(context.get(), longest_pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  std::unique_ptr<pcre2_code, Release> code(
      pcre2_compile(units(pattern), pattern.size(), options, &error, &offset, context.get()));
  if (!code) {
    throw FileError("{}: the pattern '{}' does not compile: {} (at byte {} of '{}')", origin, shown,
                    pcre2_message(error), offset, pattern);
  }
  // A failure means that this system forbids machine code made at run time; the interpreter gives the same
  // matches.
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  return {std::string(shown), std::move(code)};
}

Regex Regex::compile(std::string_view pattern, std::string_view origin) {
  // Ruby's ^ and $ match at every line, hence MULTILINE.
  return build(pattern, pcre2_pattern(pattern, origin), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, origin);
}

Regex Regex::literal(std::string_view text, std::string_view origin) {
  if (text.empty()) throw FileError("{}: the pattern is empty", origin);
  return build(text, text, PCRE2_UTF | PCRE2_LITERAL, origin);
}

Regex Regex::word_character() {
  constexpr std::string_view pattern = R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}])";
  return build(pattern, pattern, PCRE2_UTF | PCRE2_UCP, "word characters");
}

void Regex::cut(std::string_view subject, RegexScratch& scratch, std::vector<Span>& spans) const {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  pcre2_match_data* const data = scratch.data();
  const std::size_t steps = std::min(steps_at_least + steps_for_each_byte * subject.size(), steps_at_most);
  pcre2_set_match_limit(scratch.context(), static_cast<std::uint32_t>(steps));
  std::size_t last_end = none;
  std::size_t covered = 0;
  for (std::size_t at = 0; at <= subject.size();) {
    const int found = pcre2_match(code_.get(), units(subject), subject.size(), at, PCRE2_NO_UTF_CHECK, data,
                                  scratch.context());
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) {
      throw Error("the pattern '{}' gave up at byte {} of a text of {} bytes: {}", pattern_, at,
                  subject.size(), pcre2_message(found));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data);
    const std::size_t begin = bounds[0];
    const std::size_t end = bounds[1];
    if (begin == end && end == last_end) {
      at += at < subject.size() ? decode_utf8(subject, at).length : 1;
      continue;
    }
    if (covered < begin) spans.push_back({covered, begin, false});
    spans.push_back({begin, end, true});
    at = covered = last_end = end;
  }
  if (covered < subject.size()) spans.push_back({covered, subject.size(), false});
}

}  // namespace moelab::text
