// A benchmark: questions by domain, of the project's own JSONL or of a published set, and their prompts as
// text and as tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/engine.h"
#include "core/store/rows.h"
#include "core/text/tokenizer.h"
#include "evaluators/prompts/prompt.h"
#include "experiments/chat_prompt.h"
#include "experiments/generation_config.h"

namespace moelab::experiments {

// How a question is put to the model. Persistent in keys by name and template version.
//   short   "Q: {question}\nA:" and the options' texts as continuations, " {option}"
//   letter  the evaluation prompt of the code released with DSMoE and the continuations " A", " B" ...
// and, where the model writes its answer:
//   written "Q: {question}\n(A) {option} (B) {option} ...\nAnswer:"
//   worked  "Q: {question}\nA:" for a question without options, whose answer is an integer
// and the prompts of makers and harnesses (evaluators/prompts), which go by their own names:
//   published          the model writes its answer
//   published_letters  the letters of the options are scored
enum class PromptStyle { short_text, letter, written, worked, published, published_letters };

PromptStyle parse_prompt_style(std::string_view name);  // throws ConfigError
std::string_view name_of(PromptStyle style);

// Whether the model writes the answer; else its options are scored.
bool is_generated(PromptStyle style);

// The evaluators that judge a style's answers, the default one first; of a published prompt the configuration
// says them.
std::vector<std::string> evaluators_of(PromptStyle style);

struct BenchmarkConfig {
  std::string name;
  std::filesystem::path questions;   // folder with one <domain>.jsonl a domain
  std::vector<std::string> domains;  // empty: all (of a folder: with questions that the prompt can put)
  PromptStyle prompt = PromptStyle::short_text;
  GenerationConfig generation = {};  // of a style that generates

  // Of a published set, which is read from files instead of a folder.
  std::vector<std::filesystem::path> files = {};     // one after another, as one set
  std::vector<std::filesystem::path> examples = {};  // those that the prompt puts before each question
  std::string domain_by = "domain";                  // or subdomain, or all; of a folder too
  const prompts::Prompt* published = nullptr;        // of the styles published and published_letters
  std::int64_t shots = 0;                            // examples before each question
  bool chat = false;                                 // in the model's chat template, as a user's message
  ChatOptions chat_options = {};                     // what the template is given beside it
  std::vector<std::string> evaluators = {};          // of the style published, the one that selects first

  std::int64_t repeats() const { return is_generated(prompt) ? generation.repeats : 1; }
};

struct Question {
  std::string name, domain, subdomain, group, text;
  std::vector<std::string> options;
  std::size_t answer = 0;       // index of the right option
  int integer = 0;              // the answer of a question without options
  std::optional<int> exposure;  // how often training showed the fact, rounded up: 0 means never
  std::string digest;           // of text, options and answer
  std::string number = "";      // the answer of a published question without options, as its set writes it
  std::string right_text = "";  // of a published question, whose shown options may not hold the right one
  bool is_private = false;      // its text is neither printed nor stored
  std::optional<prompts::PutQuestion> put = std::nullopt;  // in a published prompt
  std::vector<prompts::PutQuestion> again = {};  // in the repeats after it, where the prompt redraws them

  // The right answer as a model writes it: the option's text, or the integer.
  std::string answer_text() const;
};

// The question as one of its repeats puts it, with that repeat's options and answer.
Question in_repeat(const Question& question, std::size_t repeat);

// "CADB": a repeat shows the question's option C as A, and so on; a permutation where options are equal too.
// Nothing where it shows them as the question has them.
std::optional<std::string> option_order(const Question& question, std::size_t repeat);

struct Benchmark {
  BenchmarkConfig config;
  std::map<std::string, std::vector<Question>> domains;  // in file order
  bool is_private = false;                               // see Question
  std::string examples_digest = "";                      // of the file with a prompt's examples

  // The questions of a domain. Throws ConfigError with the nearest name.
  const std::vector<Question>& domain(const std::string& name) const;
  std::vector<std::string> domain_names() const;
};

// A published set where config.files names some: load_published. Else reads <questions>/<domain>.jsonl. Each
// line: {id, question, options, answer (index from 0), group, domain, subdomain, exposure}; subdomain (unless
// domains are made of it) and exposure may be absent. For the style `worked` there are no options and the
// answer is an integer from 0 to 999. Throws FileError naming file and line: a missing field, options that
// the style lacks or cannot use, an answer that is absent or out of range, a repeated id, another domain than
// the file's; ConfigError for a folder without questions.
Benchmark load_benchmark(const BenchmarkConfig& config);

// SHA-256 over the names and digests of a domain's questions, whatever their order.
std::string question_set_digest(const std::vector<Question>& questions);

// As it is stored: of a private question neither text nor options, but for their number.
store::QuestionRow question_row(const Question& question, const std::string& benchmark);

// A question as it is put to the model: the prompt and, where options are scored, a continuation for each.
struct RenderedQuestion {
  std::string prompt;
  std::vector<std::string> continuations;
  bool is_chat = false;  // then the prompt's special tokens are in its text
};
RenderedQuestion render_prompt(const Question& question, PromptStyle style);

// "short/1": the template's name and version, part of every key.
std::string template_of(PromptStyle style);

// The same of a benchmark, with what else makes a published prompt:
// "mmlu_pro/official/1+5shot:<digest>+chat".
std::string template_of(const Benchmark& benchmark);

// The evaluators that judge a benchmark's answers, the default one first.
std::vector<std::string> evaluators_of(const BenchmarkConfig& config);

// The prompt of discovery: the short form, or, with options, the discovery prompt of the released code.
std::string render_discovery_prompt(const Question& question, bool options_in_prompt);

// Tokens of a rendered question. Prompt and continuations are tokenised apart, as the released procedure
// does, so that all options follow the same prompt tokens; special tokens frame the prompt only. Throws Error
// naming the question when a part has no token.
engine::ScoreItem tokenize(const RenderedQuestion& rendered, const text::Tokenizer& tokenizer,
                           const std::string& question);

}  // namespace moelab::experiments
