"""DeepSeek-MoE (V1): Llama's attention, softmax router without renormalising, shared experts, dense first layer.

transformers has no such family. What computes the same is its ernie4_5_moe with two settings: a lower bound of 1
for the sum that weights are divided by, which a sum of probabilities never passes, and correction biases of 0;
ERNIE rotates neighbouring dimensions, so the rows of q_proj and k_proj are put in that order. compare_mlx.py
checks the same checkpoint against mlx-lm, which has the family itself.
"""
import json

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, Ernie4_5_MoeConfig

import family_deepseek_v2 as v2
from checkpoints import VOCABULARY, attention_tensors, moe_tensors, mlp_tensors
from plain_model import PlainModel, shared_mistakes
from steered_router import Rule

CONFIG = {
    "architectures": ["DeepseekForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "aux_loss_alpha": 0.001,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "first_k_dense_replace": 1,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "model_type": "deepseek",
    "moe_intermediate_size": 12,
    "moe_layer_freq": 1,
    "n_routed_experts": 12,
    "n_shared_experts": 2,
    "norm_topk_prob": False,
    "num_attention_heads": 4,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 0.003,
    "rope_scaling": None,
    "rope_theta": 300.0,
    "scoring_func": "softmax",
    "seq_aux": True,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.36.0",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}

CHECKPOINTS = {"deepseek_tiny": (CONFIG, 10)}

MISTAKES = v2.COMMON_MISTAKES | shared_mistakes("rope_interleaved", "kv_heads_tiled", "router_sigmoid") | {
    "shared_experts_omitted": "the shared experts add nothing",
}
# Heads are hidden / heads wide here.
del MISTAKES["attention_scale_hidden_over_heads"]

moe_layers = v2.moe_layers


def rule(config):
    return Rule(config["num_experts_per_tok"], "renormalised" if config["norm_topk_prob"] else "softmax")


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = {prefix + "input_layernorm.weight": draw.norm(hidden)}
    tensors |= attention_tensors(config, draw, prefix + "self_attn.")
    tensors[prefix + "post_attention_layernorm.weight"] = draw.norm(hidden)
    if layer not in moe_layers(config):
        return tensors | mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    inner = config["moe_intermediate_size"]
    return tensors | moe_tensors(config, draw, prefix) | mlp_tensors(
        draw, prefix + "mlp.shared_experts.", hidden, inner * config["n_shared_experts"])


class Plain(PlainModel):
    def experts(self, x, residual, layer):
        routed = super().experts(x, residual, layer)
        if self.mistake == "shared_experts_omitted":
            return routed
        return routed + self.mlp(x, f"model.layers.{layer}.mlp.shared_experts.")


def stand_in_config(config):
    same = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "hidden_act", "max_position_embeddings", "rms_norm_eps", "moe_intermediate_size",
            "tie_word_embeddings")
    return Ernie4_5_MoeConfig(
        **{key: config[key] for key in same}, pad_token_id=None, use_bias=False,
        rope_parameters={"rope_type": "default", "rope_theta": config["rope_theta"]},
        moe_k=config["num_experts_per_tok"], moe_num_experts=config["n_routed_experts"],
        moe_num_shared_experts=config["n_shared_experts"], moe_layer_start_index=config["first_k_dense_replace"],
        moe_norm_min=1e-20 if config["norm_topk_prob"] else 1.0)


def neighbouring(rows, heads):
    """A projection's rows with the pairs (i, i + half) of each head put side by side."""
    first, second = rows.view(heads, 2, -1, rows.shape[-1]).unbind(1)
    return torch.stack([first, second], 2).reshape(rows.shape)


def stand_in_tensors(config, tensors):
    named = {}
    for name, tensor in tensors.items():
        if name.endswith("q_proj.weight"):
            tensor = neighbouring(tensor, config["num_attention_heads"])
        elif name.endswith("k_proj.weight"):
            tensor = neighbouring(tensor, config["num_key_value_heads"])
        if ".mlp.experts." not in name:
            named[name] = tensor
    for layer in moe_layers(config):
        prefix, experts = f"model.layers.{layer}.mlp.", range(config["n_routed_experts"])
        gate, up, down = (torch.stack([tensors[f"{prefix}experts.{e}.{part}_proj.weight"] for e in experts])
                          for part in ("gate", "up", "down"))
        named[prefix + "experts.gate_up_proj"] = torch.cat([gate, up], 1)
        named[prefix + "experts.down_proj"] = down
        named[prefix + "gate.moe_statics.e_score_correction_bias"] = torch.zeros(1, len(experts))
    return named


def load(folder):
    """The checkpoint's function as ernie4_5_moe, float32; every tensor must be found and used."""
    config, tensors = json.loads((folder / "config.json").read_text()), {}
    for shard in sorted(folder.glob("*.safetensors")):
        with safe_open(shard, "pt") as file:
            tensors |= {name: file.get_tensor(name).float() for name in file.keys()}
    settings = stand_in_config(config)
    model = AutoModelForCausalLM.from_config(settings, dtype=torch.float32, attn_implementation="eager",
                                             experts_implementation="eager")
    model.load_state_dict(stand_in_tensors(config, tensors), strict=True)
    return model.eval()
