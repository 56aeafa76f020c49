#include "core/config/yaml_reader.h"

#include <algorithm>
#include <sstream>

#include "core/base/files.h"

namespace moelab::config {
namespace {

constexpr std::size_t header_bytes = 512;  // Hydra looks for the package header in no more than this

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Lines "# @key value" at the very top; the first other line that is not blank ends the header.
std::optional<std::string> read_package(std::string_view text, const std::string& file) {
  std::optional<std::string> package;
  text = text.substr(0, header_bytes);
  for (int line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view content = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.empty()) continue;
    if (content[0] != '#' || !trim(content.substr(1)).starts_with('@')) break;
    content.remove_prefix(std::min(content.find_first_not_of('#'), content.size()));
    const std::vector<std::string> words = split_words(content);
    if (words.size() != 2)
      throw ConfigError("{}:{}: expected '# @package NAME', got '#{}'", file, line, content);
    if (words[0] == "@package") package = words[1];
  }
  if (package && package->find("_name_") != std::string::npos) {
    throw ConfigError("{}: _name_ in a package header is not supported; write the name", file);
  }
  return package;
}

class DefaultsReader {
 public:
  explicit DefaultsReader(const std::string& file) : file_(file) {}

  std::vector<DefaultItem> read(const Node& list) const {
    if (list.kind != Node::Kind::list) fail(list.line, "'defaults' must be a list");
    std::vector<DefaultItem> items;
    for (const Entry& entry : list.entries) {
      items.push_back(entry.node.is_container() ? group_item(entry.node) : config_item(entry.node));
      items.back().line = entry.node.line;
    }
    return items;
  }

 private:
  [[noreturn]] void fail(int line, std::string_view problem) const {
    throw ConfigError("{}:{}: {}", file_, line, problem);
  }

  void split_package(int line, const std::string& text, DefaultItem& item) const {
    const std::size_t at = text.find('@');
    item.path = text.substr(0, at);
    if (at != std::string::npos) item.package = text.substr(at + 1);
    if (item.path.empty()) fail(line, "a defaults item needs a group or a config name");
    if (item.path.find("..") != std::string::npos) fail(line, "'..' in a defaults item is not supported yet");
    if (!item.package) return;
    if (item.package->find(':') != std::string::npos) fail(line, "'@old:new' packages are not supported");
    if (item.package->find("_name_") != std::string::npos) fail(line, "_name_ in a package is not supported");
    if (item.path == "_self_") fail(line, "_self_ takes no package");
  }

  DefaultItem config_item(const Node& node) const {
    if (!node.scalar.is_string()) fail(node.line, "a defaults item is a config name or 'group: option'");
    DefaultItem item;
    split_package(node.line, node.scalar.get<std::string>(), item);
    return item;
  }

  DefaultItem group_item(const Node& node) const {
    if (node.kind != Node::Kind::map || node.entries.size() != 1) {
      fail(node.line, "a defaults item is a config name or one 'group: option'");
    }
    DefaultItem item{.is_group = true};
    const Entry& entry = node.entries[0];
    std::vector<std::string> words = split_words(entry.key);
    if (words.empty()) fail(node.line, "a defaults item needs a group");
    split_package(node.line, words.back(), item);
    words.pop_back();
    for (const std::string& word : words) {
      if (word != "optional" && word != "override") {
        fail(node.line, fmt::format("unknown keyword '{}' (there are optional and override)", word));
      }
      (word == "optional" ? item.optional : item.is_override) = true;
    }
    read_option(entry.node, item);
    return item;
  }

  void read_option(const Node& value, DefaultItem& item) const {
    if (value.kind == Node::Kind::list) {
      item.has_list = true;
      for (const Entry& entry : value.entries) {
        if (!entry.node.scalar.is_string()) fail(value.line, "the options in a list must be texts");
        item.options.push_back(entry.node.scalar.get<std::string>());
      }
      return;
    }
    if (value.kind == Node::Kind::map || !(value.scalar.is_null() || value.scalar.is_string())) {
      fail(value.line,
           fmt::format("the option of '{}' must be a text, a list of texts or null (quote it)", item.path));
    }
    if (value.scalar.is_string()) item.option = value.scalar.get<std::string>();
  }

  const std::string& file_;
};

void parse_document(const std::string& text, Document& document) {
  const std::size_t bad = invalid_utf8(text);
  if (bad != std::string_view::npos) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n') + 1;
    throw ConfigError("{}:{}: the file is not UTF-8 (byte {})", document.file, line, bad);
  }
  document.package = read_package(text, document.file);
  document.root = parse_yaml(text, document.file);
  if (!document.root.is_container()) {
    throw ConfigError("{}:{}: the top level must be a mapping", document.file, document.root.line);
  }
  if (document.root.kind != Node::Kind::map) return;
  auto& entries = document.root.entries;
  const auto defaults = std::find_if(entries.begin(), entries.end(),
                                     [](const Entry& entry) { return entry.key == "defaults"; });
  if (defaults == entries.end()) return;
  document.defaults = DefaultsReader(document.file).read(defaults->node);
  entries.erase(defaults);
}

}  // namespace

std::size_t invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return i;
    }
    const auto second = static_cast<unsigned char>(length > 1 ? text[i + 1] : 0);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
    if (overlong || beyond) return i;
    i += length;
  }
  return std::string_view::npos;
}

std::unique_ptr<const Document> read_document(const std::filesystem::path& path) {
  auto document = std::make_unique<Document>();
  document->file = path.string();
  std::string text;
  try {
    text = read_text(path);
  } catch (const FileError& problem) {
    throw ConfigError("{}", problem.what());
  }
  parse_document(text, *document);
  return document;
}

}  // namespace moelab::config
