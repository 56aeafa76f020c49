#include "core/text/replacement.h"

#include <algorithm>

#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

constexpr std::size_t largest_growth = 64;
constexpr std::size_t always_allowed = std::size_t{1} << 20;

}  // namespace

std::size_t longest_replaced(std::size_t original) {
  return std::max(always_allowed, original * largest_growth);
}

Replacement Replacement::from_json(const Json& value, std::string_view origin, const std::string& field) {
  require_known_keys(value, {"type", "pattern", "content"}, origin, field);
  const PatternField pattern = pattern_member(value, origin, field);
  const std::string where = fmt::format("{}: {}", origin, field);
  Replacement result;
  result.content_ = json_get<std::string>(value, "content", where);
  if (pattern.is_regex) {
    result.regex_ = Regex::compile(pattern.text, where + ".pattern");
  } else if (pattern.text.empty()) {
    throw FileError("{}.pattern is empty", where);
  } else {
    result.literal_ = pattern.text;
  }
  return result;
}

void Replacement::append(std::string& out, std::string_view part, std::size_t limit) const {
  if (out.size() + part.size() > limit) {
    throw Error("replacing with '{}' makes a text more than {} times as long; the tokenizer file is damaged",
                content_.substr(0, 40), largest_growth);
  }
  out += part;
}

std::string Replacement::apply(std::string_view text, std::size_t limit, RegexScratch& scratch,
                               bool& removed_start) const {
  std::string out;
  if (regex_) {
    std::vector<Span> spans;
    regex_->cut(text, scratch, spans);
    for (const Span& span : spans) {
      const bool gone = span.matched && span.begin == 0 && span.end > 0 && content_.empty();
      removed_start = removed_start || gone;
      append(out, span.matched ? content_ : text.substr(span.begin, span.end - span.begin), limit);
    }
    return out;
  }
  std::size_t covered = 0;
  for (std::size_t at = text.find(literal_); at != std::string_view::npos;
       at = text.find(literal_, covered)) {
    removed_start = removed_start || (at == 0 && content_.empty());
    append(out, text.substr(covered, at - covered), limit);
    append(out, content_, limit);
    covered = at + literal_.size();
  }
  append(out, text.substr(covered), limit);
  return out;
}

bool Replacement::is_one_character() const {
  return !regex_ && decode_utf8(literal_, 0).length == literal_.size();
}

}  // namespace moelab::text
