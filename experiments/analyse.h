// From stored answers to selections, comparisons, nulls and specificity: no model is needed.
#pragma once

#include <map>
#include <string>

#include "core/store/store.h"
#include "experiments/methods.h"
#include "experiments/study_answers.h"

namespace moelab::experiments {

// Makes the study's selection and comparison rows anew from its cells, splits and verdicts, under the
// protocol of its stored config; docs/protocols.md explains every figure. Domains whose original is missing
// are left out, and comparisons of an evaluator whose verdicts do not cover a domain stay as they are. Throws
// StoreError or FileError when the stored config cannot be read.
void analyse_study(store::Store& store, store::Id study);

// The setting that each ranked method chose most often on one model and domain: other domains' plans
// run at it.
std::map<std::string, Setting> modal_settings(store::Store& store, store::Id study, const DomainCells& cells);

}  // namespace moelab::experiments
