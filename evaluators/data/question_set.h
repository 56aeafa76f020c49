// The published sets of questions by their own column names: MMLU-Pro, GPQA, AIME, GSM8K and MMLU.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluators/data/table.h"

namespace moelab::data {

enum class SetKind { mmlu_pro, gpqa, aime, gsm8k, mmlu };

std::string_view name_of(SetKind kind);

// One question as its file has it; nothing is stripped.
struct SetQuestion {
  std::string name;  // "mmlu_pro-70"; from the file's id, else from a digest of the content
  std::string text;
  std::vector<std::string> options;  // GPQA: the correct one first, then the incorrect ones 1 to 3
  std::size_t answer = 0;            // index of the right option; MMLU-Pro: among all options, "N/A" included
  std::string number;                // the answer of a question without options, as text: "204", "5,600"
  std::string domain;     // MMLU-Pro: category; GPQA: high-level domain; MMLU: subject; else the set
  std::string subdomain;  // GPQA
  // MMLU-Pro: cot_content, which the five examples of a category have; GSM8K: the whole answer.
  std::string solution;
};

struct QuestionSet {
  SetKind kind = SetKind::mmlu_pro;
  std::string layout;  // whose columns: "TIGER-Lab/MMLU-Pro"
  std::vector<SetQuestion> questions;

  // GPQA's makers ask that its questions appear nowhere in plain text.
  bool is_private() const { return kind == SetKind::gpqa; }
};

// Which published set a table has the columns of. Throws FileError that lists the table's columns and those
// of each known set.
std::string_view layout_of(const Table& table);

// Reads the files, one after another, as one set. Throws FileError naming file and row: another set's
// columns, two sets, an empty question, fewer than two options, an answer that is none of the options (a
// letter and an index that disagree, too), an AIME answer that is no integer from 0 to 999, a GSM8K answer
// without "####", an id that is there twice. A degree sign, dollars and spaces around an AIME answer are
// taken off.
QuestionSet read_question_set(std::span<const std::filesystem::path> files, const ReadLimits& limits = {});

// SHA-256 over names and contents, whatever their order.
std::string set_digest(const QuestionSet& set);

}  // namespace moelab::data
