// Finds the chat template of a model's directory: ChatTemplate::read of template.h.
#include "core/base/files.h"
#include "core/text/template.h"

namespace moelab::text {
namespace {

struct Found {
  std::string source;
  std::string name;
};

// One template of a list of {"name", "template"}.
Found pick(const Json& list, const std::string& which, const std::string& origin) {
  const std::string wanted = which.empty() ? "default" : which;
  std::string names;
  for (const Json& entry : list) {
    if (!entry.is_object()) throw FileError("{}: an element of 'chat_template' is not an object", origin);
    const auto name = json_get<std::string>(entry, "name", origin);
    if (name == wanted) return {json_get<std::string>(entry, "template", origin), origin + "#" + name};
    names += (names.empty() ? "" : ", ") + name;
  }
  throw FileError("{}: no chat template is named '{}'; there are: {}", origin, wanted, names);
}

std::optional<Found> from_config(const std::filesystem::path& path, const std::string& which) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const Json config = read_json(path);
  const std::string origin = path.string();
  if (!config.is_object()) throw FileError("{}: is not an object", origin);
  const auto field = config.find("chat_template");
  if (field == config.end() || field->is_null()) return std::nullopt;
  if (field->is_array()) return pick(*field, which, origin);
  if (!field->is_string()) throw FileError("{}: 'chat_template' is neither a text nor a list", origin);
  if (!which.empty() && which != "default")
    throw FileError("{}: no chat template is named '{}'; there is one without a name", origin, which);
  return Found{field->get<std::string>(), origin};
}

}  // namespace

ChatTemplate ChatTemplate::read(const std::filesystem::path& model_directory, const std::string& which,
                                const TemplateLimits& limits) {
  const bool named = !which.empty() && which != "default";
  const auto file = named ? model_directory / "additional_chat_templates" / (which + ".jinja")
                          : model_directory / "chat_template.jinja";
  if (std::filesystem::exists(file)) return parse(read_text(file), file.string(), limits);
  for (const char* name : {"tokenizer_config.json", "chat_template.json"})
    if (auto found = from_config(model_directory / name, which))
      return parse(std::move(found->source), std::move(found->name), limits);
  throw FileError(
      "{}: no chat template{}: neither {} nor a field 'chat_template' in tokenizer_config.json or "
      "chat_template.json",
      model_directory.string(), named ? " named '" + which + "'" : "",
      std::filesystem::relative(file, model_directory).string());
}

}  // namespace moelab::text
