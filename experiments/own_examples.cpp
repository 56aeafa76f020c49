#include "experiments/own_examples.h"

#include <fmt/format.h>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/config/node.h"
#include "core/config/yaml_reader.h"

namespace moelab::experiments {
namespace {

void add_example(const Json& row, const std::string& where, data::QuestionSet& examples) {
  data::SetQuestion example;
  example.text = json_get<std::string>(row, "question", where);
  example.solution = json_get<std::string>(row, "target", where);
  if (example.text.empty() || example.solution.empty())
    throw FileError("{}: the example's question or target is empty", where);
  // By its content, so that the digest of the examples changes with any of their texts.
  example.name =
      fmt::format("{}-{}", examples.questions.size(), sha256(Json{example.text, example.solution}.dump()));
  examples.questions.push_back(std::move(example));
}

void add_yaml(const std::filesystem::path& path, data::QuestionSet& examples) {
  const std::string file = path.string();
  const config::Node root = config::parse_yaml(read_text(path), file);
  const config::Node* const place = config::find_entry(root, "fewshot_config");
  const config::Node* const samples = place == nullptr ? nullptr : config::find_entry(*place, "samples");
  if (samples == nullptr || samples->kind != config::Node::Kind::list)
    throw FileError("{}: there is no list 'fewshot_config.samples' in it", file);
  for (const config::Entry& entry : samples->entries)
    add_example(config::to_json(entry.node), fmt::format("{}:{}", file, entry.node.line), examples);
}

void add_jsonl(const std::filesystem::path& path, data::QuestionSet& examples) {
  const std::vector<std::string> lines = read_lines(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = fmt::format("{}:{}", path.string(), i + 1);
    if (!lines[i].empty()) add_example(parse_json(lines[i], where), where, examples);
  }
}

}  // namespace

data::QuestionSet read_own_examples(const BenchmarkConfig& config) {
  data::QuestionSet examples;
  examples.kind = config.published->kind;
  examples.layout = "questions with targets";
  for (const std::filesystem::path& path : config.examples) {
    const std::string ending = path.extension().string();
    if (ending == ".yaml")
      add_yaml(path, examples);
    else if (ending == ".jsonl")
      add_jsonl(path, examples);
    else
      throw ConfigError("the benchmark '{}': examples of the prompt {} are a .yaml or .jsonl file, not '{}'",
                        config.name, config.published->name, path.string());
  }
  return examples;
}

}  // namespace moelab::experiments
