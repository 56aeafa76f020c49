#include <fmt/format.h>

#include <algorithm>

#include "core/base/files.h"
#include "core/base/json.h"
#include "experiments/imported_run.h"
#include "experiments/private_sets.h"

namespace moelab::experiments {

namespace {

// A message's content is a text, or parts of several kinds of which the texts count.
std::string content_text(const Json& content, const std::string& origin) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  for (const Json& part : content) {
    if (!part.is_object() || json_get_or<std::string>(part, "type", "", origin) != "text") continue;
    if (!text.empty()) text += "\n";
    text += json_get_or<std::string>(part, "text", "", origin);
  }
  return text;
}

// The question: the input, or what the user says in it.
std::string input_text(const Json& input, const std::string& origin) {
  if (input.is_string()) return input.get<std::string>();
  std::string text;
  if (!input.is_array()) return text;
  for (const Json& message : input)
    if (message.is_object() && json_get_or<std::string>(message, "role", "", origin) == "user" &&
        message.contains("content"))
      text += (text.empty() ? "" : "\n") + content_text(message.at("content"), origin);
  return text;
}

std::string target_text(const Json& sample, const std::string& origin) {
  const Json target = json_get<Json>(sample, "target", origin);
  if (target.is_string()) return target.get<std::string>();
  if (target.is_array() && target.size() == 1 && target[0].is_string()) return target[0].get<std::string>();
  throw FileError("{}: the target is {}; one right answer is needed", origin, target.dump());
}

void check_target(const ImportedSample& sample, const std::string& origin) {
  if (sample.options.empty()) return;
  const std::string& gold = sample.gold;
  if (gold.size() != 1 || gold[0] < 'A' || gold[0] >= 'A' + std::ssize(sample.options))
    throw FileError("{}: the target '{}' is none of the {} choices", origin, gold, sample.options.size());
}

void read_output(const Json& output, ImportedSample& sample, const std::string& origin) {
  const Json choices = json_get<Json>(output, "choices", origin);
  if (!choices.is_array() || choices.empty() || !choices[0].contains("message") ||
      !choices[0].at("message").is_object())
    throw FileError("{}: the output holds no reply", origin);
  const Json& message = choices[0].at("message");
  sample.output = message.contains("content") ? content_text(message.at("content"), origin) : "";
  sample.stop = json_get_or<std::string>(choices[0], "stop_reason", "", origin);
  sample.truncated = sample.stop == "max_tokens" || sample.stop == "model_length";
  const Json usage = json_get_or<Json>(output, "usage", Json::object(), origin);
  sample.n_think = json_get_or<std::int64_t>(usage, "reasoning_tokens", 0, origin);
  const auto tokens = json_get_or<std::int64_t>(usage, "output_tokens", 0, origin);
  sample.n_answer = std::max<std::int64_t>(0, tokens - sample.n_think);
}

// "C" is correct, and so is 1; "I", "N" and "P" (in part) and 0 are not; other values are no verdicts.
std::optional<bool> verdict_of_value(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value == "C" || value == 1) return true;
  if (value == "I" || value == "N" || value == "P" || value == 0) return false;
  return std::nullopt;
}

void read_scores(const Json& scores, ImportedSample& sample, const std::string& origin) {
  if (!scores.is_object()) return;
  for (const auto& [scorer, score] : scores.items()) {
    if (!score.is_object()) continue;
    const std::optional<bool> is_correct = verdict_of_value(json_get<Json>(score, "value", origin));
    if (!is_correct) continue;
    const auto answer = json_get_or<std::string>(score, "answer", "", origin);
    sample.verdicts.push_back(
        {"inspect/" + scorer, answer.empty() ? std::nullopt : std::optional(answer), *is_correct});
  }
}

ImportedSample read_inspect_sample(const Json& row, const std::string& task, const std::string& origin) {
  const Json id = json_get<Json>(row, "id", origin);
  ImportedSample sample;
  sample.question = id.is_string() ? id.get<std::string>() : id.dump();
  sample.repeat = static_cast<int>(json_get_or<std::int64_t>(row, "epoch", 1, origin)) - 1;
  if (sample.repeat < 0) throw FileError("{}: epochs count from 1", origin);
  sample.text = input_text(json_get<Json>(row, "input", origin), origin);
  sample.options = json_get_or<std::vector<std::string>>(row, "choices", {}, origin);
  sample.gold = target_text(row, origin);
  check_target(sample, origin);
  const Json metadata = json_get_or<Json>(row, "metadata", Json::object(), origin);
  sample.domain = text_field(metadata, kDomainFields);
  if (sample.domain.empty()) sample.domain = task;
  read_output(json_get<Json>(row, "output", origin), sample, origin);
  read_scores(json_get_or<Json>(row, "scores", Json::object(), origin), sample, origin);
  return sample;
}

}  // namespace

ImportedRun read_inspect(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  if (text.starts_with("PK"))
    throw FileError(
        "{}: is a zip archive (.eval), which is not read here; write it as JSON first: inspect log convert "
        "{} --to json --output-dir logs",
        path.string(), path.string());
  const std::string origin = path.string();
  const Json log = parse_json(text, origin);
  const Json eval = json_get<Json>(log, "eval", origin);
  ImportedRun run;
  run.tool = "inspect";
  run.task = json_get<std::string>(eval, "task", origin);
  if (const std::size_t at = run.task.rfind('/'); at != std::string::npos) run.task.erase(0, at + 1);
  run.model = json_get_or<std::string>(eval, "model", "", origin);
  run.is_complete = json_get_or<std::string>(log, "status", "", origin) == "success";
  std::int64_t number = 0;
  for (const Json& row : json_get_or<Json>(log, "samples", Json::array(), origin)) {
    const std::string place = fmt::format("{}, sample {}", origin, ++number);
    if (!row.is_object()) throw FileError("{}: no JSON object", place);
    // A sample that failed in the tool has no reply.
    if (row.contains("error") && !row.at("error").is_null()) {
      run.is_complete = false;
      continue;
    }
    run.samples.push_back(read_inspect_sample(row, run.task, place));
    run.is_private = run.is_private || has_private_columns(row.value("metadata", Json()));
  }
  if (run.samples.empty())
    throw FileError("{}: holds no samples; was the log written with log_samples off?", path.string());
  return run;
}

}  // namespace moelab::experiments
