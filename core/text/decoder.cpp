#include "core/text/decoder.h"

#include <charconv>
#include <optional>
#include <utility>

#include "core/text/byte_letters.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace moelab::text {

namespace {

constexpr std::string_view replacement_character = "\uFFFD";

// The byte of "<0x0A>".
std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  unsigned byte = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, byte, 16);
  if (error != std::errc() || end != token.data() + 5) return std::nullopt;
  return static_cast<char>(byte);
}

// How many bytes at the end of `bytes` are the beginning of a character that is not complete yet.
std::size_t unfinished_bytes(std::string_view bytes) {
  for (std::size_t length = 1; length <= 3 && length <= bytes.size(); ++length) {
    const std::size_t at = bytes.size() - length;
    if ((static_cast<unsigned char>(bytes[at]) & 0xC0U) == 0x80) continue;
    const Utf8Char last = decode_utf8(bytes, at);
    // A lead byte whose sequence is cut by the end rather than broken: one more byte could make it longer.
    const bool cut = !last.valid && last.length == length && static_cast<unsigned char>(bytes[at]) >= 0xC2 &&
                     static_cast<unsigned char>(bytes[at]) <= 0xF4;
    return cut ? length : 0;
  }
  return 0;
}

StripDecoder read_strip(const Json& value, std::string_view origin, const std::string& field) {
  require_known_keys(value, {"type", "content", "start", "stop"}, origin, field);
  const std::string where = fmt::format("{}: {}", origin, field);
  const auto count = [&](const char* key) {
    const auto number = json_get<std::int64_t>(value, key, where);
    if (number < 0) throw FileError("{}.{} is {}, not a count", where, key, number);
    return static_cast<std::size_t>(number);
  };
  return {character_member(value, "content", origin, field), count("start"), count("stop")};
}

MetaspaceDecoder read_metaspace_decoder(const Json& value, std::string_view origin,
                                        const std::string& field) {
  require_known_keys(value, {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"},
                     origin, field);
  return {character_member(value, "replacement", origin, field),
          read_prepend_scheme(value, origin, field) != PrependScheme::never};
}

void read_steps(const Json& value, std::string_view origin, const std::string& field,
                std::vector<DecoderStep>& steps) {
  const std::string type = component_type(value, origin, field);
  if (type == "Sequence") {
    require_known_keys(value, {"type", "decoders"}, origin, field);
    std::size_t index = 0;
    for (const Json& part : member_array(value, "decoders", origin, field)) {
      read_steps(part, origin, fmt::format("{}.decoders[{}]", field, index++), steps);
    }
  } else if (type == "ByteLevel") {
    require_known_keys(value, {"type", "add_prefix_space", "trim_offsets", "use_regex"}, origin, field);
    steps.emplace_back(ByteLevelDecoder{});
  } else if (type == "ByteFallback") {
    require_known_keys(value, {"type"}, origin, field);
    steps.emplace_back(ByteFallbackDecoder{});
  } else if (type == "Fuse") {
    require_known_keys(value, {"type"}, origin, field);
    steps.emplace_back(FuseDecoder{});
  } else if (type == "Strip") {
    steps.emplace_back(read_strip(value, origin, field));
  } else if (type == "Metaspace") {
    steps.emplace_back(read_metaspace_decoder(value, origin, field));
  } else if (type == "Replace") {
    steps.emplace_back(Replacement::from_json(value, origin, field));
  } else {
    fail_unsupported(origin, field + ".type", type,
                     "ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace and Sequence");
  }
}

std::string replaced(std::string_view text, std::string_view mark, std::string_view with) {
  std::string out;
  std::size_t covered = 0;
  for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, covered)) {
    out.append(text.substr(covered, at - covered)).append(with);
    covered = at + mark.size();
  }
  return out.append(text.substr(covered));
}

}  // namespace

Decoder Decoder::from_json(const Json& value, std::string_view origin) {
  Decoder result;
  read_steps(value, origin, "decoder", result.steps_);
  if (result.steps_.empty()) throw FileError("{}: decoder is a Sequence of nothing", origin);
  bool fused = false;
  for (const DecoderStep& step : result.steps_) {
    const bool joins = std::holds_alternative<ByteLevelDecoder>(step);
    if (fused && (joins || std::holds_alternative<ByteFallbackDecoder>(step))) {
      throw FileError("{}: decoder has ByteLevel or ByteFallback after a step that makes one token of all",
                      origin);
    }
    fused = fused || joins || std::holds_alternative<FuseDecoder>(step);
  }
  return result;
}

bool Decoder::takes_bytes() const { return std::holds_alternative<ByteLevelDecoder>(steps_.front()); }

std::string Decoder::token_bytes(std::string_view entry) const {
  std::string text(entry);
  RegexScratch scratch;
  for (const DecoderStep& step : steps_) {
    bool removed = false;
    if (const auto* replace = std::get_if<Replacement>(&step))
      text = replace->apply(text, longest_replaced(entry.size()), scratch, removed);
    if (const auto* marks = std::get_if<MetaspaceDecoder>(&step)) text = replaced(text, marks->mark, " ");
    if (std::holds_alternative<ByteLevelDecoder>(step)) text = bytes_of_letters(text).value_or(text);
    if (std::holds_alternative<ByteFallbackDecoder>(step)) {
      if (const auto byte = fallback_byte(text)) text.assign(1, *byte);
    }
    // What Strip and Fuse do depends on the text around.
    if (std::holds_alternative<FuseDecoder>(step)) break;
  }
  return text;
}

DecoderRun::DecoderRun(const Decoder& decoder) : decoder_(&decoder), states_(decoder.steps().size()) {}

void DecoderRun::push(std::string_view token, std::string& out) {
  n_taken_ += token.size();
  feed(0, token, true, out);
}

void DecoderRun::finish(std::string& out) {
  for (std::size_t step = 0; step < states_.size(); ++step) flush(step, out);
}

void DecoderRun::feed(std::size_t step, std::string_view part, bool ends, std::string& out) {
  if (step == states_.size()) {
    out += part;
    return;
  }
  std::visit([&](const auto& each) { accept(each, step, part, ends, out); }, decoder_->steps()[step]);
}

void DecoderRun::flush(std::size_t step, std::string& out) {
  const DecoderStep& kind = decoder_->steps()[step];
  if (std::holds_alternative<ByteLevelDecoder>(kind)) {
    feed(step + 1, repair_utf8(states_[step].held), true, out);
  } else if (std::holds_alternative<FuseDecoder>(kind)) {
    feed(step + 1, "", true, out);
  } else if (std::holds_alternative<ByteFallbackDecoder>(kind)) {
    release_bytes(step, out);
  }
}

void DecoderRun::accept(const ByteLevelDecoder&, std::size_t step, std::string_view part, bool,
                        std::string& out) {
  std::string& held = states_[step].held;
  // The first step is given bytes already.
  held += step == 0 ? std::string(part) : bytes_of_letters(part).value_or(std::string(part));
  const std::size_t complete = held.size() - unfinished_bytes(held);
  if (complete == 0) return;
  const std::string text = repair_utf8(std::string_view(held).substr(0, complete));
  held.erase(0, complete);
  feed(step + 1, text, false, out);
}

void DecoderRun::accept(const ByteFallbackDecoder&, std::size_t step, std::string_view part, bool,
                        std::string& out) {
  if (const auto byte = fallback_byte(part)) {
    states_[step].held += *byte;
    return;
  }
  release_bytes(step, out);
  feed(step + 1, part, true, out);
}

void DecoderRun::release_bytes(std::size_t step, std::string& out) {
  const std::string bytes = std::exchange(states_[step].held, {});
  if (bytes.empty()) return;
  if (!first_invalid_utf8(bytes)) return feed(step + 1, bytes, true, out);
  for (std::size_t i = 0; i < bytes.size(); ++i) feed(step + 1, replacement_character, true, out);
}

void DecoderRun::accept(const FuseDecoder&, std::size_t step, std::string_view part, bool, std::string& out) {
  if (!part.empty()) feed(step + 1, part, false, out);
}

// Characters that may still turn out to stand at the token's end are held back.
void DecoderRun::accept(const StripDecoder& strip, std::size_t step, std::string_view part, bool ends,
                        std::string& out) {
  State& state = states_[step];
  std::string text = std::exchange(state.held, {}).append(part);
  const std::size_t width = strip.character.size();
  std::size_t begin = 0;
  while (!state.inside_token && state.stripped < strip.start &&
         std::string_view(text).substr(begin).starts_with(strip.character)) {
    begin += width;
    ++state.stripped;
  }
  state.inside_token = state.inside_token || begin < text.size() || state.stripped == strip.start;
  std::size_t end = text.size();
  for (std::size_t i = 0; i < strip.stop; ++i) {
    if (!std::string_view(text).substr(begin, end - begin).ends_with(strip.character)) break;
    end -= width;
  }
  if (!ends) state.held = text.substr(end);
  if (ends) state = State{};
  feed(step + 1, std::string_view(text).substr(begin, end - begin), ends, out);
}

void DecoderRun::accept(const MetaspaceDecoder& marks, std::size_t step, std::string_view part, bool ends,
                        std::string& out) {
  State& state = states_[step];
  const bool drops = marks.drops_first && !state.past_first_token;
  state.past_first_token = state.past_first_token || ends;
  feed(step + 1, replaced(part, marks.mark, drops ? "" : " "), ends, out);
}

void DecoderRun::accept(const Replacement& replace, std::size_t step, std::string_view part, bool ends,
                        std::string& out) {
  bool removed = false;
  if (ends || replace.is_one_character()) {
    std::string whole = std::exchange(states_[step].held, {}).append(part);
    return feed(step + 1, replace.apply(whole, longest_replaced(n_taken_), scratch_, removed), ends, out);
  }
  // A match could reach over the parts of a token, so the token has to be complete.
  states_[step].held += part;
}

}  // namespace moelab::text
