#!/usr/bin/env python3
"""Writes tests/data/discovery: token importance, classes, routing counts, expert scores and rankings of the tiny
checkpoints in tests/data/model, worked out from the formulas. Run tests/reference/model/make_fixtures.py first.

    python3 tests/reference/discovery/make_discovery.py [--search]
"""
import argparse
import itertools
import json
import pathlib
import random
import sys

import numpy
import torch
import torch.nn.functional as F
import transformers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))

import measures  # noqa: E402
import token_table  # noqa: E402
from checkpoints import data_folder  # noqa: E402
from expected import load  # noqa: E402
from make_fixtures import versions, write_fields  # noqa: E402
from steered_router import Steering  # noqa: E402

SEEDS = {"qwen3_moe_tiny": 2, "olmoe_tiny": 1}
DOMAINS = ("chemistry", "history", "maths")
QUESTIONS = 5
CASES = (
    {"name": "default", "loss": "prompt", "percentile": 15.0, "punctuation": "unicode", "alignment": "aligned"},
    {"name": "released", "loss": "prompt", "percentile": 15.0, "punctuation": "substring",
     "alignment": "released_code"},
    {"name": "released_50", "loss": "prompt", "percentile": 50.0, "punctuation": "substring",
     "alignment": "released_code"},
    {"name": "substring_50", "loss": "prompt", "percentile": 50.0, "punctuation": "substring",
     "alignment": "aligned"},
    {"name": "answer_50", "loss": "answer", "percentile": 50.0, "punctuation": "unicode", "alignment": "aligned"},
)
ALIGNMENTS = {"aligned": measures.aligned_classes, "released_code": measures.drifting_classes}


def draw_question(stream, domain, number):
    """A prompt of 8 to 22 tokens in which blanks, signs and function words stand among a domain's words."""
    own, shared = (token_table.ids_of(token_table.WORDS[name]) for name in (domain, "shared"))
    groups = [own, shared] + [token_table.ids_of(g) for g in (token_table.STOP_WORDS, token_table.PUNCTUATION,
                                                              token_table.LOOKALIKES, token_table.BLANK)]
    tokens = [1] if number % 2 else []  # every other prompt opens with the start token, whose text is empty
    for group in stream.choices(groups, weights=[6, 3, 4, 4, 2, 2], k=stream.randint(8, 22)):
        tokens.append(stream.choice(group))
    return {"tokens": tokens, "answer": stream.choices(own + shared, k=1 + number % 3)}


@torch.no_grad()
def is_clear(steering, question):
    """No near-tie among experts at any token, so that rounding cannot change a count."""
    steering.logits(question["tokens"] + question["answer"])
    return all(seen.gap > 1e-4 and seen.log_gap > 1e-3 for seen in steering.routings().values())


def draw_domains(steering, seed):
    """Questions by domain; one with a near-tie is drawn again."""
    stream = random.Random(seed)

    def clear_question(domain, number):
        attempts = (draw_question(stream, domain, number) for _ in itertools.count())
        return next(question for question in attempts if is_clear(steering, question))

    return {domain: [clear_question(domain, number) for number in range(QUESTIONS)] for domain in DOMAINS}


def importance(model, steering, question, loss_kind):
    """L2 norm over the hidden dimension of gradient x embedding at each prompt token, and the loss.

    `prompt`: mean next-token loss over the prompt; `answer`: mean -log p of the answer tokens after the prompt.
    """
    prompt = question["tokens"]
    tokens = prompt + (question["answer"] if loss_kind == "answer" else [])
    first = len(prompt) if loss_kind == "answer" else 1
    embeddings = model.get_input_embeddings()(torch.tensor([tokens])).detach().requires_grad_(True)
    logits = steering.logits(tokens, embeddings=embeddings)
    loss = F.cross_entropy(logits[first - 1:-1], torch.tensor(tokens[first:]))
    loss.backward()
    scores = (embeddings.grad[0] * embeddings.detach()[0]).norm(dim=-1)
    return [float(score) for score in scores[:len(prompt)]], loss.item()


@torch.no_grad()
def selections(steering, question):
    """[tokens, layers * experts] 0/1: which experts each prompt token used."""
    steering.logits(question["tokens"])
    chosen = [torch.zeros(seen.logits.shape, dtype=torch.long).scatter(-1, seen.experts, 1)
              for seen in steering.routings().values()]
    return torch.cat(chosen, -1).numpy()


def describe_domain(model, steering, questions):
    used = [selections(steering, question) for question in questions]
    fields = {"questions": questions, "routing": [u.sum(0).tolist() for u in used],
              "selections": int(sum(u.sum() for u in used)), "importance": {}, "losses": {}}
    for kind in ("prompt", "answer"):
        pairs = [importance(model, steering, question, kind) for question in questions]
        fields["importance"][kind], fields["losses"][kind] = ([p[i] for p in pairs] for i in (0, 1))
    return fields, used


def run_case(case, domain, used):
    """Classes, counts and scores of one domain under one choice of settings."""
    questions = domain["questions"]
    texts = [token_table.token_texts()[token] for q in questions for token in q["tokens"]]
    scores = [score for part in domain["importance"][case["loss"]] for score in part]
    found, threshold = ALIGNMENTS[case["alignment"]](texts, scores, case["percentile"], case["punctuation"])
    parts = measures.split_like(found, questions)
    count = lambda kind: [(u * (numpy.array(part) == kind)[:, None]).sum(0).tolist() for u, part in zip(used, parts)]
    important, unimportant = count(measures.IMPORTANT), count(measures.UNIMPORTANT)
    totals = [numpy.sum(rows, axis=0) for rows in (domain["routing"], important, unimportant)]
    letters = "".join("".join(part) for part in parts)
    tokens = len(letters), letters.count(measures.IMPORTANT), letters.count(measures.UNIMPORTANT)
    return {"threshold": threshold, "classes": ["".join(part) for part in parts], "important": important,
            "unimportant": unimportant} | measures.importance_scores(*totals) | measures.span_scores(*totals, tokens)


def check_cases(cases):
    """The settings are told apart: each pair of cases differs in classes and in a ranking."""
    for a, b in itertools.combinations(cases, 2):
        for field in ("classes",), ("paper", "ranking"):
            values = [[d[field[0]] if len(field) == 1 else d[field[0]][field[1]] for d in c["domains"].values()]
                      for c in (a, b)]
            assert values[0] != values[1], f"{a['name']} and {b['name']} agree"
    released = next(case for case in cases if case["name"] == "released")
    assert all(measures.NO_CLASS in d["classes"][-1] for d in released["domains"].values())


def compute(name, seed):
    folder = data_folder() / "model" / name
    model = load(folder)
    steering = Steering(model, json.loads((folder / "config.json").read_text(encoding="utf-8")))
    drawn = draw_domains(steering, seed)
    described = {d: describe_domain(model, steering, questions) for d, questions in drawn.items()}
    domains = {d: fields for d, (fields, _) in described.items()}
    tokens = {d: sum(len(q["tokens"]) for q in questions) for d, questions in drawn.items()}
    usage = measures.usage_scores({d: numpy.sum(f["routing"], axis=0) for d, f in domains.items()}, tokens)
    cases = [case | {"domains": {d: run_case(case, f, u) for d, (f, u) in described.items()}} for case in CASES]
    check_cases(cases)
    width = {layer: seen.logits.shape[-1] for layer, seen in steering.routings().items()}
    return {"checkpoint": name, "seed": seed, "versions": versions(), "compute_dtype": "float32",
            "stop_words_file": measures.STOP_WORDS_FILE, "stop_words": len(measures.stop_words()),
            "token_texts": token_table.token_texts(), "experts": [[la, e] for la, n in width.items() for e in range(n)],
            "domains": [{"name": d} | f | usage[d] for d, f in domains.items()], "cases": cases}


def search(name):
    for seed in itertools.count(1):
        try:
            compute(name, seed)
            return seed
        except AssertionError as reason:
            print(f"{name} seed {seed}: {reason}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--search", action="store_true", help="look for seeds instead of writing files")
    parser.add_argument("--out", type=pathlib.Path, default=data_folder() / "discovery")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    if arguments.search:
        print({name: search(name) for name in SEEDS})
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        write_fields(arguments.out / f"{name}.json", compute(name, seed))


if __name__ == "__main__":
    main()
