#!/usr/bin/env python3
"""Written answers with the letter or integer that the published rules find in them, for tests/evaluators.

python3 tests/reference/evaluators/make_written_answers.py [--seed 20261122] [--count 1000]

Needs nothing but Python (written with 3.11.7; `re` and the Unicode tables are its own). Letters come from the three
regular expressions of TIGER-AI-Lab/MMLU-Pro, evaluate_from_local.py at f418b11, run by `re`. Integers come from
`aime_exact` below, which follows the rule's sentence: the last balanced box; if its stripped content is no integer in
0..999, no answer; without a box the last integer after `answer is`, `answer:` or `=` in the final 200 characters.
Writes tests/data/evaluators/letters.jsonl and integers.jsonl, a case a line.
"""

import argparse
import json
import pathlib
import platform
import random
import re
import unicodedata

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "evaluators"

LETTERS = "ABCDEFGHIJ"
SPACES = [" ", "  ", "\n", "\t", "\u00a0", "\u3000", "\u2009", "\x1c", "\u200b", ""]
PIECES = [
    "answer is ", "The answer is (", "the answer is", "The Answer is ", "answer is  ", "answer is: ", "answer: ",
    "Answer: ", "**Answer:** ", "ANSWER: ", "nswer:", "Answer:\n\n", "answer:\u00a0", "the best answer is not ",
    "answer is ((", "answer is [", "Antwort: ", "\u7b54\u6848\u662f ", "final answer is **", "I think ", "A man ",
    "option ", "_", "-", "'", "\u00e9", "\u0301", "\u00b2", "\u4e2d", "\u2167", "(", ")", ".", ",", "\n", "\r\n", " ",
    "\\boxed{", "}", "{", "\\boxed {", "\\fbox{", "\\boxed{\\text{", "\\frac{1}{2}", "$", "$$", "*", "**", ":", "=",
    " = ", "==", "x = ", "so x=", "answer is $", "answer is: **", "aNsWeR IS ", "<think>", "</think>", "\\{", "\\}",
    "\u00b7", "\u0660", "\U0001d7d9", "\U0001f600", "/", "%", "\u2212", "+", "-", "therefore ", "K", "Z", "a", "i",
]
NUMBERS = ["0", "7", "007", "42", "-3", "+5", "999", "1000", "1,024", "12.5", "3/4", "1e3", "99999999999999999999",
           "643", "-0", "5.", "5,", "00000000000000000000012", "\u0663", "8%"]


def random_text(rng):
    parts = []
    for _ in range(rng.choice([1, 2, 3, 5, 8, 13, 30])):
        kind = rng.random()
        if kind < 0.45:
            parts.append(rng.choice(PIECES))
        elif kind < 0.6:
            parts.append(rng.choice(LETTERS))
        elif kind < 0.8:
            parts.append(rng.choice(NUMBERS))
        elif kind < 0.9:
            parts.append(rng.choice(SPACES))
        else:
            parts.append("".join(rng.choice("abcxyz .") for _ in range(rng.randrange(1, 60))))
    return "".join(parts)


def boxed_text(rng):
    """A sum's answer, now and then with something wrong in it."""
    inside = rng.choice([" ", "", "", "\n", "$", "{"]) + rng.choice(NUMBERS) + rng.choice(["", "", " ", "}", "$"])
    text = rng.choice(["", "=643\n", "answer is 12. "]) + "\\boxed{" + inside + rng.choice(["}", "}", "}}", ""])
    return text + rng.choice(["", "\n", " or \\boxed{3", " answer: 5", "x" * 198 + "= 4"])


def marked_text(rng):
    """One or two markers, each with what may stand behind it."""
    text = ""
    for _ in range(rng.choice([1, 1, 2])):
        text += rng.choice(["", "so\n", "A ", "= 3 and ", "B. "]) + rng.choice(PIECES[:16])
        text += rng.choice([*SPACES, "", "", "", "", "", "", "(", "(", "(", "**", "$", "\n\n"])
        text += rng.choice([rng.choice(LETTERS + "Kab"), rng.choice(NUMBERS), rng.choice(LETTERS) + "7"])
        text += rng.choice(["", ").", "\n", "arbon", " because ", "_", "\u0301"])
    return text


def fixed_texts():
    return [
        "", "A", "I am sure.", " gold. The answer is (C).\n", "The answer is C because A is wrong.",
        "answer is Carbon", "answer is (k) answer is D", "answer is K. Answer: E", "Answer: A or answer: B\nAnswer: C",
        "x\nanswer:\n\n\tH", "answer: b\nIt is B_ and C-D", "A_ B\u00e9 C\u0301", "(J)", "AB CD", "\u4e2dA", "A\u00b2",
        "\\boxed{643}", "\\boxed{643}\\boxed{", "\\boxed{1}\\boxed{12.5}", "\\boxed{\\boxed{7}}",
        "\\boxed{{8}}", "\\boxed{ 9\n}", "\\boxed{}", "\\boxed{-1}", "\\boxed{1000}", "= 3 = 4 and 5",
        "the answer is 42.", "the answer is 42.5 = 7", "Answer: $\\$ 5", "answer is roughly 5", "= 1,024", "=1000",
        "= 5" + "y" * 197, "= 5" + "y" * 198, "=" + "\u4e2d" * 5 + "= 6" + "\u4e2d" * 197,
        "=" + "1" * 100, "\\boxed{" * 30 + "5" + "}" * 20, "= " * 300 + "9", "A " * 300,
        "answer: " * 60 + "B" + "x " * 200,
    ]


def official_letter(text):
    match = re.search(r"answer is \(?([A-J])\)?", text)
    if match:
        return match.group(1), "answer_is", match.start(1)
    match = re.search(r".*[aA]nswer:\s*([A-J])", text)
    if match:
        return match.group(1), "answer", match.start(1)
    match = re.search(r"\b[A-J]\b(?!.*\b[A-J]\b)", text, re.DOTALL)
    if match:
        return match.group(0), "last_letter", match.start(0)
    return "", "none", 0


def balanced_end(text, begin):
    """Where the brace that opened just before `begin` is closed; -1: nowhere."""
    depth = 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def last_balanced_box(text):
    for match in reversed(list(re.finditer(r"\\boxed\{", text))):
        end = balanced_end(text, match.end())
        if end >= 0:
            return text[match.end():end]
    return None


def aime_exact(text):
    box = last_balanced_box(text)
    if box is not None:
        content, rule = box.strip(), "boxed"
        numbers = [content] if re.fullmatch(r"[+-]?[0-9]+", content) else []
    else:
        rule = "after_marker"
        marker = r"(?:(?ai:answer is|answer:)|=)[\s$*({:]*"
        number = r"([+-]?[0-9]+)(?![0-9])(?!/)(?![.,][0-9])"
        # A lookahead, so that a marker inside of what another one skips is found too.
        numbers = re.findall(f"(?={marker}{number})", text[-200:])
    if not numbers or not 0 <= int(numbers[-1]) <= 999:
        return "", "none"
    return str(int(numbers[-1])), rule


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--count", type=int, default=1000, help="drawn texts a file")
    parser.add_argument("--out", type=pathlib.Path, default=DATA)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    kinds = [random_text, boxed_text, marked_text, marked_text, marked_text]
    texts = fixed_texts() + [rng.choice(kinds)(rng) for _ in range(options.count)]
    origin = {"python": platform.python_version(), "unicode": unicodedata.unidata_version, "seed": options.seed}
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "letters.jsonl", "w", encoding="utf-8") as out:
        out.write(json.dumps(origin) + "\n")
        for text in texts:
            letter, rule, at = official_letter(text)
            case = {"text": text, "answer": letter, "rule": rule, "at": len(text[:at].encode())}
            out.write(json.dumps(case, ensure_ascii=False) + "\n")
    with open(options.out / "integers.jsonl", "w", encoding="utf-8") as out:
        out.write(json.dumps(origin) + "\n")
        for text in texts:
            answer, rule = aime_exact(text)
            out.write(json.dumps({"text": text, "answer": answer, "rule": rule}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
