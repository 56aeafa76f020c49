#include "core/text/tokenizer_file.h"

#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/text/json_fields.h"

namespace moelab::text {

namespace {

constexpr int deepest = 64;

// Sees every value while the parser builds the tree and keeps the two long members of "model" out of it.
// `depth` is the number of containers around a value, so model.vocab's entries are at depth 3.
class ModelReader {
 public:
  explicit ModelReader(TokenizerFile& file) : file_(file) {}

  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    // Published files nest 8 deep; components are read by functions that call themselves.
    if (depth > deepest)
      throw FileError("{}: nested more than {} deep; no tokenizer is", file_.origin, deepest);
    if (event == Event::key && depth <= 2) {
      enter(depth, value.get_ref<const std::string&>());
    } else if (section_ == Section::vocab && depth == 3) {
      return vocab_entry(event, value);
    } else if (section_ == Section::merges && depth >= 3) {
      return merge_part(depth, event, value);
    }
    return true;
  }

  // The first thing wrong with the vocabulary or the merges; reported once the model's type is known to be
  // BPE.
  const std::string& problem() const { return problem_; }

 private:
  enum class Section { other, vocab, merges };

  void enter(int depth, const std::string& key) {
    if (depth == 1) in_model_ = key == "model";
    section_ = Section::other;
    if (depth == 2 && in_model_ && key == "vocab") section_ = Section::vocab;
    if (depth == 2 && in_model_ && key == "merges") section_ = Section::merges;
  }

  bool vocab_entry(Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key) {
      file_.vocab.emplace_back(value.get<std::string>(), -1);
      return false;
    }
    if (file_.vocab.empty()) return true;
    if (value.is_number_integer()) {
      file_.vocab.back().second = value.get<std::int64_t>();
    } else {
      note("model.vocab['{}'] is not an integer", file_.vocab.back().first);
    }
    return true;
  }

  bool merge_part(int depth, Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (depth == 3 && event == Event::array_start) {
      file_.merges.emplace_back();
      parts_ = 0;
      return true;
    }
    if (depth == 3 && event == Event::array_end) {
      if (parts_ != 2) note("model.merges[{}] is not a pair of strings", file_.merges.size() - 1);
      return false;
    }
    if (depth == 3 && value.is_string()) {
      split_merge(value.get_ref<const std::string&>());
    } else if (depth == 4 && value.is_string() && parts_ < 2) {
      auto& pair = file_.merges.back();
      (parts_++ == 0 ? pair.first : pair.second) = value.get_ref<const std::string&>();
    } else {
      // Inside a pair the entry is there already.
      note("model.merges[{}] is neither \"a b\" nor [\"a\", \"b\"]",
           file_.merges.size() - (depth == 3 ? 0 : 1));
    }
    return false;
  }

  // "a b": byte-level vocabularies write a space as another letter, so the only space is the separator.
  void split_merge(const std::string& text) {
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      return note("model.merges[{}] is '{}', not two tokens with one space between", file_.merges.size(),
                  text);
    }
    file_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (problem_.empty()) problem_ = fmt::format(format, std::forward<Args>(args)...);
  }

  TokenizerFile& file_;
  bool in_model_ = false;
  Section section_ = Section::other;
  int parts_ = 0;
  std::string problem_;
};

void check_model_type(const Json& head, std::string_view origin) {
  if (!head.is_object()) throw FileError("{}: not a tokenizer.json (the file must hold one object)", origin);
  const auto found = head.find("model");
  if (found == head.end() || !found->is_object())
    throw FileError("{}: the field 'model' must be an object", origin);
  // Files from before 2021 have no type; what has merges is BPE there.
  const bool old_bpe = !found->contains("type") && found->contains("merges");
  const std::string type = old_bpe ? "BPE" : component_type(*found, origin, "model");
  if (type != "BPE") fail_unsupported(origin, "model.type", type, "BPE");
  if (!found->contains("vocab") || !found->at("vocab").is_object()) {
    throw FileError("{}: the field model.vocab must be an object", origin);
  }
  member_array(*found, "merges", origin, "model");
}

}  // namespace

TokenizerFile parse_tokenizer_file(std::string_view text, std::string origin) {
  TokenizerFile file;
  file.origin = std::move(origin);
  file.digest = sha256(text);
  ModelReader reader(file);
  try {
    file.head = Json::parse(
        text, [&](int depth, Json::parse_event_t event, Json& value) { return reader(depth, event, value); });
  } catch (const nlohmann::json::exception& problem) {
    throw FileError("{}: not valid JSON ({})", file.origin, problem.what());
  }
  check_model_type(file.head, file.origin);
  if (!reader.problem().empty()) throw FileError("{}: {}", file.origin, reader.problem());
  return file;
}

TokenizerFile read_tokenizer_file(const std::filesystem::path& path) {
  return parse_tokenizer_file(read_text(path), path.string());
}

}  // namespace moelab::text
