#include "experiments/refusal_probe.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "evaluators/refusal.h"
#include "experiments/generate_runs.h"
#include "experiments/question_prompt.h"
#include "experiments/statistics/paired.h"
#include "experiments/written_sample.h"

namespace moelab::experiments {
namespace {

// A benchmark that puts a request as this one puts its questions.
Benchmark probing(const Benchmark& benchmark, std::int64_t max_new_tokens) {
  Benchmark probe;
  probe.config.name = benchmark.config.name;
  probe.config.prompt = PromptStyle::worked;
  probe.config.chat = benchmark.config.chat;
  probe.config.chat_options = benchmark.config.chat_options;
  probe.config.generation.thinking = benchmark.config.generation.thinking;
  probe.config.generation.max_new_tokens = max_new_tokens;
  return probe;
}

ScoredQuestion put_probe(const QuestionPrompts& prompts, const RefusalProbe& probe) {
  Question question;
  question.name = probe.id;
  question.text = probe.request;
  const QuestionTokens put = prompts.put(question);
  ScoredQuestion ready;
  ready.name = probe.id;
  ready.item = put.item;
  ready.opened = put.opened;
  return ready;
}

}  // namespace

std::vector<RefusalProbe> read_probes(const std::filesystem::path& path) {
  std::vector<RefusalProbe> probes;
  const auto lines = read_lines(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = fmt::format("{}:{}", path.string(), i + 1);
    const Json line = parse_json(lines[i], where);
    const auto field = [&](const char* name) { return json_get<std::string>(line, name, where); };
    probes.push_back({field("id"), field("category"), field("request")});
  }
  if (probes.empty()) throw ConfigError("{}: has no probe", path.string());
  return probes;
}

std::vector<std::uint8_t> refusals(const engine::Engine& engine, const SftJob& job,
                                   const std::vector<RefusalProbe>& probes, std::int64_t max_new_tokens) {
  const Benchmark benchmark = probing(job.stored->benchmark, max_new_tokens);
  const QuestionPrompts prompts(benchmark, job.session->tokenizer(), job.session->directory());
  std::vector<ScoredQuestion> questions;
  for (const RefusalProbe& probe : probes) questions.push_back(put_probe(prompts, probe));
  const GenerateSetup setup =
      original_setup(engine, *job.session, questions, benchmark.config.generation, /*seed=*/0);
  const AnswerReader reader(job.session->tokenizer(), benchmark.config.prompt, benchmark.config.generation,
                            engine.spec().eos_ids);
  std::vector<std::uint8_t> refused;
  for (const engine::Generation& made : generate_original(setup, job.check_stop))
    refused.push_back(evaluators::is_refusal(reader.reply(questions[made.request], made)) ? 1 : 0);
  return refused;
}

Json drift_figures(const std::vector<RefusalProbe>& probes, const std::vector<std::uint8_t>& before,
                   const std::vector<std::uint8_t>& after) {
  const statistics::PairedCounts counts = statistics::count_pairs(before, after);
  const statistics::Interval interval = statistics::paired_difference_interval(counts);
  Json each = Json::array();
  double was = 0, is = 0;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    was += before[i];
    is += after[i];
    each.push_back(
        {{"id", probes[i].id}, {"category", probes[i].category}, {"before", before[i]}, {"after", after[i]}});
  }
  const auto n = static_cast<double>(probes.size());
  return {{"probes", probes.size()},
          {"refused_before", was / n},
          {"refused_after", is / n},
          {"drift", counts.gain()},
          {"drift_lo", interval.lo},
          {"drift_hi", interval.hi},
          {"p", statistics::mcnemar_exact_p(counts.wrong_right, counts.right_wrong)},
          {"each", each}};
}

}  // namespace moelab::experiments
