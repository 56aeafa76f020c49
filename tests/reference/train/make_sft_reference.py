#!/usr/bin/env python3
"""Writes tests/data/train/sft: losses of fine-tuning with PyTorch, transformers and peft, and peft's own adapters.

The adapter layers are peft's, the optimiser is torch.optim.AdamW, the loss is the mean negative log probability of all
answer tokens of a step, written here. Every example is a padded sequence of its own. See README.md for the order in
which this script and the tests make their files.
"""

import json
import math
import random
from pathlib import Path

import peft
import torch
import torch.nn.functional as F
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

VERSIONS = {"torch": "2.11.0", "transformers": "5.23.0", "peft": "0.21.2"}
ROOT = Path(__file__).resolve().parents[3]
TINY, DEMO = ROOT / "tests/data/train/start", ROOT / "models/demo/specialised"
OUT = ROOT / "tests/data/train/sft"
STEPS = 50
OPTIMIZER = {"learning_rate": 0.01, "warmup": 5, "schedule": "linear", "floor": 0.1, "beta1": 0.9, "beta2": 0.999,
             "epsilon": 1e-8, "weight_decay": 0.01, "clip": 1.0}
DEMO_LEARNING_RATE = 0.001  # at more, rounding errors grow tenfold every few steps on the demo model
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]


def load(path):
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").train()


def lora_config(rank):
    return LoraConfig(task_type="CAUSAL_LM", r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=ATTENTION,
                      target_parameters=EXPERTS)


def wave(tensor, size, phase):
    """Values that any program can make: size * sin(phase + 1.7 i) by position."""
    values = [size * math.sin(phase + 1.7 * i) for i in range(tensor.numel())]
    return torch.tensor(values, dtype=torch.float64).reshape(tensor.shape).float()


def with_adapter(path, rank):
    model = get_peft_model(load(path), lora_config(rank))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_A" in name:
                weight.copy_(wave(weight, 0.3, 0.0))
            if "lora_B" in name:
                weight.copy_(wave(weight, 0.02, 1.0))
    return model


def tiny_batches():
    """50 steps of two passes of three examples: [tokens, length of the prompt]."""
    source = random.Random(5)

    def example():
        start, length = source.randrange(48), source.randint(4, 9)
        return [[(start + 5 * i) % 48 for i in range(length)], source.randint(2, length - 1)]

    return [[[example() for _ in range(3)] for _ in range(2)] for _ in range(STEPS)]


def demo_batches():
    """50 steps of one pass of four questions with their answers."""
    tokenizer = Tokenizer.from_file(str(ROOT / "data/demo/tokenizer.json"))
    lines = []
    for path in sorted((ROOT / "data/demo/questions").glob("*.jsonl")):
        lines += [json.loads(line) for line in path.read_text().splitlines()][:40]
    source = random.Random(6)

    def example():
        line = source.choice(lines)
        prompt = tokenizer.encode(f"Q: {line['question']}\nA:").ids
        return [prompt + tokenizer.encode(" " + line["options"][line["answer"]]).ids, len(prompt)]

    lines = [line for line in lines if "options" in line]
    return [[[example() for _ in range(4)]] for _ in range(STEPS)]


def answer_loss(model, examples):
    """The sum over answer tokens, and their number."""
    width = max(len(tokens) for tokens, _ in examples)
    tokens = torch.tensor([t + [0] * (width - len(t)) for t, _ in examples])
    mask = torch.tensor([[1] * len(t) + [0] * (width - len(t)) for t, _ in examples])
    learned = torch.tensor([[prompt <= i < len(t) for i in range(width)] for t, prompt in examples])[:, 1:]
    logits = model(input_ids=tokens, attention_mask=mask).logits
    each = F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
    return each[learned].sum(), int(learned.sum())


def learning_rate(step, peak):
    warmup, floor = OPTIMIZER["warmup"], OPTIMIZER["floor"]
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (floor + (1 - floor) * (1 - (step - warmup) / (STEPS - warmup)))


def train(model, batches, peak=OPTIMIZER["learning_rate"]):
    """Per step [loss, gradient norm before clipping]."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.dim() > 1], "weight_decay": OPTIMIZER["weight_decay"]},
              {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=1.0,
                                  betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]), eps=OPTIMIZER["epsilon"])
    history = []
    for step, passes in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, peak)
        optimizer.zero_grad()
        answers = sum(len(t) - prompt for one in passes for t, prompt in one)
        total = 0.0
        for one in passes:
            loss, _ = answer_loss(model, one)
            (loss / answers).backward()
            total += float(loss.detach()) / answers
        norm = torch.nn.utils.clip_grad_norm_(trained, OPTIMIZER["clip"])
        optimizer.step()
        history.append([total, float(norm)])
    return history


def logits_of(model, tokens):
    with torch.no_grad():
        return model(input_ids=torch.tensor([tokens])).logits[0].tolist()


def full_run(batches):
    """All weights but the routers'."""
    model = load(TINY)
    for name, weight in model.named_parameters():
        weight.requires_grad_("mlp.gate." not in name)
    return train(model, batches)


def peft_adapters(tokens):
    """peft's own adapter directory with its logits, and its logits with the adapters that moelab wrote."""
    model = with_adapter(TINY, 4)
    model.save_pretrained(OUT / "peft_parameters")
    (OUT / "peft_parameters/README.md").unlink(missing_ok=True)
    config_path = OUT / "peft_parameters/adapter_config.json"
    config = json.loads(config_path.read_text())
    config["base_model_name_or_path"] = "tests/data/train/start"
    for key in ("target_modules", "target_parameters"):  # sets, which Python writes in any order
        config[key] = sorted(config[key])
    config_path.write_text(json.dumps(config, indent=2) + "\n")
    logits = {"peft_parameters": logits_of(model.eval(), tokens)}
    for ours in ("own_modules", "own_parameters"):
        if (OUT / ours).exists():
            logits[ours] = logits_of(PeftModel.from_pretrained(load(TINY), OUT / ours).eval(), tokens)
    return logits


def main():
    for module in (torch, transformers, peft):
        assert module.__version__.startswith(VERSIONS[module.__name__]), module.__version__
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    tiny, demo = tiny_batches(), demo_batches()
    tokens = [3, 8, 13, 40, 2, 29, 17]
    reference = {"versions": VERSIONS, "optimizer": OPTIMIZER, "columns": ["loss", "gradient_norm"],
                 "tokens": tokens, "plain_logits": logits_of(load(TINY).eval(), tokens), "logits": peft_adapters(tokens),
                 "tiny_batches": tiny, "tiny_lora": train(with_adapter(TINY, 4), tiny), "tiny_full": full_run(tiny),
                 "demo_batches": demo, "demo_lora": train(with_adapter(DEMO, 2), demo, DEMO_LEARNING_RATE),
                 "demo_learning_rate": DEMO_LEARNING_RATE}
    (OUT / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
    print(reference["tiny_lora"][0], reference["tiny_lora"][-1], reference["tiny_full"][-1], reference["demo_lora"][0],
          reference["demo_lora"][-1], list(reference["logits"]))


if __name__ == "__main__":
    main()
