"""Writes tests/data/cli/two_calls.json: what the bundled model `mixed` answers when GPQA's own prompt asks it twice.

The published chain-of-thought baseline asks for the reasoning, puts it behind its prompt with a question for the answer,
and judges the second reply. Here both calls are written by hand around transformers: the text of the first call is
decoded, joined and encoded anew for the second. Float32 on the CPU, eager attention, each prompt alone, with and without
a plan: python3 make_two_calls.py (pins: requirements.txt). The questions are made up.
"""
import json
import random

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

from make_generate_cases import DATA, LEAD, MODEL, Steering

NEW_TOKENS = 24
ALPHA = 30.0
EXPERTS = [(0, 5), (1, 9), (3, 0)]
ROWS = [  # question, correct answer, three others
    ("Which metal has the symbol Fe?", "iron", ["gold", "lead", "tin"]),
    ("What is the capital of Peru?", "Lima", ["Quito", "Bogota", "La Paz"]),
    ("How much is 47+8?", "55", ["45", "54", "65"]),
    ("Which gas do plants take from the air to grow?", "carbon dioxide", ["helium", "argon", "neon"]),
]
STEPS = "\nLet's think step by step: "
ASK = ('\n\nBased on the above, what is the single, most likely answer choice? Answer in the format "The correct answer is '
       '(insert answer here)".')


@torch.no_grad()
def greedy(steering, prompt, plan, eos):
    tokens = list(prompt)
    while len(tokens) - len(prompt) < NEW_TOKENS:
        best = steering.logits(tokens, plan)[-1].topk(2)
        assert best.values[0] - best.values[1] > LEAD, "too close to call; choose another question"
        tokens.append(best.indices[0].item())
        if tokens[-1] == eos:
            break
    return tokens[len(prompt):]


def answered(steering, tokenizer, prompt, plan, eos):
    first = greedy(steering, tokenizer.encode(prompt), plan, eos)
    reasoning = tokenizer.decode([t for t in first if t != eos])
    again = tokenizer.encode(prompt + reasoning + ASK)
    second = greedy(steering, again, plan, eos)
    stop = "eos" if second[-1] == eos else "length"
    return {"first": reasoning, "second": tokenizer.decode([t for t in second if t != eos]), "stop": stop,
            "cut_off": stop == "length" or first[-1] != eos, "second_prompt_tokens": len(again),
            "tokens": sum(t != eos for t in first + second)}


def main():
    assert transformers.__version__ == "5.23.0"
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager",
                                                 experts_implementation="eager").eval()
    steering, eos = Steering(model, model.config.to_dict()), model.config.eos_token_id
    plan = {"mode": "logit_shift",
            "entries": [{"layer": l, "expert": e, "operation": "scale", "value": ALPHA} for l, e in EXPERTS]}
    random.seed(0)
    cases = []
    for question, correct, others in ROWS:
        choices = [*others, correct]
        random.shuffle(choices)
        prompt = f"What is the correct answer to this question: {question}\n\nChoices:\n"
        prompt += "\n".join(f"({letter}) {choice}" for letter, choice in zip("ABCD", choices)) + STEPS
        cases.append({"question": question, "correct": correct, "others": others, "gold": "ABCD"[choices.index(correct)],
                      "original": answered(steering, tokenizer, prompt, None, eos),
                      "steered": answered(steering, tokenizer, prompt, plan, eos)})
    result = {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
              "max_new_tokens": NEW_TOKENS, "alpha": ALPHA, "experts": EXPERTS, "asked_then": ASK, "cases": cases}
    (DATA / "two_calls.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
