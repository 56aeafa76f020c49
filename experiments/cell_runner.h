// Runs planned cells of one model on one domain: their rows, their answers, and why some have failed.
#pragma once

#include <string>
#include <vector>

#include "experiments/model_session.h"
#include "experiments/run_meter.h"
#include "experiments/score_cells.h"
#include "experiments/study_run.h"
#include "experiments/study_target.h"

namespace moelab::experiments {

class CellRunner {
 public:
  // Keeps references to all of them. `id`: the study's row.
  CellRunner(const StudyConfig& study, store::Store& store, store::Id id, RunMeter& meter,
             RunSummary& summary)
      : study_(study), store_(store), id_(id), meter_(meter), summary_(summary) {}

  // Scores or generates what the cells miss; those with an error are stored as failed. Throws Interrupted.
  void run(const ModelSession& session, const Target& target, const std::vector<PlannedCell>& cells);

  // Stores the cells and asks nothing yet; one that has failed before gets another try. Returns their rows,
  // in the order of `cells`.
  std::vector<store::Id> add(const ModelSession& session, const Target& target,
                             const std::vector<PlannedCell>& cells);

  // The same as run for a cell whose weights are the engine's and not the session's.
  void run_trained(const ModelSession& session, const engine::Engine& engine, const Target& target,
                   const PlannedCell& cell);

  // Stores cells as failed, and the reason in the study's log.
  void fail(const ModelSession& session, const Target& target, std::vector<PlannedCell> cells,
            const std::string& problem);
  void fail_cells(const Target& target, const std::string& condition, std::vector<PlannedCell> cells);
  void forget_failed(const Target& target);

 private:
  void score_variant(const ModelSession& session, const Target& target, const std::string& condition,
                     const Variant& variant, const std::vector<CellTask>& tasks);
  void score_tasks(const ModelSession& session, const ScoreSetup& setup, const Target& target,
                   const std::vector<CellTask>& tasks);
  ScoreSetup setup_of(const engine::Engine& engine, const Target& target, const std::string& condition) const;
  std::string condition_key(const ModelSession& session, const Target& target) const;
  CellTask put_cell(const Target& target, const std::string& condition, const PlannedCell& cell);
  ScoreHooks score_hooks();
  void count(const ScoreSummary& summary);

  const StudyConfig& study_;
  store::Store& store_;
  store::Id id_;
  RunMeter& meter_;
  RunSummary& summary_;
};

}  // namespace moelab::experiments
