// Regular expressions on UTF-8 with PCRE2, found one after another as the `tokenizers` package finds them.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace moelab::text {

// Bytes [begin, end) of a subject, and whether the pattern matched them or they lie between two matches.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool matched = false;
};

// What one thread needs while it matches; any pattern may use it, one at a time. Made at the first match.
class RegexScratch {
 public:
  pcre2_match_data* data();
  pcre2_match_context* context() const { return context_.get(); }

 private:
  void prepare();

  template <auto release>
  struct Release {
    template <typename T>
    void operator()(T* object) const {
      release(object);
    }
  };
  std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>> data_;
  std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>> context_;
  std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack_free>> stack_;
};

// A compiled pattern; const use from many threads is safe.
class Regex {
 public:
  // `pattern` in the syntax of tokenizer.json. Throws FileError naming `origin`.
  static Regex compile(std::string_view pattern, std::string_view origin);
  // Matches exactly `text`, which must not be empty.
  static Regex literal(std::string_view text, std::string_view origin);

  // One word character as Rust's regex engine has it: letters, marks, decimal digits, connectors, joiners
  // (UTS 18).
  static Regex word_character();

  // Cuts all of `subject` (valid UTF-8) into matches and what lies between them, appended to `spans` in
  // order. An empty match is reported unless it touches the match before it. Throws Error when a match takes
  // too long.
  void cut(std::string_view subject, RegexScratch& scratch, std::vector<Span>& spans) const;

 private:
  struct Release {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  };
  Regex(std::string pattern, std::unique_ptr<pcre2_code, Release> code);
  static Regex build(std::string_view shown, std::string_view pattern, std::uint32_t options,
                     std::string_view origin);

  std::string pattern_;
  std::unique_ptr<pcre2_code, Release> code_;
};

}  // namespace moelab::text
