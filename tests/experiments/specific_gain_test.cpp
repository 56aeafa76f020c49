#include "experiments/specific_gain.h"

#include "tests/support/catch.h"

namespace moelab::experiments {
namespace {

using Catch::Approx;

store::ComparisonRow gain_row(const std::string& tested, const std::string& steered, double gain) {
  store::ComparisonRow row;
  row.model = 1;
  row.benchmark = "b";
  row.domain = tested;
  row.steered_domain = steered;
  row.method = "ours";
  row.evaluator = "e";
  row.gain = gain;
  return row;
}

// Three domains whose own plans gain and whose others do not.
std::vector<store::ComparisonRow> square() {
  std::vector<store::ComparisonRow> rows;
  for (const std::string tested : {"x", "y", "z"})
    for (const std::string steered : {"x", "y", "z"})
      rows.push_back(gain_row(tested, steered, tested == steered ? 0.1 : 0.0));
  return rows;
}

}  // namespace

TEST_CASE("Plan labels are tested over all domains, and the p stands on the own rows", "[experiments]") {
  std::vector<store::ComparisonRow> rows = square();
  add_label_tests(rows);
  for (const store::ComparisonRow& row : rows) {
    if (row.domain == row.steered_domain) {
      REQUIRE(row.p_labels);
      CHECK(*row.p_labels == Approx(1.0 / 6));  // the diagonal is the best of 3! assignments
    } else {
      CHECK_FALSE(row.p_labels);
    }
  }
}

TEST_CASE("Plans of domains that were not tested take no part in the labels' test", "[experiments]") {
  std::vector<store::ComparisonRow> rows = square();
  for (const std::string tested : {"x", "y", "z"}) rows.push_back(gain_row(tested, "untested", 0.5));
  add_label_tests(rows);
  CHECK(*rows[0].p_labels == Approx(1.0 / 6));
}

TEST_CASE("Without every plan on every domain, or with one domain, labels are not tested", "[experiments]") {
  std::vector<store::ComparisonRow> rows = square();
  rows.erase(rows.begin() + 1);
  add_label_tests(rows);
  CHECK_FALSE(rows[0].p_labels);
  std::vector<store::ComparisonRow> one = {gain_row("x", "x", 0.1), gain_row("x", "y", 0.0)};
  add_label_tests(one);
  CHECK_FALSE(one[0].p_labels);
}

TEST_CASE("Without other plans a gain has no specificity", "[experiments]") {
  store::ComparisonRow row = gain_row("x", "x", 0.1);
  add_specificity({}, {1, 1, 0}, 1, row);
  CHECK_FALSE(row.specificity);
  CHECK_FALSE(row.gain_other_domains);
}

}  // namespace moelab::experiments
