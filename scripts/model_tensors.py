#!/usr/bin/env python3
"""The tensors of a model by published name, shape and kind, from its config.json; for scripts/fake_checkpoint.

    python3 scripts/model_tensors.py     holds names and shapes against the fixtures of tests/data/model (a test)

Kinds: "linear" (scaled by its fan-in), "embedding", "norm" (near one), "norm0" (near zero: the family adds one),
"bias", "correction" (float32, spread above one), "blocks" and "scales" (MXFP4), "decay" (logarithms of rates).
"""
import json
import math
import pathlib
import sys

TYPES = {"correction": ("F32", 4), "blocks": ("U8", 1), "scales": ("U8", 1)}  # all others are BF16


def stored_type(kind):
    return TYPES.get(kind, ("BF16", 2))


def byte_count(shape, kind):
    return math.prod(shape) * stored_type(kind)[1]


def projection(name, rows, columns, bias=False):
    yield name + ".weight", (rows, columns), "linear"
    if bias:
        yield name + ".bias", (rows,), "bias"


def mlp(prefix, hidden, inner, names=("gate_proj", "up_proj", "down_proj")):
    yield prefix + names[0] + ".weight", (inner, hidden), "linear"
    yield prefix + names[1] + ".weight", (inner, hidden), "linear"
    yield prefix + names[2] + ".weight", (hidden, inner), "linear"


def norm(config, name):
    yield name + ".weight", (config["hidden_size"],), "norm0" if config["model_type"] == "qwen3_next" else "norm"
    if config["model_type"] == "phimoe":
        yield name + ".bias", (config["hidden_size"],), "bias"


def attention(config, prefix):
    family, hidden, size = config["model_type"], config["hidden_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * size, config["num_key_value_heads"] * size
    bias = config.get("attention_bias", False) or family == "qwen2_moe"
    gated = 2 if family == "qwen3_next" else 1  # an output gate beside each query
    yield from projection(prefix + "q_proj", gated * queries, hidden, bias)
    yield from projection(prefix + "k_proj", keys, hidden, bias)
    yield from projection(prefix + "v_proj", keys, hidden, bias)
    yield from projection(prefix + "o_proj", hidden, queries, bias and family in ("phimoe", "gpt_oss"))
    if family in ("qwen3_moe", "qwen3_next", "olmoe") or config.get("use_qk_norm"):
        for name, width in (("q_norm", queries), ("k_norm", keys)):
            kind = "norm0" if family == "qwen3_next" else "norm"
            yield f"{prefix}{name}.weight", (width if family == "olmoe" else size,), kind
    if family == "gpt_oss":
        yield prefix + "sinks", (config["num_attention_heads"],), "bias"


def latent_attention(config, prefix):
    heads, hidden, rank = config["num_attention_heads"], config["hidden_size"], config["kv_lora_rank"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    yield from projection(prefix + "q_proj", heads * (nope + rope), hidden)
    yield from projection(prefix + "kv_a_proj_with_mqa", rank + rope, hidden)
    yield prefix + "kv_a_layernorm.weight", (rank,), "norm"
    yield from projection(prefix + "kv_b_proj", heads * (nope + value), rank)
    yield from projection(prefix + "o_proj", hidden, heads * value)


def delta_net(config, prefix):
    hidden, heads = config["hidden_size"], config["linear_num_value_heads"]
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    values = heads * config["linear_value_head_dim"]
    yield from projection(prefix + "in_proj_qkvz", 2 * keys + 2 * values, hidden)
    yield from projection(prefix + "in_proj_ba", 2 * heads, hidden)
    yield prefix + "conv1d.weight", (2 * keys + values, 1, config["linear_conv_kernel_dim"]), "linear"
    yield prefix + "A_log", (heads,), "decay"
    yield prefix + "dt_bias", (heads,), "bias"
    yield prefix + "norm.weight", (config["linear_value_head_dim"],), "norm"
    yield from projection(prefix + "out_proj", hidden, values)


def packed_experts(config, prefix):
    """gpt-oss: MXFP4, 32 values to a block of 16 bytes with one scale."""
    experts, hidden, inner = config["num_local_experts"], config["hidden_size"], config["intermediate_size"]
    yield from projection(prefix + "router", experts, hidden, True)
    for name, rows, columns in (("gate_up_proj", 2 * inner, hidden), ("down_proj", hidden, inner)):
        yield f"{prefix}experts.{name}_blocks", (experts, rows, columns // 32, 16), "blocks"
        yield f"{prefix}experts.{name}_scales", (experts, rows, columns // 32), "scales"
        yield f"{prefix}experts.{name}_bias", (experts, rows), "bias"


def expert_count(config):
    for key in ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"):
        if key in config:
            return config[key]
    raise KeyError("number of experts")


def shared_experts(config, prefix):
    family, hidden = config["model_type"], config["hidden_size"]
    if "shared_expert_intermediate_size" in config:
        yield from mlp(prefix + "shared_expert.", hidden, config["shared_expert_intermediate_size"])
        yield prefix + "shared_expert_gate.weight", (1, hidden), "linear"
    count = config.get("n_shared_experts") or config.get("moe_num_shared_experts")
    if count:
        yield from mlp(prefix + "shared_experts.", hidden, count * config["moe_intermediate_size"])
    if family == "ernie4_5_moe":
        yield prefix + "moe_statics.e_score_correction_bias", (1, expert_count(config)), "correction"
    if family in ("deepseek_v3", "glm4_moe"):
        yield prefix + "gate.e_score_correction_bias", (expert_count(config),), "correction"


def experts(config, prefix):
    """Router and experts of one layer; prefix is that of the layer."""
    family, hidden, count = config["model_type"], config["hidden_size"], expert_count(config)
    inner = config.get("moe_intermediate_size", config["intermediate_size"])
    if family == "gpt_oss":
        yield from packed_experts(config, prefix + "mlp.")
    elif family == "granitemoe":
        block = prefix + "block_sparse_moe."
        yield from projection(block + "router.layer", count, hidden)
        yield block + "input_linear.weight", (count, 2 * inner, hidden), "linear"
        yield block + "output_linear.weight", (count, hidden, inner), "linear"
    else:
        old = family in ("mixtral", "phimoe")
        block = prefix + ("block_sparse_moe." if old else "mlp.")
        names = ("w1", "w3", "w2") if old else ("gate_proj", "up_proj", "down_proj")
        yield from projection(block + "gate", count, hidden)
        for expert in range(count):
            yield from mlp(f"{block}experts.{expert}.", hidden, inner, names)
        yield from shared_experts(config, block)


def is_dense(config, layer):
    if config["model_type"] == "ernie4_5_moe":
        end = config.get("moe_layer_end_index", -1)
        is_between = config["moe_layer_start_index"] <= layer and (end < 0 or layer <= end)
        return not is_between or (layer + 1) % config.get("moe_layer_interval", 1) != 0
    if layer in (config.get("mlp_only_layers") or []) or (layer + 1) % config.get("decoder_sparse_step", 1):
        return True
    return layer < config.get("first_k_dense_replace", 0)


def is_recurrent(config, layer):
    if config["model_type"] != "qwen3_next":
        return False
    if config.get("layer_types"):
        return config["layer_types"][layer] == "linear_attention"
    return (layer + 1) % config.get("full_attention_interval", 4) != 0


def layer_tensors(config, layer):
    prefix = f"model.layers.{layer}."
    yield from norm(config, prefix + "input_layernorm")
    if "kv_lora_rank" in config:
        yield from latent_attention(config, prefix + "self_attn.")
    elif is_recurrent(config, layer):
        yield from delta_net(config, prefix + "linear_attn.")
    else:
        yield from attention(config, prefix + "self_attn.")
    yield from norm(config, prefix + "post_attention_layernorm")
    if is_dense(config, layer):
        yield from mlp(prefix + "mlp.", config["hidden_size"], config["intermediate_size"])
    else:
        yield from experts(config, prefix)


def all_tensors(config):
    """(name, shape, kind) of the whole model."""
    table = (config["vocab_size"], config["hidden_size"])
    yield "model.embed_tokens.weight", table, "embedding"
    for layer in range(config["num_hidden_layers"]):
        yield from layer_tensors(config, layer)
    yield from norm(config, "model.norm")
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", table, "linear"
    if config.get("lm_head_bias"):
        yield "lm_head.bias", (config["vocab_size"],), "bias"


def stored_tensors(folder):
    """Name and shape of what a checkpoint's files hold."""
    found = {}
    for path in folder.glob("*.safetensors"):
        data = path.read_bytes()
        header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
        found |= {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    return found


def differences(folder):
    """Names or shapes that differ; further prediction layers, which a runtime leaves alone, do not count."""
    config = json.loads((folder / "config.json").read_text())
    config["head_dim"] = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    made = {(name, tuple(shape)) for name, shape, _ in all_tensors(config)}
    prediction = f"model.layers.{config['num_hidden_layers']}."
    stored = {(name, shape) for name, shape in stored_tensors(folder).items()
              if "mtp" not in name and not name.startswith(prediction)}
    return sorted(made ^ stored)


def main():
    status = 0
    for config in sorted((pathlib.Path(__file__).resolve().parents[1] / "tests/data/model").glob("*_tiny/config.json")):
        wrong = differences(config.parent)
        print(f"{config.parent.name}: {f'{len(wrong)} differ: {wrong[:4]}' if wrong else 'equal'}")
        status |= bool(wrong)
    sys.exit(status)


if __name__ == "__main__":
    main()
