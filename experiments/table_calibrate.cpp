// The calibration table: each method under each protocol on models whose truth is known.
#include <fmt/format.h>

#include <cmath>

#include "experiments/calibrate.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

std::string share_text(const Share& share) {
  return share.trials == 0 ? "-" : fmt::format("{:.2f}", share.value());
}

std::string count_note(const Calibration& calibration) {
  std::int64_t power = 0, permuted = 0;
  for (const CalibrationRow& row : calibration.rows) {
    power = std::max(power, row.power.trials);
    permuted = std::max(permuted, row.false_call.trials);
  }
  return fmt::format(
      "{} halves and {} label permutations a row; {} questions a domain, half of them for power.", power,
      permuted, calibration.questions);
}

}  // namespace

TextTable calibration_table(const Calibration& calibration, const std::string& study) {
  TextTable table;
  table.title = fmt::format("Calibration, study {}", study);
  table.columns = {{"method", true}, {"protocol", true}, {"recall"}, {"power"},     {"found"},
                   {"available"},    {"false p"},        {"+ null"}, {"false call"}};
  for (const CalibrationRow& row : calibration.rows)
    table.add({row.method, std::string(name_of(row.protocol)), two_decimals(row.recall),
               share_text(row.power), points(row.gain_found), points(row.gain_available),
               share_text(row.false_p), share_text(row.false_null), share_text(row.false_call)});
  table.footers = {
      "recall: of the planted experts, by the method's score; power: calls of a real gain, on random halves "
      "of the questions.",
      "found, available: gain in points of the method's plans, and of the planted experts as plans, where a "
      "gain is there.",
      "false p: gains with p < .05 where there is nothing to find, under permuted domain labels; + null: "
      "those also beyond random experts;",
      "false call: those that the verdict's whole rule calls (specificity too). p of one comparison, without "
      "Holm.",
      count_note(calibration)};
  if (calibration.false_existence.trials > 0)
    table.footers.push_back(fmt::format("Domain experts are said to exist in {} of {} label permutations.",
                                        calibration.false_existence.hits,
                                        calibration.false_existence.trials));
  return table;
}

}  // namespace moelab::experiments
