#include "experiments/question_prompt.h"

#include "experiments/chat_prompt.h"
#include "experiments/thinking_family.h"

namespace moelab::experiments {

struct QuestionPrompts::Chat {
  text::ChatTemplate chat_template;
  text::ChatRequest request;
};

QuestionPrompts::QuestionPrompts(const Benchmark& benchmark, const text::Tokenizer& tokenizer,
                                 const std::filesystem::path& model_directory)
    : benchmark_(benchmark), tokenizer_(tokenizer) {
  if (!benchmark.config.chat) return;
  try {
    chat_ = std::make_unique<Chat>(Chat{text::ChatTemplate::read(model_directory),
                                        chat_request(model_directory, benchmark.config.chat_options)});
  } catch (const FileError& problem) {
    throw ConfigError("the benchmark '{}' puts its questions through the model's chat template: {}",
                      benchmark.config.name, problem.what());
  }
}

QuestionPrompts::~QuestionPrompts() = default;

QuestionTokens QuestionPrompts::put_text(const std::string& name, RenderedQuestion rendered) const {
  QuestionTokens put;
  if (chat_) {
    text::ChatRequest request = chat_->request;
    request.messages.push_back({"user", rendered.prompt});
    rendered.prompt = chat_->chat_template.render(request);
    rendered.is_chat = true;
    put.opened =
        opened_by_prompt(rendered.prompt, text::thinking_format(benchmark_.config.generation.thinking));
  }
  put.item = tokenize(rendered, tokenizer_, name);
  put.rendered = std::move(rendered);
  return put;
}

QuestionTokens QuestionPrompts::put(const Question& question) const {
  QuestionTokens put = put_text(question.name, render_prompt(question, benchmark_.config.prompt));
  if (!question.put || benchmark_.config.published->token_limit == 0) return put;
  for (std::size_t shots = question.put->examples();
       shots > 0 && put.item.prompt.size() >= benchmark_.config.published->token_limit; --shots) {
    put.rendered.prompt = question.put->text(shots - 1);
    put.rendered.is_chat = false;
    put = put_text(question.name, std::move(put.rendered));
  }
  return put;
}

std::string_view QuestionPrompts::follow_up() const {
  const prompts::Prompt* const published = benchmark_.config.published;
  return published == nullptr ? "" : published->follow_up;
}

std::int64_t QuestionPrompts::follow_up_tokens() const {
  return std::ssize(tokenizer_.encode(std::string(follow_up())));
}

QuestionTokens QuestionPrompts::put_again(const std::string& name, const std::string& asked,
                                          const std::string& reply) const {
  return put_text(name, {asked + reply + std::string(follow_up()), {}});
}

}  // namespace moelab::experiments
