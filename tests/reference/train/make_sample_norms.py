#!/usr/bin/env python3
"""Writes tests/data/train/sft/sample_norms.json: the gradient norm of each example alone, with PyTorch and peft.

The examples are the first of reference.json's batches, the models those of make_sft_reference.py, at the start of
training; the norm is torch.nn.utils.clip_grad_norm_'s, over all trained parameters, of the mean loss on the answer.
"""

import json

import torch

from make_sft_reference import OUT, TINY, VERSIONS, answer_loss, load, tiny_batches, with_adapter


def norms(model, examples):
    trained = [p for p in model.parameters() if p.requires_grad]
    found = []
    for example in examples:
        model.zero_grad()
        total, answers = answer_loss(model, [example])
        (total / answers).backward()
        found.append(float(torch.nn.utils.clip_grad_norm_(trained, 1e30)))
    return found


def full_model():
    """All weights but the routers'."""
    model = load(TINY)
    for name, weight in model.named_parameters():
        weight.requires_grad_("mlp.gate." not in name)
    return model


def main():
    torch.set_num_threads(1)
    examples = [example for passes in tiny_batches()[:5] for one in passes for example in one]
    found = {"versions": VERSIONS, "examples": examples, "lora": norms(with_adapter(TINY, 4), examples),
             "full": norms(full_model(), examples)}
    (OUT / "sample_norms.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(len(examples), min(found["lora"]), max(found["lora"]), min(found["full"]), max(found["full"]))


if __name__ == "__main__":
    main()
