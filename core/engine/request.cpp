#include "core/engine/request.h"

#include <array>

namespace moelab::engine {
namespace {

constexpr std::array<std::string_view, 5> kReasons = {"eos", "stop_id", "stop_string", "length", "context"};

}  // namespace

std::string_view name_of(StopReason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

void validate(const GenerateRequest& request, std::int64_t plans, const model::ModelSpec& spec,
              bool has_tokenizer) {
  validate(request.sampling);
  if (request.thinking) validate(*request.thinking);
  const auto fail = [&](const std::string& what) {
    throw Error("question '{}': {}", request.question, what);
  };
  const auto require_known = [&](const Tokens& ids, const char* where) {
    for (const std::int32_t id : ids)
      if (id < 0 || id >= spec.vocab_size)
        fail(fmt::format("token id {} of the {} is outside the model's vocabulary of {}", id, where,
                         spec.vocab_size));
  };
  if (request.prompt.empty()) fail("the prompt has no token");
  const auto length = static_cast<std::int64_t>(request.prompt.size());
  if (length >= spec.max_positions)
    fail(fmt::format("the prompt has {} tokens, and the model's context of {} leaves no room for an answer",
                     length, spec.max_positions));
  require_known(request.prompt, "prompt");
  if (request.thinking) {
    require_known(request.thinking->close_ids, "closing of thinking");
    require_known(request.thinking->forced_ids, "forced closing of thinking");
  }
  if (request.plan < 0 || request.plan > plans)
    fail(fmt::format("plan {} does not exist; there are {}", request.plan, plans));
  if (request.max_new_tokens < 1) fail("max_new_tokens must be at least 1");
  if (request.repeats < 1) fail("repeats must be at least 1");
  if (request.first_repeat < 0) fail("first_repeat must not be negative");
  for (const std::string& stop : request.stop_strings)
    if (stop.empty()) fail("a stop string is empty");
  if (!request.stop_strings.empty() && !has_tokenizer) fail("stop strings need the model's tokenizer");
}

}  // namespace moelab::engine
