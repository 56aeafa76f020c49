"""GLM-4.5 (glm4_moe): sigmoid scores with a correction bias and groups, a scaled sum of weights, shared experts,
rotation of half of each head, biases on q, k and v, a norm on each query and key head.
"""
from checkpoints import VOCABULARY, head_dim, mlp_tensors, moe_tensors, norm_tensors
from family_qwen2_moe import biased_attention
from plain_model import shared_mistakes
from routed_model import GROUPS, LLAMA, SELECTION_BIAS, SHARED, RoutedModel, shared_tensors, spread_bias
from steered_router import Rule

# The published models have one group and a head_dim that is not hidden / heads, as here.
CONFIG = {
    "architectures": ["Glm4MoeForCausalLM"],
    "attention_bias": True,
    "attention_dropout": 0.0,
    "eos_token_id": [2, 3],
    "first_k_dense_replace": 1,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 32,
    "initializer_range": 0.02,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "model_type": "glm4_moe",
    "moe_intermediate_size": 12,
    "n_group": 4,
    "n_routed_experts": 12,
    "n_shared_experts": 2,
    "norm_topk_prob": True,
    "num_attention_heads": 4,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "num_nextn_predict_layers": 1,
    "pad_token_id": 0,
    "partial_rotary_factor": 0.5,
    "rms_norm_eps": 0.003,
    "rope_scaling": None,
    "rope_theta": 100.0,
    "routed_scaling_factor": 1.8,
    "tie_word_embeddings": False,
    "topk_group": 2,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.54.0",
    "use_cache": True,
    "use_qk_norm": True,
    "vocab_size": VOCABULARY,
}
# Taken from all correction biases, which changes no choice: it puts choice values below 0, where a runtime that masks
# dropped groups with 0 instead of -inf goes wrong.
BELOW = 0.6
CHECKPOINTS = {"glm4_moe_tiny": (CONFIG, 6)}
FULL_WIDTH = ("e_score_correction_bias",)
SKIPPED = "model.layers.3."


def rule(config):
    return Rule(config["num_experts_per_tok"], "renormalised" if config["norm_topk_prob"] else "softmax",
                score="sigmoid", has_selection_bias=True, groups=config["n_group"],
                groups_kept=config["topk_group"], renorm_eps=1e-20, multiplier=config["routed_scaling_factor"])


def moe_layers(config):
    return list(range(config["first_k_dense_replace"], config["num_hidden_layers"]))


def next_token_layer(config, draw):
    """Some tensors of the layer that predicts one token further, which nobody runs here."""
    hidden, prefix = config["hidden_size"], f"model.layers.{config['num_hidden_layers']}."
    return {prefix + "enorm.weight": draw.norm(hidden), prefix + "eh_proj.weight": draw.linear(hidden, 2 * hidden, 1.0)}


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = norm_tensors(config, draw, prefix + "input_layernorm")
    tensors |= biased_attention(config, draw, prefix + "self_attn.")
    tensors |= {f"{prefix}self_attn.{name}.weight": draw.norm(head_dim(config)) for name in ("q_norm", "k_norm")}
    tensors |= norm_tensors(config, draw, prefix + "post_attention_layernorm")
    if layer not in moe_layers(config):
        return tensors | mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    tensors |= moe_tensors(config, draw, prefix)
    tensors[prefix + "mlp.gate.e_score_correction_bias"] = spread_bias(draw, config["n_routed_experts"]) - BELOW
    inner = config["n_shared_experts"] * config["moe_intermediate_size"]
    tensors |= shared_tensors(config, draw, prefix + "mlp.shared_experts.", inner)
    return tensors | (next_token_layer(config, draw) if layer + 1 == config["num_hidden_layers"] else {})


class Plain(RoutedModel):
    shared_name, bias_name = "shared_experts", "gate.e_score_correction_bias"

    def norms_each_head(self):
        return True


MISTAKES = LLAMA | SHARED | SELECTION_BIAS | GROUPS | shared_mistakes(
    "rope_theta_default", "rope_interleaved", "qk_norm_omitted", "qk_norm_weight_omitted", "qk_norm_after_rope",
    "qk_norm_full_width", "v_normed_like_k", "attention_scale_hidden_over_heads", "dense_layer_skipped",
    "experts_sorted_as_text", "lm_head_tied") | {
    "attention_bias_omitted": "no bias on q, k, v",
    "rope_on_all_dims": "the whole head is rotated",
    "rope_exponents_over_head_dim": "frequencies of the whole head on its first half",
    "rope_last_dims": "the second half of each head is rotated",
    "router_softmax": "softmax scores in place of sigmoid",
    "multiplier_omitted": "routed_scaling_factor ignored",
    "multiplier_on_shared": "routed_scaling_factor on the shared experts too"}
