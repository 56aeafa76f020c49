// Notes of a study in its event log, as JSON: which models and discovery runs belong to it, and its verdicts.
#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/store/store.h"

namespace moelab::experiments {

// Adds an event of that kind unless the study has the same one already.
//   model      {"name", "model"}                 a name in the config and the model's row
//   discovery  {"model", "benchmark", "domain", "run"}  the runs that the study's plans and verdicts rest on
//   similarity {"model", "benchmark", "domain", "run"}  where experts were compared, domain "" for all
//   trace      {"model", "benchmark", "domain", "method", "marker", "run"}  over written answers; marker ""
//              for the run that tells them from their prompts; "per": "sample" where test questions were
//              asked
//   plan       {"cell", "note"}  what top-k made a cell's plan do otherwise than asked
//   search     {"kind": "random", "method", "settings", "of"} or {"kind": "halving", "answers", "grid"}
//   training   {"model", "benchmark", "domain", "method", "run", "weights", "labelled_questions", ...}  of a
//              fine-tuning; the next two begin alike
//   selection  {..., "kind", "least", "most", "left_out", "each": [{"question", "norm", "kept"}]}
//   drift      {..., "refused_before", "refused_after", "drift", "drift_lo", "drift_hi", "p", "each"}
//   verdict    see docs/protocols.md
void put_note(store::Store& store, store::Id study, const std::string& kind, const Json& note);

// A study's notes of a kind, oldest first.
std::vector<Json> notes(store::Store& store, store::Id study, const std::string& kind);

// The newest note `drift` of each training, in the order in which they were measured first: other probes,
// longer answers and a training that was done anew add notes.
std::vector<Json> newest_drift(store::Store& store, store::Id study);

}  // namespace moelab::experiments
