// From a question to the tokens of one model: with its chat template or plain, and as few examples as fit.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "core/text/thinking.h"
#include "experiments/benchmark.h"

namespace moelab::experiments {

struct QuestionTokens {
  engine::ScoreItem item;
  RenderedQuestion rendered;  // in the chat template where there is one
  text::ThinkingOptions::Opened opened = text::ThinkingOptions::Opened::nothing;  // by the prompt's end
};

class QuestionPrompts {
 public:
  // Keeps references. The chat template is read from the model's directory where the benchmark asks for one.
  // Throws ConfigError naming the benchmark when the model has none.
  QuestionPrompts(const Benchmark& benchmark, const text::Tokenizer& tokenizer,
                  const std::filesystem::path& model_directory);
  ~QuestionPrompts();
  QuestionPrompts(const QuestionPrompts&) = delete;
  QuestionPrompts& operator=(const QuestionPrompts&) = delete;

  // MMLU-Pro's local script takes examples away until the prompt has fewer than 2048 tokens; where even the
  // question alone has more it is put alone. Throws Error naming the question when a part has no token.
  QuestionTokens put(const Question& question) const;

  // What is asked behind a reply, in a second call whose reply is judged; "" where one call is all.
  std::string_view follow_up() const;
  // Its tokens; 0 where one call is all.
  std::int64_t follow_up_tokens() const;
  // The second call's prompt: `asked` (see ScoredQuestion), the reply to it, and what is asked then. `name`
  // is the question's.
  QuestionTokens put_again(const std::string& name, const std::string& asked, const std::string& reply) const;

 private:
  struct Chat;
  QuestionTokens put_text(const std::string& name, RenderedQuestion rendered) const;

  const Benchmark& benchmark_;
  const text::Tokenizer& tokenizer_;
  std::unique_ptr<Chat> chat_;
};

}  // namespace moelab::experiments
