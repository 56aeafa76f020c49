// The cells and questions behind the lines of the methods table, for tables that read single samples.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "experiments/study_results.h"

namespace moelab::experiments {

// A line of the methods table: model, benchmark, domain, method.
using LineName = std::tuple<std::string, std::string, std::string, std::string>;
LineName name_of_line(const MethodRow& row);

// The cells behind each line: the original's, a method's at the settings that it chose most often, every
// draw's at its own.
std::map<LineName, std::vector<store::Id>> cells_of_lines(store::Store& store, const TableRequest& request,
                                                          const std::string& evaluator);

// Model, benchmark, domain.
using DomainName = std::tuple<std::string, std::string, std::string>;
DomainName domain_of_line(const LineName& line);

// The questions that every cell of a model and domain has answered: a cell that another study shares may have
// more.
using Questions = std::set<store::Id>;
std::map<DomainName, Questions> common_questions(store::Store& store,
                                                 const std::map<LineName, std::vector<store::Id>>& lines);

}  // namespace moelab::experiments
