#include "core/train/options.h"

#include <cmath>
#include <map>
#include <set>

namespace moelab::train {
namespace {

// Reads one mapping of the config into fields and finds keys that none of them has.
class Section {
 public:
  Section(const Json& value, std::string prefix) : value_(value), prefix_(std::move(prefix)) {
    if (!value_.is_object()) throw ConfigError("{}: expected keys and values", prefix_.empty() ? "train" : prefix_);
  }

  template <typename T>
  void read(const char* key, T& field) {
    known_.insert(key);
    const auto found = value_.find(key);
    if (found == value_.end() || found->is_null()) return;
    try {
      field = found->template get<T>();
    } catch (const nlohmann::json::exception&) {
      throw ConfigError("{}{}: the value {} has the wrong type", prefix_, key, found->dump());
    }
  }

  void read(const char* key, std::filesystem::path& field) {
    std::string text = field.string();
    read(key, text);
    field = text;
  }

  // Hands the mapping at `key`, when it is there, to `bind`.
  template <typename Bind>
  void section(const char* key, const Bind& bind) {
    known_.insert(key);
    const auto found = value_.find(key);
    if (found == value_.end() || found->is_null()) return;
    Section below(*found, prefix_ + key + ".");
    bind(below);
    below.finish();
  }

  const Json* list(const char* key) {
    known_.insert(key);
    const auto found = value_.find(key);
    if (found == value_.end() || found->is_null()) return nullptr;
    if (!found->is_array()) throw ConfigError("{}{}: expected a list", prefix_, key);
    return &*found;
  }

  const std::string& prefix() const { return prefix_; }

  void finish() const {
    for (const auto& [key, value] : value_.items())
      if (!known_.contains(key)) {
        std::string all;
        for (const std::string& name : known_) all += (all.empty() ? "" : ", ") + name;
        throw ConfigError("{}{}: unknown key; valid here: {}", prefix_, key, all);
      }
  }

 private:
  const Json& value_;
  std::string prefix_;
  std::set<std::string> known_;
};

void bind_init(Section& section, InitOptions& init) {
  section.read("embedding_std", init.embedding_std);
  section.read("router_std", init.router_std);
  section.read("output_scale", init.output_scale);
}

void bind_loss(Section& section, LossOptions& loss) {
  section.read("language_weight", loss.language_weight);
  section.read("answer_weight", loss.answer_weight);
  section.read("balance", loss.balance);
  section.read("balance_over", loss.balance_over);
  section.read("z_loss", loss.z_loss);
  section.section("similarity", [&](Section& below) {
    below.read("coefficient", loss.similarity.coefficient);
    below.read("threshold", loss.similarity.threshold);
    below.read("pairs", loss.similarity.pairs);
    below.read("tokens", loss.similarity.tokens);
  });
}

void bind_optimizer(Section& section, OptimizerOptions& optimizer) {
  section.read("learning_rate", optimizer.learning_rate);
  section.read("warmup", optimizer.warmup);
  section.read("schedule", optimizer.schedule);
  section.read("floor", optimizer.floor);
  section.read("beta1", optimizer.beta1);
  section.read("beta2", optimizer.beta2);
  section.read("epsilon", optimizer.epsilon);
  section.read("weight_decay", optimizer.weight_decay);
  section.read("clip", optimizer.clip);
}

void bind_planting(Section& section, PlantingOptions& planting) {
  section.read("coefficient", planting.coefficient);
  section.read("cap", planting.cap);
  section.read("exclusive", planting.exclusive);
  section.read("layers", planting.layers);
  const Json* experts = section.list("experts");
  if (experts == nullptr) return;
  planting.experts.clear();
  for (std::size_t i = 0; i < experts->size(); ++i) {
    Section entry((*experts)[i], fmt::format("{}experts[{}].", section.prefix(), i));
    PlantedExpert planted;
    entry.read("domain", planted.domain);
    entry.read("expert", planted.expert);
    entry.read("kind", planted.kind);
    entry.finish();
    planting.experts.push_back(std::move(planted));
  }
}

void bind_evaluation(Section& section, EvaluationOptions& evaluation) {
  std::vector<std::string> questions;
  section.read("questions", questions);
  evaluation.questions.assign(questions.begin(), questions.end());
  section.read("share", evaluation.share);
  section.read("every", evaluation.every);
}

void require_named(const std::filesystem::path& path, const char* key) {
  if (path.empty()) throw ConfigError("{}: names no file, but training needs it", key);
}

void require_dtype(const std::string& dtype) {
  require_option(dtype == "bfloat16" || dtype == "float32", "save_dtype", "valid: bfloat16, float32");
}

void validate_similarity(const SimilarityLossOptions& similarity) {
  require_option(similarity.coefficient >= 0, "loss.similarity.coefficient", "must not be negative");
  require_option(similarity.threshold >= 0 && similarity.threshold < 1, "loss.similarity.threshold",
                 "must be in [0, 1)");
  require_option(similarity.pairs > 0, "loss.similarity.pairs", "must be positive");
  require_option(similarity.tokens > 1, "loss.similarity.tokens", "must be at least 2");
}

void validate_evaluation(const EvaluationOptions& evaluation) {
  require_option(evaluation.share > 0 && evaluation.share <= 1, "evaluation.share", "must be in (0, 1]");
  require_option(evaluation.every >= 0, "evaluation.every", "must not be negative");
}

}  // namespace

void require_option(bool holds, const char* key, const char* what) {
  if (!holds) throw ConfigError("{}: {}", key, what);
}

void validate(const OptimizerOptions& options) {
  require_option(options.learning_rate > 0, "optimizer.learning_rate", "must be positive");
  require_option(options.warmup >= 0, "optimizer.warmup", "must not be negative");
  require_option(options.schedule == "cosine" || options.schedule == "linear", "optimizer.schedule",
                 "valid: cosine, linear");
}

std::string text_of(const OptimizerOptions& options) {
  return fmt::format("{} {} {} {} {} {} {} {} {}", options.learning_rate, options.warmup, options.schedule,
                     options.floor, options.beta1, options.beta2, options.epsilon, options.weight_decay,
                     options.clip);
}

TrainOptions train_options(const Json& config) {
  TrainOptions options;
  Section section(config, "");
  section.read("model_config", options.model_config);
  section.read("tokenizer", options.tokenizer);
  section.read("corpus", options.corpus);
  section.read("output", options.output);
  section.read("checkpoint", options.checkpoint);
  section.read("checkpoint_every", options.checkpoint_every);
  section.read("seed", options.seed);
  section.read("steps", options.steps);
  section.read("batch_rows", options.batch_rows);
  section.read("sequence_length", options.sequence_length);
  section.read("threads", options.threads);
  section.read("save_dtype", options.save_dtype);
  section.read("verdict", options.verdict);
  section.section("init", [&](Section& below) { bind_init(below, options.init); });
  section.section("loss", [&](Section& below) { bind_loss(below, options.loss); });
  section.section("optimizer", [&](Section& below) { bind_optimizer(below, options.optimizer); });
  section.section("planting", [&](Section& below) { bind_planting(below, options.planting); });
  section.section("evaluation", [&](Section& below) { bind_evaluation(below, options.evaluation); });
  section.finish();
  return options;
}

DamageOptions damage_options(const Json& config) {
  DamageOptions options;
  Section section(config, "");
  section.read("source", options.source);
  section.read("corpus", options.corpus);
  section.read("output", options.output);
  section.read("layers", options.layers);
  section.read("noise", options.noise);
  section.read("learning_rate", options.learning_rate);
  section.read("drop", options.drop);
  section.read("measure_every", options.measure_every);
  section.read("max_steps", options.max_steps);
  section.read("seed", options.seed);
  section.read("batch_rows", options.batch_rows);
  section.read("sequence_length", options.sequence_length);
  section.read("threads", options.threads);
  section.read("save_dtype", options.save_dtype);
  section.read("verdict", options.verdict);
  section.section("evaluation", [&](Section& below) { bind_evaluation(below, options.evaluation); });
  section.finish();
  return options;
}

void validate(const TrainOptions& options) {
  require_named(options.model_config, "model_config");
  require_named(options.tokenizer, "tokenizer");
  require_named(options.corpus, "corpus");
  require_dtype(options.save_dtype);
  require_option(options.steps > 0, "steps", "must be positive");
  require_option(options.batch_rows > 0, "batch_rows", "must be positive");
  require_option(options.sequence_length > 1, "sequence_length", "must be at least 2");
  require_option(options.checkpoint_every > 0, "checkpoint_every", "must be positive");
  validate(options.optimizer);
  require_option(options.loss.balance_over == "batch" || options.loss.balance_over == "sequence", "loss.balance_over",
          "valid: batch, sequence");
  validate_similarity(options.loss.similarity);
  require_option(options.planting.cap > 0 && options.planting.cap <= 1, "planting.cap", "must be in (0, 1]");
  require_option(options.planting.exclusive >= 0, "planting.exclusive", "must not be negative");
  validate_evaluation(options.evaluation);
}

void validate(const DamageOptions& options) {
  require_named(options.source, "source");
  if (options.noise == 0) require_named(options.corpus, "corpus");
  require_named(options.output, "output");
  require_dtype(options.save_dtype);
  require_option(!options.layers.empty(), "layers", "lists no layer whose gates could move");
  require_option(options.noise >= 0, "noise", "must not be negative");
  require_option(options.learning_rate > 0, "learning_rate", "must be positive");
  require_option(options.drop > 0, "drop", "must be positive");
  require_option(options.measure_every > 0, "measure_every", "must be positive");
  require_option(!options.evaluation.questions.empty(), "evaluation.questions", "lists no file to measure accuracy on");
  validate_evaluation(options.evaluation);
}

}  // namespace moelab::train
