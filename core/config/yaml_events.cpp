#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "core/config/interpolation.h"
#include "core/config/problems.h"
#include "core/config/scalar.h"
#include "core/config/yaml_reader.h"

namespace moelab::config {
namespace {

constexpr std::size_t max_nodes = 200'000;
constexpr std::size_t max_file_depth = 100;

// Builds nodes from yaml-cpp's events: only these still tell quoted from plain scalars, aliases from copies,
// and repeated keys.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& text, const std::string& file) : text_(text), file_(file) {}

  // Throws one ConfigError with all problems that did not stop the reading; `last` is one that did.
  Node take(const std::string& last = "") {
    if (!last.empty()) problems_.add(last);
    problems_.throw_if_any();
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, scalar(mark, nullptr));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "?" && value == "<<" && expects_key()) {
      stack_.back().key = std::string();
      stack_.back().is_merge = true;
      return;
    }
    add(mark, anchor, scalar(mark, read(mark, tag, value)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias stands inside its own anchor");
    Node copy = found->second;
    count(mark, count_nodes(copy));
    add(mark, YAML::NullAnchor, std::move(copy));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { finish(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { finish(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    YAML::Mark mark;
    std::optional<std::string> key;  // read, its value is awaited
    bool is_merge = false;           // the key is <<
    std::vector<Node> merged;        // maps given to <<
  };

  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view problem) const {
    throw ConfigError("{}:{}: {}", file_, mark.line + 1, problem);
  }

  void note(const YAML::Mark& mark, std::string_view problem) {
    problems_.add(fmt::format("{}:{}: {}", file_, mark.line + 1, problem));
  }

  Node scalar(const YAML::Mark& mark, Json value) const {
    Node node(Node::Kind::scalar, &file_, mark.line + 1);
    node.scalar = std::move(value);
    return node;
  }

  Json read(const YAML::Mark& mark, const std::string& tag, const std::string& value) {
    try {
      if (tag == "!") {
        // yaml-cpp gives quoted texts this tag too, and PyYAML reads "! 5" as the number.
        if (static_cast<std::size_t>(mark.pos) < text_.size() &&
            text_[static_cast<std::size_t>(mark.pos)] == '!') {
          throw ConfigError("the tag '!' is not supported");
        }
        check_interpolations(value);
        return value;
      }
      Json result = tag.empty() || tag == "?" ? plain_scalar(value) : tagged_scalar(tag, value);
      if (result.is_string()) check_interpolations(value);
      return result;
    } catch (const ConfigError& problem) {
      note(mark, problem.what());
      return "";
    }
  }

  bool expects_key() const {
    return !stack_.empty() && stack_.back().node.kind == Node::Kind::map && !stack_.back().key;
  }

  void count(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > max_nodes) fail(mark, fmt::format("the file has more than {} values", max_nodes));
  }

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    if (expects_key()) fail(mark, "a key must be a string, a number or a boolean");
    const bool is_core = tag == "tag:yaml.org,2002:map" || tag == "tag:yaml.org,2002:seq";
    if (!tag.empty() && tag != "?" && tag != "!" && !is_core) {
      fail(mark, fmt::format("the tag '{}' is not supported", tag));
    }
    if (stack_.size() >= max_file_depth)
      fail(mark, fmt::format("the file is nested deeper than {} levels", max_file_depth));
    Frame frame;
    frame.node = Node(kind, &file_, mark.line + 1);
    frame.anchor = anchor;
    frame.mark = mark;
    stack_.push_back(std::move(frame));
  }

  void finish() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (!frame.merged.empty()) apply_merges(frame);
    add(frame.mark, frame.anchor, std::move(frame.node));
  }

  // Merged keys come first and own keys replace their values in place, as PyYAML orders them.
  static void apply_merges(Frame& frame) {
    std::vector<Entry> own = std::move(frame.node.entries);
    frame.node.entries.clear();
    const auto put = [&](const Entry& entry) {
      if (Node* known = find_entry(frame.node, entry.key)) {
        *known = entry.node;
      } else {
        frame.node.entries.push_back(entry);
      }
    };
    for (const Node& merged : frame.merged) {
      for (const Entry& entry : merged.entries) put(entry);
    }
    for (const Entry& entry : own) put(entry);
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Node node) {
    count(mark, 1);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == Node::Kind::list) {
      frame.node.entries.push_back({"", std::move(node)});
    } else if (!frame.key) {
      set_key(mark, frame, node);
    } else if (frame.is_merge) {
      add_merge(mark, frame, node);
    } else {
      frame.node.entries.push_back({*std::exchange(frame.key, std::nullopt), std::move(node)});
    }
  }

  void set_key(const YAML::Mark& mark, Frame& frame, const Node& node) {
    if (node.is_container() || node.scalar.is_null())
      fail(mark, "a key must be a string, a number or a boolean");
    const std::string key = key_text(node.scalar);
    if (const Node* first = find_entry(frame.node, key)) {
      note(mark,
           fmt::format("the key '{}' stands twice in one mapping (first at line {})", key, first->line));
    }
    frame.key = key;
  }

  // Of a list of maps the first wins, so the later ones are put down first.
  void add_merge(const YAML::Mark& mark, Frame& frame, const Node& node) {
    frame.key.reset();
    frame.is_merge = false;
    if (node.kind == Node::Kind::map) {
      frame.merged.push_back(node);
      return;
    }
    if (node.kind != Node::Kind::list) fail(mark, "<< takes a mapping or a list of mappings");
    for (auto entry = node.entries.rbegin(); entry != node.entries.rend(); ++entry) {
      if (entry->node.kind != Node::Kind::map) fail(mark, "<< takes a mapping or a list of mappings");
      frame.merged.push_back(entry->node);
    }
  }

  const std::string& text_;
  const std::string& file_;
  Node root_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  Problems problems_;
};

// Ends documents without building anything, to see whether there is a second one.
class Ignore : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

}  // namespace

Node parse_yaml(const std::string& text, const std::string& file) {
  Builder builder(text, file);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Node(Node::Kind::map, &file, 1);
    Ignore ignore;
    if (parser.HandleNextDocument(ignore)) throw ConfigError("{}: holds more than one YAML document", file);
    Node root = builder.take();
    if (root.kind == Node::Kind::scalar && root.scalar.is_null()) root.kind = Node::Kind::map;
    return root;
  } catch (const YAML::Exception& problem) {
    return builder.take(fmt::format("{}:{}: {}", file, problem.mark.line + 1, problem.msg));
  }
}

}  // namespace moelab::config
