// One struct for each table of the database; schema_sql.inc documents the columns.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moelab::store {

using Id = std::int64_t;  // a row's id, from 1; 0 = not stored yet

struct StudyRow {
  std::string name;
  std::string config = "{}";  // JSON
  std::string config_hash;
  std::string protocol;
  std::string code_version;
  std::string libraries = "{}";  // JSON, name -> version
  std::string device;
};

struct ModelRow {
  std::string digest;
  std::string name;
  std::string path;
  std::string family;
  std::string spec = "{}";  // JSON
  std::string tokenizer_digest;
};

struct QuestionRow {
  Id id = 0;  // set by the store
  std::string set_name;
  std::string name;
  std::string group_id;
  std::string domain;
  std::string subdomain;
  std::string text;
  std::string text_digest;  // of text, options and gold
  std::vector<std::string> options;
  std::string gold;
  std::optional<int> exposure;
};

struct SplitRow {
  Id question = 0;
  int assignment = 0;
  std::string role;  // discovery, tuning, test
  int fold = -1;
};

struct DiscoveryRow {
  std::string key;
  Id model = 0;
  std::string domain;
  std::string settings = "{}";  // JSON
  std::int64_t n_questions = 0;
  std::int64_t n_tokens = 0;
  double seconds = 0;
};

struct ImportanceRow {
  Id question = 0;
  int position = 0;
  std::string token;
  double importance = 0;
  std::string kind;  // important, common, excluded
};

struct RoutingRow {
  Id question = 0;
  int layer = 0;
  int expert = 0;
  std::int64_t n = 0;  // rows with n = 0 are left out by the store
  std::int64_t n_important = 0;
  std::int64_t n_unimportant = 0;
};

struct ScoreRow {
  std::string score;
  int layer = 0;
  int expert = 0;
  double value = 0;
  int rank = 0;  // 1 = best
};

// How alike two experts of a layer are, first < second.
struct SimilarityRow {
  int layer = 0;
  int first = 0;
  int second = 0;
  double similarity = 0;
  double permuted = 0;  // with the second's tokens in a random order
};

// What a discovery run found; stored together with its DiscoveryRow.
struct DiscoveryData {
  std::vector<ImportanceRow> importance;
  std::vector<RoutingRow> routing;
  std::vector<ScoreRow> scores;
  std::vector<SimilarityRow> similarity;
};

struct PlanEntryRow {
  int layer = 0;
  int expert = 0;
  std::string operation;
  double value = 0;
};

// What one question's own plan does.
struct QuestionPlanRow {
  Id question = 0;
  PlanEntryRow entry;
};

struct PlanRow {
  std::string digest;
  std::string method;
  std::string mode;
  double alpha = 1;
  double logit_shift = 0;  // ln(alpha)
  int n_steered = 0;
  int draw = 0;
  std::string domain;  // the steered one, "" for none
  std::optional<Id> run;
  std::vector<PlanEntryRow> entries;
  std::vector<QuestionPlanRow> by_question =
      {};  // where each question has a plan of its own; no entries then
};

struct CellRow {
  Id id = 0;  // set by the store
  std::string key;
  std::string condition;  // the key without the plan
  Id model = 0;
  std::string benchmark;
  std::string domain;  // the tested one
  std::optional<Id> plan;
  std::string method;
  int n_steered = 0;
  double alpha = 1;
  std::string mode;
  int draw = 0;
  std::string steered_domain;
  std::string status = "pending";
  std::int64_t n_samples = 0;
  double seconds = 0;
  std::int64_t tokens = 0;
  std::string error;
  std::string provenance = "{}";  // JSON
};

// How a cell stands; the part of CellRow that changes.
struct CellOutcome {
  std::string status;
  std::int64_t n_samples = 0;
  double seconds = 0;
  std::int64_t tokens = 0;
  std::string error;
  std::string provenance = "{}";  // JSON
};

struct SampleRow {
  Id id = 0;  // set by the store
  Id cell = 0;
  Id question = 0;
  int repeat = 0;
  std::string key;
  std::int64_t prompt_tokens = 0;
  std::int64_t n_think = 0;
  std::int64_t n_answer = 0;
  bool closed = true;
  bool truncated = false;
  std::string stop;
  double seconds = 0;
  std::optional<std::string> output;          // generated text
  std::optional<std::string> scores;          // JSON: each option's log-probability and length
  std::optional<std::string> option_order{};  // letters of the question's options as shown; none: in order
  std::optional<std::int64_t> reply_at{};     // bytes of output before the judged reply; none: 0
};

struct VerdictRow {
  Id sample = 0;  // filled in by put_sample
  std::string evaluator;
  int version = 1;
  std::optional<std::string> answer;
  std::string rule;
  bool correct = false;
  bool guessed = false;
};

// A question's repeat in a cell, ordered by question.
struct SampleKey {
  Id question = 0;
  int repeat = 0;
  auto operator<=>(const SampleKey&) const = default;
};

struct Answer {
  Id question = 0;
  std::int32_t repeat = 0;
  bool correct = false;
  bool guessed = false;
};

// One evaluator's verdicts on a cell, ordered by (question, repeat).
struct CellAnswers {
  Id cell = 0;
  std::vector<Answer> answers;
};

struct EffectRow {
  Id cell = 0;
  int layer = 0;
  std::int64_t rows = 0;
  std::int64_t selections = 0;
  std::int64_t changed = 0;
  double weight_change = 0;  // mean over the rows
  std::int64_t steered_selected = 0;
  std::string state;             // not_applied, applied_no_effect, acted
  std::optional<double> dose{};  // mean over the rows, in nats
};

struct SelectionRow {
  Id study = 0;
  Id model = 0;
  std::string benchmark;
  std::string domain;
  std::string method;
  int draw = 0;
  std::string steered_domain;
  std::string evaluator;
  std::string rule;
  int assignment = 0;
  int fold = -1;
  std::string candidates = "[]";  // JSON
  Id chosen = 0;                  // a cell
  std::int64_t n = 0;
  std::int64_t correct = 0;
};

struct ComparisonRow {
  Id study = 0;
  Id model = 0;
  std::string benchmark;
  std::string domain;
  std::string method;
  int draw = 0;
  std::string steered_domain;
  std::string evaluator;
  std::string protocol;
  std::int64_t n = 0;
  double accuracy_original = 0;
  double accuracy = 0;
  std::int64_t wrong_right = 0;
  std::int64_t right_wrong = 0;
  double gain = 0;
  std::optional<double> lo;
  std::optional<double> hi;
  std::optional<double> p;
  std::optional<double> p_holm;
  std::optional<double> p_null;
  std::int64_t n_null = 0;
  std::optional<double> gain_other_domains;
  std::optional<double> flip_noise;
  std::optional<double> smallest_detectable;
  std::string settings = "{}";  // JSON
  std::optional<double> specificity{};
  std::optional<double> specificity_lo{};
  std::optional<double> specificity_hi{};
  std::optional<double> p_specific{};
  std::optional<double> p_labels{};
  std::optional<double> dose{};
};

struct TrainingRow {
  std::string key;
  std::string name;
  std::string config = "{}";  // JSON
  std::string code_version;
  std::string device;
};

struct TrainingStepRow {
  std::int64_t step = 0;
  std::int64_t tokens = 0;
  double loss = 0;
  std::optional<double> balance;
  std::optional<double> plant;
  std::optional<double> learning_rate;
  std::optional<double> gradient_norm;
  double seconds = 0;
  std::optional<std::string> evaluation;  // JSON
};

struct PublishedRow {
  std::string paper;
  std::string item;
  std::string model;
  std::string domain;
  std::string method;
  std::string setting;
  double value = 0;
  std::string unit;
  std::string mark;
  std::string source;
};

// The result of free SQL; nullopt is NULL.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::vector<std::vector<bool>> is_number;  // as rows: SQLite holds the value as an integer or a real
};

}  // namespace moelab::store
