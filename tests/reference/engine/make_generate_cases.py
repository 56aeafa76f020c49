"""Writes tests/data/engine/generate_cases.json: greedy generation of transformers on the tiny checkpoints.

Float32 on the CPU, eager attention, each prompt alone. Run after tests/reference/model (the checkpoints and
prompts are its files): python3 make_generate_cases.py (pins: requirements.txt).
"""
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM

DATA = Path(__file__).resolve().parents[2] / "data"
TARGET = DATA / "engine" / "generate_cases.json"
CHECKPOINTS = ("qwen3_moe_tiny", "olmoe_tiny")
NEW_TOKENS = 30
LEAD = 1e-3  # of the best over the second score; a case is cut before a smaller one, where rounding would decide


def load(name):
    model = AutoModelForCausalLM.from_pretrained(DATA / "model" / name, dtype=torch.float32,
                                                 attn_implementation="eager", experts_implementation="eager")
    return model.eval()


@torch.no_grad()
def generate(model, prompt, stop_ids=(), penalty=1.0):
    """New tokens, the one that ended the sequence included, and the limit under which they are all."""
    eos = model.config.eos_token_id
    out = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                         do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=[eos, *stop_ids],
                         pad_token_id=0, repetition_penalty=penalty, output_scores=True, return_dict_in_generate=True)
    tokens = out.sequences[0, len(prompt):].tolist()
    for step, scores in enumerate(out.scores):
        best = scores[0].topk(2).values
        if best[0] - best[1] <= LEAD:
            return tokens[:step], step
    return tokens, NEW_TOKENS


def cases_of(name):
    model = load(name)
    prompts = json.loads((DATA / "model" / "expected" / name / "expected.json").read_text())["prompts"]
    cases = []
    for index, prompt in enumerate(prompts):
        plain, _ = generate(model, prompt)
        stop = [plain[len(plain) // 2]]  # ends at its first appearance, which may be earlier
        for stop_ids, penalty in (((), 1.0), (stop, 1.0), ((), 1.3)):
            tokens, limit = generate(model, prompt, stop_ids, penalty)
            cases.append({"checkpoint": name, "prompt": index, "stop_ids": list(stop_ids),
                          "repetition_penalty": penalty, "max_new_tokens": limit, "tokens": tokens})
    return cases


def main():
    assert transformers.__version__ == "5.23.0"
    cases = [case for name in CHECKPOINTS for case in cases_of(name)]
    with open(TARGET, "w") as out:
        head = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
        out.write('{"versions": ' + json.dumps(head) + ', "cases": [\n')
        out.write(",\n".join(json.dumps(case) for case in cases) + "\n]}\n")


main()
