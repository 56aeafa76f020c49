"""DeepSeek-V3 as Moonlight has it: V2's attention, sigmoid scores, a correction bias for the choice, groups."""
import family_deepseek_v2 as v2
from steered_router import Rule

CONFIG = {key: value for key, value in v2.LITE.items() if key != "rope_scaling"} | {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "n_group": 4,
    "norm_topk_prob": True,
    "num_nextn_predict_layers": 0,
    "rope_theta": 300.0,
    "routed_scaling_factor": 2.446,
    "scoring_func": "sigmoid",
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "transformers_version": "4.48.3",
}

CHECKPOINTS = {"deepseek_v3_tiny": (CONFIG, 2)}

# Published in float32 beside bfloat16 weights.
FULL_WIDTH = ("e_score_correction_bias",)

MISTAKES = v2.COMMON_MISTAKES | v2.LATENT_MISTAKES | {
    "router_softmax": "softmax scores in place of sigmoid",
    "groups_omitted": "the best experts of all groups",
    "groups_one_more": "topk_group + 1 groups kept",
    "groups_by_max": "groups ranked by their best, not by the sum of their two best",
    "groups_masked_to_zero": "experts of other groups count as 0, not as minus infinity, against negative values",
    "selection_bias_omitted": "e_score_correction_bias not added",
    "selection_bias_in_weights": "the weights are made of the scores with the bias",
    "selection_bias_on_logits": "the bias is added to the logits, so that the weights feel it too",
}

moe_layers = v2.moe_layers


def layer_tensors(config, draw, layer):
    tensors = v2.layer_tensors(config, draw, layer)
    if layer in moe_layers(config):
        # Negative, so that a masked value of 0 would win against some that are kept.
        name = f"model.layers.{layer}.mlp.gate.e_score_correction_bias"
        tensors[name] = draw.bias(config["n_routed_experts"], 1.0) - 1.0
    return tensors


def rule(config):
    return Rule(config["num_experts_per_tok"], "renormalised" if config["norm_topk_prob"] else "softmax",
                score="sigmoid", has_selection_bias=True, groups=config["n_group"],
                groups_kept=config["topk_group"], renorm_eps=1e-20, multiplier=config["routed_scaling_factor"])


class Plain(v2.Latent):
    bias_name = "gate.e_score_correction_bias"
