// Texts on which a careless search for an answer begins anew at every place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moelab::testing {

// A piece again and again, until there are at least `characters`.
inline std::string repeated(std::string_view piece, std::size_t characters) {
  std::size_t in_piece = 0;
  for (const char c : piece) in_piece += (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  std::string text;
  for (std::size_t count = 0; count < characters; count += in_piece) text += piece;
  return text;
}

// Lines of about that many characters, and a few texts of as many lines.
inline std::vector<std::string> hostile_texts(std::size_t characters) {
  std::vector<std::string> texts;
  for (const std::string_view piece : {"answer: ",
                                       "ANSWER: ",
                                       "ANSWER:\n",
                                       "ANSWER : A,",
                                       "**ANSWER**: ",
                                       "The answer is \n",
                                       "answer is (",
                                       "the answer is ",
                                       "answer is: (",
                                       "is ",
                                       "final answer ",
                                       "final answer is:",
                                       "\\boxed{",
                                       "\\frac1",
                                       "\\sqrt",
                                       "$",
                                       "$ A",
                                       "**A",
                                       "** ",
                                       "(A",
                                       ":(A)",
                                       ": ",
                                       "#### ",
                                       "1,",
                                       "-",
                                       ",",
                                       "A_",
                                       "A ",
                                       "a",
                                       "{",
                                       "\xce\xa3",
                                       "\xce\xa3.",
                                       "\xce\xa3 a",
                                       "\xe4\xb8\xad",
                                       "\xe3\x80\x80",
                                       "\xc5\xbf"})
    texts.push_back(repeated(piece, characters));
  for (const std::string_view start :
       {"ANSWER:", "final answer", "answer is:", "$", "**", ":", "(", "\\boxed{"}) {
    const std::string begin(start);
    texts.push_back(begin + std::string(characters, ' '));
    texts.push_back(begin + repeated(" \n", characters) + "x");
    texts.push_back(begin + std::string(characters, 'A') + "x");
    texts.push_back(repeated(begin + " ,A", characters));
  }
  return texts;
}

}  // namespace moelab::testing
