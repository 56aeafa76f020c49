#include "evaluators/data/set_report.h"

#include <fmt/format.h>

#include <set>

#include "evaluators/data/near_duplicates.h"
#include "evaluators/mcq.h"

namespace moelab::data {
namespace {

template <typename Key>
std::string counts_text(const std::map<Key, std::size_t>& counts) {
  std::string text;
  for (const auto& [key, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, count);
  return text;
}

void add_group_counts(const QuestionSet& set, SetReport& report) {
  std::vector<GroupItem> items;
  for (const SetQuestion& question : set.questions) items.push_back({question.name, question.text});
  std::map<std::string, std::size_t> sizes;
  for (const std::string& group : duplicate_groups(items)) ++sizes[group];
  report.groups = sizes.size();
  for (const auto& [group, size] : sizes)
    if (size > 1) report.grouped += size;
}

bool is_smaller(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

SetReport report_on(const QuestionSet& set) {
  SetReport report;
  report.layout = set.layout;
  report.questions = set.questions.size();
  for (const SetQuestion& question : set.questions) {
    ++report.domains[question.domain];
    if (!question.subdomain.empty()) ++report.subdomains[question.subdomain];
    if (!question.solution.empty()) ++report.with_solution;
    if (question.options.empty()) {
      if (set.kind != SetKind::aime) continue;
      if (report.smallest.empty() || is_smaller(question.number, report.smallest))
        report.smallest = question.number;
      if (is_smaller(report.largest, question.number)) report.largest = question.number;
      continue;
    }
    ++report.options[question.options.size()];
    // GPQA's correct answer stands first in every row: where it is shown is drawn later.
    if (set.kind != SetKind::gpqa) ++report.answers[evaluators::option_letter(question.answer)];
    const std::set<std::string> distinct(question.options.begin(), question.options.end());
    if (distinct.size() < question.options.size()) ++report.repeated_options;
  }
  add_group_counts(set, report);
  report.digest = set_digest(set);
  return report;
}

std::string report_text(const SetReport& report) {
  std::string text = fmt::format("set         {}\nquestions   {}\ndomains     {}\n", report.layout,
                                 report.questions, counts_text(report.domains));
  if (!report.subdomains.empty()) text += fmt::format("subdomains  {}\n", counts_text(report.subdomains));
  if (!report.options.empty()) {
    std::string sizes;
    for (const auto& [size, count] : report.options)
      sizes += fmt::format("{}{} with {}", sizes.empty() ? "" : ", ", count, size);
    text += fmt::format("options     {}\n", sizes);
  }
  if (!report.answers.empty()) text += fmt::format("answers     {}\n", counts_text(report.answers));
  if (!report.smallest.empty())
    text += fmt::format("answers     integers from {} to {}\n", report.smallest, report.largest);
  if (report.with_solution > 0)
    text += fmt::format("solutions   {} rows have a worked solution\n", report.with_solution);
  text += fmt::format(
      "duplicates  {} questions share a stem with others or nearly repeat them ({} groups in all)\n",
      report.grouped, report.groups);
  if (report.repeated_options > 0)
    text += fmt::format("options     {} questions have one option twice\n", report.repeated_options);
  return text + fmt::format("digest      {}\n", report.digest);
}

}  // namespace moelab::data
