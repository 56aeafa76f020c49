// The methods of Python's str on UTF-8 text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moelab::text::jinja {

std::u32string decode(std::string_view text);
std::string encode(std::u32string_view characters);
std::size_t character_count(std::string_view text);

// Python's str.isspace for one character.
bool is_space(char32_t code);

enum class Side { left, right, both };

// str.strip, lstrip, rstrip: without `chars` white space.
std::string strip(std::string_view text, Side side, const std::optional<std::string>& chars = std::nullopt);

// str.split and rsplit: without `separator` at runs of white space; `most` < 0 is no bound. Throws a Fault
// "ValueError" on an empty separator.
std::vector<std::string> split(std::string_view text, const std::optional<std::string>& separator,
                               std::int64_t most);
std::vector<std::string> split_right(std::string_view text, const std::optional<std::string>& separator,
                                     std::int64_t most);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends = false);

// How often `part` occurs without overlap; an empty one occurs between all characters.
std::int64_t count(std::string_view text, std::string_view part);

// str.replace: at most `most` times, all when negative.
std::string replace(std::string_view text, std::string_view from, std::string_view to, std::int64_t most);

// str.find and rfind as an index of characters, -1 when absent.
std::int64_t find_part(std::string_view text, std::string_view part, bool from_right = false);

// Case. Characters whose mapping depends on their surroundings or gives several characters (the German sharp
// s, the Greek final sigma, ligatures) are a Fault "Unsupported".
std::string lower(std::string_view text);
std::string upper(std::string_view text);
std::string title(std::string_view text);
std::string capitalize(std::string_view text);
// What the filter `title` does, which is not str.title.
std::string title_words(std::string_view text);

enum class CharacterClass { digit, letter, letter_or_digit, space, lower, upper };

// str.isdigit, isalpha, isalnum, isspace, islower, isupper. Throws a Fault "Unsupported" for numbers and
// cased marks beyond ASCII.
bool all_of_class(std::string_view text, CharacterClass wanted);

// str.ljust, rjust, center: `side` is where the text goes.
std::string justify(std::string_view text, std::int64_t width, char32_t fill, Side side);

}  // namespace moelab::text::jinja
