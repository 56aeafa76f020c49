// A part of a study that may fail without ending the study.
#pragma once

#include <exception>

#include "core/base/error.h"

namespace moelab::experiments {

// Runs `body`; what goes wrong in it is handed to `fail` as text, but for a stop and for a store that cannot
// be written: those end the study.
template <typename Body, typename Fail>
void guarded(const Body& body, const Fail& fail) {
  try {
    body();
  } catch (const Interrupted&) {
    throw;
  } catch (const StoreError&) {
    throw;
  } catch (const std::exception& problem) {
    fail(problem.what());
  }
}

}  // namespace moelab::experiments
