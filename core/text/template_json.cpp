// json.dumps of template_repr.h.
#include <algorithm>
#include <cmath>

#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"
#include "core/text/utf8.h"

namespace moelab::text::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {}

  std::string take() { return std::move(out_); }

  void write(const Value& value) {
    budget_.spend(1);
    if (const auto* text = text_of(value)) return string(*text);
    if (value.is<None>()) return add("null");
    if (const auto* flag = value.as<bool>()) return add(*flag ? "true" : "false");
    if (const auto* integer = value.as<std::int64_t>()) return add(fmt::format("{}", *integer));
    if (const auto* real = value.as<double>()) return add(number(*real));
    if (const auto* list = value.as<List>()) return array(list->data->items);
    if (const auto* tuple = value.as<Tuple>()) return array(tuple->data->items);
    if (const auto* dict = value.as<Dict>()) return object(*dict->data);
    type_error("Object of type {} is not JSON serializable", type_name(value));
  }

 private:
  void add(std::string_view text) {
    out_ += text;
    budget_.spend(text.size() / 32);
    if (out_.size() > budget_.limits().text_bytes) budget_.text(out_.size());
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    return float_text(value);
  }

  void escape(char32_t c, std::string& out) const {
    static constexpr std::u32string_view kPlain = U"\"\\\n\r\t\b\f";
    static constexpr std::string_view kLetters = "\"\\nrtbf";
    const auto code = static_cast<std::uint32_t>(c);
    if (const auto found = kPlain.find(c); found != std::u32string_view::npos) {
      out += '\\';
      out += kLetters[found];
    } else if (c < 0x20 || (style_.ascii && c >= 0x7F && c < 0x10000)) {
      out += fmt::format("\\u{:04x}", code);
    } else if (style_.ascii && c >= 0x10000) {
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10),
                         0xDC00 + ((code - 0x10000) & 0x3FF));
    } else {
      append_utf8(out, c);
    }
  }

  void string(const std::string& text) {
    std::string out = "\"";
    for (const char32_t c : decode(text)) escape(c, out);
    add(out + "\"");
  }

  void line() {
    if (!style_.indent) return;
    add("\n");
    for (int i = 0; i < level_; ++i) add(*style_.indent);
  }

  // With an indent each element starts a line, and the space after a comma goes.
  void separator(bool first) {
    if (!first) add(style_.item_separator);
    line();
  }

  void array(const Values& items) {
    if (items.empty()) return add("[]");
    add("[");
    ++level_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      separator(i == 0);
      write(items[i]);
    }
    --level_;
    line();
    add("]");
  }

  static std::string key_text(const Value& key) {
    if (const auto* text = text_of(key)) return *text;
    if (key.is<None>()) return "null";
    if (const auto* flag = key.as<bool>()) return *flag ? "true" : "false";
    if (const auto* integer = key.as<std::int64_t>()) return fmt::format("{}", *integer);
    if (const auto* real = key.as<double>()) return number(*real);
    type_error("keys must be str, int, float, bool or None, not {}", type_name(key));
  }

  void object(const DictData& dict) {
    if (dict.entries().empty()) return add("{}");
    auto entries = dict.entries();
    if (style_.sort_keys)
      std::stable_sort(entries.begin(), entries.end(),
                       [this](const auto& a, const auto& b) { return less(a.first, b.first, budget_); });
    add("{");
    ++level_;
    bool first = true;
    for (const auto& [key, value] : entries) {
      separator(std::exchange(first, false));
      string(key_text(key));
      add(style_.key_separator);
      write(value);
    }
    --level_;
    line();
    add("}");
  }

  const JsonStyle& style_;
  Budget& budget_;
  std::string out_;
  int level_ = 0;
};

}  // namespace

std::string to_json(const Value& value, const JsonStyle& style, Budget& budget) {
  JsonWriter writer(style, budget);
  writer.write(value);
  return writer.take();
}

}  // namespace moelab::text::jinja
