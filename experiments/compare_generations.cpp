#include "experiments/compare_generations.h"

#include <fmt/format.h>

#include "experiments/progress_line.h"
#include "experiments/text_table.h"

namespace moelab::experiments {
namespace {

// A token on one line, so that blanks and breaks can be seen.
std::string visible_token(const text::Tokenizer& tokenizer, std::int32_t token) {
  std::string text;
  for (const char letter : without_controls(tokenizer.decode({&token, 1}))) {
    if (letter == '\n')
      text += "\\n";
    else if (letter == '\t')
      text += "\\t";
    else
      text += letter;
  }
  return text;
}

// One sample's text as parts, the token at `marked` between >> and <<.
std::vector<TextPart> column_parts(const GenerateTrial& trial, const std::string& title,
                                   const engine::Generation& sample, bool is_interrupted,
                                   std::optional<std::size_t> marked) {
  std::vector<TextPart> parts = {{title + "\n\n"}};
  GeneratedText text(trial.tokenizer, trial.text_options());
  for (std::size_t i = 0; i < sample.tokens.size(); ++i) {
    const TextPart part = text.push(sample.tokens[i]);
    parts.push_back(part);
    if (marked != i) continue;
    const std::string shown = fmt::format(">>{}<<", visible_token(trial.tokenizer, sample.tokens[i]));
    parts.back() = {shown, part.is_dim, true};
    if (part.text.ends_with('\n')) parts.push_back({"\n"});
  }
  parts.push_back(text.finish());
  std::erase_if(parts, [](const TextPart& part) { return part.text.empty(); });
  const std::string gap = parts.back().text.ends_with('\n') ? "\n" : "\n\n";
  parts.push_back({gap + closing_line(trial, text, is_interrupted ? nullptr : &sample)});
  return parts;
}

ProgressFigures comparison_progress(const Comparison& comparison, std::int64_t max_new_tokens) {
  ProgressFigures figures;
  figures.what = "original and steered";
  figures.unit = "tokens";
  for (const engine::Generation& sample : comparison.samples)
    figures.samples_done += static_cast<std::int64_t>(sample.tokens.size());
  figures.samples_total = 2 * max_new_tokens;
  return figures;
}

std::string difference_text(const GenerateTrial& trial, const Comparison& comparison) {
  if (!comparison.difference) return "No token differs.\n";
  const FirstDifference& at = *comparison.difference;
  TextTable table;
  table.title = fmt::format("First different token: number {} of the answer", at.position + 1);
  table.columns = {{"written by", true}, {"token", true}, {"p original"}, {"p steered"}};
  const std::array<std::pair<const char*, std::int32_t>, 2> rows = {
      {{"original", at.original}, {"steered", at.steered}}};
  for (std::size_t token = 0; token < rows.size(); ++token)
    table.add({rows[token].first, fmt::format("\"{}\"", visible_token(trial.tokenizer, rows[token].second)),
               fmt::format("{:.4f}", comparison.chances[0][token]),
               fmt::format("{:.4f}", comparison.chances[1][token])});
  table.footers = {"p: softmax of the logits, before temperature, filters and penalty"};
  return render(table, TableFormat::text);
}

}  // namespace

std::string closing_line(const GenerateTrial& trial, const GeneratedText& text,
                         const engine::Generation* ended) {
  const std::size_t count = text.tokens().size();
  std::string line = ended == nullptr
                         ? fmt::format("interrupted after {} tokens", count)
                         : fmt::format("{} tokens, stopped by {}", count, name_of(ended->reason));
  if (ended != nullptr && !trial.request.stop_strings.empty() &&
      ended->reason != engine::StopReason::stop_string)
    line += ", no stop text was met";
  if (trial.prompt.thinking.style != text::ThinkingStyle::none) {
    const bool is_cut = ended == nullptr || ended->reason == engine::StopReason::length ||
                        ended->reason == engine::StopReason::context;
    const text::ThinkingSplit split = text.split(!is_cut);
    line += fmt::format("; {} thinking, {} answer, {}", split.n_thinking(), split.n_answer(),
                        !split.closed                             ? "not closed"
                        : ended != nullptr && ended->forced_close ? "closed by force"
                                                                  : "closed");
  }
  return fmt::format("[{}]", line);
}

std::string effect_line(const steering::Effect& effect) {
  double changed = 0;
  std::int64_t selections = 0;
  for (const steering::LayerEffect& layer : effect.layers) {
    changed += layer.changed;
    selections += layer.selections;
  }
  return fmt::format("plan {}: {:.0f} of {} selections changed in its layers",
                     steering::name_of(effect.state), changed, selections);
}

Comparison compare_generations(const GenerateTrial& trial, const StopSignals& signals) {
  std::array<engine::GenerateRequest, 2> requests = {trial.request, trial.request};
  requests[0].plan = 0;
  Comparison result;
  ProgressLine line;
  engine::GenerateOptions options = trial.engine_options(2);
  options.on_token = [&](const engine::GenerateRequest& request, std::int64_t, std::int32_t token) {
    result.samples[request.plan == 0 ? 0 : 1].tokens.push_back(token);
    if (signals.stop_wanted()) throw Interrupted("stopped");
    if (is_terminal(stderr)) line.show(comparison_progress(result, request.max_new_tokens));
  };
  try {
    const engine::GenerateReport report = engine::generate(trial.engine, trial.plans(), requests, options);
    for (const engine::Generation& sample : report.samples) result.samples[sample.request] = sample;
    result.effect = report.effects.at(1);
  } catch (const Interrupted&) {
    result.is_interrupted = true;
  }
  result.difference = first_difference(result.samples[0].tokens, result.samples[1].tokens);
  if (result.difference) {
    engine::Tokens read = trial.prompt.tokens;
    const auto common = result.samples[0].tokens.begin();
    read.insert(read.end(), common, common + static_cast<std::ptrdiff_t>(result.difference->position));
    result.chances = chances_at(trial.engine, *trial.plan, read, *result.difference);
  }
  return result;
}

std::string comparison_text(const GenerateTrial& trial, const Comparison& comparison,
                            const SideBySideOptions& options) {
  std::optional<std::size_t> marked;
  if (comparison.difference) marked = comparison.difference->position;
  const std::string steered =
      fmt::format("steered ({} expert{}, {})", trial.plan->entries.size(),
                  trial.plan->entries.size() == 1 ? "" : "s", steering::name_of(trial.plan->mode));
  std::array<std::vector<TextPart>, 2> columns;
  for (std::size_t i = 0; i < 2; ++i)
    columns[i] = column_parts(trial, i == 0 ? "original" : steered, comparison.samples[i],
                              comparison.is_interrupted, marked);
  std::string text = side_by_side(columns[0], columns[1], options);
  text += "\n" + difference_text(trial, comparison);
  if (comparison.effect) text += effect_line(*comparison.effect) + "\n";
  if (comparison.is_interrupted) text += "[interrupted]\n";
  return text;
}

}  // namespace moelab::experiments
