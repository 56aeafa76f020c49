#!/usr/bin/env python3
"""Writes tests/data/train: a tiny Qwen3-MoE model, 50 batches, and the losses of training it with PyTorch.

The model is transformers' own, the optimiser torch.optim.AdamW, the losses are written here from their formulas.
Every document is a padded sequence of its own, so nothing here knows of packing. Needs the versions below.
"""

import itertools
import json
import math
import random
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

VERSIONS = {"torch": "2.11.0", "transformers": "5.23.0"}
OUT = Path(__file__).resolve().parents[2] / "data/train"
STEPS, ROWS, DOMAINS, EXPERTS, TOP_K, VOCABULARY = 50, 4, 3, 8, 2, 48
OPTIMIZER = {"learning_rate": 0.02, "warmup": 10, "floor": 0.1, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-8,
             "weight_decay": 0.05, "clip": 1.0}
LOSS = {"answer_weight": 0.7, "balance": 0.05, "z_loss": 0.001}
PLANTING = {"coefficient": 0.1, "cap": 0.3, "exclusive": 0.5, "layers": [1],
            "experts": [[0, 0, "all_tokens"], [0, 1, "content_tokens"], [1, 2, "content_tokens"]]}

# Alike experts cost only in the run of that name; at most `tokens` of a batch are compared on.
SIMILARITY = {"coefficient": 0.5, "threshold": 0.15, "pairs": 3, "tokens": 20}


def make_model():
    torch.manual_seed(1)
    config = Qwen3MoeConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        head_dim=8, intermediate_size=16, moe_intermediate_size=12, num_experts=EXPERTS, num_experts_per_tok=TOP_K,
        norm_topk_prob=True, tie_word_embeddings=True, max_position_embeddings=64, bos_token_id=None, eos_token_id=0,
        attn_implementation="eager")
    model = Qwen3MoeForCausalLM(config).float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 1:
                weight.copy_(1 + 0.2 * torch.randn_like(weight))
            else:
                weight.copy_(torch.randn_like(weight) * (1.5 if "gate.weight" in name else 1) / math.sqrt(weight.shape[-1]))
    return model


def published_weights(model):
    """One tensor an expert, under the names of the published checkpoints."""
    weights = {}
    for name, weight in model.named_parameters():
        weight = weight.detach()
        if not name.endswith(("gate_up_proj", "down_proj")):
            weights[name] = weight
            continue
        prefix, kind = name.rsplit(".", 1)
        for expert, matrix in enumerate(weight):
            parts = {"down_proj": matrix}
            if kind == "gate_up_proj":
                parts = dict(zip(("gate_proj", "up_proj"), matrix.chunk(2)))
            for part, value in parts.items():
                weights[f"{prefix}.{expert}.{part}.weight"] = value
    return {name: value.contiguous() for name, value in weights.items()}


def make_document(source, domain):
    length = source.randint(3, 9)
    start = source.randrange(VOCABULARY)
    return {"domain": domain, "tokens": [(start + 7 * i * (domain + 1)) % VOCABULARY for i in range(length)],
            "weight": [source.choice([0, 0.1, 1, 1, -1]) for _ in range(length - 1)] + [1],
            "content": [source.randrange(2) for _ in range(length)]}


def make_batches():
    source = random.Random(2)
    return [[[make_document(source, row % DOMAINS) for _ in range(source.randint(1, 3))] for row in range(ROWS)]
            for _ in range(STEPS)]


def padded(documents):
    width = max(len(d["tokens"]) for d in documents)

    def field(name, fill):
        return torch.tensor([d[name] + [fill] * (width - len(d[name])) for d in documents])

    return field("tokens", 0), field("weight", 0.0), field("content", 0), torch.tensor(
        [[1] * len(d["tokens"]) + [0] * (width - len(d["tokens"])) for d in documents])


def language_loss(logits, tokens, weight, answer_weight):
    each = F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
    weight = weight[:, 1:]
    pooled, answer = weight.clamp(min=0), (weight < 0).float()
    return (each * pooled).sum() / pooled.sum() + answer_weight * (each * answer).sum() / answer.sum().clamp(min=1)


def switch_balance(probabilities, selected):
    """experts * sum of (share of selections) * (mean probability) over the tokens given."""
    share = selected.float().mean(0) / TOP_K
    return EXPERTS * (share * probabilities.mean(0)).sum()


def planting_loss(probabilities, domains, content):
    """Token by token: its own planted experts up to the cap each, and away from those planted for others."""
    planted = {expert for _, expert, _ in PLANTING["experts"]}
    push, away, tokens = 0, 0, 0
    for p, domain, is_content in zip(probabilities, domains, content):
        mine = {e for d, e, kind in PLANTING["experts"] if d == domain and (is_content or kind == "all_tokens")}
        tokens += 1 if mine else 0
        push += sum(-min(p[e], torch.tensor(PLANTING["cap"])).log() for e in mine)
        away += -(1 - sum(p[e] for e in planted - mine)).log()
    return push / max(tokens, 1) + PLANTING["exclusive"] * away / len(domains)


def router_losses(router_logits, rows, domains, content, over):
    balance, planting, z = 0, 0, 0
    for layer, logits in enumerate(router_logits):
        probabilities = logits.softmax(-1)
        selected = F.one_hot(probabilities.topk(TOP_K).indices, EXPERTS).sum(1)
        groups = [rows == r for r in rows.unique()] if over == "sequence" else [rows >= 0]
        balance += sum(switch_balance(probabilities[g], selected[g]) for g in groups) / len(groups) / len(router_logits)
        z += logits.logsumexp(-1).square().mean() / len(router_logits)
        if layer in PLANTING["layers"]:
            planting += planting_loss(probabilities, domains.tolist(), content.tolist())
    return balance, planting, z


def linear_cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return (y.T @ x).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())


def similarity_loss(experts, inputs, selected):
    """Mean of what the CKA of the most similar pairs of selected experts has above the threshold."""
    rows = inputs[::-(-len(inputs) // SIMILARITY["tokens"])]
    ones = torch.ones(len(rows), 1)
    outputs = [experts(rows, torch.full((len(rows), 1), e), ones) for e in range(EXPERTS) if selected[:, e].any()]
    values = torch.stack([linear_cka(x, y) for x, y in itertools.combinations(outputs, 2)])
    worst = values.sort(descending=True).values[:SIMILARITY["pairs"]]
    return (worst - SIMILARITY["threshold"]).clamp(min=0).mean()


def similarity_losses(model, inputs, router_logits):
    """A mean over layers of what the experts make of the tokens that each layer reads."""
    losses = []
    for layer, rows, logits in zip(model.model.layers, inputs, router_logits):
        selected = F.one_hot(logits.topk(TOP_K).indices, EXPERTS).sum(1)
        losses.append(similarity_loss(layer.mlp.experts, rows, selected))
    return sum(losses) / len(losses)


def step_loss(model, rows, kind):
    documents = [d for row in rows for d in row]
    tokens, weight, content, mask = padded(documents)
    real = mask.bool()
    read, hooks = [], []
    for layer in model.model.layers:
        hooks.append(layer.mlp.gate.register_forward_hook(
            lambda module, inputs, _: read.append(inputs[0].reshape(-1, inputs[0].shape[-1])[real.reshape(-1)])))
    logits = model(input_ids=tokens, attention_mask=mask).logits
    for hook in hooks:
        hook.remove()
    seen = [F.linear(inputs, layer.mlp.gate.weight) for inputs, layer in zip(read, model.model.layers)]
    row_of = torch.tensor([r for r, row in enumerate(rows) for _ in row])[:, None].expand_as(tokens)[real]
    domain_of = torch.tensor([d["domain"] for d in documents])[:, None].expand_as(tokens)[real]
    over = "sequence" if kind == "sequence" else "batch"
    balance, planting, z = router_losses(seen, row_of, domain_of, content[real], over)
    loss = (language_loss(logits, tokens, weight, LOSS["answer_weight"]) + LOSS["balance"] * balance
            + PLANTING["coefficient"] * planting + LOSS["z_loss"] * z)
    if kind != "similarity":
        return loss, balance, planting, torch.tensor(-1.0)
    alike = similarity_losses(model, read, seen)
    return loss + SIMILARITY["coefficient"] * alike, balance, planting, alike


def learning_rate(step):
    peak, warmup, floor = OPTIMIZER["learning_rate"], OPTIMIZER["warmup"], OPTIMIZER["floor"]
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (floor + (1 - floor) * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup))) / 2)


def run(weights, batches, kind):
    model = make_model()
    model.load_state_dict(weights)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    norms = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": OPTIMIZER["weight_decay"]},
                                   {"params": norms, "weight_decay": 0.0}], lr=1.0,
                                  betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]), eps=OPTIMIZER["epsilon"])
    history = []
    for step, rows in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        loss, balance, planting, alike = step_loss(model, rows, kind)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), OPTIMIZER["clip"])
        optimizer.step()
        history.append([float(x.detach()) for x in (loss, balance, planting, norm, alike)])
    return history


def main():
    assert torch.__version__.startswith(VERSIONS["torch"]) and transformers.__version__ == VERSIONS["transformers"]
    torch.set_num_threads(1)
    model, batches = make_model(), make_batches()
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    (OUT / "start").mkdir(parents=True, exist_ok=True)
    save_file(published_weights(model), OUT / "start/model.safetensors", metadata={"format": "pt"})
    config = {k: v for k, v in model.config.to_dict().items() if v is not None}
    (OUT / "start/config.json").write_text(json.dumps(config, indent=1) + "\n")
    reference = {"versions": VERSIONS, "optimizer": OPTIMIZER, "loss": LOSS, "planting": PLANTING,
                 "similarity_loss": SIMILARITY, "batches": batches,
                 "columns": ["loss", "balance", "planting", "gradient_norm", "similarity"]}
    reference |= {kind: run(start, batches, kind) for kind in ("batch", "sequence", "similarity")}
    (OUT / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
    print(reference["batch"][0], *(reference[kind][-1] for kind in ("batch", "sequence", "similarity")))


if __name__ == "__main__":
    main()
