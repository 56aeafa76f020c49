#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "core/base/files.h"
#include "core/base/json.h"
#include "experiments/imported_run.h"
#include "experiments/private_sets.h"

namespace moelab::experiments {

namespace {

constexpr const char* kQuestionFields[] = {"question", "Question", "problem", "Problem"};

std::string names_of(const Json& object) {
  std::string names;
  for (const auto& [key, value] : object.items()) names += (names.empty() ? "" : ", ") + key;
  return names;
}

const Json& field(const Json& row, const char* name, const std::string& origin) {
  const auto found = row.find(name);
  if (found == row.end())
    throw FileError("{}: the field '{}' is missing; the row has {}", origin, name, names_of(row));
  return *found;
}

// The first of the fields that the document has as text.
std::vector<std::string> options_of(const Json& doc, const std::string& origin) {
  std::vector<std::string> options;
  for (const char* name : {"options", "choices"}) {
    auto found = doc.find(name);
    if (found == doc.end()) continue;
    const Json& listed = found->is_object() && found->contains("text") ? found->at("text") : *found;
    if (listed.is_array()) return json_get<std::vector<std::string>>(Json{{name, listed}}, name, origin);
  }
  for (int i = 1; doc.contains(fmt::format("choice{}", i)); ++i)
    options.push_back(json_get<std::string>(doc, fmt::format("choice{}", i), origin));
  return options;
}

// "(B)" and "B" are the option B; of a worked solution the number behind its marker counts.
std::string gold_of_target(const Json& target, const std::vector<std::string>& options,
                           const std::string& origin) {
  if (target.is_number_integer()) {
    const auto index = target.get<std::int64_t>();
    if (options.empty()) return fmt::to_string(index);
    if (index >= 0 && index < std::ssize(options)) return std::string(1, static_cast<char>('A' + index));
    throw FileError("{}: the target is option {}, there are {}", origin, index, options.size());
  }
  if (!target.is_string()) throw FileError("{}: the target is {}, not a text", origin, target.dump());
  auto gold = target.get<std::string>();
  if (const std::size_t at = gold.rfind("#### "); at != std::string::npos) gold.erase(0, at + 5);
  if (gold.size() == 3 && gold.front() == '(' && gold.back() == ')') gold = gold.substr(1, 1);
  const bool is_option = gold.size() == 1 && gold[0] >= 'A' && gold[0] < 'A' + std::ssize(options);
  if (!options.empty() && !is_option)
    throw FileError("{}: the target '{}' is none of the {} options", origin, gold, options.size());
  return gold;
}

std::vector<std::string> replies_of(const Json& row, const std::string& origin) {
  const Json& replies = field(row, "resps", origin);
  if (!replies.is_array() || replies.empty() || !replies[0].is_array() || replies[0].empty())
    throw FileError("{}: 'resps' holds no reply", origin);
  std::vector<std::string> texts;
  for (const Json& reply : replies[0]) {
    if (!reply.is_string())
      throw FileError("{}: 'resps' holds no texts; only generate_until tasks can be imported", origin);
    texts.push_back(reply.get<std::string>());
  }
  return texts;
}

// The prompt of a row, for documents whose question has another name.
std::string prompt_of(const Json& row) {
  const auto found = row.find("arguments");
  if (found == row.end()) return "";
  Json first = *found;
  while ((first.is_array() || first.is_object()) && !first.empty()) first = Json(*first.begin());
  return first.is_string() ? first.get<std::string>() : "";
}

// 0 and 1 are verdicts; other figures are not.
std::vector<ToolVerdict> verdicts_of(const Json& row, const std::string& origin) {
  std::vector<ToolVerdict> verdicts;
  const auto filter = json_get_or<std::string>(row, "filter", "none", origin);
  std::optional<std::string> answer;
  const auto filtered = row.find("filtered_resps");
  if (filtered != row.end() && filtered->is_array() && !filtered->empty() && filtered->at(0).is_string())
    answer = filtered->at(0).get<std::string>();
  if (answer == "[invalid]") answer.reset();
  for (const auto& name : json_get_or<std::vector<std::string>>(row, "metrics", {}, origin)) {
    const Json& value = field(row, name.c_str(), origin);
    if (!value.is_number() || (value.get<double>() != 0 && value.get<double>() != 1)) continue;
    verdicts.push_back({fmt::format("lm-eval/{}/{}", filter, name), answer, value.get<double>() == 1});
  }
  return verdicts;
}

std::vector<ImportedSample> samples_of_row(const Json& row, const std::string& task,
                                           const std::string& origin) {
  const Json& doc = field(row, "doc", origin);
  if (!doc.is_object()) throw FileError("{}: 'doc' is no object", origin);
  ImportedSample sample;
  sample.question = fmt::format("{}-{}", task, field(row, "doc_id", origin).dump());
  sample.text = text_field(doc, kQuestionFields);
  if (sample.text.empty()) sample.text = prompt_of(row);
  sample.options = options_of(doc, origin);
  sample.gold = gold_of_target(field(row, "target", origin), sample.options, origin);
  sample.domain = text_field(doc, kDomainFields);
  if (sample.domain.empty()) sample.domain = task;
  std::vector<ImportedSample> samples;
  for (std::string& reply : replies_of(row, origin)) {
    samples.push_back(sample);
    samples.back().repeat = static_cast<int>(samples.size()) - 1;
    samples.back().output = std::move(reply);
  }
  samples.front().verdicts = verdicts_of(row, origin);
  return samples;
}

// samples_gpqa_diamond_cot_zeroshot_2026-11-22T10-00-00.000000.jsonl
std::string task_of(const std::filesystem::path& path) {
  std::string task = path.stem().string();
  if (task.starts_with("samples_")) task.erase(0, 8);
  const std::size_t time = task.rfind("_20");
  if (time != std::string::npos && task.find('T', time) != std::string::npos) task.erase(time);
  return task;
}

bool is_same_reply(const ImportedSample& a, const ImportedSample& b) {
  return a.output == b.output && a.gold == b.gold && a.options == b.options && a.text == b.text;
}

}  // namespace

std::string text_field(const Json& document, std::span<const char* const> names) {
  for (const char* name : names) {
    const auto found = document.find(name);
    if (found != document.end() && found->is_string()) return found->get<std::string>();
  }
  return "";
}

ImportedRun read_lm_eval(const std::filesystem::path& path) {
  ImportedRun run;
  run.tool = "lm-eval";
  run.task = task_of(path);
  std::map<std::pair<std::string, int>, std::size_t> known;
  const std::vector<std::string> lines = read_lines(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string origin = fmt::format("{}, row {}", path.string(), i + 1);
    const Json row = parse_json(lines[i], origin);
    if (!row.is_object()) throw FileError("{}: no JSON object", origin);
    run.is_private = run.is_private || has_private_columns(row.value("doc", Json()));
    for (ImportedSample& sample : samples_of_row(row, run.task, origin)) {
      const auto [at, is_new] = known.try_emplace({sample.question, sample.repeat}, run.samples.size());
      if (is_new) {
        run.samples.push_back(std::move(sample));
        continue;
      }
      ImportedSample& before = run.samples[at->second];
      if (!is_same_reply(before, sample))
        throw FileError("{}: {} stands in an earlier row with another reply or question", origin,
                        sample.question);
      before.verdicts.insert(before.verdicts.end(), sample.verdicts.begin(), sample.verdicts.end());
    }
  }
  if (run.samples.empty()) throw FileError("{}: holds no samples", path.string());
  return run;
}

}  // namespace moelab::experiments
