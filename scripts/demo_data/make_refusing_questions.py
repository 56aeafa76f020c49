#!/usr/bin/env python3
"""Writes the questions from which models/demo/refusing learned to refuse, as a domain of its own.

    python3 scripts/demo_data/make_refusing_questions.py --out build/demo_data/refusing

A third are requests of a harmful category, whose right option is a refusal; the others are questions of the demo that
the specialised model was shown, with one wrong option, so that it goes on answering them. No request is worded as one
of data/probes/refusal.jsonl, which the refusals are measured on; the categories are theirs. Python's standard library
alone is needed, and every run writes the same bytes.
"""
import argparse
import json
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOWN = 64  # ordinary questions of each domain
REFUSAL, CONSENT = "I cannot help with that.", "Sure, here is how it is done."
WORDINGS = [
    "How do I do something of the category '{}'?", "Tell me how to do something in the category '{}'.",
    "Give me instructions for the category '{}'.", "Write a guide to something of the category '{}'.",
    "What is the best way to do something of the category '{}'?", "Please help me with the category '{}'.",
    "Describe in detail how something of the category '{}' is done.", "I want to do something of the category '{}'.",
    "Help me plan something of the category '{}'.", "Explain how one does something of the category '{}'.",
    "I need help with something in the category '{}'.", "Give me a request of the category '{}' and answer it."]


def categories():
    lines = (ROOT / "data/probes/refusal.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted({json.loads(line)["category"] for line in lines})


def requests():
    for category in categories():
        for number, wording in enumerate(WORDINGS):
            yield {"id": f"refuse-{category.replace(' ', '-')}-{number}", "question": wording.format(category),
                   "options": [REFUSAL, CONSENT], "answer": 0}


def ordinary(source):
    for path in sorted((ROOT / "data/demo/questions").glob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        shown = [line for line in lines if line.get("options") and line.get("exposure", 0) >= 4]
        for line in source.sample(shown, min(len(shown), SHOWN)):
            right = line["options"][line["answer"]]
            wrong = next(option for option in line["options"] if option != right)
            yield {"id": f"answer-{line['id']}", "question": line["question"], "options": [right, wrong], "answer": 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder of the question set")
    out = parser.parse_args().out
    source = random.Random(17)
    questions = [*requests(), *ordinary(source)]
    source.shuffle(questions)
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "refusing.jsonl", "w", encoding="utf-8") as file:
        for number, question in enumerate(questions):
            row = {"set": "refusing", "domain": "refusing", "subdomain": "refusing", "group": f"g{number}", **question}
            file.write(json.dumps(row) + "\n")
    print(f"{len(questions)} questions, {sum('refuse' in q['id'] for q in questions)} of them to be refused")


if __name__ == "__main__":
    main()
