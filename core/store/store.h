// The results database: typed writes that can be repeated, and the reads that the study runner and tables
// need.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/store/database.h"
#include "core/store/rows.h"

namespace moelab::store {

// One connection, for one thread. Every put_* is one transaction (or joins the one that begin() opened) and
// may be repeated: a row that is there already, by the table's unique key, is left as it is and its id
// returned, unless the comment says "replaces". Every function throws StoreError naming the file.
class Store {
 public:
  // read_write_create makes the file, its folder and the schema where they are missing, and migrates an older
  // schema.
  static Store open(const std::filesystem::path& path, Mode mode, const DatabaseOptions& options = {});

  // Groups the following writes until commit(); without it they are undone.
  Transaction begin() { return Transaction(database_); }

  // -- studies, models, questions (store_questions.cpp)
  Id put_study(const StudyRow& study);
  // The newest study of that name.
  std::optional<Id> find_study(const std::string& name);
  StudyRow study(Id study);
  void finish_study(Id study);
  Id put_model(const ModelRow& model);
  ModelRow model(Id model);
  std::optional<Id> find_model(const std::string& digest);
  // The ids in the order of `questions`.
  std::vector<Id> put_questions(std::span<const QuestionRow> questions);
  QuestionRow question(Id question);
  std::vector<QuestionRow> questions(const std::string& set_name);
  // A study's split never changes once stored: a different role or fold is an error.
  void put_splits(Id study, std::span<const SplitRow> rows);
  // Ordered by (assignment, question).
  std::vector<SplitRow> splits(Id study);

  // -- discovery and plans (store_discovery.cpp)
  // The run and all its data at once, so that a run that is there is complete.
  Id put_discovery(const DiscoveryRow& run, const DiscoveryData& data);
  std::optional<Id> find_discovery(const std::string& key);
  DiscoveryRow discovery(Id run);
  // Replaces scores of the same (run, score, layer, expert): a new score of an old run.
  void put_scores(Id run, std::span<const ScoreRow> rows);
  std::vector<ImportanceRow> importance(Id run);
  std::vector<RoutingRow> routing(Id run);
  // Ordered by rank.
  std::vector<ScoreRow> scores(Id run, const std::string& score);
  // By layer and pair.
  std::vector<SimilarityRow> similarity(Id run);
  Id put_plan(const PlanRow& plan);
  PlanRow plan(Id plan);

  // -- cells, samples, verdicts, effects (store_cells.cpp)
  Id put_cell(const CellRow& cell);
  std::optional<Id> find_cell(const std::string& key);
  CellRow cell(Id cell);
  // A study's cells by id, with the role of each.
  std::vector<std::pair<CellRow, std::string>> cells(Id study);
  void add_to_study(Id study, Id cell, const std::string& role);
  void set_outcome(Id cell, const CellOutcome& outcome);
  // The sample with its verdicts in one transaction. A sample that is there is kept, missing verdicts are
  // added; one with another key or other output is a conflict: an error.
  Id put_sample(const SampleRow& sample, std::span<const VerdictRow> verdicts);
  // The same for many, one transaction each; verdicts[i] belong to samples[i].
  void put_samples(std::span<const SampleRow> samples, std::span<const std::vector<VerdictRow>> verdicts);
  // More verdicts on stored samples, such as a new evaluator's; one transaction.
  void put_verdicts(std::span<const VerdictRow> verdicts);
  std::vector<SampleRow> samples(Id cell);
  // Sorted, so that std::binary_search tells what is missing.
  std::vector<SampleKey> answered(Id cell);
  // Replaces the cell's rows.
  void put_effects(Id cell, std::span<const EffectRow> rows);
  // Adds the counts to what is stored (weight_change as a mean over all rows, state as the stronger one): for
  // a cell that was resumed.
  void add_effects(std::span<const EffectRow> rows);
  std::vector<EffectRow> effects(Id cell);

  // -- results (store_results.cpp)
  // The newest verdicts of `evaluator` on every cell of the study, cells by id; cells without any are left
  // out.
  std::vector<CellAnswers> answers(Id study, const std::string& evaluator);
  // Replaces what was chosen before under the same key.
  void put_selections(std::span<const SelectionRow> rows);
  std::vector<SelectionRow> selections(Id study);
  // Replaces the row of the same key.
  void put_comparisons(std::span<const ComparisonRow> rows);
  std::vector<ComparisonRow> comparisons(Id study);

  // -- training, published figures, events (store_training.cpp)
  Id put_training(const TrainingRow& run);
  // Replaces rows of the same step.
  void put_training_steps(Id run, std::span<const TrainingStepRow> rows);
  std::vector<TrainingStepRow> training_steps(Id run);
  void finish_training(Id run);
  // Replaces the figure of the same key.
  void put_published(std::span<const PublishedRow> rows);
  void add_event(std::optional<Id> study, const std::string& kind, const std::string& text);

  // One SELECT as text, reals with 15 digits, blobs as their size. Refuses everything that could change the
  // database, and more than one statement.
  Table query(const std::string& sql);

  // Copies the write-ahead log into the database file and waits for the disk: what is stored so far also
  // survives a power loss.
  void checkpoint();

  Database& database() { return database_; }

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  void insert_verdict(const VerdictRow& verdict, Id sample);
  void check_same_sample(const SampleRow& sample, Id id);

  Database database_;
};

}  // namespace moelab::store
