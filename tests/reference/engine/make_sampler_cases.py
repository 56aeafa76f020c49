"""Writes tests/data/engine/sampler_cases.json: distributions after the logits processors of transformers.

The processors and their order come from GenerationMixin itself (_get_logits_processor), so that the order is not
this script's opinion. Run: python3 make_sampler_cases.py (pins: requirements.txt).
"""
import json
from pathlib import Path

import torch
import transformers
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig

TARGET = Path(__file__).resolve().parents[2] / "data" / "engine" / "sampler_cases.json"
VOCABULARY = 24
MARGIN = 1e-5  # no token may lie this near to a threshold, or rounding would decide

NEUTRAL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}
CASES = [
    {}, {"temperature": 0.6}, {"temperature": 1.7}, {"top_k": 1}, {"top_k": 5}, {"top_k": 100},
    {"top_p": 0.05}, {"top_p": 0.5}, {"top_p": 0.95}, {"min_p": 0.05}, {"min_p": 0.3}, {"min_p": 1.0},
    {"repetition_penalty": 1.3}, {"repetition_penalty": 0.8},
    {"temperature": 0.6, "top_k": 20, "top_p": 0.95}, {"temperature": 2.0, "top_p": 0.6},
    {"temperature": 2.0, "min_p": 0.2}, {"top_k": 6, "top_p": 0.7}, {"top_p": 0.6, "min_p": 0.4},
    {"temperature": 1.5, "top_k": 8, "top_p": 0.8, "min_p": 0.3, "repetition_penalty": 1.5},
    {"temperature": 0.7, "top_k": 4, "repetition_penalty": 1.2},
]


class Host(GenerationMixin):
    """Carries what _get_logits_processor reads, without a model."""
    config = PretrainedConfig(vocab_size=VOCABULARY)
    main_input_name = "input_ids"


def processors(options, sampled):
    config = GenerationConfig(do_sample=sampled, **(options if sampled else {"repetition_penalty": options["repetition_penalty"]}))
    config._eos_token_tensor = None
    return Host()._get_logits_processor(config, input_ids_seq_length=1, device="cpu")


def distribution(options, context, logits, sampled=True):
    chain = processors(options, sampled)
    scores = chain(torch.tensor([context]), torch.tensor([logits], dtype=torch.float32))[0]
    return scores.double().softmax(-1), [type(p).__name__ for p in chain]


def kept(options, context, logits):
    return (distribution(options, context, logits)[0] > 0).tolist()


def is_robust(options, context, logits):
    """Neither threshold may move the kept set when it moves by MARGIN."""
    base = kept(options, context, logits)
    nudged = [options | {key: min(1.0, max(0.0, options[key] + step))} for key in ("top_p", "min_p")
              for step in (-MARGIN, MARGIN) if options[key] not in (0.0, 1.0)]
    return all(kept(other, context, logits) == base for other in nudged)


def make_case(index, changes, stream):
    options = NEUTRAL | changes
    logits = [round(v, 4) for v in (2.5 * torch.randn(VOCABULARY, generator=stream)).tolist()]
    if changes.get("top_k") == 5:  # a tie at the last place keeps both tokens
        order = sorted(range(VOCABULARY), key=lambda i: -logits[i])
        logits[order[5]] = logits[order[4]]
    if index % 4 == 1:
        logits[3] = -float("inf")  # a masked token stays out
    best = max(range(VOCABULARY), key=lambda i: logits[i])
    context = torch.randint(0, VOCABULARY, (5,), generator=stream).tolist() + [best, best]  # a repeated token counts once
    assert is_robust(options, context, logits), changes
    probabilities, names = distribution(options, context, logits)
    greedy, _ = distribution(options, context, logits, sampled=False)
    return {"options": options, "context": context, "processors": names,
            "logits": [v if v != -float("inf") else None for v in logits],
            "kept": [[i, p] for i, p in enumerate(probabilities.tolist()) if p > 0],
            "greedy": int(greedy.argmax())}


def main():
    assert transformers.__version__ == "5.23.0"
    stream = torch.Generator().manual_seed(11)
    cases = [make_case(i, changes, stream) for i, changes in enumerate(CASES)]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with open(TARGET, "w") as out:
        head = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "seed": 11}
        out.write('{"versions": ' + json.dumps(head) + ', "cases": [\n')
        out.write(",\n".join(json.dumps(case) for case in cases) + "\n]}\n")


main()
