#include "core/engine/generate.h"

#include <algorithm>
#include <array>
#include <list>
#include <optional>

namespace moelab::engine {
namespace {

constexpr std::array<std::string_view, 5> kReasons = {"eos", "stop_id", "stop_string", "length", "context"};

void require_generable(const GenerateRequest& request, std::int64_t plans, const model::ModelSpec& spec,
                       const GenerateOptions& options) {
  validate(request.sampling);
  const auto fail = [&](const std::string& what) {
    throw Error("question '{}': {}", request.question, what);
  };
  if (request.prompt.empty()) fail("the prompt has no token");
  const auto length = static_cast<std::int64_t>(request.prompt.size());
  if (length >= spec.max_positions)
    fail(fmt::format("the prompt has {} tokens, and the model's context of {} leaves no room for an answer",
                     length, spec.max_positions));
  for (const std::int32_t id : request.prompt)
    if (id < 0 || id >= spec.vocab_size)
      fail(fmt::format("token id {} of the prompt is outside the model's vocabulary of {}", id,
                       spec.vocab_size));
  if (request.plan < 0 || request.plan > plans)
    fail(fmt::format("plan {} does not exist; there are {}", request.plan, plans));
  if (request.max_new_tokens < 1) fail("max_new_tokens must be at least 1");
  if (request.repeats < 1) fail("repeats must be at least 1");
  for (const std::string& stop : request.stop_strings)
    if (stop.empty()) fail("a stop string is empty");
  if (!request.stop_strings.empty() && options.tokenizer == nullptr)
    fail("stop strings need the model's tokenizer");
}

// A sample while it is made. Between runs it keeps its tokens only.
struct Row {
  Generation sample;
  std::string text;   // bytes of the generated tokens; filled only for stop strings
  Tokens sequence;    // prompt and generated tokens, while it runs
  DecodeRow decoder;  // holds the first decoder.kv.tokens of the sequence

  std::size_t unread() const { return sequence.size() - static_cast<std::size_t>(decoder.kv.tokens); }
};

class Generator {
 public:
  Generator(const Engine& engine, std::span<const steering::Plan> plans,
            std::span<const GenerateRequest> requests, const GenerateOptions& options)
      : engine_(engine), requests_(requests), options_(options), decoder_(engine, plans, options.cache) {
    for (std::size_t i = 0; i < requests.size(); ++i)
      for (std::int64_t repeat = 0; repeat < requests[i].repeats; ++repeat) {
        waiting_.emplace_back();
        waiting_.back().sample.request = i;
        waiting_.back().sample.repeat = repeat;
      }
  }

  GenerateReport run() {
    while (!waiting_.empty() || !running_.empty()) {
      admit();
      const std::vector<Row*> rows = next_rows();
      read(rows);
      finish();
    }
    std::sort(report_.samples.begin(), report_.samples.end(), [](const Generation& a, const Generation& b) {
      return std::pair(a.request, a.repeat) < std::pair(b.request, b.repeat);
    });
    report_.effects = decoder_.effects();
    report_.forward_tokens = decoder_.forward_tokens();
    return std::move(report_);
  }

 private:
  const GenerateRequest& request_of(const Row& row) const { return requests_[row.sample.request]; }

  [[noreturn]] void fail_for_room(const Row& row) {
    throw Error("question '{}': the KV cache of {} tokens cannot hold its {} tokens; give it more pages",
                request_of(row).question, decoder_.cache().pages() * decoder_.cache().page_tokens(),
                row.sequence.size());
  }

  // Starts waiting samples while places and pages last. A preempted one reads its own tokens again.
  void admit() {
    while (!waiting_.empty() && static_cast<std::int64_t>(running_.size()) < options_.rows) {
      Row& row = waiting_.front();
      row.sequence = request_of(row).prompt;
      row.sequence.insert(row.sequence.end(), row.sample.tokens.begin(), row.sample.tokens.end());
      row.decoder.plan = request_of(row).plan;
      if (!decoder_.cache().reserve(row.decoder.kv, static_cast<std::int64_t>(row.sequence.size()))) {
        if (running_.empty()) fail_for_room(row);
        return;
      }
      running_.splice(running_.end(), waiting_, waiting_.begin());
    }
  }

  // The rows of the next pass: those that still read their prompts, or else all, one token each. Apart,
  // because attention pads every row of a pass to the longest piece.
  std::vector<Row*> next_rows() {
    std::vector<Row*> rows;
    std::int64_t tokens = 0;
    for (Row& row : running_) {
      if (row.unread() == 1 || tokens >= options_.prefill_tokens) continue;
      rows.push_back(&row);
      tokens += static_cast<std::int64_t>(row.unread());
    }
    if (!rows.empty()) return rows;
    for (auto row = running_.begin(); row != running_.end(); ++row) {
      // The youngest make room for the oldest, so that some row always comes to its end.
      while (!decoder_.cache().reserve(row->decoder.kv, 1)) {
        if (running_.size() == 1) fail_for_room(*row);
        const bool is_itself = std::next(row) == running_.end();
        preempt_youngest();
        if (is_itself) return rows;
      }
      rows.push_back(&*row);
    }
    return rows;
  }

  void preempt_youngest() {
    const auto youngest = std::prev(running_.end());
    decoder_.cache().release(youngest->decoder.kv);
    youngest->sequence.clear();
    waiting_.splice(waiting_.begin(), running_, youngest);
    ++report_.preemptions;
  }

  // One pass; each row that has read all of its tokens gets one more.
  void read(const std::vector<Row*>& rows) {
    std::vector<Feed> feeds;
    auto budget = static_cast<std::size_t>(options_.prefill_tokens);
    for (Row* row : rows) {
      const std::size_t size = row->unread() == 1 ? 1 : std::min(row->unread(), budget);
      if (row->unread() > 1) budget -= size;
      feeds.push_back(
          {&row->decoder,
           std::span(row->sequence).subspan(static_cast<std::size_t>(row->decoder.kv.tokens), size)});
    }
    const at::Tensor logits = decoder_.feed(feeds);
    const auto vocabulary = static_cast<std::size_t>(logits.size(1));
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i]->unread() == 0)
        extend(*rows[i], {logits.const_data_ptr<float>() + i * vocabulary, vocabulary});
  }

  void extend(Row& row, std::span<const float> logits) {
    const GenerateRequest& request = request_of(row);
    const auto position = static_cast<std::int64_t>(row.sample.tokens.size());
    const std::string name = fmt::format("question '{}', repeat {}, token {} of the answer", request.question,
                                         row.sample.repeat, position);
    const std::int32_t token = sample({logits, row.sequence, name}, request.sampling,
                                      {request.seed, request.question, row.sample.repeat, position});
    row.sample.tokens.push_back(token);
    row.sequence.push_back(token);
    if (options_.on_token) options_.on_token(request, row.sample.repeat, token);
    if (const auto reason = stop_reason(row, token)) {
      row.sample.reason = *reason;
      ended_.push_back(&row);
    }
  }

  std::optional<StopReason> stop_reason(Row& row, std::int32_t token) const {
    const GenerateRequest& request = request_of(row);
    const auto holds = [&](const auto& ids) { return std::find(ids.begin(), ids.end(), token) != ids.end(); };
    if (request.stop_at_eos && holds(engine_.spec().eos_ids)) return StopReason::eos;
    if (holds(request.stop_ids)) return StopReason::stop_id;
    if (has_stop_string(row, token)) return StopReason::stop_string;
    if (static_cast<std::int64_t>(row.sample.tokens.size()) == request.max_new_tokens)
      return StopReason::length;
    if (static_cast<std::int64_t>(row.sequence.size()) == engine_.spec().max_positions)
      return StopReason::context;
    return std::nullopt;
  }

  // Bytes and not decoded text: a stop string may begin inside one token and end inside another. Output
  // layers are often wider than the vocabulary: such a token has no text.
  std::string bytes_of(std::int32_t token) const {
    try {
      return options_.tokenizer->token_bytes(token);
    } catch (const Error&) {
      return {};
    }
  }

  // Whether the text with the new token holds a stop string that it did not hold before.
  bool has_stop_string(Row& row, std::int32_t token) const {
    const auto& stops = request_of(row).stop_strings;
    if (stops.empty()) return false;
    const std::size_t before = row.text.size();
    row.text += bytes_of(token);
    return std::any_of(stops.begin(), stops.end(), [&](const std::string& stop) {
      const std::size_t from = before < stop.size() ? 0 : before - stop.size() + 1;
      return row.text.find(stop, from) != std::string::npos;
    });
  }

  // Hands ended samples on and frees their places.
  void finish() {
    for (Row* ended : ended_) {
      decoder_.cache().release(ended->decoder.kv);
      if (options_.on_finished) options_.on_finished(ended->sample);
      report_.samples.push_back(std::move(ended->sample));
      running_.remove_if([&](const Row& row) { return &row == ended; });
    }
    ended_.clear();
  }

  const Engine& engine_;
  std::span<const GenerateRequest> requests_;
  const GenerateOptions& options_;
  Decoder decoder_;
  std::list<Row> waiting_;  // the next one first
  std::list<Row> running_;  // the oldest first
  std::vector<Row*> ended_;
  GenerateReport report_;
};

}  // namespace

std::string_view name_of(StopReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

GenerateReport generate(const Engine& engine, std::span<const steering::Plan> plans,
                        std::span<const GenerateRequest> requests, const GenerateOptions& options) {
  if (options.rows < 1) throw ConfigError("generation.rows must be at least 1");
  if (options.prefill_tokens < 1) throw ConfigError("generation.prefill_tokens must be at least 1");
  for (const GenerateRequest& request : requests)
    require_generable(request, static_cast<std::int64_t>(plans.size()), engine.spec(), options);
  return Generator(engine, plans, requests, options).run();
}

}  // namespace moelab::engine
