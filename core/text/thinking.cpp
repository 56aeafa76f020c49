#include "core/text/thinking.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/base/error.h"

namespace moelab::text {

namespace {

using Opened = ThinkingOptions::Opened;

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

std::size_t count_words(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + word.size())) {
    const std::size_t end = at + word.size();
    const bool touched =
        (at > 0 && is_word_letter(text[at - 1])) || (end < text.size() && is_word_letter(text[end]));
    if (!touched) ++count;
  }
  return count;
}

std::size_t n_tokens(const std::vector<TokenRange>& ranges) {
  std::size_t count = 0;
  for (const TokenRange& range : ranges) count += range.end - range.begin;
  return count;
}

}  // namespace

ThinkingFormat thinking_format(std::string_view family) {
  ThinkingFormat format;
  if (family == "none") {
    format.ends = {"<|im_end|>", "<|endoftext|>", "<|end|>", "</s>"};
  } else if (family == "think") {
    format.style = ThinkingStyle::tags;
    format.ends = {"<|im_end|>", "<|endoftext|>"};
  } else if (family == "ernie") {
    format.style = ThinkingStyle::tags;
    format.answer_open = "<response>";
    format.answer_close = "</response>";
    format.ends = {"<|im_end|>", "</s>"};
  } else if (family == "hunyuan") {
    format.style = ThinkingStyle::tags;
    format.answer_open = "<answer>";
    format.answer_close = "</answer>";
    format.ends = {"<|eos|>", "<|endoftext|>"};
  } else if (family == "harmony") {
    format.style = ThinkingStyle::channels;
    format.ends = {"<|return|>", "<|call|>"};
  } else {
    throw ConfigError("there is no thinking format '{}'; known are none, think, harmony, ernie, hunyuan",
                      family);
  }
  return format;
}

std::size_t ThinkingSplit::n_thinking() const { return n_tokens(thinking); }
std::size_t ThinkingSplit::n_answer() const { return n_tokens(answer); }

ThinkingSplitter::ThinkingSplitter(const Tokenizer& tokenizer, ThinkingFormat format)
    : tokenizer_(&tokenizer), format_(std::move(format)) {
  add_markers();
  for (const std::string& end : format_.ends) {
    if (const auto id = tokenizer_->token_id(end)) markers_.push_back({Mark::turn_end, end, *id});
  }
  for (const std::int32_t id : format_.end_ids) markers_.push_back({Mark::turn_end, "", id});
}

ThinkingSplitter::ThinkingSplitter(ThinkingFormat format) : format_(std::move(format)) {
  add_markers();
  for (const std::string& end : format_.ends) add_marker(Mark::turn_end, end);
}

void ThinkingSplitter::add_markers() {
  if (format_.style == ThinkingStyle::tags) {
    if (format_.think_open.empty() || format_.think_close.empty()) {
      throw ConfigError("a thinking format with tags needs think_open and think_close");
    }
    add_marker(Mark::think_open, format_.think_open);
    add_marker(Mark::think_close, format_.think_close);
    add_marker(Mark::answer_open, format_.answer_open);
    add_marker(Mark::answer_close, format_.answer_close);
  } else if (format_.style == ThinkingStyle::channels) {
    add_marker(Mark::channel, "<|channel|>");
    add_marker(Mark::message, "<|message|>");
    add_marker(Mark::start, "<|start|>");
    add_marker(Mark::end, "<|end|>");
  }
}

void ThinkingSplitter::add_marker(Mark mark, const std::string& text) {
  if (text.empty()) return;
  const auto id = tokenizer_ == nullptr ? std::nullopt : tokenizer_->token_id(text);
  markers_.push_back({mark, text, id.value_or(-1)});
}

ThinkingSplitter::Bytes ThinkingSplitter::bytes_of(std::span<const std::int32_t> output) const {
  Bytes bytes;
  bytes.starts.reserve(output.size() + 1);
  for (const std::int32_t id : output) {
    bytes.starts.push_back(bytes.text.size());
    if (tokenizer_->has_token(id)) bytes.text += tokenizer_->token_bytes(id);
  }
  bytes.starts.push_back(bytes.text.size());
  return bytes;
}

// In order; a token that only touches a marker found by its text belongs to the marker.
std::vector<ThinkingSplitter::Found> ThinkingSplitter::find_markers(std::span<const std::int32_t> output,
                                                                    const Bytes& bytes) const {
  std::vector<Found> found;
  const auto token_at = [&](std::size_t byte) {
    return static_cast<std::size_t>(std::upper_bound(bytes.starts.begin(), bytes.starts.end() - 1, byte) -
                                    bytes.starts.begin()) -
           1;
  };
  for (const Marker& marker : markers_) {
    if (marker.id >= 0) {
      for (std::size_t i = 0; i < output.size(); ++i) {
        if (output[i] == marker.id) found.push_back({marker.mark, {i, i + 1}});
      }
      continue;
    }
    for (std::size_t at = bytes.text.find(marker.text); at != std::string::npos;
         at = bytes.text.find(marker.text, at + marker.text.size())) {
      found.push_back({marker.mark, {token_at(at), token_at(at + marker.text.size() - 1) + 1}});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.tokens.begin < b.tokens.begin; });
  return found;
}

std::vector<ThinkingSplitter::Kind> ThinkingSplitter::tag_kinds(const std::vector<Found>& found,
                                                                std::size_t size, Opened opened,
                                                                bool& closed) const {
  std::vector<Kind> kinds(size, Kind::other);
  Kind state = opened == Opened::thinking ? Kind::thinking : Kind::answer;
  bool seen_thinking = opened != Opened::nothing;
  bool tagged_answer = false;
  std::size_t from = 0;
  const auto fill = [&](std::size_t end) {
    if (from < end)
      std::fill(kinds.begin() + static_cast<std::ptrdiff_t>(from),
                kinds.begin() + static_cast<std::ptrdiff_t>(end), state);
  };
  for (const auto& [mark, tokens] : found) {
    // Inside the thinking the answer's tags are words like any other.
    const bool answer_mark = mark == Mark::answer_open || mark == Mark::answer_close;
    if (state == Kind::thinking && answer_mark) continue;
    fill(tokens.begin);
    from = std::max(from, tokens.end);
    if (mark == Mark::turn_end) {
      closed = state != Kind::thinking;
      return kinds;
    }
    if (mark == Mark::think_open) {
      state = Kind::thinking;
      seen_thinking = true;
    } else if (mark == Mark::think_close) {
      if (!seen_thinking) std::replace(kinds.begin(), kinds.end(), Kind::answer, Kind::thinking);
      seen_thinking = true;
      if (state == Kind::thinking) tagged_answer = false;
      state = tagged_answer ? state : Kind::answer;
    } else if (mark == Mark::answer_open) {
      std::replace(kinds.begin(), kinds.end(), Kind::answer, Kind::other);
      state = Kind::answer;
      tagged_answer = true;
    } else if (mark == Mark::answer_close && tagged_answer) {
      state = Kind::other;
    }
  }
  fill(size);
  closed = state != Kind::thinking;
  return kinds;
}

std::vector<ThinkingSplitter::Kind> ThinkingSplitter::channel_kinds(const std::vector<Found>& found,
                                                                    const Bytes& bytes, Opened opened,
                                                                    bool& closed) const {
  const std::size_t size = bytes.starts.size() - 1;
  std::vector<Kind> kinds(size, Kind::other);
  Kind state = opened == Opened::thinking ? Kind::thinking
               : opened == Opened::answer ? Kind::answer
                                          : Kind::other;
  // Text without any marker is a plain answer.
  if (opened == Opened::nothing && (found.empty() || found.front().mark == Mark::turn_end))
    state = Kind::answer;
  std::optional<std::size_t> header;
  std::size_t from = 0;
  for (const auto& [mark, tokens] : found) {
    std::fill(kinds.begin() + static_cast<std::ptrdiff_t>(from),
              kinds.begin() + static_cast<std::ptrdiff_t>(tokens.begin), state);
    from = tokens.end;
    if (mark == Mark::message) {
      const std::size_t begin = header ? bytes.starts[*header] : 0;
      const std::size_t end = bytes.starts[tokens.begin];
      // A message without a channel is for the user.
      state = header ? channel_kind(std::string_view(bytes.text).substr(begin, end - begin)) : Kind::answer;
      header.reset();
      continue;
    }
    closed = mark != Mark::turn_end || state != Kind::thinking;
    if (mark == Mark::turn_end) return kinds;
    state = Kind::other;
    header = mark == Mark::channel ? std::optional(tokens.end) : std::nullopt;
  }
  std::fill(kinds.begin() + static_cast<std::ptrdiff_t>(from), kinds.end(), state);
  closed = state != Kind::thinking;
  return kinds;
}

// "analysis", also with what may follow the name: "commentary to=functions.sum <|constrain|>json".
ThinkingSplitter::Kind ThinkingSplitter::channel_kind(std::string_view header) const {
  header = header.substr(std::min(header.find_first_not_of(" \n"), header.size()));
  const std::string_view name = header.substr(0, header.find_first_of(" \n<"));
  if (name == format_.thinking_channel) return Kind::thinking;
  return name == format_.answer_channel ? Kind::answer : Kind::other;
}

std::size_t ThinkingSplitter::count_thoughts(const Bytes& bytes,
                                             const std::vector<TokenRange>& thinking) const {
  std::size_t n_switches = 0;
  bool has_text = false;
  for (const TokenRange& range : thinking) {
    const std::size_t begin = bytes.starts[range.begin];
    const std::string_view text = std::string_view(bytes.text).substr(begin, bytes.starts[range.end] - begin);
    has_text = has_text || !is_blank(text);
    for (const std::string& word : format_.thought_switches) {
      if (!word.empty()) n_switches += count_words(text, word);
    }
  }
  return has_text ? 1 + n_switches : 0;
}

ThinkingSplit ThinkingSplitter::split(std::span<const std::int32_t> output,
                                      const ThinkingOptions& options) const {
  if (tokenizer_ == nullptr) throw Error("a splitter without a tokenizer splits texts, not tokens");
  return split_bytes(output, bytes_of(output), options);
}

ThinkingSplit ThinkingSplitter::split_text(std::string_view output, const ThinkingOptions& options) const {
  if (tokenizer_ != nullptr) throw Error("a splitter with a tokenizer splits tokens, not texts");
  Bytes bytes;
  bytes.text = output;
  bytes.starts.resize(output.size() + 1);
  std::iota(bytes.starts.begin(), bytes.starts.end(), std::size_t{0});
  return split_bytes({}, bytes, options);
}

ThinkingSplit ThinkingSplitter::split_bytes(std::span<const std::int32_t> output, const Bytes& bytes,
                                            const ThinkingOptions& options) const {
  const std::vector<Found> found = find_markers(output, bytes);
  ThinkingSplit result;
  std::vector<Kind> kinds = format_.style == ThinkingStyle::channels
                                ? channel_kinds(found, bytes, options.opened, result.closed)
                                : tag_kinds(found, bytes.starts.size() - 1, options.opened, result.closed);
  // The answer is what follows the last thinking.
  const auto last = std::find(kinds.rbegin(), kinds.rend(), Kind::thinking);
  std::replace(last, kinds.rend(), Kind::answer, Kind::other);
  if (!result.closed) std::replace(kinds.begin(), kinds.end(), Kind::answer, Kind::other);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto& ranges = kinds[i] == Kind::thinking ? result.thinking
                   : kinds[i] == Kind::answer ? result.answer
                                              : result.other;
    if (!ranges.empty() && ranges.back().end == i) {
      ++ranges.back().end;
    } else {
      ranges.push_back({i, i + 1});
    }
  }
  const bool has_end =
      std::any_of(found.begin(), found.end(), [](const Found& each) { return each.mark == Mark::turn_end; });
  result.truncated = !options.ended.value_or(has_end);
  result.n_thoughts = count_thoughts(bytes, result.thinking);
  return result;
}

}  // namespace moelab::text
