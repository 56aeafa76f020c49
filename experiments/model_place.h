// Finds a model that is named as a folder, as an option of configs/model, or by its id on the Hugging Face
// hub, with what its publisher recommends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/arguments.h"

namespace moelab::experiments {

// How the publisher recommends to choose tokens. Nothing set: nothing is said.
struct SamplingAdvice {
  std::optional<double> temperature;  // 0: the likeliest token
  std::optional<double> top_p;
  std::optional<std::int64_t> top_k;
  std::optional<double> min_p;

  bool is_empty() const { return !temperature && !top_p && !top_k && !min_p; }
  bool operator==(const SamplingAdvice&) const = default;
};

// What a command line that is silent means for the chat template and for thinking.
struct ChatAdvice {
  std::string thinking;                 // a family of text::thinking_format; "": guessed from the files
  std::optional<bool> enable_thinking;  // given to the template
  std::string reasoning_effort;         // given to the template; "": nothing
};

struct ModelPlace {
  std::filesystem::path path;  // the folder, or a config.json; empty when it is nowhere on this machine
  std::string option;          // of configs/model; "" when the model was named in another way
  std::string hub_id;          // "" where unknown
  std::string revision = "main";
  std::vector<std::string> files;  // patterns of the files that are needed, for `moelab fetch`
  SamplingAdvice sampling;
  ChatAdvice chat;

  // "openai/gpt-oss-20b at main", or the option, or the path: for messages.
  std::string described() const;
};

// The patterns that fetch config, tokenizer, chat template and weights of nearly every published model.
const std::vector<std::string>& usual_files();

// `path` where that exists (see find_path), else the hub cache's snapshot of `hub_id`; empty without either.
std::filesystem::path model_path(const std::filesystem::path& path, const std::string& hub_id,
                                 const std::string& revision);

// An existing path wins over an option, an option over a hub id. Throws ConfigError when `model` is none of
// them, or the option is faulty; a model that is known and not here has an empty path.
ModelPlace find_model(const Arguments& arguments, const std::string& model);

// The path of a place that was found for `model`. Throws ConfigError that says how to fetch the model when it
// is not here.
std::filesystem::path model_directory(const ModelPlace& place, const std::string& model);

// The path of find_model. Throws ConfigError that says how to fetch the model when it is not here.
std::filesystem::path model_directory(const Arguments& arguments, const std::string& model);

// "temperature 0.6, top_p 0.95, top_k 20", or "the likeliest token"; "" for no advice.
std::string advice_text(const SamplingAdvice& advice);

// What the model's generation_config.json recommends; nothing without the file.
SamplingAdvice published_advice(const std::filesystem::path& folder);

// A command line of `moelab generate` with the model's advice where the user says nothing.
struct AdvisedArguments {
  Arguments arguments;
  std::string note;  // what was added to the choice of tokens, for the user; "" for nothing
};
AdvisedArguments with_advice(const Arguments& arguments, const ModelPlace& place);

}  // namespace moelab::experiments
