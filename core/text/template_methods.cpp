#include "core/text/template_methods.h"

#include <algorithm>
#include <unordered_map>

#include "core/text/template_loop.h"
#include "core/text/template_operators.h"
#include "core/text/template_repr.h"
#include "core/text/template_strings.h"

namespace moelab::text::jinja {
namespace {

struct TextCall {
  const std::string& self;
  const std::string& name;
  const CallArguments& arguments;
  Budget& budget;

  void count(std::size_t least, std::size_t most) const { require_count(arguments, name, least, most); }

  const std::string& text(std::size_t index) const {
    const auto* given = text_of(arguments.positional[index]);
    if (given == nullptr)
      type_error("{}() argument must be str, not {}", name, type_name(arguments.positional[index]));
    return *given;
  }

  std::optional<std::string> optional_text(std::size_t index) const {
    if (index >= arguments.positional.size() || arguments.positional[index].is<None>()) return std::nullopt;
    return text(index);
  }

  std::int64_t integer(std::size_t index, std::int64_t otherwise) const {
    if (index >= arguments.positional.size()) return otherwise;
    const auto given = integer_of(arguments.positional[index]);
    if (!given)
      type_error("'{}' object cannot be interpreted as an integer", type_name(arguments.positional[index]));
    return *given;
  }

  Value list(const std::vector<std::string>& parts) const {
    Values items;
    for (const std::string& part : parts) items.push_back(make_text(part, budget));
    return make_list(std::move(items), budget);
  }
};

Value strip_method(const TextCall& call) {
  call.count(0, 1);
  const Side side = call.name == "strip" ? Side::both : call.name == "lstrip" ? Side::left : Side::right;
  return make_text(strip(call.self, side, call.optional_text(0)), call.budget);
}

Value split_method(const TextCall& call) {
  const Bound bound(call.arguments, call.name, {"sep", "maxsplit"});
  call.budget.items(call.self.size() / 8);
  const auto most = bound.integer(1, -1);
  return call.list(call.name == "split" ? split(call.self, bound.text(0), most)
                                        : split_right(call.self, bound.text(0), most));
}

Value splitlines_method(const TextCall& call) {
  const Bound bound(call.arguments, call.name, {"keepends"});
  return call.list(split_lines(call.self, bound.flag(0, false)));
}

// A place in characters as one in bytes, clamped as Python clamps the ends of a search.
std::size_t byte_at(const std::string& text, std::int64_t character) {
  const auto length = static_cast<std::int64_t>(character_count(text));
  if (character < 0) character = std::max<std::int64_t>(character + length, 0);
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    if (character-- == 0) break;
  }
  return at;
}

Value ends_method(const TextCall& call) {
  call.count(1, 3);
  const bool at_start = call.name == "startswith";
  std::string_view within = call.self;
  if (call.arguments.positional.size() > 1) {
    const auto length = static_cast<std::int64_t>(character_count(call.self));
    const std::size_t begin = byte_at(call.self, call.integer(1, 0));
    const std::size_t end = byte_at(call.self, call.integer(2, length));
    if (call.integer(1, 0) > length || end < begin) return false;
    within = within.substr(begin, end - begin);
  }
  const auto fits = [&](const Value& value) {
    const auto* part = text_of(value);
    if (part == nullptr)
      type_error("{} first arg must be str or a tuple of str, not {}", call.name, type_name(value));
    return at_start ? within.starts_with(*part) : within.ends_with(*part);
  };
  const Value& parts = call.arguments.positional[0];
  if (const auto* tuple = parts.as<Tuple>())
    return std::any_of(tuple->data->items.begin(), tuple->data->items.end(), fits);
  return fits(parts);
}

void check_replaced_size(const TextCall& call, const std::string& from, const std::string& to) {
  const auto hits = static_cast<std::uint64_t>(count(call.self, from));
  if (to.size() > 0 && hits > call.budget.limits().text_bytes / to.size()) call.budget.text(UINT64_MAX);
  call.budget.text(call.self.size() + hits * to.size());
}

Value replace_method(const TextCall& call) {
  call.count(2, 3);
  check_replaced_size(call, call.text(0), call.text(1));
  return make_text(replace(call.self, call.text(0), call.text(1), call.integer(2, -1)), call.budget);
}

Value case_method(const TextCall& call) {
  call.count(0, 0);
  const auto change = call.name == "upper"   ? upper
                      : call.name == "lower" ? lower
                      : call.name == "title" ? title
                                             : capitalize;
  return make_text(change(call.self), call.budget);
}

Value join_method(const TextCall& call) {
  call.count(1, 1);
  const Values items = iterate(call.arguments.positional[0], call.budget);
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto* part = text_of(items[i]);
    if (part == nullptr)
      type_error("sequence item {}: expected str instance, {} found", i, type_name(items[i]));
    call.budget.text(out.size() / 64 + part->size() + call.self.size());
    if (i > 0) out += call.self;
    out += *part;
    if (out.size() > call.budget.limits().text_bytes) call.budget.text(out.size());
  }
  return make_text(std::move(out), call.budget);
}

Value find_method(const TextCall& call) {
  call.count(1, 3);
  if (call.arguments.positional.size() > 1) unsupported("{}() with a start", call.name);
  const bool right = call.name.starts_with('r');
  const std::int64_t at = find_part(call.self, call.text(0), right);
  if (at < 0 && call.name.ends_with("index")) fail("ValueError", "substring not found");
  return at;
}

Value count_method(const TextCall& call) {
  call.count(1, 3);
  if (call.arguments.positional.size() > 1) unsupported("count() with a start");
  return count(call.self, call.text(0));
}

Value class_method(const TextCall& call) {
  call.count(0, 0);
  static const std::unordered_map<std::string_view, CharacterClass> kClasses = {
      {"isdigit", CharacterClass::digit},           {"isalpha", CharacterClass::letter},
      {"isalnum", CharacterClass::letter_or_digit}, {"isspace", CharacterClass::space},
      {"islower", CharacterClass::lower},           {"isupper", CharacterClass::upper}};
  return all_of_class(call.self, kClasses.at(call.name));
}

Value justify_method(const TextCall& call) {
  call.count(1, 2);
  const std::u32string fill = decode(call.optional_text(1).value_or(" "));
  if (fill.size() != 1) type_error("The fill character must be exactly one character long");
  const std::int64_t width = call.integer(0, 0);
  if (width > 0) call.budget.text(static_cast<std::uint64_t>(width));
  const Side side = call.name == "ljust" ? Side::left : call.name == "rjust" ? Side::right : Side::both;
  return make_text(justify(call.self, width, fill[0], side), call.budget);
}

Value zfill_method(const TextCall& call) {
  call.count(1, 1);
  const std::int64_t width = call.integer(0, 0);
  if (width > 0) call.budget.text(static_cast<std::uint64_t>(width));
  const bool has_sign = call.self.starts_with('-') || call.self.starts_with('+');
  const std::string digits = has_sign ? call.self.substr(1) : call.self;
  return make_text((has_sign ? call.self.substr(0, 1) : "") +
                       justify(digits, width - (has_sign ? 1 : 0), U'0', Side::right),
                   call.budget);
}

Value affix_method(const TextCall& call) {
  call.count(1, 1);
  const std::string& affix = call.text(0);
  std::string_view rest = call.self;
  if (call.name == "removeprefix" && rest.starts_with(affix)) rest.remove_prefix(affix.size());
  if (call.name == "removesuffix" && rest.ends_with(affix)) rest.remove_suffix(affix.size());
  return make_text(std::string(rest), call.budget);
}

Value partition_method(const TextCall& call) {
  call.count(1, 1);
  const std::string& separator = call.text(0);
  if (separator.empty()) fail("ValueError", "empty separator");
  const bool right = call.name == "rpartition";
  const std::size_t at = right ? call.self.rfind(separator) : call.self.find(separator);
  const auto text = [&](std::string part) { return make_text(std::move(part), call.budget); };
  if (at == std::string::npos)
    return right ? make_tuple({text(""), text(""), text(call.self)}, call.budget)
                 : make_tuple({text(call.self), text(""), text("")}, call.budget);
  return make_tuple(
      {text(call.self.substr(0, at)), text(separator), text(call.self.substr(at + separator.size()))},
      call.budget);
}

using TextMethod = Value (*)(const TextCall&);

const std::unordered_map<std::string_view, TextMethod>& text_methods() {
  static const std::unordered_map<std::string_view, TextMethod> kMethods = {
      {"strip", strip_method},        {"lstrip", strip_method},        {"rstrip", strip_method},
      {"split", split_method},        {"rsplit", split_method},        {"splitlines", splitlines_method},
      {"startswith", ends_method},    {"endswith", ends_method},       {"replace", replace_method},
      {"upper", case_method},         {"lower", case_method},          {"title", case_method},
      {"capitalize", case_method},    {"join", join_method},           {"find", find_method},
      {"rfind", find_method},         {"index", find_method},          {"rindex", find_method},
      {"count", count_method},        {"isdigit", class_method},       {"isalpha", class_method},
      {"isalnum", class_method},      {"isspace", class_method},       {"islower", class_method},
      {"isupper", class_method},      {"ljust", justify_method},       {"rjust", justify_method},
      {"center", justify_method},     {"zfill", zfill_method},         {"removeprefix", affix_method},
      {"removesuffix", affix_method}, {"partition", partition_method}, {"rpartition", partition_method}};
  return kMethods;
}

Value sequence_method(const Values& items, const Value& self, const std::string& name,
                      const CallArguments& arguments, Budget& budget) {
  if (name == "copy") return require_count(arguments, name, 0, 0), self;
  require_count(arguments, name, 1, 3);
  if (arguments.positional.size() > 1) unsupported("{}() with a start", name);
  std::int64_t found = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!equal(items[i], arguments.positional[0], budget)) continue;
    if (name == "index") return static_cast<std::int64_t>(i);
    ++found;
  }
  if (name == "index") fail("ValueError", "{} is not in list", repr(arguments.positional[0], budget));
  return found;
}

Value dict_method(const Dict& dict, const std::string& name, const CallArguments& arguments) {
  if (name == "get") {
    require_count(arguments, name, 1, 2);
    const Value* found = dict.data->find(arguments.positional[0]);
    if (found != nullptr) return *found;
    return arguments.positional.size() > 1 ? arguments.positional[1] : Value();
  }
  require_count(arguments, name, 0, 0);
  if (name == "copy") return dict;
  if (name == "items") return DictView{DictView::Kind::items, dict.data};
  if (name == "keys") return DictView{DictView::Kind::keys, dict.data};
  if (name == "values") return DictView{DictView::Kind::values, dict.data};
  unsupported("the method '{}' of a dict", name);
}

Value loop_method(LoopState& loop, const std::string& name, const CallArguments& arguments, Budget& budget) {
  if (!arguments.named.empty()) type_error("loop.{}() takes no keyword arguments", name);
  if (name == "cycle") {
    if (arguments.positional.empty()) type_error("no items for cycling given");
    return arguments.positional[static_cast<std::size_t>(loop.index0) % arguments.positional.size()];
  }
  const Values& now = arguments.positional;
  const auto same = [&](const Value& a, const Value& b) { return equal(a, b, budget); };
  if (loop.last_changed &&
      std::equal(now.begin(), now.end(), loop.last_changed->begin(), loop.last_changed->end(), same))
    return false;
  loop.last_changed = now;
  return true;
}

}  // namespace

Value call_method(const Value& self, const std::string& name, const CallArguments& arguments,
                  Budget& budget) {
  if (const auto* text = self.as<Text>()) {
    if (text->safe) unsupported("the method '{}' of a 'safe' text", name);
    const auto found = text_methods().find(name);
    if (found == text_methods().end()) unsupported("the method '{}' of a str", name);
    budget.text(text->bytes->size());
    return found->second(TextCall{*text->bytes, name, arguments, budget});
  }
  if (const auto* list = self.as<List>())
    return sequence_method(list->data->items, self, name, arguments, budget);
  if (const auto* tuple = self.as<Tuple>())
    return sequence_method(tuple->data->items, self, name, arguments, budget);
  if (const auto* dict = self.as<Dict>()) return dict_method(*dict, name, arguments);
  if (const auto* loop = self.as<Loop>()) return loop_method(*loop->state, name, arguments, budget);
  unsupported("the method '{}' of a value of type '{}'", name, type_name(self));
}

}  // namespace moelab::text::jinja
