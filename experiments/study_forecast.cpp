#include "experiments/study_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/text/tiktoken.h"
#include "experiments/study_results.h"
#include "experiments/transfer.h"
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

// Prompt and answer at its longest; a second call reads both, and answers again.
double written_tokens(const BenchmarkConfig& config, double prompt) {
  const auto answer = static_cast<double>(config.generation.max_new_tokens);
  const bool is_asked_twice = config.published != nullptr && !config.published->follow_up.empty();
  return is_asked_twice ? 2 * (prompt + answer) + answer : prompt + answer;
}

// Cells that each tested domain gets from the study that transfer.study names, by model.
std::map<std::string, std::int64_t> transfers_of(const StudyConfig& study,
                                                 const std::filesystem::path& database) {
  std::map<std::string, std::int64_t> transfers;
  if (study.transfer.study.empty()) return transfers;
  store::Store store = store::Store::open(database, store::Mode::read_only);
  const store::Id source = require_study(store, study.transfer.study);
  for (const ModelConfig& model : study.models)
    transfers[model.name] = count_transfer_cells(store, source, model.name);
  return transfers;
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

std::vector<ForecastRow> forecast(const StudyConfig& study, const std::filesystem::path& database) {
  auto transfers = transfers_of(study, database);
  std::vector<ForecastRow> rows;
  std::int64_t cells = 0;
  for (const ModelConfig& model : study.models) {
    const std::optional<text::Tokenizer> tokenizer = find_tokenizer(model);
    for (const BenchmarkConfig& config : study.benchmarks) {
      const Benchmark benchmark = load_benchmark(config);
      const auto splits = make_splits(benchmark, study);
      const StudyDomains domains = study_domains(benchmark, study);
      for (const std::string& domain : domains.tested) {
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
          row.tokens_per_sample = written_tokens(config, row.tokens_per_sample);
        row.cells = count_cells({&study, &model, &domains, domain, transfers[model.name]});
        row.unasked = count_unasked(study, domain, splits.at(domain));
        cells += row.cells.total();
        rows.push_back(row);
      }
    }
  }
  require_allowed(study, cells);
  return rows;
}

TextTable forecast_table(const StudyConfig& study, const std::vector<ForecastRow>& rows) {
  TextTable table;
  table.title = fmt::format("Study {}: what would be run (stored samples are not taken off)", study.name);
  table.columns = {{"model", true}, {"benchmark", true}, {"domain", true}, {"discovery"},
                   {"questions"},   {"originals"},       {"grid"},         {"nulls"},
                   {"calibration"}, {"transfer"},        {"samples"},      {"tokens"}};
  std::int64_t cells = 0;
  std::int64_t samples = 0;
  double tokens = 0;
  for (const ForecastRow& row : rows) {
    table.add({row.model, row.benchmark, row.domain, fmt::to_string(row.discovery),
               fmt::to_string(row.questions), fmt::to_string(row.cells.originals),
               fmt::to_string(row.cells.grid), fmt::to_string(row.cells.nulls),
               fmt::to_string(row.cells.calibration), fmt::to_string(row.cells.transfer),
               fmt::to_string(row.samples()), fmt::format("{:.2f} M", row.tokens() / 1e6)});
    cells += row.cells.total();
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
