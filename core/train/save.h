// Writes a trained model as a Hugging Face directory that transformers loads.
#pragma once

#include <filesystem>
#include <string>

#include "core/train/parameters.h"

namespace moelab::train {

// Makes the folder where it is missing. Throws FileError.
void make_directory(const std::filesystem::path& directory);

// Writes an indented JSON file. Throws FileError.
void write_json(const std::filesystem::path& path, const Json& value);

// Writes config.json (the given one with its dtype set), model.safetensors (one tensor an expert), tokenizer.json,
// tokenizer_config.json and generation_config.json. `dtype` is bfloat16 or float32. Throws FileError.
void save_model(const std::filesystem::path& directory, const Parameters& parameters, const Json& config,
                const std::filesystem::path& tokenizer, const std::string& dtype);

// Writes planted.json, the truth beside a model: the right verdict, and domain -> [{layer, expert, kind}].
void save_truth(const std::filesystem::path& directory, const std::string& verdict, const PlantingOptions& planting);

// The truth beside `model_dir` with another verdict, for a model made from it. Nothing when it has none.
void copy_truth(const std::filesystem::path& model_dir, const std::filesystem::path& directory,
                const std::string& verdict);

}  // namespace moelab::train
