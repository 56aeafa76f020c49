// An expert score that a user's SQL query gives over what discovery stored of one model; docs/methods.md has
// the tables that it reads.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/discovery/expert_score.h"
#include "core/store/rows.h"

namespace moelab::experiments {

struct SqlScore {
  std::filesystem::path file;
  std::string text;    // the query
  std::string digest;  // of the text

  // The name under which its rankings are stored: another query has another.
  std::string name() const;
};

// Reads a query and tries it on an empty database. Throws FileError; ConfigError naming the file when it is
// not one statement that only reads the documented tables, or does not give the columns layer, expert and
// score.
SqlScore read_sql_score(const std::filesystem::path& file);

// What a query sees.
struct SqlScope {
  std::map<std::string, store::Id> runs;  // discovery runs of one model, by domain
  std::string target;                     // the domain whose experts are ranked
};

// The query's ranking over the runs stored in `database`, best first, ties by (layer, expert); experts that
// it does not return have no place. Throws ConfigError naming the file and the row: no rows, a value that is
// NULL or no finite number, an expert that the model does not have, or the same one twice.
std::vector<discovery::RankedExpert> sql_ranking(const std::filesystem::path& database, const SqlScore& score,
                                                 const SqlScope& scope, const model::ModelSpec& spec);

}  // namespace moelab::experiments
