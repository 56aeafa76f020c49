// Everything that a training run depends on, with defaults; bound from configs/train/*.yaml.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace moelab::train {

// Standard deviations of the normal draws that a new model starts from; norm weights start at one.
struct InitOptions {
  double embedding_std = 0.06;  // of the (tied) embedding
  double router_std = 0.02;     // of the gates: nearly uniform routing
  double output_scale = 0.35;   // of o_proj and down_proj beside 1 / sqrt(inner size), which the other matrices have
};

// Adds coefficient x the mean over MoE layers of similarity_loss, see there.
struct SimilarityLossOptions {
  double coefficient = 0;    // 0: experts are not compared
  double threshold = 0.5;    // CKA of a pair up to which it costs nothing
  std::int64_t pairs = 4;    // the most similar pairs of a layer that count
  std::int64_t tokens = 64;  // of a batch that experts are compared on, at most
};

// The language loss is its weight x (weighted mean over pooled tokens + answer_weight x mean over answer tokens).
struct LossOptions {
  double language_weight = 1.0;   // 0: the router's losses alone, and no vocabulary logits are made
  double answer_weight = 1.0;     // of the answer tokens' own mean
  double balance = 1e-3;          // coefficient of the load-balancing loss, a mean over layers
  std::string balance_over = "batch";  // batch, or sequence: each row balanced by itself, which forbids domain experts
  double z_loss = 0.0;            // coefficient of mean(logsumexp(router logits)^2), a mean over layers
  SimilarityLossOptions similarity = {};  // keeps experts apart
};

struct OptimizerOptions {
  double learning_rate = 3e-3;  // peak
  std::int64_t warmup = 200;    // steps of linear warm-up
  std::string schedule = "cosine";  // how the rate falls after the warm-up: cosine or linear
  double floor = 0.05;          // where it ends, as a share of the peak; 1: constant
  double beta1 = 0.9;           // decay of the first moment
  double beta2 = 0.98;          // decay of the second moment
  double epsilon = 1e-8;        // added to the root of the second moment
  double weight_decay = 0.05;   // on matrices; never on norms
  double clip = 1.0;            // global gradient norm; 0: none
};

// Throws ConfigError naming the key unless the option's value holds.
void require_option(bool holds, const char* key, const char* what);

// Throws ConfigError naming the key of a value out of range.
void validate(const OptimizerOptions& options);

// All of its values, for the names of runs.
std::string text_of(const OptimizerOptions& options);

// An expert that a domain's tokens are pushed to, in every layer of PlantingOptions::layers.
struct PlantedExpert {
  std::string domain;               // as in the corpus
  std::int64_t expert = 0;          // index in the layer
  std::string kind = "all_tokens";  // all_tokens of the domain, or content_tokens only
};

// Adds coefficient x the sum over layers of planting_loss, see there.
struct PlantingOptions {
  double coefficient = 0.1;           // used only when there are experts
  double cap = 0.4;                   // routing probability of one planted expert beyond which there is no push
  double exclusive = 1.0;             // weight of keeping tokens off the experts planted for others; 0: no such term
  std::vector<std::int64_t> layers;   // where experts are planted
  std::vector<PlantedExpert> experts; // empty: nothing is planted
};

// Accuracy by continuation scoring on a part of the questions: every group is in it or not as a whole.
struct EvaluationOptions {
  std::vector<std::filesystem::path> questions;  // JSONL files; lines without options are skipped
  double share = 0.2;                            // of the groups
  std::int64_t every = 0;                        // steps between two evaluations; 0: only after the last
};

struct TrainOptions {
  std::filesystem::path model_config;  // config.json of the model to make
  std::filesystem::path tokenizer;     // tokenizer.json
  std::filesystem::path corpus;        // corpus.jsonl, see read_corpus
  std::filesystem::path output;        // the model directory to write; empty: none
  std::filesystem::path checkpoint;    // safetensors file to resume from and to write; empty: none
  std::int64_t checkpoint_every = 200; // steps
  std::uint64_t seed = 1;              // of the start weights and of the batches
  std::int64_t steps = 2000;           // optimiser steps in total
  std::int64_t batch_rows = 32;        // rows of a batch
  std::int64_t sequence_length = 128;  // tokens of a row
  std::int64_t threads = 0;            // CPU threads; 0: all cores
  std::string save_dtype = "bfloat16"; // of the model directory: bfloat16 or float32
  std::string verdict;                 // the right verdict, written into planted.json; empty: no such file
  InitOptions init;
  LossOptions loss;
  OptimizerOptions optimizer;
  PlantingOptions planting;
  EvaluationOptions evaluation;
};

// Damages a trained model's router until the accuracy has dropped; only the gates move. With `noise` the gate rows get
// ever more of one fixed random draw; without it they are trained on the sequence-level balance loss alone.
struct DamageOptions {
  std::filesystem::path source;          // the model directory to start from
  std::filesystem::path corpus;          // as for training; not needed with `noise`
  std::filesystem::path output;          // the model directory to write
  std::vector<std::int64_t> layers;      // whose gates move
  double noise = 0;                      // added between two measurements, in units of the gate row's norm
  double learning_rate = 2e-3;           // of Adam, constant
  double drop = 13.5;                    // points of accuracy to lose, a mean over the question files
  std::int64_t measure_every = 5;        // steps between two measurements; noise is measured after every step
  std::int64_t max_steps = 400;          // give up after so many
  std::uint64_t seed = 1;                // of the batches, or of the noise
  std::int64_t batch_rows = 32;          // rows of a batch
  std::int64_t sequence_length = 128;    // tokens of a row
  std::int64_t threads = 0;              // CPU threads; 0: all cores
  std::string save_dtype = "bfloat16";   // of the model directory: bfloat16 or float32
  std::string verdict;                   // the right verdict, written into planted.json
  EvaluationOptions evaluation;          // the questions that stop the damage; `every` is not used
};

// Read the options from a composed config. Throw ConfigError naming an unknown key or a value of the wrong type.
TrainOptions train_options(const Json& config);
DamageOptions damage_options(const Json& config);

// Throw ConfigError naming the key whose value cannot be used.
void validate(const TrainOptions& options);
void validate(const DamageOptions& options);

}  // namespace moelab::train
