// Splits what a model generated into thinking, answer and the rest, on token ids, as each family marks them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"

namespace moelab::text {

// How a family marks its thinking.
enum class ThinkingStyle {
  // Everything is answer.
  none,
  // <think> .. </think> answer; optionally the answer has tags of its own.
  tags,
  // Messages with a channel: <|channel|>analysis<|message|> .. <|end|>
  channels,
};

struct ThinkingFormat {
  ThinkingStyle style = ThinkingStyle::none;
  // Tags and channel markers are found by id where the tokenizer has them as one token, else by their text.
  std::string think_open = "<think>";
  std::string think_close = "</think>";
  // Where the answer has tags of its own, only what is between them is answer; empty: it has none.
  std::string answer_open;
  std::string answer_close;
  // Channels whose messages are thinking and answer; the messages of all others are neither.
  std::string thinking_channel = "analysis";
  std::string answer_channel = "final";
  // Tokens that end the model's turn, by content (those that the tokenizer lacks are passed over) and by id;
  // what comes after one is neither thinking nor answer.
  std::vector<std::string> ends;
  std::vector<std::int32_t> end_ids;
  // Words with which a new thought begins ("number of thoughts" of RICE, arXiv 2505.14681); whole words, in
  // this spelling, inside the thinking only.
  std::vector<std::string> thought_switches = {"Alternatively"};
};

// The format of a family: none, think (Qwen3, GLM-4.5, Ring, Trinity, Nemotron), harmony (gpt-oss), ernie,
// hunyuan. Throws ConfigError naming the known ones.
ThinkingFormat thinking_format(std::string_view family);

// Tokens [begin, end) of the output.
struct TokenRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const TokenRange&) const = default;
};

// Every token of the output lies in exactly one range. Ranges are in order and never empty; neighbours of the
// same kind are one range.
struct ThinkingSplit {
  std::vector<TokenRange> thinking;
  // The final answer: empty while the thinking is not closed.
  std::vector<TokenRange> answer;
  // Markers, message headers, other channels, text between markers, and what follows the end.
  std::vector<TokenRange> other;
  // No thinking was left open: it was closed, or there was none.
  bool closed = true;
  // The output stops before the model ended its turn.
  bool truncated = false;
  // Thoughts in the thinking: one and one more for each switch; 0 without thinking.
  std::size_t n_thoughts = 0;

  std::size_t n_thinking() const;
  std::size_t n_answer() const;
};

struct ThinkingOptions {
  // What the end of the prompt has opened already: nothing, the thinking ("<think>\n", or a message of the
  // thinking channel), or the answer.
  enum class Opened { nothing, thinking, answer } opened = Opened::nothing;
  // Whether the model ended its turn, where the caller knows (an end token may not be among the ids); absent:
  // it did if an end token is there.
  std::optional<bool> ended;
};

// For one tokenizer and format; const use from many threads is safe.
class ThinkingSplitter {
 public:
  // Keeps a reference to the tokenizer, which must live longer. Throws ConfigError when the tags style lacks
  // a tag.
  ThinkingSplitter(const Tokenizer& tokenizer, ThinkingFormat format);

  // For texts whose tokens are not known: every marker is found by its text.
  explicit ThinkingSplitter(ThinkingFormat format);

  // `output`: the generated ids without the prompt. A first </think> without <think> closes thinking that the
  // prompt opened, whatever `opened` says.
  ThinkingSplit split(std::span<const std::int32_t> output, const ThinkingOptions& options = {}) const;

  // The same of a decoded output, for a splitter without a tokenizer: ranges count bytes, not tokens.
  ThinkingSplit split_text(std::string_view output, const ThinkingOptions& options = {}) const;

 private:
  enum class Kind : std::uint8_t { thinking, answer, other };
  enum class Mark : std::uint8_t {
    think_open,
    think_close,
    answer_open,
    answer_close,
    channel,
    message,
    start,
    end,
    turn_end
  };

  // A marker as it is found: by the id of its token, or (id < 0) by its text.
  struct Marker {
    Mark mark;
    std::string text;
    std::int32_t id = -1;
  };
  // A marker in the output.
  struct Found {
    Mark mark;
    TokenRange tokens;
  };
  // The bytes of the output and where each token begins in them; the last entry is the end.
  struct Bytes {
    std::string text;
    std::vector<std::size_t> starts;
  };

  void add_markers();
  void add_marker(Mark mark, const std::string& text);
  ThinkingSplit split_bytes(std::span<const std::int32_t> output, const Bytes& bytes,
                            const ThinkingOptions& options) const;
  Bytes bytes_of(std::span<const std::int32_t> output) const;
  std::vector<Found> find_markers(std::span<const std::int32_t> output, const Bytes& bytes) const;
  std::vector<Kind> tag_kinds(const std::vector<Found>& found, std::size_t n_tokens,
                              ThinkingOptions::Opened opened, bool& closed) const;
  std::vector<Kind> channel_kinds(const std::vector<Found>& found, const Bytes& bytes,
                                  ThinkingOptions::Opened opened, bool& closed) const;
  Kind channel_kind(std::string_view header) const;
  std::size_t count_thoughts(const Bytes& bytes, const std::vector<TokenRange>& thinking) const;

  const Tokenizer* tokenizer_ = nullptr;
  ThinkingFormat format_;
  std::vector<Marker> markers_;
};

}  // namespace moelab::text
