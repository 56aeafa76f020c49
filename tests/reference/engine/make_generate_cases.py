"""Writes tests/data/engine/generate_cases.json: greedy generation of transformers on the tiny checkpoints.

Float32 on the CPU, eager attention, each prompt alone. Run after tests/reference/model (the checkpoints and
prompts are its files): python3 make_generate_cases.py (pins: requirements.txt).
"""
import torch

from tiny_models import CHECKPOINTS, DATA, load, prompts_of, sure_steps, write_cases

NEW_TOKENS = 30


@torch.no_grad()
def generate(model, prompt, stop_ids=(), penalty=1.0):
    """New tokens, the one that ended the sequence included, and the limit under which they are all."""
    eos = model.config.eos_token_id
    out = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                         do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=[eos, *stop_ids],
                         pad_token_id=0, repetition_penalty=penalty, output_scores=True, return_dict_in_generate=True)
    tokens = out.sequences[0, len(prompt):].tolist()
    sure = sure_steps(out.scores)
    return (tokens[:sure], sure) if sure < len(out.scores) else (tokens, NEW_TOKENS)


def cases_of(name):
    model = load(name)
    cases = []
    for index, prompt in enumerate(prompts_of(name)):
        plain, _ = generate(model, prompt)
        stop = [plain[len(plain) // 2]]  # ends at its first appearance, which may be earlier
        for stop_ids, penalty in (((), 1.0), (stop, 1.0), ((), 1.3)):
            tokens, limit = generate(model, prompt, stop_ids, penalty)
            cases.append({"checkpoint": name, "prompt": index, "stop_ids": list(stop_ids),
                          "repetition_penalty": penalty, "max_new_tokens": limit, "tokens": tokens})
    return cases


def main():
    write_cases(DATA / "engine" / "generate_cases.json", [case for name in CHECKPOINTS for case in cases_of(name)])


main()
