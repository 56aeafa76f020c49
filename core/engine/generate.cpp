#include "core/engine/generate.h"

#include <algorithm>
#include <list>
#include <optional>

#include "core/engine/generating_row.h"
#include "core/engine/shared_prompts.h"
#include "core/model/memory.h"
#include "core/model/rotation.h"

namespace moelab::engine {
namespace {

using Row = GeneratingRow;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class Generator {
 public:
  Generator(const Engine& engine, std::span<const steering::Plan> plans,
            std::span<const GenerateRequest> requests, const GenerateOptions& options)
      : engine_(engine),
        options_(options),
        decoder_(engine, plans, options.cache),
        prompts_(decoder_.cache()),
        rows_(options.rows) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      waiting_of_.push_back(requests[i].repeats);
      for (std::int64_t repeat = 0; repeat < requests[i].repeats; ++repeat)
        waiting_.push_back(make_row(requests, i, requests[i].first_repeat + repeat));
    }
  }

  GenerateReport run() {
    while (!waiting_.empty() || !running_.empty()) {
      do admit();
      while (finish());
      if (running_.empty()) continue;
      const std::vector<Row*> rows = next_rows();
      if (!rows.empty()) read(rows);
      finish();
    }
    std::sort(report_.samples.begin(), report_.samples.end(), [](const Generation& a, const Generation& b) {
      return std::pair(a.request, a.repeat) < std::pair(b.request, b.repeat);
    });
    report_.effects = decoder_.effects();
    report_.forward_tokens = decoder_.forward_tokens();
    report_.free_pages = decoder_.cache().free_pages();
    return std::move(report_);
  }

 private:
  [[noreturn]] void fail_for_room(const Row& row) {
    throw Error("question '{}': the KV cache of {} tokens cannot hold its {} tokens; give it more pages",
                row.request->question, decoder_.cache().pages() * decoder_.cache().page_tokens(),
                row.sequence.size());
  }

  // Starts waiting samples while places and pages last. A preempted one reads its own tokens again.
  void admit() {
    while (!waiting_.empty() && static_cast<std::int64_t>(running_.size()) < rows_) {
      Row& row = waiting_.front();
      if (options_.share_prompts && is_prompt_in_work(row)) return;
      if (!start(row)) {
        if (!running_.empty()) return;
        prompts_.drop_all();
        if (!start(row)) fail_for_room(row);
      }
      running_.splice(running_.end(), waiting_, waiting_.begin());
      const std::size_t request = row.sample.request;
      if (row.unread() == 0) extend(row, prompts_.find(request)->logits);
      if (--waiting_of_[request] == 0) prompts_.drop(request);
    }
  }

  // Whether another repeat is reading the row's prompt just now, so that waiting for it saves reading it
  // twice.
  bool is_prompt_in_work(const Row& row) const {
    return std::any_of(running_.begin(), running_.end(), [&](const Row& other) {
      return other.request == row.request && other.decoder.kv.tokens < row.prompt_tokens();
    });
  }

  // Gives a row its tokens, the pages of its prompt where they are kept, and room for what it must read.
  bool start(Row& row) {
    row.sequence = row.request->prompt;
    row.sequence.insert(row.sequence.end(), row.sample.tokens.begin(), row.sample.tokens.end());
    row.decoder.plan = row.request->plan;
    if (const auto* prompt = prompts_.find(row.sample.request); prompt && !has_outgrown_prompt(row))
      row.decoder.kv = decoder_.cache().share(prompt->kv, prompt->kv.tokens);
    // With the whole prompt at hand it chooses a token at once, which is read next.
    if (reserve(row, std::max<std::size_t>(row.unread(), 1))) return true;
    decoder_.cache().release(row.decoder.kv);
    return false;
  }

  // Whether the prompt is rotated otherwise with the row's answer than alone.
  bool has_outgrown_prompt(const Row& row) const {
    return model::rotation_changes(engine_.spec().attention, row.prompt_tokens(), row.total());
  }

  bool reserve(Row& row, std::size_t tokens) {
    return decoder_.cache().reserve(row.decoder.kv, static_cast<std::int64_t>(tokens));
  }

  // The rows of the next pass: those that still read their prompts, or else all, one token each. Apart,
  // because attention pads every row of a pass to the longest piece.
  std::vector<Row*> next_rows() {
    read_outgrown_anew();
    std::vector<Row*> rows;
    std::int64_t tokens = 0;
    for (Row& row : running_) {
      if (row.unread() == 1 || tokens >= options_.prefill_tokens) continue;
      rows.push_back(&row);
      tokens += static_cast<std::int64_t>(row.unread());
    }
    if (!rows.empty()) return rows;
    for (auto row = running_.begin(); row != running_.end(); ++row) {
      // Kept prompts and then the youngest make room for the oldest, so that some row always comes to its
      // end.
      while (!reserve(*row, 1)) {
        if (prompts_.drop_for_room()) continue;
        if (running_.size() == 1) fail_for_room(*row);
        const bool is_itself = std::next(row) == running_.end();
        preempt_youngest();
        if (is_itself) return rows;
      }
      rows.push_back(&*row);
    }
    return rows;
  }

  // Rows whose last token changed the rotation of all tokens; without room at once they wait for it.
  void read_outgrown_anew() {
    for (auto next = running_.begin(); next != running_.end();) {
      const auto row = next++;
      if (!decoder_.must_read_anew(row->decoder, row->total())) continue;
      decoder_.cache().release(row->decoder.kv);
      if (!reserve(*row, row->unread())) preempt(row);
    }
  }

  void preempt_youngest() { preempt(std::prev(running_.end())); }

  void preempt(std::list<Row>::iterator row) {
    decoder_.cache().release(row->decoder.kv);
    row->sequence.clear();
    ++waiting_of_[row->sample.request];
    waiting_.splice(waiting_.begin(), running_, row);
    ++report_.preemptions;
  }

  // One pass; each row that has read all of its tokens gets one more.
  void read(const std::vector<Row*>& rows) {
    std::vector<Feed> feeds;
    auto budget = static_cast<std::size_t>(options_.prefill_tokens);
    for (Row* row : rows) {
      const std::size_t size = row->unread() == 1 ? 1 : std::min(piece_of(*row), budget);
      if (row->unread() > 1) budget -= size;
      feeds.push_back(
          {&row->decoder,
           std::span(row->sequence).subspan(static_cast<std::size_t>(row->decoder.kv.tokens), size),
           row->total()});
    }
    const std::optional<at::Tensor> logits = pass(feeds);
    if (!logits) return;
    const auto vocabulary = static_cast<std::size_t>(logits->size(1));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::span<const float> own(logits->const_data_ptr<float>() + i * vocabulary, vocabulary);
      if (wants_prompt_kept(*rows[i]) && rows[i]->decoder.kv.tokens == rows[i]->prompt_tokens())
        keep_prompt(*rows[i], own);
      if (rows[i]->unread() == 0) extend(*rows[i], own);
    }
  }

  // Whether other repeats wait for this row's prompt.
  bool wants_prompt_kept(const Row& row) const {
    return options_.share_prompts && waiting_of_[row.sample.request] > 0 &&
           prompts_.find(row.sample.request) == nullptr && !has_outgrown_prompt(row);
  }

  // Tokens that a row may read at once. A prompt that others wait for ends a piece: its logits are needed.
  std::size_t piece_of(const Row& row) const {
    const std::int64_t left = row.prompt_tokens() - row.decoder.kv.tokens;
    return left > 0 && wants_prompt_kept(row) ? static_cast<std::size_t>(left) : row.unread();
  }

  // The row now shares its last page and needs another in its place; without one, nothing is kept.
  void keep_prompt(Row& row, std::span<const float> logits) {
    prompts_.keep(row.sample.request, row.decoder.kv, logits);
    if (!reserve(row, std::max<std::size_t>(row.unread(), 1))) prompts_.drop(row.sample.request);
  }

  // Logits of a pass, or none when memory ran out and fewer rows go on.
  std::optional<at::Tensor> pass(const std::vector<Feed>& feeds) {
    try {
      if (options_.before_pass) options_.before_pass(static_cast<std::int64_t>(feeds.size()));
      return decoder_.feed(feeds);
    } catch (const std::exception& error) {
      if (!model::is_out_of_memory(error)) throw;
      halve_rows(error);
      return std::nullopt;
    }
  }

  void halve_rows(const std::exception& error) {
    if (running_.size() == 1)
      throw Error(
          "question '{}': out of memory with one row; lower generation.prefill_tokens, give the KV cache "
          "fewer "
          "pages, or choose a narrower engine.dtype ({})",
          running_.front().request->question, first_line(error.what()));
    rows_ = static_cast<std::int64_t>(running_.size() / 2);
    while (static_cast<std::int64_t>(running_.size()) > rows_) preempt_youngest();
    ++report_.halvings;
  }

  void extend(Row& row, std::span<const float> logits) {
    try {
      const std::int32_t token = add_token(row, logits);
      if (options_.on_token) options_.on_token(*row.request, row.sample.repeat, token);
    } catch (const LogitsError& error) {
      throw Error("{}; {}", error.what(), place_of_fault(row));
    }
    if (const auto reason = stop_reason(row, engine_.spec(), options_.tokenizer)) {
      row.sample.reason = *reason;
      ended_.push_back(&row);
    }
  }

  std::string place_of_fault(const Row& row) const {
    std::optional<NonFinite> found;
    try {
      found = decoder_.first_non_finite(row.sequence, row.decoder.plan);
    } catch (const std::exception& error) {
      if (!model::is_out_of_memory(error)) throw;
      return "memory did not suffice to look for the layer";
    }
    if (!found) return "read again in one pass, all its hidden states are finite";
    const std::string where = found->layer < 0 ? "in the embedding"
                              : found->layer == engine_.spec().layers
                                  ? "in the output layer"
                                  : fmt::format("after layer {}", found->layer);
    return fmt::format(
        "its hidden states are first not finite {}, at token position {} (the prompt has {} tokens)", where,
        found->position, row.prompt_tokens());
  }

  // Hands ended samples on and frees their places; whether there were any.
  bool finish() {
    const bool any = !ended_.empty();
    for (Row* ended : ended_) {
      decoder_.cache().release(ended->decoder.kv);
      if (options_.on_finished) options_.on_finished(ended->sample);
      report_.samples.push_back(std::move(ended->sample));
      running_.remove_if([&](const Row& row) { return &row == ended; });
    }
    ended_.clear();
    return any;
  }

  const Engine& engine_;
  const GenerateOptions& options_;
  Decoder decoder_;
  SharedPrompts prompts_;
  std::int64_t rows_;                     // that may run side by side
  std::vector<std::int64_t> waiting_of_;  // [requests] their waiting repeats
  std::list<Row> waiting_;                // the next one first
  std::list<Row> running_;                // the oldest first
  std::vector<Row*> ended_;
  GenerateReport report_;
};

}  // namespace

GenerateReport generate(const Engine& engine, std::span<const steering::Plan> plans,
                        std::span<const GenerateRequest> requests, const GenerateOptions& options) {
  if (options.rows < 1) throw ConfigError("generation.rows must be at least 1");
  if (options.prefill_tokens < 1) throw ConfigError("generation.prefill_tokens must be at least 1");
  for (const GenerateRequest& request : requests)
    validate(request, static_cast<std::int64_t>(plans.size()), engine.spec(), options.tokenizer != nullptr);
  return Generator(engine, plans, requests, options).run();
}

}  // namespace moelab::engine
