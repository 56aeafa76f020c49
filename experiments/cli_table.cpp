// moelab table: prints a table of a study from the database.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/config/nearest.h"
#include "experiments/cli.h"
#include "experiments/discovery_overlap.h"
#include "experiments/published.h"
#include "experiments/tables.h"
#include "experiments/verdict.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

const std::vector<std::string> kTableNames = {
    "methods", "metrics",  "decomposition", "thinking",   "sweep", "heatmap", "overlap",
    "verdict", "transfer", "existence",     "similarity", "cost",  "drift"};

std::vector<std::int64_t> read_k(const Arguments& arguments) {
  std::vector<std::int64_t> ks;
  for (const std::string& k : arguments.list("k")) ks.push_back(parse_integer(k, "k"));
  return ks;
}

TableRequest read_request(const Arguments& arguments) {
  TableRequest request;
  request.models = arguments.list("model");
  request.domains = arguments.list("domain");
  request.methods = arguments.list("method");
  request.evaluator = arguments.setting("evaluator");
  request.protocol = arguments.setting("protocol");
  return request;
}

// Test questions that the experts were found on are said below every table with figures of test questions,
// and in columns of its CSV.
void add_overlaps(TextTable& table, store::Store& store, const TableRequest& request, bool is_csv) {
  if (is_csv) return add_overlap_columns(table, store, request);
  for (std::string& note : overlap_notes(store, request)) table.footers.push_back(std::move(note));
}

// The paper's tables load its figures into the database, and need no study.
TextTable paper(const Arguments& arguments, const std::string& name, bool is_csv) {
  store::Store store = open_results(arguments, store::Mode::read_write_create);
  load_published(store, find_path("results/published"));
  TableRequest request = read_request(arguments);
  const bool has_studies = !store.query("SELECT 1 FROM study LIMIT 1").rows.empty();
  if (has_studies) request.study = require_study(store, arguments.setting("study"));
  TextTable table = paper_table(store, name, request);
  if (has_studies) add_overlaps(table, store, request, is_csv);
  return table;
}

// The tables of figures on test questions; nothing for another name.
std::optional<TextTable> tested_table(store::Store& store, const TableRequest& request,
                                      const Arguments& arguments, const std::string& name, bool is_csv) {
  if (name == "methods") return methods_table(store, request, is_csv);
  if (name == "metrics") return metrics_table(store, {request, read_k(arguments)}, is_csv);
  if (name == "decomposition") return decomposition_table(store, request, is_csv);
  if (name == "thinking") return thinking_table(store, request, is_csv);
  if (name == "sweep") return sweep_table(store, request, is_csv);
  if (name == "transfer") return transfer_table(store, request, is_csv);
  return std::nullopt;
}

TextTable build(const Arguments& arguments, const std::string& name, bool is_csv) {
  store::Store store = open_results(arguments);
  TableRequest request = read_request(arguments);
  request.study = require_study(store, arguments.setting("study"));
  const std::int64_t top = arguments.integer("top", 8);
  if (top < 1) throw ConfigError("top: at least one expert");
  if (auto table = tested_table(store, request, arguments, name, is_csv)) {
    add_overlaps(*table, store, request, is_csv);
    return *table;
  }
  if (name == "overlap") return overlap_table(store, {request, arguments.list("score"), top});
  if (name == "existence") return existence_table(store, {request, arguments.list("score"), top});
  if (name == "similarity") return similarity_table(store, {request, arguments.real("above", kAlike)});
  if (name == "cost") return cost_table(store, request, is_csv);
  if (name == "drift") return drift_table(store, request, is_csv);
  if (name == "verdict") return verdict_table(store, request.study, request.models);
  const bool as_numbers = arguments.flag("--format", "text") != "text";
  return heatmap_table(store, {request, arguments.setting("score", "usage"), top}, as_numbers);
}

// The models whose verdict is not the truth that is known of them.
std::vector<std::string> wrong_verdicts(const Arguments& arguments) {
  store::Store store = open_results(arguments);
  std::vector<std::string> wrong;
  for (const ModelVerdict& verdict : model_verdicts(store, require_study(store, arguments.setting("study"))))
    if (verdict.truth && !verdict.is_right()) wrong.push_back(verdict.name);
  return wrong;
}

int print_table(const Arguments& arguments) {
  const std::string& name = arguments.words[0];
  if (arguments.has("--check") && name != "verdict")
    throw ConfigError("--check goes with the table 'verdict', not with '{}'", name);
  if (arguments.settings.contains("k") && name != "metrics")
    throw ConfigError("k= goes with the table 'metrics', not with '{}'", name);
  const TableFormat format = parse_table_format(arguments.flag("--format", "text"));
  std::vector<std::string> known = paper_table_names();
  const bool is_paper = std::find(known.begin(), known.end(), name) != known.end();
  known.insert(known.begin(), kTableNames.begin(), kTableNames.end());
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw ConfigError("there is no table '{}'{} Tables: {}", name, config::did_you_mean(name, known),
                      config::join_names(known));
  }
  const bool is_csv = format == TableFormat::csv;
  const TextTable table = is_paper ? paper(arguments, name, is_csv) : build(arguments, name, is_csv);
  fmt::print("{}", render(table, format));
  if (!arguments.has("--check")) return kExitDone;
  const std::vector<std::string> wrong = wrong_verdicts(arguments);
  if (wrong.empty()) return kExitDone;
  fmt::print(stderr, "moelab: wrong verdict on {}\n", config::join_names(wrong));
  return kExitFailed;
}

}  // namespace

Verb verb_table() {
  VerbSpec spec;
  spec.name = "table";
  spec.summary =
      "print a table of a study: methods, metrics, decomposition, thinking, sweep, heatmap, overlap, "
      "verdict, transfer, existence, similarity, cost, drift, paper/2, paper/5, paper/6";
  spec.usage = "NAME [study=NAME] [key=value ...] [--format FORMAT]";
  spec.text =
      "methods   each method by model and domain: accuracy, gain with interval, tests, nulls, chosen "
      "settings\n"
      "metrics   written answers: accuracy over repeats, pass@k, maj@k, cut off, no answer, tokens\n"
      "decomposition   each gain as what format, truncation and content add\n"
      "thinking  each method's thinking and answer tokens, share closed, cut off and without answer\n"
      "sweep     accuracy and gain by method, n_steered and alpha\n"
      "heatmap   layer x expert: usage, or a score\n"
      "overlap   how many top experts the domains share, and each score's rank correlation with plain usage\n"
      "verdict   each model's verdict, beside the planted truth where it is known\n"
      "transfer  the experts of every domain, tested on every domain\n"
      "existence the domains' top experts against chance: overlap, routing mass, stability, bits by layer\n"
      "similarity   how alike the experts of each layer are, after 'discover --similarity'\n"
      "cost      time, tokens and questions that each method took\n"
      "drift     refusals of harmful requests before and after each fine-tuning\n"
      "paper/2, paper/5, paper/6   the DSMoE paper's tables: published figures beside ours";
  spec.settings = {{"study", "the study (default: the newest)"},
                   {"model", "only these models (a,b)"},
                   {"domain", "only these domains (a,b)"},
                   {"method", "only these methods (a,b)"},
                   {"evaluator", "whose verdicts count (default: the study's)"},
                   {"protocol", "crossfit, holdout or paper (default: the study's)"},
                   {"score", "heatmap: usage or a score; overlap, existence: only these (a,b)"},
                   {"k", "metrics: of pass@k and maj@k (a,b; default: the number of samples)"},
                   {"above", "similarity: CKA above which a pair counts as alike (default: 0.8)"},
                   {"top", "heatmap, overlap, existence: number of top experts (default: 8)"},
                   database_setting()};
  spec.flags = {
      {"--format", "FORMAT", "text (default), markdown, latex or csv (fractions, one column a figure)"},
      {"--check", "", "verdict: exit status 1 when a verdict is not the known truth"}};
  spec.words = {1, 1};
  spec.examples = {"moelab table methods study=demo",
                   "moelab table heatmap model=demo_misrouted domain=elements score=paper",
                   "moelab table sweep study=demo method=dsmoe,random --format csv"};
  return {spec, print_table};
}

}  // namespace moelab::experiments
