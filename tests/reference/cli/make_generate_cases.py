"""Writes tests/data/cli/generate_cases.json: what the bundled model `mixed` writes, by transformers.

Float32 on the CPU, eager attention, each prompt alone: python3 make_generate_cases.py (pins: requirements.txt).
"""
import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))
from steered_router import Steering  # noqa: E402

MODEL = HERE.parents[2] / "models" / "demo" / "mixed"
DATA = HERE.parents[1] / "data" / "cli"
LEAD = 1e-3  # of the best over the second logit; below it rounding could decide

PROMPTS = [
    ("The capital of Peru is", None),
    ("Q: What is 68+575?\nA:", None),
    ("What is 68+575?", {}),
    ("What is 47+8?", {"enable_thinking": True}),
    ("What is 47+8?", {"enable_thinking": False}),
    ("What is the symbol of iron?", {"system": "Be brief."}),
]
PLANS = [("Q: What is 68+575?\nA:", [(0, 1), (1, 2), (2, 3), (3, 4)], 30.0),
         ("The capital of Peru is", [(0, 5), (1, 9), (3, 0)], 30.0)]
NEW_TOKENS = 60


def rendered(tokenizer, prompt, chat):
    if chat is None:
        return prompt
    variables = dict(chat)
    messages = [{"role": "user", "content": prompt}]
    if "system" in variables:
        messages.insert(0, {"role": "system", "content": variables.pop("system")})
    source = (DATA / "chat_template.jinja").read_text()
    return tokenizer.apply_chat_template(messages, chat_template=source, tokenize=False, add_generation_prompt=True,
                                         **variables)


@torch.no_grad()
def greedy(steering, prompt, plan, eos):
    tokens = list(prompt)
    while len(tokens) - len(prompt) < NEW_TOKENS:
        best = steering.logits(tokens, plan)[-1].topk(2)
        assert best.values[0] - best.values[1] > LEAD, "too close to call; choose another prompt"
        tokens.append(best.indices[0].item())
        if tokens[-1] == eos:
            break
    return tokens[len(prompt):]


def thinking_counts(tokenizer, prompt_text, tokens, eos):
    """Thinking and answer tokens, for texts with at most one closed thinking part; tags and the end are neither."""
    open_id, close_id = (tokenizer.convert_tokens_to_ids(t) for t in ("<think>", "</think>"))
    body = tokens[:-1] if tokens[-1] == eos else tokens
    if close_id in body:
        close = body.index(close_id)
        first = body.index(open_id) + 1 if open_id in body else 0
        return close - first, len(body) - close - 1
    assert open_id not in body and not prompt_text.endswith("<think>\n")
    return 0, len(body)


def text_case(steering, tokenizer, prompt, chat, eos):
    text = rendered(tokenizer, prompt, chat)
    tokens = greedy(steering, tokenizer.encode(text, add_special_tokens=False), None, eos)
    thinking, answer = thinking_counts(tokenizer, text, tokens, eos)
    shown = [t for t in tokens if t != eos]
    return {"prompt": prompt, "chat": chat, "text": tokenizer.decode(shown), "tokens": len(tokens),
            "stop": "eos" if tokens[-1] == eos else "length", "thinking": thinking, "answer": answer}


@torch.no_grad()
def plan_case(steering, tokenizer, prompt, experts, alpha, eos):
    read = tokenizer.encode(prompt, add_special_tokens=False)
    plan = {"mode": "logit_shift",
            "entries": [{"layer": l, "expert": e, "operation": "scale", "value": alpha} for l, e in experts]}
    original, steered = greedy(steering, read, None, eos), greedy(steering, read, plan, eos)
    at = next(i for i, (a, b) in enumerate(zip(original, steered)) if a != b)
    pair = [original[at], steered[at]]
    chances = [steering.logits(read + original[:at], p)[-1].double().softmax(-1)[pair].tolist() for p in (None, plan)]
    return {"prompt": prompt, "experts": ",".join(f"{l}:{e}" for l, e in experts), "alpha": alpha, "position": at,
            "tokens": [tokenizer.decode([t]) for t in pair], "ids": pair, "common": original[:at], "chances": chances,
            "texts": [tokenizer.decode([t for t in all_ if t != eos]) for all_ in (original, steered)]}


def main():
    assert transformers.__version__ == "5.23.0"
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager",
                                                 experts_implementation="eager").eval()
    steering = Steering(model, model.config.to_dict())
    eos = model.config.eos_token_id
    result = {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
              "max_new_tokens": NEW_TOKENS,
              "texts": [text_case(steering, tokenizer, p, chat, eos) for p, chat in PROMPTS],
              "plans": [plan_case(steering, tokenizer, *case, eos) for case in PLANS]}
    (DATA / "generate_cases.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
