#include "experiments/study_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/text/tiktoken.h"
#include "experiments/methods.h"
#include "experiments/study_splits.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

constexpr std::size_t kProbes = 50;  // questions that the mean length is taken from
constexpr double kBytesPerToken = 4;

std::optional<text::Tokenizer> find_tokenizer(const ModelConfig& model) {
  if (!text::has_tokenizer(model.path)) return std::nullopt;
  return text::load_tokenizer(model.path);
}

double count_tokens(const RenderedQuestion& rendered, const std::optional<text::Tokenizer>& tokenizer) {
  const auto length = [&](const std::string& part) {
    return tokenizer ? static_cast<double>(tokenizer->encode(part).size())
                     : static_cast<double>(part.size()) / kBytesPerToken;
  };
  double tokens = length(rendered.prompt);
  for (const std::string& option : rendered.continuations) tokens += length(option);
  return tokens;
}

double mean_tokens(const std::vector<Question>& questions, PromptStyle style,
                   const std::optional<text::Tokenizer>& tokenizer) {
  const std::size_t count = std::min(kProbes, questions.size());
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += count_tokens(render_prompt(questions[i], style), tokenizer);
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

void count_cells(const StudyConfig& study, ForecastRow& row) {
  for (const PlannedCell& cell : unplanned_cells(study, row.domain, "")) {
    if (cell.role == "original" || cell.role == "aa") {
      ++row.originals;
    } else if (cell.role == "null") {
      ++row.nulls;
    } else {
      ++row.grid;
    }
  }
}

}  // namespace

std::filesystem::path study_database(const StudyConfig& study, const config::Composed& composed) {
  const auto origin = composed.origins.find("db");
  const bool is_given = origin != composed.origins.end() && origin->second.line == 0;
  if (is_given || study.database.is_absolute() || std::filesystem::exists(study.database))
    return study.database;
  const auto root = repository_root();
  return root ? *root / study.database : study.database;
}

std::vector<ForecastRow> forecast(const StudyConfig& study) {
  std::vector<ForecastRow> rows;
  for (const ModelConfig& model : study.models) {
    const std::optional<text::Tokenizer> tokenizer = find_tokenizer(model);
    for (const BenchmarkConfig& config : study.benchmarks) {
      const Benchmark benchmark = load_benchmark(config);
      const auto splits = make_splits(benchmark, study);
      for (const std::string& domain :
           study.axes.domain.empty() ? benchmark.domain_names() : study.axes.domain) {
        ForecastRow row;
        row.model = model.name;
        row.benchmark = config.name;
        row.domain = domain;
        const std::vector<Question>& questions = benchmark.domain(domain);
        row.discovery = static_cast<std::int64_t>(splits.at(domain).discovery.size());
        row.questions = static_cast<std::int64_t>(splits.at(domain).scored.size());
        row.repeats = config.repeats();
        row.tokens_per_sample = mean_tokens(questions, config.prompt, tokenizer);
        if (is_generated(config.prompt))
          row.tokens_per_sample += static_cast<double>(config.generation.max_new_tokens);
        count_cells(study, row);
        rows.push_back(row);
      }
    }
  }
  return rows;
}

TextTable forecast_table(const StudyConfig& study, const std::vector<ForecastRow>& rows) {
  TextTable table;
  table.title = fmt::format("Study {}: what would be run (stored samples are not taken off)", study.name);
  table.columns = {{"model", true}, {"benchmark", true}, {"domain", true}, {"discovery"},
                   {"questions"},   {"originals"},       {"grid"},         {"nulls"},
                   {"samples"},     {"tokens"}};
  std::int64_t cells = 0;
  std::int64_t samples = 0;
  double tokens = 0;
  for (const ForecastRow& row : rows) {
    table.add({row.model, row.benchmark, row.domain, fmt::to_string(row.discovery),
               fmt::to_string(row.questions), fmt::to_string(row.originals), fmt::to_string(row.grid),
               fmt::to_string(row.nulls), fmt::to_string(row.samples()),
               fmt::format("{:.2f} M", row.tokens() / 1e6)});
    cells += row.cells();
    samples += row.samples();
    tokens += row.tokens();
  }
  table.footers = {
      fmt::format("In all {} cells, {} samples, about {:.2f} M tokens, and other domains' plans at the "
                  "chosen settings.",
                  cells, samples, tokens / 1e6)};
  return table;
}

}  // namespace moelab::experiments
