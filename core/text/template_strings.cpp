#include "core/text/template_strings.h"

#include <algorithm>

#include "core/text/template_error.h"
#include "core/text/utf8.h"

namespace moelab::text::jinja {
namespace {

bool is_line_end(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

std::vector<std::string> split_at_space(const std::u32string& text, std::int64_t most) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return parts;
    std::size_t end = text.size();
    if (most < 0 || static_cast<std::int64_t>(parts.size()) < most)
      end = static_cast<std::size_t>(
          std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_space) - text.begin());
    parts.push_back(encode(std::u32string_view(text).substr(at, end - at)));
    at = end;
  }
}

std::vector<std::string> split_right_at_space(std::u32string text, std::int64_t most) {
  std::reverse(text.begin(), text.end());
  std::vector<std::string> parts = split_at_space(text, most);  // what stays whole is the beginning
  for (std::string& part : parts) {
    std::u32string characters = decode(part);
    std::reverse(characters.begin(), characters.end());
    part = encode(characters);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::string replace_between(std::string_view text, std::string_view to, std::int64_t most) {
  std::string out;
  std::int64_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (most < 0 || done < most) out += to, ++done;
    const std::size_t length = decode_utf8(text, at).length;
    out += text.substr(at, length);
    at += length;
  }
  if (most < 0 || done < most) out += to;
  return out;
}

}  // namespace

std::u32string decode(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char next = decode_utf8(text, at);
    characters.push_back(next.valid ? next.code : U'\uFFFD');
    at += next.length;
  }
  return characters;
}

std::string encode(std::u32string_view characters) {
  std::string text;
  for (const char32_t c : characters) append_utf8(text, c);
  return text;
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_space(char32_t code) { return (code >= 0x1C && code <= 0x1F) || is_white_space(code); }

std::string strip(std::string_view text, Side side, const std::optional<std::string>& chars) {
  const std::u32string characters = decode(text);
  const std::u32string set = chars ? decode(*chars) : std::u32string();
  const auto goes = [&](char32_t c) { return chars ? set.find(c) != std::u32string::npos : is_space(c); };
  std::size_t begin = 0, end = characters.size();
  if (side != Side::right)
    while (begin < end && goes(characters[begin])) ++begin;
  if (side != Side::left)
    while (end > begin && goes(characters[end - 1])) --end;
  return encode(std::u32string_view(characters).substr(begin, end - begin));
}

std::vector<std::string> split(std::string_view text, const std::optional<std::string>& separator,
                               std::int64_t most) {
  if (!separator) return split_at_space(decode(text), most);
  if (separator->empty()) fail("ValueError", "empty separator");
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    const std::size_t found = text.find(*separator, at);
    if (found == std::string_view::npos) break;
    parts.emplace_back(text.substr(at, found - at));
    at = found + separator->size();
  }
  parts.emplace_back(text.substr(at));
  return parts;
}

std::vector<std::string> split_right(std::string_view text, const std::optional<std::string>& separator,
                                     std::int64_t most) {
  if (!separator) return split_right_at_space(decode(text), most);
  if (separator->empty()) fail("ValueError", "empty separator");
  std::vector<std::string> parts;
  std::size_t end = text.size();
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    if (end < separator->size()) break;
    const std::size_t found = text.substr(0, end).rfind(*separator);
    if (found == std::string_view::npos) break;
    parts.emplace_back(text.substr(found + separator->size(), end - found - separator->size()));
    end = found;
  }
  parts.emplace_back(text.substr(0, end));
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  const std::u32string characters = decode(text);
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t at = 0; at < characters.size(); ++at) {
    if (!is_line_end(characters[at])) continue;
    const std::size_t end = at;
    if (characters[at] == U'\r' && at + 1 < characters.size() && characters[at + 1] == U'\n') ++at;
    lines.push_back(
        encode(std::u32string_view(characters).substr(start, (keep_ends ? at + 1 : end) - start)));
    start = at + 1;
  }
  if (start < characters.size()) lines.push_back(encode(std::u32string_view(characters).substr(start)));
  return lines;
}

std::int64_t count(std::string_view text, std::string_view part) {
  if (part.empty()) return static_cast<std::int64_t>(character_count(text)) + 1;
  std::int64_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, std::int64_t most) {
  if (from.empty()) return replace_between(text, to, most);
  std::string out;
  std::size_t at = 0;
  for (std::int64_t done = 0; most < 0 || done < most; ++done) {
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
  }
  out += text.substr(at);
  return out;
}

std::int64_t find_part(std::string_view text, std::string_view part, bool from_right) {
  const std::size_t found = from_right ? text.rfind(part) : text.find(part);
  if (found == std::string_view::npos) return -1;
  return static_cast<std::int64_t>(character_count(text.substr(0, found)));
}

std::string justify(std::string_view text, std::int64_t width, char32_t fill, Side side) {
  const auto length = static_cast<std::int64_t>(character_count(text));
  const std::int64_t missing = std::max<std::int64_t>(width - length, 0);
  std::int64_t before = 0;
  if (side == Side::right) before = missing;
  // CPython puts the odd space to the left when the width is odd too.
  if (side == Side::both) before = missing / 2 + (missing & width & 1);
  std::string out, pad;
  append_utf8(pad, fill);
  for (std::int64_t i = 0; i < before; ++i) out += pad;
  out += text;
  for (std::int64_t i = before; i < missing; ++i) out += pad;
  return out;
}

}  // namespace moelab::text::jinja
