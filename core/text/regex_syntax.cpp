#include "core/text/regex_syntax.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/ascii.h"
#include "core/base/error.h"

namespace moelab::text {

namespace {

// The property White_Space and its complement, written as the inside of a character class.
constexpr std::string_view space_ranges =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view non_space_ranges =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";

constexpr std::array<std::string_view, 37> general_categories = {
    "C",  "Cc", "Cf", "Cn", "Co", "Cs", "L",  "Ll", "Lm", "Lo", "Lt", "Lu", "M",
    "Mc", "Me", "Mn", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Pe", "Pf", "Pi",
    "Po", "Ps", "S",  "Sc", "Sk", "Sm", "So", "Z",  "Zl", "Zp", "Zs"};

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~') || c == ' ';
}

class Translator {
 public:
  Translator(std::string_view pattern, std::string_view origin) : pattern_(pattern), origin_(origin) {}

  std::string run() {
    if (pattern_.starts_with("(?i)")) {
      groups_.back().caseless = true;
      emit_from("(?i)");
    }
    while (at_ < pattern_.size()) step();
    if (groups_.size() != 1) fail("an unclosed group");
    return std::move(out_);
  }

 private:
  struct Group {
    // Where the group begins in out_, so that a repetition can be wrapped around the whole of it.
    std::size_t start = 0;
    bool caseless = false;
  };

  [[noreturn]] void fail(std::string_view what) const {
    throw FileError(
        "{}: the pattern '{}' has {} at character {}, which is not supported; supported are literals, . ^ $ "
        "| * + ? {{n,m}}, groups (?: (?i: (?= (?! (?<= (?<! (?>, classes [..], \\s \\S \\d \\D \\p{{..}} "
        "\\P{{..}} and escaped characters",
        origin_, pattern_, what, at_);
  }

  bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

  void emit_from(std::string_view text) {
    out_ += text;
    at_ += text.size();
  }

  void step() {
    switch (pattern_[at_]) {
      case '\\':
        atom_ = out_.size();
        return escape(false);
      case '[':
        atom_ = out_.size();
        return character_class();
      case '(':
        return open_group();
      case ')':
        return close_group();
      case '*':
      case '+':
      case '?':
        return emit_from(pattern_.substr(at_, 1));
      case '{':
        return counted_repetition();
      default:
        return literal();
    }
  }

  void literal() {
    atom_ = out_.size();
    // A quantifier after a character of several bytes applies to all of them.
    do {
      out_ += pattern_[at_++];
    } while (at_ < pattern_.size() && (static_cast<unsigned char>(pattern_[at_]) & 0xC0U) == 0x80);
  }

  void open_group() {
    static constexpr std::array<std::string_view, 6> plain = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
    Group group{out_.size(), groups_.back().caseless};
    if (next_is("(?i:")) {
      group.caseless = true;
      emit_from("(?i:");
    } else if (next_is("(?")) {
      const auto* found =
          std::find_if(plain.begin(), plain.end(), [&](std::string_view p) { return next_is(p); });
      if (found == plain.end()) fail("a group of another kind");
      emit_from(*found);
    } else {
      // A captured group is never referred to, so it need not be recorded.
      out_ += "(?:";
      ++at_;
    }
    groups_.push_back(group);
  }

  void close_group() {
    if (groups_.size() == 1) fail("a closing bracket without an opening one");
    atom_ = groups_.back().start;
    groups_.pop_back();
    emit_from(")");
  }

  void counted_repetition() {
    std::size_t end = at_ + 1;
    const auto digits = [&] {
      const std::size_t first = end;
      while (end < pattern_.size() && is_digit(pattern_[end])) ++end;
      return end > first;
    };
    if (!digits()) fail("'{' without a count");
    if (end < pattern_.size() && pattern_[end] == ',') {
      ++end;
      digits();
    }
    if (end >= pattern_.size() || pattern_[end] != '}') fail("'{' without a count");
    emit_from(pattern_.substr(at_, end + 1 - at_));
    if (next_is("?")) fail("a reluctant count");
    if (next_is("+")) {
      out_.insert(atom_, "(?:");
      out_ += ')';
      emit_from("+");
    }
  }

  // [A] or [A&&[B]]: PCRE2 has no intersections, but it can look at a character twice.
  void character_class() {
    const std::size_t start = out_.size();
    const bool negated = pattern_.substr(at_).starts_with("[^");
    class_members();
    if (!next_is("&&")) return emit_from("]");
    at_ += 2;
    if (negated || !next_is("[")) fail("an intersection of another form than [..&&[..]]");
    const std::string left = out_.substr(start) + "]";
    out_.resize(start);
    out_ += "(?:(?=";
    class_members();
    if (!next_is("]]")) fail("an intersection of another form than [..&&[..]]");
    emit_from("]");
    out_ += ")" + left + ")";
    ++at_;
  }

  // From the opening bracket to what ends the members; they are copied one by one, because some need
  // rewriting.
  void class_members() {
    emit_from("[");
    if (next_is("^")) emit_from("^");
    if (next_is("]") || next_is("&&")) fail("an unescaped ']' or '&&' at the start of a class");
    while (!next_is("]") && !next_is("&&")) {
      if (at_ >= pattern_.size()) fail("an unclosed class");
      if (next_is("[")) fail("a class inside a class");
      if (next_is("\\")) {
        escape(true);
      } else {
        emit_from(pattern_.substr(at_, 1));
      }
    }
  }

  void escape(bool in_class) {
    if (at_ + 1 >= pattern_.size()) fail("a backslash at its end");
    const char c = pattern_[at_ + 1];
    if (c == 's' || c == 'S') return space(c == 's', in_class);
    if (c == 'p' || c == 'P') return property();
    if (c == 'x' || c == 'u') return code_point();
    if (c == 'v') {
      out_ += "\\x{b}";
      at_ += 2;
      return;
    }
    const bool anchor = !in_class && (c == 'A' || c == 'z');
    constexpr std::string_view same_meaning = "rntfaedD";
    if (!anchor && same_meaning.find(c) == std::string_view::npos && !is_ascii_punctuation(c)) {
      fail(fmt::format("'\\{}'", c));
    }
    emit_from(pattern_.substr(at_, 2));
  }

  void space(bool positive, bool in_class) {
    at_ += 2;
    if (!in_class) out_ += positive ? "[" : "[^";
    out_ += in_class && !positive ? non_space_ranges : space_ranges;
    if (!in_class) out_ += ']';
  }

  void property() {
    const std::size_t end = pattern_.find('}', at_);
    if (at_ + 2 >= pattern_.size() || pattern_[at_ + 2] != '{' || end == std::string_view::npos) {
      fail("a property without braces");
    }
    std::string_view name = pattern_.substr(at_ + 3, end - at_ - 3);
    out_ += pattern_.substr(at_, 3);
    if (name.starts_with('^')) {
      out_ += '^';
      name.remove_prefix(1);
    }
    const bool category =
        std::find(general_categories.begin(), general_categories.end(), name) != general_categories.end();
    if (groups_.back().caseless && (name == "Lu" || name == "Ll" || name == "Lt")) {
      fail("a letter case inside (?i)");
    }
    if (!category) out_ += "sc:";
    out_ += name;
    out_ += '}';
    at_ = end + 1;
  }

  // \xHH (ASCII only: more would be a raw byte), \x{H..} and \uHHHH.
  void code_point() {
    const bool braces = pattern_[at_ + 1] == 'x' && at_ + 2 < pattern_.size() && pattern_[at_ + 2] == '{';
    const std::size_t first = at_ + (braces ? 3 : 2);
    const std::size_t most = braces ? 6 : pattern_[at_ + 1] == 'u' ? 4 : 2;
    std::size_t end = first;
    while (end < pattern_.size() && end - first < most && is_hex(pattern_[end])) ++end;
    const bool complete =
        braces ? end > first && end < pattern_.size() && pattern_[end] == '}' : end - first == most;
    if (!complete || (most == 2 && pattern_[first] > '7')) fail("a malformed code point");
    out_ += fmt::format("\\x{{{}}}", pattern_.substr(first, end - first));
    at_ = end + (braces ? 1 : 0);
  }

  std::string_view pattern_;
  std::string_view origin_;
  std::size_t at_ = 0;
  std::string out_;
  std::size_t atom_ = 0;
  std::vector<Group> groups_{Group{}};
};

}  // namespace

std::string pcre2_pattern(std::string_view pattern, std::string_view origin) {
  return Translator(pattern, origin).run();
}

}  // namespace moelab::text
