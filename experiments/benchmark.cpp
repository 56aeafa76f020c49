#include "experiments/benchmark.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/config/nearest.h"
#include "evaluators/integer.h"
#include "evaluators/mcq.h"
#include "evaluators/mcq_generated.h"
#include "experiments/private_sets.h"
#include "experiments/published_questions.h"

namespace moelab::experiments {
namespace {

constexpr std::array<std::string_view, 6> kStyles = {"short",  "letter",    "written",
                                                     "worked", "published", "published letters"};  // by value
constexpr std::size_t kOwnStyles = 4;  // those that a configuration names so
constexpr std::int64_t kLargestInteger = 999;

// Options from a line's JSON; empty when the question has none.
std::vector<std::string> read_options(const Json& line, const std::string& where) {
  return json_get_or<std::vector<std::string>>(line, "options", {}, where);
}

std::int64_t read_answer(const Json& line, std::string_view meaning, const std::string& where) {
  const auto answer = line.find("answer");
  if (answer == line.end() || answer->is_null())
    throw FileError("{}: the question has no answer; give {} in 'answer'", where, meaning);
  return json_get<std::int64_t>(line, "answer", where);
}

std::size_t read_index(const Json& line, std::size_t options, const std::string& where) {
  const std::int64_t index = read_answer(line, "the index of the right option", where);
  if (index < 0 || index >= static_cast<std::int64_t>(options))
    throw FileError("{}: 'answer' is {}, the options have the indices 0 to {}", where, index,
                    static_cast<std::int64_t>(options) - 1);
  return static_cast<std::size_t>(index);
}

int read_integer_answer(const Json& line, const std::string& where) {
  const std::int64_t answer = read_answer(line, "the integer that is asked for", where);
  if (answer < 0 || answer > kLargestInteger)
    throw FileError("{}: 'answer' is {}; integers from 0 to {} can be judged", where, answer,
                    kLargestInteger);
  return static_cast<int>(answer);
}

std::string digest_of(const Question& question) {
  Json content = {{"text", question.text}, {"options", question.options}};
  if (question.options.empty())
    content["integer"] = question.integer;
  else
    content["answer"] = question.answer;
  return sha256(canonical_json(content));
}

// Options and answer, as the style needs them.
void read_solution(const Json& line, PromptStyle style, const std::string& where, Question& question) {
  question.options = read_options(line, where);
  if (style == PromptStyle::worked) {
    if (!question.options.empty())
      throw FileError("{}: the question has options, which the prompt 'worked' does not show", where);
    question.integer = read_integer_answer(line, where);
    return;
  }
  if (question.options.empty())
    throw FileError("{}: the question has no options, so it cannot be scored", where);
  for (const std::string& option : question.options)
    if (option.empty()) throw FileError("{}: an option is empty", where);
  question.answer = read_index(line, question.options.size(), where);
}

Question read_question(const Json& line, const std::string& domain, PromptStyle style,
                       const std::string& where) {
  Question question;
  question.name = json_get<std::string>(line, "id", where);
  question.text = json_get<std::string>(line, "question", where);
  question.domain = json_get_or<std::string>(line, "domain", domain, where);
  question.subdomain = json_get_or<std::string>(line, "subdomain", "", where);
  question.group = json_get<std::string>(line, "group", where);
  if (question.domain != domain)
    throw FileError("{}: the question belongs to '{}', the file to '{}'", where, question.domain, domain);
  if (question.group.empty())
    throw FileError("{}: 'group' is empty; questions are split by it, so use the id where nothing is shared",
                    where);
  read_solution(line, style, where, question);
  const double exposure = json_get_or<double>(line, "exposure", -1, where);
  if (exposure >= 0) question.exposure = static_cast<int>(std::ceil(exposure));
  question.digest = digest_of(question);
  return question;
}

std::vector<Question> read_domain(const std::filesystem::path& path, const std::string& domain,
                                  PromptStyle style) {
  std::vector<Question> questions;
  std::set<std::string> seen;
  const auto lines = read_lines(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string where = fmt::format("{}:{}", path.string(), i + 1);
    questions.push_back(read_question(parse_json(lines[i], where), domain, style, where));
    if (!seen.insert(questions.back().name).second)
      throw FileError("{}: the id '{}' is there twice", where, questions.back().name);
  }
  if (questions.empty()) throw FileError("{}: there is no question in it", path.string());
  return questions;
}

// Whether some question of a file has options: then all others must have them too.
bool has_options(const std::filesystem::path& path) {
  const auto lines = read_lines(path);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string where = fmt::format("{}:{}", path.string(), i + 1);
    if (!read_options(parse_json(lines[i], where), where).empty()) return true;
  }
  return false;
}

std::vector<std::string> fitting_domains(const std::filesystem::path& folder, PromptStyle style) {
  std::error_code problem;
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder, problem))
    if (file.path().extension() == ".jsonl" && has_options(file.path()) == (style != PromptStyle::worked))
      names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string lettered_options(const Question& question) {
  std::string text;
  for (std::size_t i = 0; i < question.options.size(); ++i)
    text += fmt::format("{}. {}\n", evaluators::option_letter(i), question.options[i]);
  return text;
}

// "(A) one (B) two": the form that the demo's corpus trains.
std::string bracketed_options(const Question& question) {
  std::string text;
  for (std::size_t i = 0; i < question.options.size(); ++i)
    text += fmt::format("{}({}) {}", i == 0 ? "" : " ", evaluators::option_letter(i), question.options[i]);
  return text;
}

std::string stripped(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

RenderedQuestion render_letters(const Question& question) {
  RenderedQuestion rendered;
  std::string letters;
  for (std::size_t i = 0; i < question.options.size(); ++i) {
    const std::string letter = evaluators::option_letter(i);
    if (i > 0) letters += ", ";
    letters += letter;
    rendered.continuations.push_back(fmt::format(" {}", letter));
  }
  rendered.prompt = fmt::format("{}\n\nOptions:\n{}\nAnswer ({}):", stripped(question.text),
                                lettered_options(question), letters);
  return rendered;
}

// The question's own index of an option that a repeat shows. Of equal options the right one stays the right
// one, and of the others it is the first that is not taken; their number where there is none.
std::size_t own_index(const Question& question, const Question& put, std::size_t shown,
                      const std::vector<bool>& is_taken) {
  if (shown == put.answer) return question.answer;
  std::size_t own = 0;
  while (own < question.options.size() &&
         (own == question.answer || is_taken[own] || question.options[own] != put.options[shown]))
    ++own;
  return own;
}

}  // namespace

PromptStyle parse_prompt_style(std::string_view name) {
  if (prompts::is_prompt(name))
    return prompts::find_prompt(name).is_scored ? PromptStyle::published_letters : PromptStyle::published;
  const auto end = kStyles.begin() + kOwnStyles;
  const auto found = std::find(kStyles.begin(), end, name);
  if (found == end)
    throw ConfigError("'{}' is no prompt style; valid: {}, and the published prompts", name,
                      fmt::join(kStyles.begin(), end, ", "));
  return static_cast<PromptStyle>(found - kStyles.begin());
}

std::string_view name_of(PromptStyle style) { return kStyles[static_cast<std::size_t>(style)]; }

bool is_generated(PromptStyle style) {
  return style == PromptStyle::written || style == PromptStyle::worked || style == PromptStyle::published;
}

std::vector<std::string> evaluators_of(PromptStyle style) {
  if (style == PromptStyle::published)
    throw Error("the evaluators of a published prompt are its benchmark's");
  if (style == PromptStyle::letter || style == PromptStyle::published_letters)
    return {std::string(evaluators::kLetter)};
  if (style == PromptStyle::written) return {std::string(evaluators::kGenerated)};
  if (style == PromptStyle::worked) return {std::string(evaluators::kAimeExact)};
  return {std::string(evaluators::kContinuation), std::string(evaluators::kContinuationNorm)};
}

std::vector<std::string> evaluators_of(const BenchmarkConfig& config) {
  return config.prompt == PromptStyle::published ? config.evaluators : evaluators_of(config.prompt);
}

std::string Question::answer_text() const {
  if (!right_text.empty()) return right_text;
  return options.empty() ? fmt::to_string(integer) : options[answer];
}

Question in_repeat(const Question& question, std::size_t repeat) {
  Question put = question;
  put.again.clear();
  if (repeat == 0 || question.again.empty()) return put;
  put.put = question.again.at(repeat - 1);
  put.options = put.put->shown.options;
  put.answer = put.put->shown.answer;
  return put;
}

std::optional<std::string> option_order(const Question& question, std::size_t repeat) {
  const Question put = in_repeat(question, repeat);
  std::vector<bool> is_taken(question.options.size());
  std::string order, unmoved;
  for (std::size_t shown = 0; shown < put.options.size(); ++shown) {
    const std::size_t own = own_index(question, put, shown, is_taken);
    if (own >= question.options.size())
      throw Error("question {}: repeat {} shows the option '{}', which the question does not have",
                  question.name, repeat + 1, put.options[shown]);
    is_taken[own] = true;
    order += evaluators::option_letter(own);
    unmoved += evaluators::option_letter(shown);
  }
  return order == unmoved ? std::nullopt : std::optional(order);
}

const std::vector<Question>& Benchmark::domain(const std::string& name) const {
  const auto found = domains.find(name);
  if (found != domains.end()) return found->second;
  throw ConfigError("the benchmark '{}' has no domain '{}'{}", config.name, name,
                    config::did_you_mean(name, domain_names()));
}

std::vector<std::string> Benchmark::domain_names() const {
  std::vector<std::string> names;
  for (const auto& [name, questions] : domains) names.push_back(name);
  return names;
}

Benchmark load_benchmark(const BenchmarkConfig& config) {
  if (!config.files.empty()) return load_published(config);
  if (!std::filesystem::is_directory(config.questions))
    throw ConfigError("the benchmark '{}': {} is no folder with questions", config.name,
                      config.questions.string());
  Benchmark benchmark{config, {}};
  const bool by_file = config.domain_by == "domain";
  const auto names =
      config.domains.empty() || !by_file ? fitting_domains(config.questions, config.prompt) : config.domains;
  if (names.empty())
    throw ConfigError("the benchmark '{}': {} holds no .jsonl file whose questions have {}options",
                      config.name, config.questions.string(),
                      config.prompt == PromptStyle::worked ? "no " : "");
  for (const std::string& name : names)
    for (Question& question : read_domain(config.questions / (name + ".jsonl"), name, config.prompt)) {
      question.domain = domain_name(question.domain, question.subdomain, question.name, config);
      benchmark.domains[question.domain].push_back(std::move(question));
    }
  keep_domains(config, benchmark);
  return benchmark;
}

std::string question_set_digest(const std::vector<Question>& questions) {
  std::vector<std::string> lines;
  for (const Question& question : questions) lines.push_back(question.name + " " + question.digest + "\n");
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return sha256(text);
}

store::QuestionRow question_row(const Question& question, const std::string& benchmark) {
  store::QuestionRow row;
  row.set_name = benchmark;
  row.name = question.name;
  row.group_id = question.group;
  row.domain = question.domain;
  row.subdomain = question.subdomain;
  row.text = question.is_private ? kTextNotStored : question.text;
  row.text_digest = question.digest;
  row.options = question.options;
  if (question.is_private) row.options.assign(question.options.size(), kNotStored);
  row.gold = question.options.empty() ? question.answer_text() : evaluators::option_letter(question.answer);
  row.exposure = question.exposure;
  return row;
}

RenderedQuestion render_prompt(const Question& question, PromptStyle style) {
  if (question.put) {
    RenderedQuestion rendered{question.put->text(question.put->examples()), {}};
    for (std::size_t i = 0; style == PromptStyle::published_letters && i < question.options.size(); ++i)
      rendered.continuations.push_back(" " + evaluators::option_letter(i));
    return rendered;
  }
  if (style == PromptStyle::letter) return render_letters(question);
  if (style == PromptStyle::written)
    return {fmt::format("Q: {}\n{}\nAnswer:", question.text, bracketed_options(question)), {}};
  RenderedQuestion rendered{fmt::format("Q: {}\nA:", question.text), {}};
  if (style == PromptStyle::worked) return rendered;
  for (const std::string& option : question.options) rendered.continuations.push_back(" " + option);
  return rendered;
}

std::string template_of(PromptStyle style) { return fmt::format("{}/1", name_of(style)); }

std::string template_of(const Benchmark& benchmark) {
  const BenchmarkConfig& config = benchmark.config;
  std::string name = config.published == nullptr
                         ? template_of(config.prompt)
                         : fmt::format("{}/{}", config.published->name, config.published->version);
  if (config.shots > 0) name += fmt::format("+{}shot:{}", config.shots, benchmark.examples_digest);
  if (!config.chat) return name;
  const Json options = to_json(config.chat_options);
  return name + (options.empty() ? "+chat" : "+chat" + canonical_json(options));
}

std::string render_discovery_prompt(const Question& question, bool options_in_prompt) {
  if (!options_in_prompt) return render_prompt(question, PromptStyle::short_text).prompt;
  return fmt::format("{}\n{}Answer:", question.text, lettered_options(question));
}

engine::ScoreItem tokenize(const RenderedQuestion& rendered, const text::Tokenizer& tokenizer,
                           const std::string& question) {
  engine::ScoreItem item{tokenizer.encode(rendered.prompt, !rendered.is_chat), {}};
  if (item.prompt.empty()) throw Error("question {}: the prompt gives no token", question);
  for (const std::string& continuation : rendered.continuations) {
    item.options.push_back(tokenizer.encode(continuation));
    if (item.options.back().empty())
      throw Error("question {}: the option '{}' gives no token", question, continuation);
  }
  return item;
}

}  // namespace moelab::experiments
