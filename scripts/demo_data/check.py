#!/usr/bin/env python3
"""Checks the committed questions and the corpus made from them (standard library only, under a minute).

Questions are compared with the fact tables, worked sums with Python's arithmetic, documents with the facts that must
never be shown. Prints every fault and ends with status 1 if there is one.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import make_corpus
import make_questions
from domains import DOMAINS
from facts import DATA

LEAST_QUESTIONS, LEAST_SUMS = 900, 300
SPLIT_SIZES = {"discovery": 200, "tuning": 200, "test": 500}
MOST_BYTES = 4_000_000
faults = []


def expect(condition, message, text=None):
    if not condition:
        faults.append(message if text is None else f"{message}: {text!r}")


def load(folder):
    """domain -> its committed questions; every file must be what the scripts make today."""
    made, questions = make_questions.files(), {}
    for name, text in made.items():
        path = folder / name
        expect(path.exists() and path.read_text(encoding="utf-8") == text, f"{path}: differs from what is made anew")
        questions[path.stem] = [json.loads(line) for line in text.splitlines()]
    return questions


def check_question(question, value, pool):
    name, options = question["id"], question["options"]
    expect(len(options) == 10 == len(set(options)), f"{name}: not ten distinct options")
    expect(set(options) <= pool, f"{name}: an option is not a value of '{question['subdomain']}'")
    expect(options[question["answer"]] == value, f"{name}: the answer is not the fact's value '{value}'")
    expect(question["exposure"] == 0 or 1 <= question["exposure"] <= 64, f"{name}: exposure out of range")
    expect(all(re.search(r"[A-Za-z]$", o) for o in options), f"{name}: an option does not end with a letter")


def check_domain(domain, questions):
    facts = {(f.attribute, f.entity): f.value for f in DOMAINS[domain]()}
    pools = defaultdict(set)
    for (attribute, _), value in facts.items():
        pools[attribute].add(value)
    for question in questions:
        attribute = question["subdomain"]
        check_question(question, facts.get((attribute, question["group"])), pools[attribute])
    expect(len(questions) >= LEAST_QUESTIONS, f"{domain}: only {len(questions)} questions")
    unseen = sum(q["exposure"] == 0 for q in questions) / len(questions)
    expect(0.19 <= unseen <= 0.21, f"{domain}: {unseen:.3f} of the facts are never shown")
    places = Counter(q["answer"] for q in questions)
    expect(max(places.values()) - min(places[i] for i in range(10)) <= 1, f"{domain}: unbalanced answer positions")
    check_known(domain, questions)
    check_split(domain, questions)


def check_known(domain, questions):
    """Every entity and every value of an unseen fact is shown with some other fact."""
    shown = [q for q in questions if q["exposure"] > 0]
    entities = {q["group"] for q in shown}
    values = {(q["subdomain"], q["options"][q["answer"]]) for q in shown}
    for q in questions:
        expect(q["group"] in entities, f"{q['id']}: nothing at all is shown of {q['group']}")
        expect((q["subdomain"], q["options"][q["answer"]]) in values, f"{q['id']}: its value is never shown")


def check_split(domain, questions):
    """Whole entities, taken in order, fill discovery, tuning and test."""
    sizes = Counter(q["group"] for q in questions)
    need = dict(SPLIT_SIZES)
    for size in sizes.values():
        part = next((p for p in need if need[p] > 0), None)
        if part:
            need[part] -= size
    expect(all(n <= 0 for n in need.values()), f"{domain}: entities cannot fill {SPLIT_SIZES}")
    expect(max(sizes.values()) <= 0.02 * len(questions), f"{domain}: one entity has too many questions")


def check_sums(questions):
    expect(len(questions) >= LEAST_SUMS, f"sums: only {len(questions)} questions")
    for q in questions:
        expect(re.fullmatch(r"\d+([+-]\d+)+", q["group"]) and q["question"] == f"What is {q['group']}?",
               f"{q['id']}: not a sum")
        expect(0 <= q["answer"] <= 999 and signed_sum(q["group"]) == q["answer"], f"{q['id']}: wrong answer")
        expect(is_right(q["group"], q["solution"]), f"{q['id']}: wrong working")


def signed_sum(expression):
    return sum(int(term) for term in re.findall(r"[+-]?\d+", expression))


def is_right(expression, solution):
    """Every column's line holds, the steps' results follow, and the box has the sum."""
    match = re.fullmatch(r"<think>\n(.*)\n</think>\n\\boxed\{(\d+)\}\n?", solution, re.S)
    if not match or int(match[2]) != signed_sum(expression):
        return False
    stated = None
    for line in match[1].split("\n"):
        if line.startswith("="):
            if int(line[1:]) != signed_sum(stated):
                return False
        elif "=" in line:
            left, right = line.split("=")
            wanted = signed_sum(left)
            if wanted % 10 != int(right[1]) or abs(wanted // 10) != int(right[0]):
                return False
        else:
            stated = line
    return True


def unseen_matcher(questions):
    """A pattern of the entities with unseen facts, and entity -> the attributes that must not be told."""
    hidden = defaultdict(set)
    for q in questions:
        if q["exposure"] == 0:
            hidden[q["group"]].add(q["subdomain"])
    names = sorted(hidden, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, names)) + r")(?!\w)"), hidden


def check_document(document, text, matchers, questions):
    expect(text.endswith("\n") and all(part[0] for part in document["parts"]), "malformed document", text)
    expect(document["rate"] > 0, "document without a rate", text)
    if document["kind"] == "sum":
        expression = re.match(r"Q: What is (.*)\?\n", text)[1]
        expect(is_right(expression, text.split("A:", 1)[1]), "wrong working", text)
        return
    pattern, hidden = matchers[document["domain"]]
    for entity in pattern.findall(text):
        told = [a for a in hidden[entity] if a in text]
        expect(not told, "a document tells an unseen fact", text)
    if document["kind"] != "copy":
        question = questions[document["fact"]]
        expect(question["exposure"] > 0, "a document of an unseen fact", text)
        expect(document["kind"] != "mcq" or question["drilled"], "multiple choice of an undrilled entity", text)
    if document["kind"] in ("mcq", "copy"):
        check_choice(document, text)


def check_choice(document, text):
    options = re.findall(r"\([A-J]\) (.+?)(?= \([A-J]\)|\n)", text.split("?\n")[1].split("\nAnswer:")[0] + "\n")
    answer, letter = re.search(r"\nAnswer: (.+)\. The answer is \(([A-J])\)\.\n$", text).groups()
    expect(len(set(options)) == len(options) == document["options"], "wrong options", text)
    expect(options["ABCDEFGHIJ".index(letter)] == answer, "wrong letter", text)


def steps_of(text):
    """The operations that a worked sum spells out, such as ('+', 57, 386); addition in sorted order."""
    steps = set()
    for left, sign, right in re.findall(r"^(\d{3})([+-])(\d{3})$", text, re.M):
        pair = (int(left), int(right))
        steps.add((sign, *(sorted(pair) if sign == "+" else pair)))
    return steps


def check_corpus(documents, questions):
    by_id = {q["id"]: q for qs in questions.values() for q in qs}
    matchers = {d: unseen_matcher(questions[d]) for d in DOMAINS}
    evaluated = set().union(*(steps_of(q["solution"]) for q in questions["sums"]))
    for document in documents:
        expect(document["parts"][-1] == ["<|endoftext|>", 1, 0], "document without its end", document)
        text = "".join(part[0] for part in document["parts"][:-1])
        check_document(document, text, matchers, by_id)
        if document["kind"] == "sum":
            expect(not steps_of(text) & evaluated, "a document works an evaluated sum", text)
    told = {d["fact"] for d in documents if d["kind"] == "qa"}
    expect(told == {i for i, q in by_id.items() if q["exposure"] > 0}, "not every shown fact is in the corpus")


def check_all(questions):
    for key in ("id", "question"):
        counts = Counter(q[key] for qs in questions.values() for q in qs)
        expect(max(counts.values()) == 1, f"{key} occurs twice: {counts.most_common(1)[0][0]}")
    for domain in DOMAINS:
        check_domain(domain, questions[domain])
    check_sums(questions["sums"])
    size = sum(p.stat().st_size for p in DATA.rglob("*") if p.is_file())
    expect(size <= MOST_BYTES, f"data/demo holds {size} bytes, more than {MOST_BYTES}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="check this corpus.jsonl instead of making one in memory")
    corpus = parser.parse_args().corpus
    questions = load(DATA / "questions")
    check_all(questions)
    documents = list(map(json.loads, open(corpus, encoding="utf-8"))) if corpus else make_corpus.documents()
    check_corpus(documents, questions)
    for fault in faults[:20]:
        print(f"fault: {fault}")
    for domain, records in questions.items():
        print(f"{domain:10} questions {len(records):5}  entities {len({q['group'] for q in records}):4}  "
              f"never shown {sum(q['exposure'] == 0 for q in records):4}")
    print(f"documents {len(documents)}, faults {len(faults)}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
