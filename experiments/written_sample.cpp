#include "experiments/written_sample.h"

#include <algorithm>

#include "evaluators/integer.h"
#include "evaluators/mcq_generated.h"
#include "evaluators/registry.h"

namespace moelab::experiments {
namespace {

text::ThinkingFormat format_of(const GenerationConfig& config, std::span<const std::int64_t> eos_ids) {
  text::ThinkingFormat format = text::thinking_format(config.thinking);
  for (const std::int64_t id : eos_ids) format.end_ids.push_back(static_cast<std::int32_t>(id));
  return format;
}

bool is_cut_off(engine::StopReason reason) {
  return reason == engine::StopReason::length || reason == engine::StopReason::context;
}

}  // namespace

store::VerdictRow verdict_row(const evaluators::Verdict& verdict) {
  store::VerdictRow row;
  row.evaluator = verdict.evaluator;
  row.version = verdict.version;
  if (!verdict.answer.empty()) row.answer = verdict.answer;
  row.rule = verdict.rule;
  row.correct = verdict.correct;
  return row;
}

AnswerReader::AnswerReader(const text::Tokenizer& tokenizer, PromptStyle style,
                           const GenerationConfig& config, std::span<const std::int64_t> eos_ids,
                           std::vector<std::string> evaluators)
    : tokenizer_(tokenizer),
      style_(style),
      stop_(config.stop),
      evaluators_(std::move(evaluators)),
      splitter_(tokenizer, format_of(config, eos_ids)) {
  if (style == PromptStyle::published && evaluators_.empty())
    throw Error("a published prompt's answers need an evaluator");
}

void AnswerReader::judge(const ScoredQuestion& question, std::string_view answer, bool closed,
                         WrittenSample& sample) const {
  if (style_ == PromptStyle::worked) {
    sample.verdict = verdict_row(evaluators::judge_integer(answer, closed, question.integer));
  } else if (style_ != PromptStyle::published) {
    sample.verdict = verdict_row(evaluators::judge_letter(answer, question.answer));
  } else {
    for (const std::string& name : evaluators_)
      sample.more.push_back(verdict_row(
          evaluators::judge_written(evaluators::find_evaluator(name), {answer, closed}, question.expected)));
    sample.verdict = std::move(sample.more.front());
    sample.more.erase(sample.more.begin());
  }
}

std::string AnswerReader::answer_of(const engine::Generation& generation,
                                    const text::ThinkingSplit& split) const {
  std::string answer;
  for (const text::TokenRange& range : split.answer)
    answer += tokenizer_.decode(std::span(generation.tokens).subspan(range.begin, range.end - range.begin));
  std::size_t end = answer.size();
  for (const std::string& stop : stop_) end = std::min(end, answer.find(stop));
  return answer.substr(0, end);
}

text::ThinkingSplit AnswerReader::split(const engine::Generation& generation, Opened opened) const {
  text::ThinkingOptions options;
  options.ended = !is_cut_off(generation.reason);
  options.opened = opened;
  return splitter_.split(generation.tokens, options);
}

std::string AnswerReader::text_of(const engine::Generation& generation) const {
  const bool has_end = generation.reason == engine::StopReason::eos;
  return tokenizer_.decode(std::span(generation.tokens).first(generation.tokens.size() - (has_end ? 1 : 0)));
}

std::string AnswerReader::reply(const ScoredQuestion& question, const engine::Generation& generation) const {
  const text::ThinkingSplit parts = split(generation, question.opened);
  return parts.closed ? answer_of(generation, parts) : "";
}

WrittenSample AnswerReader::read_reply(const ScoredQuestion& question, const engine::Generation& generation,
                                       Opened opened) const {
  const text::ThinkingSplit parts = split(generation, opened);
  WrittenSample sample;
  judge(question, parts.closed ? answer_of(generation, parts) : "", parts.closed, sample);
  sample.row.n_think = static_cast<std::int64_t>(parts.n_thinking());
  sample.row.n_answer = static_cast<std::int64_t>(parts.n_answer());
  sample.row.closed = parts.closed;
  sample.row.truncated = is_cut_off(generation.reason);
  sample.row.stop = std::string(engine::name_of(generation.reason));
  sample.row.option_order = question.option_order;
  sample.row.output = text_of(generation);
  return sample;
}

WrittenSample AnswerReader::read(const ScoredQuestion& question, const engine::Generation& generation) const {
  return read_reply(question, generation, question.opened);
}

WrittenSample AnswerReader::read(const ScoredQuestion& question, const engine::Generation& first,
                                 const SecondCall& second) const {
  WrittenSample sample = read_reply(question, second.made, second.opened);
  const text::ThinkingSplit parts = split(first, question.opened);
  sample.row.n_think += static_cast<std::int64_t>(parts.n_thinking());
  sample.row.n_answer += static_cast<std::int64_t>(parts.n_answer());
  sample.row.truncated = sample.row.truncated || is_cut_off(first.reason);
  const std::string before = text_of(first) + std::string(second.follow_up);
  sample.row.reply_at = std::ssize(before);
  sample.row.output = before + *sample.row.output;
  return sample;
}

}  // namespace moelab::experiments
