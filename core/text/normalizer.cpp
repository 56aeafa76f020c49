#include "core/text/normalizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text/json_fields.h"
#include "core/text/unicode_forms.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

constexpr std::array<std::pair<std::string_view, UnicodeForm>, 4> forms = {{{"NFC", UnicodeForm::nfc},
                                                                            {"NFD", UnicodeForm::nfd},
                                                                            {"NFKC", UnicodeForm::nfkc},
                                                                            {"NFKD", UnicodeForm::nfkd}}};

// A text on its way through the steps.
struct Work {
  std::string& text;
  RegexScratch& scratch;
  std::size_t longest;
  bool removed_start = false;
};

void apply_step(UnicodeForm form, Work& work) { normalize_unicode(form, work.text); }

void apply_step(const PrependStep& step, Work& work) {
  if (!work.text.empty()) work.text.insert(0, step.text);
}

void apply_step(const Replacement& step, Work& work) {
  work.text = step.apply(work.text, work.longest, work.scratch, work.removed_start);
}

void apply_step(const StripStep& step, Work& work) {
  const std::size_t begin = step.left ? white_space_at_start(work.text) : 0;
  const std::size_t end = step.right ? white_space_at_end(std::string_view(work.text).substr(begin)) : 0;
  work.text.erase(work.text.size() - end);
  work.text.erase(0, begin);
  work.removed_start = work.removed_start || begin > 0;
}

void apply_step(const LowercaseStep&, Work& work) { work.text = lower_case(work.text); }

void apply_step(const StripAccentsStep&, Work& work) { work.text = without_marks(work.text); }

void read_steps(const Json& value, std::string_view origin, const std::string& field,
                std::vector<NormalizerStep>& steps) {
  if (value.is_null()) return;
  const std::string type = component_type(value, origin, field);
  const auto* form =
      std::find_if(forms.begin(), forms.end(), [&](const auto& each) { return each.first == type; });
  const std::string where = fmt::format("{}: {}", origin, field);
  if (type == "Sequence") {
    require_known_keys(value, {"type", "normalizers"}, origin, field);
    std::size_t index = 0;
    for (const Json& part : member_array(value, "normalizers", origin, field)) {
      read_steps(part, origin, fmt::format("{}.normalizers[{}]", field, index++), steps);
    }
  } else if (form != forms.end()) {
    require_known_keys(value, {"type"}, origin, field);
    steps.emplace_back(form->second);
  } else if (type == "Prepend") {
    require_known_keys(value, {"type", "prepend"}, origin, field);
    steps.emplace_back(PrependStep{json_get<std::string>(value, "prepend", where)});
  } else if (type == "Replace") {
    steps.emplace_back(Replacement::from_json(value, origin, field));
  } else if (type == "Strip") {
    require_known_keys(value, {"type", "strip_left", "strip_right"}, origin, field);
    steps.emplace_back(
        StripStep{json_get<bool>(value, "strip_left", where), json_get<bool>(value, "strip_right", where)});
  } else if (type == "Lowercase") {
    require_known_keys(value, {"type"}, origin, field);
    steps.emplace_back(LowercaseStep{});
  } else if (type == "StripAccents") {
    require_known_keys(value, {"type"}, origin, field);
    steps.emplace_back(StripAccentsStep{});
  } else {
    fail_unsupported(
        origin, field + ".type", type,
        "null, NFC, NFD, NFKC, NFKD, Prepend, Replace, Strip, Lowercase, StripAccents and Sequence");
  }
}

}  // namespace

Normalizer Normalizer::from_json(const Json& value, std::string_view origin) {
  Normalizer result;
  read_steps(value, origin, "normalizer", result.steps_);
  return result;
}

Normalizer::Result Normalizer::apply(std::string_view text, RegexScratch& scratch,
                                     std::string& storage) const {
  if (steps_.empty()) return {text, true};
  storage.assign(text);
  Work work{storage, scratch, longest_replaced(text.size())};
  for (const NormalizerStep& step : steps_) {
    std::visit([&](const auto& each) { apply_step(each, work); }, step);
  }
  return {storage, !work.removed_start};
}

}  // namespace moelab::text
