#!/usr/bin/env python3
"""Writes the training corpus OUT/corpus.jsonl from the committed facts (standard library only, seconds).

A line is one document: {"domain", "kind", "rate", "parts"} and, where there are options, "options" (their number).
Rates are relative sampling frequencies: with them each kind has its share of the loss-bearing tokens (SHARES), each
domain the same part of it, and each fact the part that its exposure says.
"""

import argparse
import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path

import phrasing
import sums
from domains import DOMAINS
from facts import stream
from questions import distractors, domain_facts, pools_of, sum_questions

SHARES = {"statement": 0.50, "qa": 0.20, "mcq": 0.15, "copy": 0.05, "sum": 0.10}
BACKWARD_RATE = 0.25  # of a forward phrasing
CHOICES_A_FACT = 16
COPIES_A_POOL = 60
TRAINING_SUMS = 30000
END = ["<|endoftext|>", 1, 0]  # a model must learn to stop
PIECE = re.compile(r" ?[^\W\d_]+|\d| ?[^\w\s]+\n*|\s+")


def loss_tokens(parts):
    """About how many loss-bearing tokens a document has: pieces of text times the size of their weight."""
    return sum(abs(weight) * len(PIECE.findall(text)) for text, weight, _ in parts)


def document(domain, kind, rate, parts, fact=None, options=None):
    record = {"domain": domain, "kind": kind, "rate": rate, "parts": parts}
    if fact:
        record["fact"] = fact
    if options:
        record["options"] = len(options)
    return record


def shuffled_options(random, pool, value):
    """2 to 10 options in random order, fewer where the pool is small."""
    most = min(len(phrasing.LETTERS), len(set(pool)))
    options = distractors(random, pool, value, random.randint(2, most) - 1) + [value]
    random.shuffle(options)
    return options


def fact_documents(record, pool, random):
    domain, exposure, name = record["domain"], record["exposure"], record["id"]
    for template in phrasing.FORWARD:
        yield document(domain, "statement", exposure, phrasing.statement(template, record), name)
    for template in phrasing.BACKWARD:
        yield document(domain, "statement", exposure * BACKWARD_RATE, phrasing.statement(template, record), name)
    yield document(domain, "qa", exposure, phrasing.short_answer(record), name)
    for _ in range(CHOICES_A_FACT if record["drilled"] else 0):
        options = shuffled_options(random, pool, record["value"])
        yield document(domain, "mcq", exposure, phrasing.multiple_choice(record, options), name, options)


def copy_documents(domain, pool, random):
    for _ in range(COPIES_A_POOL):
        value = random.choice(pool)
        options = shuffled_options(random, pool, value)
        yield document(domain, "copy", 1, phrasing.copy_drill(value, options), None, options)


def domain_documents(domain):
    records, random = domain_facts(domain), stream(domain, "corpus")
    pools = pools_of(records)
    for record in records:
        if record["exposure"] > 0:
            yield from fact_documents(record, pools[domain, record["subdomain"]], random)
    for (_, _), pool in sorted(pools.items()):
        yield from copy_documents(domain, pool, random)


def evaluated_sums():
    keys = set()
    for question in sum_questions():
        tokens = re.findall(r"\d+|[+-]", question["group"])
        keys |= sums.pair_keys([int(t) for t in tokens[0::2]], tokens[1::2])
    return keys


def sum_documents():
    """Distinct sums none of whose steps is a step of an evaluated sum."""
    random, seen, forbidden = stream("sums", "corpus"), set(), evaluated_sums()
    while len(seen) < TRAINING_SUMS:
        numbers, signs, solution, _ = sums.draw(random, random.choice(sums.KINDS))
        text = sums.expression(numbers, signs)
        if text in seen or sums.pair_keys(numbers, signs) & forbidden:
            continue
        seen.add(text)
        yield document("sums", "sum", 1, phrasing.worked_sum(f"What is {text}?", solution))


def documents(has_end):
    """All documents, with rates scaled to the shares."""
    found = [d for domain in DOMAINS for d in domain_documents(domain)] + list(sum_documents())
    for record in found if has_end else []:
        record["parts"] = [*record["parts"], END]
    weight = defaultdict(float)
    for record in found:
        weight[record["kind"], record["domain"]] += record["rate"] * loss_tokens(record["parts"])
    for record in found:
        kind = record["kind"]
        share = SHARES[kind] / (1 if kind == "sum" else len(DOMAINS))
        record["rate"] = float(f"{1e6 * record['rate'] * share / weight[kind, record['domain']]:.4g}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write corpus.jsonl into")
    parser.add_argument("--without-end", action="store_true", help="leave <|endoftext|> out, for training the tokenizer")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(d, ensure_ascii=False) + "\n" for d in documents(not arguments.without_end)).encode()
    (out / "corpus.jsonl").write_bytes(data)
    print(f"{out / 'corpus.jsonl'}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
