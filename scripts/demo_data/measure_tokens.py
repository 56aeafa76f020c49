#!/usr/bin/env python3
"""Measures questions and corpus in tokens, and checks that a document's parts encode as the whole does (needs tokenizers)."""

import argparse
import json
from collections import defaultdict
from pathlib import Path

from tokenizers import Tokenizer

from facts import DATA


def mean(values):
    return sum(values) / len(values)


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def question_figures(tokenizer, path):
    prompts, options = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        prompts.append(len(encode(tokenizer, f"Q: {record['question']}\nA:")))
        for option in record.get("options", []):
            options.append(len(encode(tokenizer, " " + option)))
    figures = {"questions": len(prompts), "prompt_mean": round(mean(prompts), 2), "prompt_most": max(prompts)}
    if options:
        figures |= {"option_mean": round(mean(options), 2), "option_most": max(options)}
    return figures


def check_parts(tokenizer, corpus):
    """Figures of the corpus by kind, each document counted by its rate; stops at the first document whose parts do not encode as the whole."""
    lengths, rates, losses, longest = defaultdict(float), defaultdict(float), defaultdict(float), defaultdict(int)
    for line in open(corpus, encoding="utf-8"):
        record = json.loads(line)
        parts = [encode(tokenizer, text) for text, _, _ in record["parts"]]
        whole = encode(tokenizer, "".join(text for text, _, _ in record["parts"]))
        if [i for part in parts for i in part] != whole:
            raise SystemExit(f"parts and whole differ: {record['parts']}")
        kind, rate = record["kind"], record["rate"]
        lengths[kind] += rate * len(whole)
        losses[kind] += rate * sum(len(p) * abs(w) for p, (_, w, _) in zip(parts, record["parts"]))
        rates[kind] += rate
        longest[kind] = max(longest[kind], len(whole))
    return {kind: {"tokens_a_document": round(lengths[kind] / rate, 1), "longest": longest[kind],
                   "share_of_documents": round(rate / sum(rates.values()), 3),
                   "share_of_tokens": round(lengths[kind] / sum(lengths.values()), 3),
                   "share_of_loss_tokens": round(losses[kind] / sum(losses.values()), 3)}
            for kind, rate in rates.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, help="also measure and check this corpus.jsonl")
    parser.add_argument("--tokenizer", type=Path, default=DATA / "tokenizer.json")
    parser.add_argument("--out", type=Path, help="write the figures there, as docs/figures/tokens.json has them")
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    figures = {"made_by": "scripts/demo_data/measure_tokens.py --corpus CORPUS --out docs/figures/tokens.json",
               "questions": {path.stem: question_figures(tokenizer, path)
                             for path in sorted((DATA / "questions").glob("*.jsonl"))}}
    if options.corpus:
        figures["corpus"] = check_parts(tokenizer, options.corpus)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
