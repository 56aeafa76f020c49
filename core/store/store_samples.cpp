// Store: samples and verdicts, the writes that a run spends its time on.
#include "core/store/store.h"

namespace moelab::store {

void Store::check_same_sample(const SampleRow& sample, Id id) {
  const auto same = database_.find<Id>("SELECT 1 FROM sample WHERE id = ?1 AND key = ?2 AND output IS ?3", id,
                                       sample.key, sample.output);
  if (same) return;
  throw StoreError(
      "{}: cell {}, question {}, repeat {} is stored with another generation key or another output; the "
      "same key must give the same tokens, so compare device and library versions in cell.provenance",
      database_.path().string(), sample.cell, sample.question, sample.repeat);
}

void Store::insert_verdict(const VerdictRow& v, Id sample) {
  const auto inserted = database_.run(
      "INSERT INTO verdict (sample, evaluator, version, answer, rule, correct, guessed) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (sample, evaluator, version) DO NOTHING",
      sample, v.evaluator, v.version, v.answer, v.rule, v.correct, v.guessed);
  if (inserted > 0) return;
  const auto same = database_.find<Id>(
      "SELECT 1 FROM verdict WHERE sample = ?1 AND evaluator = ?2 AND version = ?3 AND answer IS ?4 AND "
      "correct = ?5",
      sample, v.evaluator, v.version, v.answer, v.correct);
  if (same) return;
  throw StoreError(
      "{}: {} version {} judges sample {} differently than before; an evaluator that changes needs a new "
      "version",
      database_.path().string(), v.evaluator, v.version, sample);
}

Id Store::put_sample(const SampleRow& s, std::span<const VerdictRow> verdicts) {
  Transaction transaction(database_);
  const auto inserted = database_.run(
      "INSERT INTO sample (cell, question, repeat, key, prompt_tokens, n_think, n_answer, closed, truncated, "
      "stop, seconds, output, scores, option_order, reply_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
      "ON CONFLICT (cell, question, repeat) DO NOTHING",
      s.cell, s.question, s.repeat, s.key, s.prompt_tokens, s.n_think, s.n_answer, s.closed, s.truncated,
      s.stop, s.seconds, s.output, s.scores, s.option_order, s.reply_at);
  Id id = database_.last_id();
  if (inserted == 0) {
    id = *database_.find<Id>("SELECT id FROM sample WHERE cell = ?1 AND question = ?2 AND repeat = ?3",
                             s.cell, s.question, s.repeat);
    check_same_sample(s, id);
  }
  for (const VerdictRow& verdict : verdicts) insert_verdict(verdict, id);
  transaction.commit();
  return id;
}

void Store::put_samples(std::span<const SampleRow> samples,
                        std::span<const std::vector<VerdictRow>> verdicts) {
  if (samples.size() != verdicts.size()) {
    throw StoreError("{} samples come with the verdicts of {}", samples.size(), verdicts.size());
  }
  for (std::size_t i = 0; i < samples.size(); ++i) put_sample(samples[i], verdicts[i]);
}

void Store::put_verdicts(std::span<const VerdictRow> verdicts) {
  Transaction transaction(database_);
  for (const VerdictRow& verdict : verdicts) insert_verdict(verdict, verdict.sample);
  transaction.commit();
}

std::vector<SampleRow> Store::samples(Id cell) {
  std::vector<SampleRow> rows;
  Statement row = database_.prepare(
      "SELECT id, cell, question, repeat, key, prompt_tokens, n_think, n_answer, closed, truncated, stop, "
      "seconds, output, scores, option_order, reply_at FROM sample WHERE cell = ?1 "
      "ORDER BY question, repeat");
  row.bind(cell);
  while (row.step()) {
    rows.push_back({row.get<Id>(0), row.get<Id>(1), row.get<Id>(2), row.get<int>(3), row.get<std::string>(4),
                    row.get<std::int64_t>(5), row.get<std::int64_t>(6), row.get<std::int64_t>(7),
                    row.get<bool>(8), row.get<bool>(9), row.get<std::string>(10), row.get<double>(11),
                    row.get<std::optional<std::string>>(12), row.get<std::optional<std::string>>(13),
                    row.get<std::optional<std::string>>(14), row.get<std::optional<std::int64_t>>(15)});
  }
  return rows;
}

std::vector<SampleKey> Store::answered(Id cell) {
  std::vector<SampleKey> keys;
  Statement row =
      database_.prepare("SELECT question, repeat FROM sample WHERE cell = ?1 ORDER BY question, repeat");
  row.bind(cell);
  while (row.step()) keys.push_back({row.get<Id>(0), row.get<int>(1)});
  return keys;
}

}  // namespace moelab::store
