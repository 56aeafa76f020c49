"""Tiny random Mixture-of-Experts checkpoints, one a family, written as published Hugging Face directories.

Every parameter is drawn non-trivially and scaled by its fan-in, so that a wrong step in a runtime moves the
logits visibly: with the libraries' default initialisation many mistakes stay below any tolerance.
"""
import importlib
import importlib.util
import json
import math
import pathlib

import numpy
import torch
from safetensors.torch import save_file

VOCABULARY = 120

QWEN3_MOE = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "decoder_sparse_step": 1,
    "eos_token_id": 2,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "max_window_layers": 3,
    "mlp_only_layers": [1],
    "model_type": "qwen3_moe",
    "moe_intermediate_size": 20,
    "norm_topk_prob": True,
    "num_attention_heads": 4,
    "num_experts": 8,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "output_router_logits": False,
    "rms_norm_eps": 0.003,
    "rope_scaling": None,
    "rope_theta": 7000.0,
    "router_aux_loss_coef": 0.001,
    "sliding_window": None,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.51.0",
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": VOCABULARY,
}

# 12 experts, not 8: "experts.10" sorts before "experts.2" as text, and a loader must not fall for it.
OLMOE = {
    "architectures": ["OlmoeForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "clip_qkv": 1.3,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 32,
    "initializer_range": 0.02,
    "intermediate_size": 16,
    "max_position_embeddings": 64,
    "model_type": "olmoe",
    "norm_topk_prob": False,
    "num_attention_heads": 4,
    "num_experts": 12,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 2,
    "num_key_value_heads": 4,
    "output_router_logits": False,
    "pad_token_id": 0,
    "rms_norm_eps": 0.003,
    "rope_scaling": None,
    "rope_theta": 3000.0,
    "router_aux_loss_coef": 0.01,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "transformers_version": "4.43.0",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}

# Tied embeddings, one 3-D tensor for the experts of a layer, and four multipliers that are far from one.
GRANITEMOE = {
    "architectures": ["GraniteMoeForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "attention_multiplier": 0.4,
    "bos_token_id": 0,
    "embedding_multiplier": 2.5,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 16,
    "logits_scaling": 3.0,
    "max_position_embeddings": 64,
    "model_type": "granitemoe",
    "num_attention_heads": 4,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "num_local_experts": 8,
    "output_router_logits": False,
    "pad_token_id": 0,
    "residual_multiplier": 0.8,
    "rms_norm_eps": 0.4,
    "rope_scaling": None,
    "rope_theta": 3000.0,
    "router_aux_loss_coef": 0.001,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.46.0",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}

# head_dim is not hidden / heads, as in Phi-tiny; the mask of the sparsemixer is wide enough (2 x 0.15) that
# most weights are not one; LONG_PROMPT runs past original_max_position_embeddings, the other prompts do not.
PHIMOE = {
    "architectures": ["PhiMoEForCausalLM"],
    "attention_bias": True,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "input_jitter_noise": 0.01,
    "intermediate_size": 20,
    "lm_head_bias": True,
    "max_position_embeddings": 64,
    "model_type": "phimoe",
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "num_local_experts": 12,
    "original_max_position_embeddings": 40,
    "output_router_logits": False,
    "rms_norm_eps": 0.003,
    "rope_scaling": {
        "long_factor": [1.0, 1.3, 1.9, 2.6, 3.8, 5.5, 7.0, 9.0],
        "long_mscale": 1.25,
        "original_max_position_embeddings": 40,
        "short_factor": [1.0, 1.05, 1.1, 1.2, 1.35, 1.5, 1.8, 2.2],
        "short_mscale": 1.12,
        "type": "longrope",
    },
    "rope_theta": 3000.0,
    "router_aux_loss_coef": 0.0,
    "router_jitter_noise": 0.15,
    "sliding_window": 13,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.43.3",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}


def family_module(config):
    """The module family_<model_type>.py of a family that has one, else None. See README.md for what it defines."""
    name = "family_" + config["model_type"]
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def family_checkpoints():
    """name -> (config, seed) of all checkpoints that family modules define."""
    found = {}
    for path in sorted(pathlib.Path(__file__).parent.glob("family_*.py")):
        found |= importlib.import_module(path.stem).CHECKPOINTS
    return found


def expert_count(config):
    for key in ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"):
        if config.get(key):
            return config[key]
    raise KeyError("no number of experts")


def moe_layers(config):
    """Indices of the layers that hold experts."""
    module = family_module(config)
    if module is not None and hasattr(module, "moe_layers"):
        return module.moe_layers(config)
    dense = config.get("mlp_only_layers") or []
    return [layer for layer in range(config["num_hidden_layers"]) if layer not in dense]


def head_dim(config):
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


class Draw:
    """Random tensors from one seeded stream, in the order of the calls."""

    def __init__(self, seed):
        self.stream = numpy.random.Generator(numpy.random.PCG64(seed))

    def linear(self, rows, columns, gain):
        values = self.stream.standard_normal((rows, columns)) * (gain / math.sqrt(columns))
        return torch.from_numpy(values).float()

    def norm(self, width):
        return torch.from_numpy(self.stream.uniform(0.7, 1.3, width)).float()

    def bias(self, width, size=0.4):
        return torch.from_numpy(self.stream.uniform(-size, size, width)).float()

    def embedding(self, rows, width, lengths=(0.15, 0.45)):
        """Rows of unlike, small length: so the norms' eps matters."""
        length = self.stream.uniform(*lengths, (rows, 1))
        return torch.from_numpy(self.stream.standard_normal((rows, width)) * length).float()


def attention_tensors(config, draw, prefix):
    hidden, dim = config["hidden_size"], head_dim(config)
    queries, keys = config["num_attention_heads"] * dim, config["num_key_value_heads"] * dim
    tensors = {
        prefix + "q_proj.weight": draw.linear(queries, hidden, 1.5),
        prefix + "k_proj.weight": draw.linear(keys, hidden, 1.5),
        prefix + "v_proj.weight": draw.linear(keys, hidden, 1.5),
        prefix + "o_proj.weight": draw.linear(hidden, queries, 2.0),
    }
    if config["attention_bias"]:
        for name, width in (("q_proj", queries), ("k_proj", keys), ("v_proj", keys), ("o_proj", hidden)):
            tensors[f"{prefix}{name}.bias"] = draw.bias(width)
    if config["model_type"] in ("qwen3_moe", "olmoe"):
        per_head = config["model_type"] == "qwen3_moe"
        tensors[prefix + "q_norm.weight"] = draw.norm(dim if per_head else queries)
        tensors[prefix + "k_norm.weight"] = draw.norm(dim if per_head else keys)
    return tensors


def mlp_tensors(draw, prefix, hidden, inner, names=("gate_proj", "up_proj", "down_proj")):
    gate, up, down = names
    return {
        f"{prefix}{gate}.weight": draw.linear(inner, hidden, 1.5),
        f"{prefix}{up}.weight": draw.linear(inner, hidden, 1.5),
        f"{prefix}{down}.weight": draw.linear(hidden, inner, 2.0),
    }


def fused_experts(draw, prefix, experts, hidden, inner):
    """granitemoe's layout: input_linear [E, 2I, H] (gate rows first), output_linear [E, H, I]."""
    parts = [mlp_tensors(draw, "", hidden, inner) for _ in range(experts)]
    gate_up = [torch.cat([part["gate_proj.weight"], part["up_proj.weight"]]) for part in parts]
    return {prefix + "input_linear.weight": torch.stack(gate_up),
            prefix + "output_linear.weight": torch.stack([part["down_proj.weight"] for part in parts])}


def moe_tensors(config, draw, prefix):
    """The router and the experts of one layer under the family's own names."""
    family, hidden, experts = config["model_type"], config["hidden_size"], expert_count(config)
    inner = config.get("moe_intermediate_size", config["intermediate_size"])
    router = {"granitemoe": "block_sparse_moe.router.layer", "phimoe": "block_sparse_moe.gate"}.get(family, "mlp.gate")
    tensors = {f"{prefix}{router}.weight": draw.linear(experts, hidden, 2.2)}
    if family == "granitemoe":
        return tensors | fused_experts(draw, prefix + "block_sparse_moe.", experts, hidden, inner)
    for expert in range(experts):
        if family == "phimoe":
            name = f"{prefix}block_sparse_moe.experts.{expert}."
            tensors |= mlp_tensors(draw, name, hidden, inner, ("w1", "w3", "w2"))
        else:
            tensors |= mlp_tensors(draw, f"{prefix}mlp.experts.{expert}.", hidden, inner)
    return tensors


def norm_tensors(config, draw, name):
    tensors = {name + ".weight": draw.norm(config["hidden_size"])}
    if config["model_type"] == "phimoe":
        tensors[name + ".bias"] = draw.bias(config["hidden_size"])
    return tensors


def layer_tensors(config, draw, layer):
    module = family_module(config)
    if module is not None:
        return module.layer_tensors(config, draw, layer)
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = norm_tensors(config, draw, prefix + "input_layernorm")
    tensors |= attention_tensors(config, draw, prefix + "self_attn.")
    tensors |= norm_tensors(config, draw, prefix + "post_attention_layernorm")
    if layer not in moe_layers(config):
        return tensors | mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    return tensors | moe_tensors(config, draw, prefix)


def draw_weights(config, seed):
    """All tensors by their published names, float32."""
    draw, hidden, tied = Draw(seed), config["hidden_size"], config["tie_word_embeddings"]
    # A tied embedding is the head too, and must give logits that spread.
    embedding = draw.embedding(VOCABULARY, hidden, (0.6, 1.4)) if tied else draw.embedding(VOCABULARY, hidden)
    tensors = {"model.embed_tokens.weight": embedding}
    for layer in range(config["num_hidden_layers"]):
        tensors |= layer_tensors(config, draw, layer)
    tensors |= norm_tensors(config, draw, "model.norm")
    if not tied:
        tensors["lm_head.weight"] = draw.linear(VOCABULARY, hidden, 2.0)
    if config.get("lm_head_bias"):
        tensors["lm_head.bias"] = draw.bias(VOCABULARY, 1.0)
    return tensors


def is_full_width(config, name):
    """Whether the published checkpoint keeps this tensor in float32 beside bfloat16 ones."""
    module = family_module(config)
    return module is not None and name.endswith(getattr(module, "FULL_WIDTH", ()))


def to_half_widths(config, tensors):
    """Values that bfloat16 and float16 both hold exactly, so that two files can hold the same weights."""
    rounded = {name: t.bfloat16().half().float() for name, t in tensors.items()
               if t.is_floating_point() and not is_full_width(config, name)}
    for name, values in rounded.items():
        assert torch.equal(values.bfloat16().float(), values), name
    return {name: rounded.get(name, t) for name, t in tensors.items()}


def as_stored(config, tensors, dtype):
    """Tensors in the dtype that the file holds them in; packed bytes stay bytes."""
    stored = {}
    for name, t in tensors.items():
        kept = torch.float32 if is_full_width(config, name) else dtype
        stored[name] = (t.to(kept) if t.is_floating_point() else t).contiguous()
    return stored


def fuse_experts(config, tensors):
    """The 3-D layout of transformers v5: gate_up_proj [E, 2I, H] (gate first), down_proj [E, H, I]."""
    fused = {name: t for name, t in tensors.items() if ".mlp.experts." not in name}
    for layer in moe_layers(config):
        prefix, experts = f"model.layers.{layer}.mlp.experts.", range(config["num_experts"])

        def stack(part):
            return torch.stack([tensors[f"{prefix}{e}.{part}.weight"] for e in experts])

        fused[prefix + "gate_up_proj"] = torch.cat([stack("gate_proj"), stack("up_proj")], dim=1)
        fused[prefix + "down_proj"] = stack("down_proj")
    return fused


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_single(folder, config, tensors, dtype):
    folder.mkdir(parents=True, exist_ok=True)
    save_file({n: t.to(dtype).contiguous() for n, t in tensors.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    write_json(folder / "config.json", config)


def write_sharded(folder, config, tensors, dtype):
    """Two shards, cut by bytes: the cut falls inside a layer, as in published models."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = as_stored(config, tensors, dtype)
    total, seen, shards, weight_map = sum(t.nbytes for t in stored.values()), 0, [{}, {}], {}
    for name, tensor in stored.items():
        shard = 0 if seen < 0.6 * total else 1
        shards[shard][name], seen = tensor, seen + tensor.nbytes
        weight_map[name] = f"model-0000{shard + 1}-of-00002.safetensors"
    for shard, content in enumerate(shards):
        save_file(content, folder / f"model-0000{shard + 1}-of-00002.safetensors", metadata={"format": "pt"})
    write_json(folder / "model.safetensors.index.json",
               {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))})
    write_json(folder / "config.json", config)


def v5_config(config, dtype="float16"):
    """The same settings as transformers v5 writes them (rope_parameters, dtype, num_local_experts)."""
    from transformers import AutoConfig

    settings = {key: value for key, value in config.items() if key not in ("model_type", "torch_dtype")}
    made = AutoConfig.for_model(config["model_type"], **settings, dtype=dtype)
    return json.loads(made.to_json_string(use_diff=True))


def data_folder():
    return pathlib.Path(__file__).resolve().parents[2] / "data"
