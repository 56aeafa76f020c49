"""ERNIE 4.5 (ernie4_5_moe): softmax scores, a correction bias for the choice alone, weights divided by no less than
moe_norm_min, rotation of neighbouring pairs, shared experts, tied embeddings.
"""
from checkpoints import VOCABULARY, attention_tensors, mlp_tensors, moe_tensors, norm_tensors
from plain_model import shared_mistakes
from routed_model import LLAMA, SELECTION_BIAS, SHARED, RoutedModel, shared_tensors, spread_bias
from steered_router import Rule

# Layers 1 and 3 of four are sparse: not before the first, every second, up to the last (-1). moe_norm_min is far
# above the published 1e-12, so that it bounds some sums.
CONFIG = {
    "architectures": ["Ernie4_5_MoeForCausalLM"],
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "model_type": "ernie4_5_moe",
    "moe_intermediate_size": 12,
    "moe_k": 3,
    "moe_layer_end_index": -1,
    "moe_layer_interval": 2,
    "moe_layer_start_index": 1,
    "moe_norm_min": 0.5,
    "moe_num_experts": 12,
    "moe_num_shared_experts": 2,
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "num_nextn_predict_layers": 1,
    "pad_token_id": 0,
    "rms_norm_eps": 0.3,
    "rope_scaling": None,
    "rope_theta": 3000.0,
    "router_aux_loss_coef": 0.001,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "use_bias": False,
    "use_cache": True,
    "vocab_size": VOCABULARY,
}
CHECKPOINTS = {"ernie4_5_moe_tiny": (CONFIG, 9)}
FULL_WIDTH = ("mlp.gate.weight", "e_score_correction_bias")
SKIPPED = "model.mtp_"


def rule(config):
    return Rule(config["moe_k"], "renormalised", has_selection_bias=True, renorm_min=config["moe_norm_min"])


def moe_layers(config):
    end = config["moe_layer_end_index"]
    end = config["num_hidden_layers"] - 1 if end == -1 else end
    return [layer for layer in range(config["moe_layer_start_index"], end + 1)
            if (layer + 1) % config["moe_layer_interval"] == 0]


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = norm_tensors(config, draw, prefix + "input_layernorm")
    tensors |= attention_tensors(config | {"attention_bias": False}, draw, prefix + "self_attn.")
    tensors |= norm_tensors(config, draw, prefix + "post_attention_layernorm")
    if layer not in moe_layers(config):
        return tensors | mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    tensors |= moe_tensors(config, draw, prefix)
    experts, shared = config["moe_num_experts"], config["moe_num_shared_experts"]
    tensors[prefix + "mlp.moe_statics.e_score_correction_bias"] = spread_bias(draw, experts)[None]
    tensors |= shared_tensors(config, draw, prefix + "mlp.shared_experts.", shared * config["moe_intermediate_size"])
    if layer + 1 == config["num_hidden_layers"]:  # the extra token's prediction, which nobody runs here
        tensors["model.mtp_emb_norm.0.weight"] = draw.norm(hidden)
        tensors["model.mtp_linear_proj.0.weight"] = draw.linear(hidden, 2 * hidden, 1.0)
    return tensors


class Plain(RoutedModel):
    shared_name, bias_name, interleaved = "shared_experts", "moe_statics.e_score_correction_bias", True


MISTAKES = LLAMA | SHARED | SELECTION_BIAS | shared_mistakes(
    "rope_theta_default", "dense_layer_skipped", "router_sigmoid", "experts_sorted_as_text") | {
    "rope_halves": "pairs (i, i + head_dim/2) are rotated, not (0,1),(2,3)..",
    "norm_min_default": "moe_norm_min of the config ignored: 1e-12"}
