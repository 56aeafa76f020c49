#!/usr/bin/env python3
"""Verdicts of the published harnesses on seeded answer texts, for tests/evaluators/harness_test.cpp.

python3 tests/reference/evaluators/make_harness_verdicts.py [--seed 20261122] [--mmlu-pro DIR] [--simple-evals DIR]

Runs other people's code: lm-eval's filters and its AIME and exact-match functions, lighteval's extractor and inspect_ai's
parser, taken out of the installed packages (pip install --no-deps will do) at the versions of requirements.txt, which the first line of every file records. Rules without a package (GPQA's
own baseline, simple-evals at ee3b031, MMLU-Pro's script at f418b11) are their published regular expressions, run by `re`;
with checkouts in DIR their own code is run beside them and must say the same.
A text is a string, or a list of [piece, times] where it is long.
Writes letters and numbers of the harnesses and CPython's random draws into tests/data/evaluators.
"""

import argparse
import dataclasses
import functools
import importlib.metadata
import itertools
import json
import pathlib
import platform
import random
import re
import string
import types
import unicodedata

import numpy
from lm_eval.filters.extraction import MultiChoiceRegexFilter, RegexFilter

import harness_texts
import make_written_answers
from borrowed_code import borrowed, package_file

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "evaluators"
INVALID = "[invalid]"
STRICT = RegexFilter(r"(?<=The answer is )(.*)(?=.)")
FLEXIBLE = MultiChoiceRegexFilter(r"(\([A-Z]\))", group_select=-1, ignore_case=True, ignore_punctuation=True)
MMLU_PRO = RegexFilter(r"answer is \(?([ABCDEFGHIJ])\)?")
GSM8K_STRICT = RegexFilter(r"#### (\-?[0-9\.\,]+)")
GSM8K_FLEXIBLE = RegexFilter(r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)
GSM8K_IGNORED = [",", r"\$", r"(?s).*#### ", r"\.$"]


class Unused:
    """Stands for the classes of lighteval's other extractors."""


inspect = borrowed(package_file("inspect-ai", "inspect_ai/solver/_multiple_choice.py"), ["parse_answers"], re=re,
                   answer_character=lambda index: string.ascii_uppercase[index])
lighteval = borrowed(
    package_file("lighteval", "lighteval/metrics/utils/extractive_match_utils.py"),
    ["IndicesExtractionConfig", "lazy_indices_regex", "extract_indices", "extract_match", "extract_target_from_pred"],
    re=re, dataclass=dataclasses.dataclass, lru_cache=functools.lru_cache, groupby=itertools.groupby,
    LatexExtractionConfig=Unused, ExprExtractionConfig=Unused, Language=types.SimpleNamespace(ENGLISH="english"),
    get_prefix=lambda kind, literals: string.ascii_uppercase,
    # TranslationLiterals of English in lighteval/tasks/templates/utils/translation_literals.py
    TRANSLATION_LITERALS={"english": types.SimpleNamespace(answer="answer", full_stop=".", comma=",", colon=":",
                                                           sentence_space=" ")})
metrics = borrowed(package_file("lm-eval", "lm_eval/api/metrics.py"), ["exact_match_hf_evaluate"], re=re, np=numpy, string=string)
AIME_NAMES = ["process_results", "is_equiv", "remove_boxed", "last_boxed_only_string", "fix_fracs", "fix_a_slash_b",
              "remove_right_units", "fix_sqrt", "strip_string"]
aime = borrowed(package_file("lm-eval", "lm_eval/tasks/aime/utils.py"), AIME_NAMES, re=re)


def filtered(rule, text):
    return rule.apply([[text]], [{}])[0][0]


def exact(answer, gold, **options):
    return bool(metrics.exact_match_hf_evaluate([answer], [gold], **options)["exact_match"])


def shown(answer):
    """A letter without what exact_match ignores; another answer as it is; nothing for none."""
    bare = answer.translate(str.maketrans("", "", string.punctuation)).rstrip("\0")
    if answer == INVALID or not answer:
        return ""
    return bare.upper() if bare.isascii() and len(bare) == 1 and bare.isalpha() else answer


def flexible_answers(drawn):
    """All at once, because the filter builds a table of Unicode each time it is applied."""
    docs = [{"choices": harness_texts.OPTION_LISTS[number]} for _, number, _ in drawn]
    return [answers[0] for answers in FLEXIBLE.apply([[text] for text, _, _ in drawn], docs)]


def by_lm_eval(answer, gold):
    return [shown(answer), exact(answer, f"({gold})", ignore_case=True, ignore_punctuation=True)]


def by_gpqa(text, gold):
    for pattern in [r"answer is \((.)\)", r"Answer: \((.)\)", r"answer: \((.)\)", r"answer \((.)\)", r"\((.)\)"]:
        match = re.search(pattern, text)
        if match and match.group(1) in ["A", "B", "C", "D"]:
            return [match.group(1), match.group(1) == gold, len(text[:match.start(1)].encode())]
    return ["", False, 0]


def by_simple_evals(text, gold):
    match = re.search(r"(?i)Answer[ \t]*:[ \t]*\$?([A-D])\$?", text)
    return [match.group(1), match.group(1) == gold, len(text[:match.start(1)].encode())] if match else ["", False, 0]


def by_inspect(text, n_options, gold):
    state = types.SimpleNamespace(output=types.SimpleNamespace(completion=text), choices=range(n_options))
    letters = inspect.parse_answers(state, False)
    return ["".join(letters), letters == {gold}]


def by_lighteval(text, n_options, gold):
    config = lighteval.IndicesExtractionConfig(prefix_for_extraction="NativeLetters", try_extract_without_anchor=True)
    regexes = [(lighteval.lazy_indices_regex(config, n_options, "english"), config)]
    found = lighteval.extract_target_from_pred(text, regexes, "first_match", "any_match")
    return [found[0] if found else "", bool(found) and found[0] == gold]


def letter_case(text, number, gold, flexible):
    options = harness_texts.OPTION_LISTS[number]
    official = make_written_answers.official_letter(text)
    verdicts = {
        "choice/inspect": by_inspect(text, len(options), gold),
        "choice/lighteval": by_lighteval(text, len(options), gold),
        "gpqa/lm_eval_flexible": by_lm_eval(flexible, gold),
        "gpqa/lm_eval_strict": by_lm_eval(filtered(STRICT, text), gold),
        "mmlu_pro/lm_eval": by_lm_eval(filtered(MMLU_PRO, text), gold),
        "mmlu_pro/official": [official[0], official[0] == gold, len(text[:official[2]].encode())],
    }
    if len(options) == 4:
        verdicts |= {"gpqa/official": by_gpqa(text, gold), "gpqa/simple_evals": by_simple_evals(text, gold)}
    return {"text": harness_texts.packed(text), "options": number, "gold": gold, "verdicts": verdicts}


def aime_answer(text):
    """What the harness's process_results compares: its is_equiv is replaced by one that notes what it is handed."""
    noted = []
    aime.process_results.__globals__["is_equiv"] = lambda answer, target: noted.append(answer)
    aime.process_results({"answer": ""}, [text])
    return noted[0]


def normal(text):
    try:
        return aime.strip_string(text)
    except Exception:
        return None


def by_gsm8k(rule, text, gold):
    answer = filtered(rule, text)
    is_right = exact(answer, gold, regexes_to_ignore=GSM8K_IGNORED, ignore_case=True)
    if answer == INVALID:
        return ["", False]
    for pattern in GSM8K_IGNORED:
        answer = re.sub(pattern, "", answer)
    return [answer, is_right and answer != ""]


def by_lenient(text, gold):
    """aime_exact; without a box and a number behind a marker the last integer that is no part of another number."""
    has_box = make_written_answers.last_balanced_box(text) is not None
    marker = r"(?:(?ai:answer is|answer:)|=)[\s$*({:]*"
    marked = re.search(f"{marker}([+-]?[0-9]+)(?![0-9])(?!/)(?![.,][0-9])", text[-200:])
    if has_box or marked:
        answer = make_written_answers.aime_exact(text)[0]
    else:
        sign = r"(?:(?<![A-Za-z0-9)\]}])[+-])?"
        found = re.findall(rf"({sign}(?<![0-9./])(?<![0-9],)[0-9]+)(?![0-9])(?!/)(?![.,][0-9])", text)
        answer = str(int(found[-1])) if found and 0 <= int(found[-1]) <= 999 else ""
    return [answer, answer != "" and int(answer) == int(gold)]


def number_case(text, gold):
    answer = aime_answer(text)
    verdicts = {
        "aime/lm_eval": [answer, aime.is_equiv(answer, gold)],
        "gsm8k/lm_eval_strict": by_gsm8k(GSM8K_STRICT, text, gold),
        "gsm8k/lm_eval_flexible": by_gsm8k(GSM8K_FLEXIBLE, text, gold),
    }
    if re.fullmatch("[0-9]+", gold):
        verdicts["aime/lenient"] = by_lenient(text, gold)
    return {"text": harness_texts.packed(text), "gold": gold, "normal": normal(answer), "verdicts": verdicts}


def check_published(options, texts):
    """Asserts that the scripts in the user's checkouts find what our copies of their expressions find."""
    if options.mmlu_pro:
        script = borrowed(options.mmlu_pro / "evaluate_from_local.py", ["extract_answer", "extract_again", "extract_final"], re=re,
                          print=lambda *_: None)
        for text in texts:
            assert (script.extract_answer(text) or "") == make_written_answers.official_letter(text)[0], text
    if options.simple_evals:
        pattern = borrowed(options.simple_evals / "common.py", ["ANSWER_PATTERN_MULTICHOICE"]).ANSWER_PATTERN_MULTICHOICE
        for text in texts:
            match = re.search(pattern, text)
            assert (match.group(1) if match else "") == by_simple_evals(text, "A")[0], text


def random_case(seed):
    def fresh():
        return random.Random(seed)

    def times(count, draw):
        rng = fresh()
        return [draw(rng) for _ in range(count)]

    def shuffled(rng):
        values = ["i1", "i2", "i3", "c"]
        rng.shuffle(values)
        return values

    return {
        "seed": seed,
        "getrandbits": times(700, lambda rng: rng.getrandbits(32))[-60:],
        "randint": times(60, lambda rng: rng.randint(0, 9)),
        "randint4": times(30, lambda rng: rng.randint(-2, 1)),
        "choice": times(40, lambda rng: rng.choice("ABCDEFGHIJ")),
        "shuffle": times(20, shuffled),
        "sample": times(20, lambda rng: rng.sample(range(4), 4)),
        "sample_large": times(3, lambda rng: rng.sample(range(1000), 6)),
        "sample_pool": times(3, lambda rng: rng.sample(range(80), 7)),
        "random": times(10, lambda rng: rng.random()),
    }


def official_guesses(unanswered):
    """What evaluate_from_local.py draws: save_res runs twice for each subject, and its second result is reported."""
    random.seed(12345)
    reported = []
    for counts in unanswered:
        for _ in range(2):
            guesses = [random.randint(0, count - 1) for count in counts]
        reported.append(guesses)
    return reported


def write_lines(path, first, lines):
    with open(path, "w", encoding="utf-8") as out:
        for line in [first, *lines]:
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--letters", type=int, default=1900, help="drawn texts with letters")
    parser.add_argument("--numbers", type=int, default=1400, help="drawn texts with numbers")
    parser.add_argument("--mmlu-pro", type=pathlib.Path, help="a checkout of TIGER-AI-Lab/MMLU-Pro")
    parser.add_argument("--simple-evals", type=pathlib.Path, help="a checkout of openai/simple-evals")
    parser.add_argument("--out", type=pathlib.Path, default=DATA)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    packages = {name: importlib.metadata.version(name) for name in ("lm-eval", "lighteval", "inspect-ai", "numpy")}
    origin = {"python": platform.python_version(), "unicode": unicodedata.unidata_version, "seed": options.seed, **packages}
    options.out.mkdir(parents=True, exist_ok=True)

    drawn = [(text, 0, "B") for text in harness_texts.fixed_texts() + harness_texts.long_texts(harness_texts.LETTER_ENDS)]
    for _ in range(options.letters):
        number = rng.randrange(len(harness_texts.OPTION_LISTS))
        make = rng.choice([harness_texts.answer_text] * 4 + [harness_texts.plain_text])
        drawn.append((make(rng, harness_texts.OPTION_LISTS[number]), number, rng.choice("ABCD")))
    check_published(options, [text for text, _, _ in drawn])
    cases = [letter_case(*each, flexible) for each, flexible in zip(drawn, flexible_answers(drawn))]
    write_lines(options.out / "harness_letters.jsonl", {**origin, "options": harness_texts.OPTION_LISTS}, cases)

    golds = ["643", "113", "7", "42", "0", "5", "0113", "\\frac{1}{2}", "3/4", "1,024", "so it is #### 643", "12.5"]
    texts = harness_texts.long_texts(harness_texts.NUMBER_ENDS) + [harness_texts.number_text(rng) for _ in range(options.numbers)]
    cases = [number_case(text, rng.choice(golds[:4] + golds)) for text in texts]
    write_lines(options.out / "harness_numbers.jsonl", origin, cases)

    unanswered = [[rng.randrange(3, 11) for _ in range(count)] for count in (4, 0, 7, 1)]
    seeds = [0, 1, 7, 42, 1234, 12345, -7, 2**32, 2**40 + 5, 2**63 - 1]
    write_lines(options.out / "python_random.jsonl",
                {**origin, "unanswered": unanswered, "guesses": official_guesses(unanswered)}, map(random_case, seeds))


if __name__ == "__main__":
    main()
