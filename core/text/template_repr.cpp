#include "core/text/template_repr.h"

#include <utf8proc.h>

#include <cmath>

#include "core/text/template_loop.h"
#include "core/text/template_macro.h"
#include "core/text/template_strings.h"
#include "core/text/utf8.h"

namespace moelab::text::jinja {
namespace {

bool is_printable(char32_t c) {
  if (c < 0x7F) return c >= 0x20;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZS;
}

std::string quoted(const std::string& text) {
  const bool double_quotes = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char32_t quote = double_quotes ? U'"' : U'\'';
  std::string out;
  append_utf8(out, quote);
  for (const char32_t c : decode(text)) {
    if (c == quote || c == U'\\') out += '\\';
    if (c == U'\n')
      out += "\\n";
    else if (c == U'\r')
      out += "\\r";
    else if (c == U'\t')
      out += "\\t";
    else if (is_printable(c))
      append_utf8(out, c);
    else if (c < 0x100)
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
    else if (c < 0x10000)
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
    else
      out += fmt::format("\\U{:08x}", static_cast<std::uint32_t>(c));
  }
  append_utf8(out, quote);
  return out;
}

// Writes repr() into one text whose size is bounded: shared parts can make a small value's text enormous.
class Writer {
 public:
  explicit Writer(Budget& budget) : budget_(budget) {}

  std::string take() { return std::move(out_); }

  void write(const Value& value) {
    budget_.spend(1);
    std::visit([this](const auto& data) { this->put(data); }, value.data());
  }

 private:
  void add(std::string_view text) {
    out_ += text;
    budget_.spend(text.size() / 32);
    if (out_.size() > budget_.limits().text_bytes) budget_.text(out_.size());
  }

  void put(const Undefined&) { add("Undefined"); }
  void put(None) { add("None"); }
  void put(bool value) { add(value ? "True" : "False"); }
  void put(std::int64_t value) { add(fmt::format("{}", value)); }
  void put(double value) { add(float_text(value)); }
  void put(const Text& text) { add(text.safe ? "Markup(" + quoted(*text.bytes) + ")" : quoted(*text.bytes)); }
  void put(const List& list) {
    add("[");
    items(list.data->items);
    add("]");
  }
  void put(const Tuple& tuple) {
    add("(");
    items(tuple.data->items);
    add(tuple.data->items.size() == 1 ? ",)" : ")");
  }
  void put(const Dict& dict) { entries(*dict.data); }
  void put(const DictView& view) {
    Value name = view;
    add(fmt::format("{}([", type_name(name)));
    items(iterate(view, budget_));
    add("])");
  }
  void put(const Range& range) {
    add(range.step == 1 ? fmt::format("range({}, {})", range.start, range.stop)
                        : fmt::format("range({}, {}, {})", range.start, range.stop, range.step));
  }
  void put(const Namespace& space) {
    if (++namespaces_ > 50) unsupported("writing a namespace that holds itself");
    add("<Namespace ");
    entries(*space.data);
    add(">");
    --namespaces_;
  }
  void put(const Macro& macro) { add(fmt::format("<Macro {}>", macro_repr(*macro.data))); }
  void put(const Loop& loop) {
    add(fmt::format("<LoopContext {}/{}>", loop.state->index0 + 1, loop.state->length()));
  }
  void put(const Generator&) {
    unsupported("writing what a filter like 'map' returns; use '|list' or '|join'");
  }
  void put(const Builtin& builtin) { unsupported("writing the function '{}' itself", builtin.name); }
  void put(const Method& method) { unsupported("writing the method '{}' itself", method.name); }

  void items(const Values& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) add(", ");
      write(values[i]);
    }
  }
  void entries(const DictData& dict) {
    add("{");
    bool first = true;
    for (const auto& [key, value] : dict.entries()) {
      if (!first) add(", ");
      first = false;
      write(key);
      add(": ");
      write(value);
    }
    add("}");
  }

  Budget& budget_;
  std::string out_;
  int namespaces_ = 0;
};

}  // namespace

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string repr(const Value& value, Budget& budget) {
  Writer writer(budget);
  writer.write(value);
  return writer.take();
}

std::string to_text(const Value& value, Budget& budget) {
  if (const auto* text = text_of(value)) return *text;
  if (value.is<Undefined>()) return "";
  return repr(value, budget);
}

}  // namespace moelab::text::jinja
