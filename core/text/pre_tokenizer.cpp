#include "core/text/pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

// The pattern of GPT-2's published encoder, which "use_regex" stands for.
constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> behaviors = {{
    {"Isolated", SplitBehavior::isolated},
    {"Removed", SplitBehavior::removed},
    {"Contiguous", SplitBehavior::contiguous},
    {"MergedWithPrevious", SplitBehavior::merged_with_previous},
    {"MergedWithNext", SplitBehavior::merged_with_next},
}};

// Joins each span to the one before it in the order of iteration when `joins(matched, previous_matched)` says
// so. A join rewrites the earlier span, so `spans` shrinks in place; the result keeps the order of iteration.
template <typename Iterator, typename Joins>
Iterator join_spans(Iterator first, Iterator last, Joins joins) {
  bool previous_matched = false;
  Iterator out = first;
  for (Iterator span = first; span != last; ++span) {
    const bool matched = span->matched;
    if (out != first && joins(matched, previous_matched)) {
      Span& before = *std::prev(out);
      before.begin = std::min(before.begin, span->begin);
      before.end = std::max(before.end, span->end);
    } else {
      *out++ = *span;
    }
    previous_matched = matched;
  }
  return out;
}

void apply_behavior(SplitBehavior behavior, std::vector<Span>& spans) {
  const auto match_after_gap = [](bool matched, bool previous) { return matched && !previous; };
  switch (behavior) {
    case SplitBehavior::isolated:
      return;
    case SplitBehavior::removed:
      std::erase_if(spans, [](const Span& span) { return span.matched; });
      return;
    case SplitBehavior::contiguous:
      spans.erase(join_spans(spans.begin(), spans.end(),
                             [](bool matched, bool previous) { return matched == previous; }),
                  spans.end());
      return;
    case SplitBehavior::merged_with_previous:
      spans.erase(join_spans(spans.begin(), spans.end(), match_after_gap), spans.end());
      return;
    case SplitBehavior::merged_with_next:
      // The same from right to left; the kept spans gather at the end.
      spans.erase(spans.begin(), join_spans(spans.rbegin(), spans.rend(), match_after_gap).base());
      return;
  }
}

void cut_word(const Regex& regex, SplitBehavior behavior, bool invert, std::string_view word,
              PreTokenizerScratch& scratch) {
  scratch.spans.clear();
  regex.cut(word, scratch.regex, scratch.spans);
  if (invert) {
    for (Span& span : scratch.spans) span.matched = !span.matched;
  }
  apply_behavior(behavior, scratch.spans);
  for (const Span& span : scratch.spans) {
    if (span.begin < span.end) scratch.words.push_back(word.substr(span.begin, span.end - span.begin));
  }
}

void apply_step(const SplitStep& step, std::string_view word, bool, PreTokenizerScratch& scratch) {
  cut_word(step.regex, step.behavior, step.invert, word, scratch);
}

void apply_step(const ByteLevelStep& step, std::string_view word, bool, PreTokenizerScratch& scratch) {
  if (step.add_prefix_space && !word.starts_with(' ')) {
    word = scratch.rewritten.emplace_back(" ").append(word);
  }
  if (step.regex) {
    cut_word(*step.regex, SplitBehavior::isolated, false, word, scratch);
  } else {
    scratch.words.push_back(word);
  }
}

void apply_step(const MetaspaceStep& step, std::string_view word, bool at_start,
                PreTokenizerScratch& scratch) {
  std::string& marked = scratch.rewritten.emplace_back();
  const bool prepends =
      step.scheme == PrependScheme::always || (step.scheme == PrependScheme::first && at_start);
  if (prepends && !word.starts_with(step.mark) && !word.starts_with(' ')) marked = step.mark;
  for (const char byte : word) {
    if (byte == ' ') {
      marked += step.mark;
    } else {
      marked += byte;
    }
  }
  if (step.cut) {
    cut_word(*step.cut, SplitBehavior::merged_with_next, false, marked, scratch);
  } else {
    scratch.words.push_back(marked);
  }
}

SplitStep read_split(const Json& value, std::string_view origin, const std::string& field) {
  require_known_keys(value, {"type", "pattern", "behavior", "invert"}, origin, field);
  const std::string where = fmt::format("{}: {}", origin, field);
  const auto behavior = json_get<std::string>(value, "behavior", where);
  const auto* found = std::find_if(behaviors.begin(), behaviors.end(),
                                   [&](const auto& entry) { return entry.first == behavior; });
  if (found == behaviors.end()) {
    fail_unsupported(origin, field + ".behavior", behavior,
                     "Isolated, Removed, Contiguous, MergedWithPrevious, MergedWithNext");
  }
  const bool invert = json_get<bool>(value, "invert", where);
  const PatternField pattern = pattern_member(value, origin, field);
  return {pattern.is_regex ? Regex::compile(pattern.text, where + ".pattern")
                           : Regex::literal(pattern.text, where + ".pattern"),
          found->second, invert};
}

SplitStep read_digits(const Json& value, std::string_view origin, const std::string& field) {
  require_known_keys(value, {"type", "individual_digits"}, origin, field);
  const bool single = json_get<bool>(value, "individual_digits", fmt::format("{}: {}", origin, field));
  return {Regex::compile(single ? R"(\p{N})" : R"(\p{N}+)", origin), SplitBehavior::isolated, false};
}

ByteLevelStep read_byte_level(const Json& value, std::string_view origin, const std::string& field) {
  // trim_offsets concerns offsets into the text, which moelab does not compute.
  require_known_keys(value, {"type", "add_prefix_space", "trim_offsets", "use_regex"}, origin, field);
  ByteLevelStep step;
  step.add_prefix_space = json_get<bool>(value, "add_prefix_space", fmt::format("{}: {}", origin, field));
  if (member_or<bool>(value, "use_regex", true, origin, field))
    step.regex = Regex::compile(gpt2_pattern, origin);
  return step;
}

MetaspaceStep read_metaspace(const Json& value, std::string_view origin, const std::string& field) {
  // str_rep, which older files have, repeats the replacement.
  require_known_keys(value, {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"},
                     origin, field);
  MetaspaceStep step;
  step.mark = character_member(value, "replacement", origin, field);
  step.scheme = read_prepend_scheme(value, origin, field);
  if (member_or<bool>(value, "split", true, origin, field)) step.cut = Regex::literal(step.mark, origin);
  return step;
}

void read_steps(const Json& value, std::string_view origin, const std::string& field,
                std::vector<PreTokenizerStep>& steps) {
  const std::string type = component_type(value, origin, field);
  if (type == "Sequence") {
    require_known_keys(value, {"type", "pretokenizers"}, origin, field);
    std::size_t index = 0;
    for (const Json& part : member_array(value, "pretokenizers", origin, field)) {
      read_steps(part, origin, fmt::format("{}.pretokenizers[{}]", field, index++), steps);
    }
    return;
  }
  if (!steps.empty() && std::holds_alternative<ByteLevelStep>(steps.back())) {
    throw FileError("{}: {} follows a ByteLevel; supported is ByteLevel as the last step", origin, field);
  }
  if (type == "Split") {
    steps.emplace_back(read_split(value, origin, field));
  } else if (type == "Digits") {
    steps.emplace_back(read_digits(value, origin, field));
  } else if (type == "Metaspace") {
    steps.emplace_back(read_metaspace(value, origin, field));
  } else if (type == "ByteLevel") {
    steps.emplace_back(read_byte_level(value, origin, field));
  } else {
    fail_unsupported(origin, field + ".type", type, "null, ByteLevel, Metaspace, Split, Digits and Sequence");
  }
}

}  // namespace

PrependScheme read_prepend_scheme(const Json& value, std::string_view origin, const std::string& field) {
  const auto name = member_or<std::string>(value, "prepend_scheme", "always", origin, field);
  const bool no_space = !member_or<bool>(value, "add_prefix_space", true, origin, field);
  if (no_space && value.contains("prepend_scheme") && name != "never") {
    throw FileError("{}: {}.add_prefix_space is false, but prepend_scheme is '{}'", origin, field, name);
  }
  if (no_space || name == "never") return PrependScheme::never;
  if (name == "always") return PrependScheme::always;
  if (name == "first") return PrependScheme::first;
  fail_unsupported(origin, field + ".prepend_scheme", name, "never, always and first");
}

PreTokenizer PreTokenizer::from_json(const Json& value, std::string_view origin) {
  PreTokenizer result;
  if (!value.is_null()) read_steps(value, origin, "pre_tokenizer", result.steps_);
  return result;
}

void PreTokenizer::split(std::string_view text, bool at_start, PreTokenizerScratch& scratch) const {
  scratch.rewritten.clear();
  scratch.words.clear();
  if (!text.empty()) scratch.words.push_back(text);
  for (const PreTokenizerStep& step : steps_) {
    scratch.input.swap(scratch.words);
    scratch.words.clear();
    for (const std::string_view word : scratch.input) {
      const bool first = at_start && word.data() == text.data();
      std::visit([&](const auto& each) { apply_step(each, word, first, scratch); }, step);
    }
  }
}

bool PreTokenizer::is_byte_level() const {
  return !steps_.empty() && std::holds_alternative<ByteLevelStep>(steps_.back());
}

}  // namespace moelab::text
