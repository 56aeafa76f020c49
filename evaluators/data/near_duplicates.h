// Groups of questions that must not be split: those that share a stem, or are the same but for small changes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moelab::data {

// A text as it is compared: lower case, every run of other characters than letters and numbers one space.
std::string normalized_text(std::string_view text);

// What groups compare: the question's text, and a label that is the first of its group.
struct GroupItem {
  std::string name;
  std::string text;
};

struct GroupOptions {
  double similarity = 0.8;  // least share of common word triples (Jaccard) of near-duplicates
  std::size_t stem_words =
      25;  // questions of which the first so many words agree share a stem; 0: not looked at
};

// The group of each question, named by the alphabetically first of its members' names. Two questions are of
// one group when their normalised texts are equal, when they begin with the same `stem_words` words (a
// passage that several questions ask about), or when at least `similarity` of their word triples are common;
// and so are questions joined by a third. Candidates share one of the rarest triples of either (prefix
// filtering: Chaudhuri, Ganti and Kaushik 2006), so the result is exact and does not depend on the order of
// the questions.
std::vector<std::string> duplicate_groups(std::span<const GroupItem> items, const GroupOptions& options = {});

}  // namespace moelab::data
