// The prompts that the makers of benchmarks and harnesses put their questions with, by name and version.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluators/data/question_set.h"

namespace moelab::prompts {

// A question's options as a prompt shows them. In MMLU-Pro's own scripts "N/A" is taken away and the right
// letter is not moved, so `answer` can lie behind the options, or name another one, there as here.
struct Shown {
  std::vector<std::string> options;
  std::size_t answer = 0;  // index whose letter is the right answer
};

// A question as it is put to a model. Questions of one domain may share what leads to them.
struct PutQuestion {
  Shown shown;
  std::shared_ptr<const std::vector<std::string>> lead;  // the instruction, then one text an example
  std::string question;

  // With the first `shots` examples. Throws Error when there are fewer.
  std::string text(std::size_t shots) const;
  std::size_t examples() const { return lead->size() - 1; }
};

struct Prompt {
  std::string_view name;  // "mmlu_pro/official"
  int version = 1;
  data::SetKind kind = data::SetKind::mmlu_pro;
  std::string_view evaluator;  // that belongs to it
  std::size_t shots = 0;       // examples, unless the configuration says otherwise
  bool takes_examples = false;
  bool draws_examples = false;    // anew for each question; else the first of the question's domain
  bool has_own_examples = false;  // the first of a file of questions and targets, whatever the domain
  std::size_t token_limit = 0;    // examples are dropped until the prompt has fewer tokens; 0: none are
  bool redraws = false;  // the options' order for each repeat: put_questions is given the rows once for each
  std::string_view follow_up = "";  // asked behind the reply in a second call, whose reply is judged
  bool is_scored = false;           // the letters " A", " B" ... are scored; else the model writes
  std::string_view source;          // whose prompt it is
  std::vector<Shown> (*arrange)(const data::QuestionSet& set) = nullptr;
  std::string (*instruction)(const std::string& domain) = nullptr;
  std::string (*example)(const data::SetQuestion& question, const Shown& shown) = nullptr;
  std::string (*question)(const data::SetQuestion& question, const Shown& shown) = nullptr;
};

// All of them, ordered by name.
std::span<const Prompt> all_prompts();

// Throws ConfigError naming all when there is none of this name.
const Prompt& find_prompt(std::string_view name);
bool is_prompt(std::string_view name);

// Puts every question of a set, in the set's order: the shuffles of options are drawn from CPython's
// generator row by row, as the makers' scripts draw them, so they depend on the file's order. With `shots`
// above 0 that many questions of `examples` come before: the first of the same domain (of the whole file,
// where the prompt has its own), or drawn ones. Throws ConfigError when the prompt belongs to another set,
// takes no examples, or the examples are absent, too few (a domain is named) or without worked solutions.
std::vector<PutQuestion> put_questions(const Prompt& prompt, const data::QuestionSet& set,
                                       const data::QuestionSet* examples, std::size_t shots);

}  // namespace moelab::prompts
