"""DeepSeek-V2: attention over a shared latent (MLA), YaRN with a factor on the scores, shared experts.

Two checkpoints: one shaped as V2-Lite (queries projected directly, greedy choice), one as V2 (queries through a
latent of their own, choice limited to the best groups, biases).
"""
import math

import torch

from checkpoints import VOCABULARY, mlp_tensors, moe_tensors
from plain_model import PlainModel, shared_mistakes
from routed_model import RoutedModel, shared_tensors
from steered_router import Rule

LITE = {
    "architectures": ["DeepseekV2ForCausalLM"],
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
    "kv_lora_rank": 18,
    "max_position_embeddings": 64,
    "model_type": "deepseek_v2",
    "moe_intermediate_size": 12,
    "moe_layer_freq": 1,
    "n_group": 1,
    "n_routed_experts": 12,
    "n_shared_experts": 2,
    "norm_topk_prob": False,
    "num_attention_heads": 4,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 4,
    "pretraining_tp": 1,
    "q_lora_rank": None,
    "qk_nope_head_dim": 12,
    "qk_rope_head_dim": 8,
    "rms_norm_eps": 0.003,
    # Between the two betas lie all but the ends of the four frequencies, and the rounding of the range shows;
    # unlike mscales, so that cosines and sines carry a factor beside the one of the scores.
    "rope_scaling": {
        "beta_fast": 1.5,
        "beta_slow": 0.1,
        "factor": 4,
        "mscale": 1.6,
        "mscale_all_dim": 0.7,
        "original_max_position_embeddings": 16,
        "type": "yarn",
    },
    "rope_theta": 300.0,
    "routed_scaling_factor": 1.7,
    "scoring_func": "softmax",
    "seq_aux": True,
    "tie_word_embeddings": False,
    "topk_group": 1,
    "topk_method": "greedy",
    "torch_dtype": "bfloat16",
    "transformers_version": "4.39.3",
    "use_cache": True,
    "v_head_dim": 10,
    "vocab_size": VOCABULARY,
}

GROUPED = LITE | {"attention_bias": True, "n_group": 4, "q_lora_rank": 20, "topk_group": 2,
                  "topk_method": "group_limited_greedy"}

CHECKPOINTS = {"deepseek_v2_tiny": (LITE, 19), "deepseek_v2_grouped": (GROUPED, 1)}

# The norms of the latents take their class's default, whatever rms_norm_eps says.
LATENT_EPS = 1e-6

COMMON_MISTAKES = shared_mistakes(
    "rope_theta_1_percent", "rope_theta_default", "rope_omitted", "rope_queries_only", "rope_reversed",
    "eps_times_10", "eps_default", "norm_weight_plus_1", "norm_weight_omitted", "norm_subtracts_mean",
    "final_norm_omitted", "layer_norms_swapped", "attention_scale_hidden_over_heads", "attention_scale_omitted",
    "mask_hides_self", "mask_shows_next", "mask_omitted", "activation_gelu", "gate_up_swapped",
    "dense_layer_skipped", "norm_topk_flipped", "top_k_one_less", "top_k_one_more", "top_k_smallest",
    "router_before_norm", "routing_weights_omitted", "weights_on_input", "experts_shifted_by_1",
    "experts_sorted_as_text", "residual_from_norm", "lm_head_tied")
LATENT_MISTAKES = {
    "rope_halves": "pairs (i, i + rope_dim/2) are rotated, not (0,1),(2,3)..",
    "latent_norm_omitted": "kv_a_layernorm skipped",
    "latent_norm_weight_omitted": "kv_a_layernorm without its weight",
    "latent_eps_of_config": "rms_norm_eps in the norms of the latents, not 1e-6",
    "latent_after_rope_key": "kv_a_proj_with_mqa gives the rope key first, then the latent",
    "rope_before_nope": "a query head's rope part read first",
    "values_before_keys": "kv_b_proj gives a head's values first, then its keys",
    "kv_b_all_keys_first": "kv_b_proj gives all heads' keys, then all heads' values",
    "attention_scale_from_nope": "scale qk_nope_head_dim^-0.5 (times the YaRN factor)",
    "shared_experts_omitted": "the shared experts add nothing",
    "multiplier_on_shared": "the shared experts times routed_scaling_factor",
    "multiplier_omitted": "routed_scaling_factor read as 1",
}
YARN_MISTAKES = {
    "softmax_factor_omitted": "scores not multiplied by the square of 0.1 mscale_all_dim ln(factor) + 1",
    "softmax_factor_once": "scores multiplied by 0.1 mscale_all_dim ln(factor) + 1, not by its square",
    "yarn_omitted": "theta's own frequencies",
    "yarn_all_divided": "every frequency divided by the factor",
    "yarn_range_not_rounded": "the range between the betas neither floored nor ceiled",
    "yarn_betas_default": "beta_fast 32 and beta_slow 1",
    "yarn_scale_omitted": "cosines and sines times 1",
    "yarn_scale_from_mscale": "cosines and sines times 0.1 mscale ln(factor) + 1, not divided by mscale_all_dim's",
}
QUERY_MISTAKES = {
    "query_norm_omitted": "q_a_layernorm skipped",
    "query_norm_weight_omitted": "q_a_layernorm without its weight",
}
GROUP_MISTAKES = {
    "groups_omitted": "the best experts of all groups",
    "groups_one_more": "topk_group + 1 groups kept",
    "groups_by_two": "groups ranked by the sum of their two best, not by the best",
}
BIAS_MISTAKES = {
    "attention_bias_omitted": "no bias on q_a, kv_a and o",
    "output_bias_omitted": "no bias on o",
}


def mistakes(config):
    named = COMMON_MISTAKES | LATENT_MISTAKES | YARN_MISTAKES | {
        "router_sigmoid": "sigmoid scores in place of softmax"}
    if config["q_lora_rank"]:
        named |= QUERY_MISTAKES
    if config["topk_method"] == "group_limited_greedy":
        named |= GROUP_MISTAKES
    return named | BIAS_MISTAKES if config["attention_bias"] else named


def moe_layers(config):
    return list(range(config["first_k_dense_replace"], config["num_hidden_layers"]))


def latent_attention_tensors(config, draw, prefix):
    """The latents are drawn small, so that their norms' eps matters."""
    hidden, heads, rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    nope, rope, values = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    tensors, q_rank, biased = {}, config["q_lora_rank"], config["attention_bias"]
    if q_rank:
        tensors[prefix + "q_a_proj.weight"] = draw.linear(q_rank, hidden, 0.3)
        if biased:
            tensors[prefix + "q_a_proj.bias"] = draw.bias(q_rank, 0.2)
        tensors[prefix + "q_a_layernorm.weight"] = draw.norm(q_rank)
        tensors[prefix + "q_b_proj.weight"] = draw.linear(heads * (nope + rope), q_rank, 1.2)
    else:
        tensors[prefix + "q_proj.weight"] = draw.linear(heads * (nope + rope), hidden, 1.2)
    tensors[prefix + "kv_a_proj_with_mqa.weight"] = torch.cat(
        [draw.linear(rank, hidden, 0.3), draw.linear(rope, hidden, 1.2)])
    if biased:
        tensors[prefix + "kv_a_proj_with_mqa.bias"] = torch.cat([draw.bias(rank, 0.2), draw.bias(rope)])
    tensors[prefix + "kv_a_layernorm.weight"] = draw.norm(rank)
    tensors[prefix + "kv_b_proj.weight"] = draw.linear(heads * (nope + values), rank, 1.5)
    tensors[prefix + "o_proj.weight"] = draw.linear(hidden, heads * values, 2.0)
    if biased:
        tensors[prefix + "o_proj.bias"] = draw.bias(hidden)
    return tensors


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = {prefix + "input_layernorm.weight": draw.norm(hidden)}
    tensors |= latent_attention_tensors(config, draw, prefix + "self_attn.")
    tensors[prefix + "post_attention_layernorm.weight"] = draw.norm(hidden)
    if layer not in moe_layers(config):
        return tensors | mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    tensors |= moe_tensors(config, draw, prefix)
    inner = config["moe_intermediate_size"] * config["n_shared_experts"]
    return tensors | shared_tensors(config, draw, prefix + "mlp.shared_experts.", inner)


def rule(config):
    limited = config["topk_method"] == "group_limited_greedy"
    return Rule(config["num_experts_per_tok"], "softmax", groups=config["n_group"] if limited else 1,
                groups_kept=config["topk_group"] if limited else 1, group_score="max",
                multiplier=config["routed_scaling_factor"])


def mscale(factor, strength):
    return 0.1 * strength * math.log(factor) + 1 if factor > 1 else 1.0


class Latent(RoutedModel):
    """Attention over latents, as DeepSeek-V2 and V3 have it."""

    shared_name = "shared_experts"

    def rotate(self, x, sign=1.0):
        """As the base of all has it, with rope_scaling; split_pairs makes its pairs those of neighbours."""
        return PlainModel.rotate(self, x, sign)

    def sigmoid(self, logits):
        """The library's own, which differs in the last bit and has made the committed figures."""
        return logits.sigmoid()

    def latent_norm(self, x, name):
        if self.mistake == name + "_norm_omitted":
            return x
        eps = self.eps if self.mistake == "latent_eps_of_config" else LATENT_EPS
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
        weight = self.tensors[self.latent_prefix + {"latent": "kv_a", "query": "q_a"}[name] + "_layernorm.weight"]
        return x if self.mistake == name + "_norm_weight_omitted" else x * weight

    def rope_scaling(self, length):
        scaling = self.config.get("rope_scaling")
        if scaling is None:
            return 1.0, 1.0
        factor, half = scaling["factor"], self.config["qk_rope_head_dim"] // 2
        scale = mscale(factor, scaling["mscale"])
        if self.mistake != "yarn_scale_from_mscale":
            scale = scale / mscale(factor, scaling["mscale_all_dim"])
        scale = 1.0 if self.mistake == "yarn_scale_omitted" else scale
        if self.mistake == "yarn_omitted":
            return 1.0, scale
        if self.mistake == "yarn_all_divided":
            return factor, scale
        low, high = self.yarn_range(scaling, half)
        divided = ((torch.arange(half).double() - low) / (high - low)).clamp(0, 1)
        return 1 / (1 - divided + divided / factor), scale

    def yarn_range(self, scaling, half):
        """Which frequencies turn beta_fast and beta_slow times within the original length."""
        theta = self.config["rope_theta"]
        betas = (32, 1) if self.mistake == "yarn_betas_default" else (scaling["beta_fast"], scaling["beta_slow"])
        original = scaling["original_max_position_embeddings"]
        low, high = (half * math.log(original / (turns * 2 * math.pi)) / math.log(theta) for turns in betas)
        if self.mistake != "yarn_range_not_rounded":
            low, high = math.floor(low), math.ceil(high)
        return max(low, 0), min(high, 2 * half - 1)

    def split_pairs(self, x):
        """Pairs (0,1),(2,3).. to (i, i + half), so that the base class's rotation is theirs."""
        return x if self.mistake == "rope_halves" else torch.cat([x[..., 0::2], x[..., 1::2]], -1)

    def scale(self):
        if self.mistake in ("attention_scale_omitted", "attention_scale_hidden_over_heads"):
            return super().scale()
        nope, rope = self.config["qk_nope_head_dim"], self.config["qk_rope_head_dim"]
        width = nope if self.mistake == "attention_scale_from_nope" else nope + rope
        scaling = self.config.get("rope_scaling")
        if scaling is None or self.mistake == "softmax_factor_omitted":
            return width ** -0.5
        power = 1 if self.mistake == "softmax_factor_once" else 2
        return width ** -0.5 * mscale(scaling["factor"], scaling["mscale_all_dim"]) ** power

    def queries(self, x, prefix):
        heads, nope, rope = (self.config[k] for k in ("num_attention_heads", "qk_nope_head_dim", "qk_rope_head_dim"))
        if self.config["q_lora_rank"]:
            q = self.linear(self.latent_norm(self.linear(x, prefix + "q_a_proj"), "query"), prefix + "q_b_proj")
        else:
            q = self.linear(x, prefix + "q_proj")
        q = q.view(len(x), heads, nope + rope)
        if self.mistake == "rope_before_nope":
            turned, plain = q.split([rope, nope], -1)
        else:
            plain, turned = q.split([nope, rope], -1)
        return torch.cat([plain, self.rotate(self.split_pairs(turned))], -1)

    def keys_and_values(self, x, prefix):
        heads, nope, rope = (self.config[k] for k in ("num_attention_heads", "qk_nope_head_dim", "qk_rope_head_dim"))
        rank, width = self.config["kv_lora_rank"], self.config["v_head_dim"]
        both = self.linear(x, prefix + "kv_a_proj_with_mqa")
        if self.mistake == "latent_after_rope_key":
            turned, latent = both.split([rope, rank], -1)
        else:
            latent, turned = both.split([rank, rope], -1)
        turned = self.split_pairs(turned[:, None])
        if self.mistake != "rope_queries_only":
            turned = self.rotate(turned, -1.0 if self.mistake == "rope_reversed" else 1.0)
        expanded = self.linear(self.latent_norm(latent, "latent"), prefix + "kv_b_proj")
        if self.mistake == "kv_b_all_keys_first":
            plain, v = expanded.split([heads * nope, heads * width], -1)
            plain, v = plain.view(len(x), heads, nope), v.view(len(x), heads, width)
        elif self.mistake == "values_before_keys":
            v, plain = expanded.view(len(x), heads, -1).split([width, nope], -1)
        else:
            plain, v = expanded.view(len(x), heads, -1).split([nope, width], -1)
        return torch.cat([plain, turned.expand(-1, heads, -1)], -1), v

    def attention(self, x, layer):
        prefix = self.latent_prefix = f"model.layers.{layer}.self_attn."
        q = self.queries(x, prefix)
        k, v = self.keys_and_values(x, prefix)
        scores = torch.einsum("qhd,khd->hqk", q, k) * self.scale()
        shares = scores.masked_fill(~self.mask(x.shape[0], layer), -torch.inf).softmax(-1)
        mixed = torch.einsum("hqk,khd->qhd", shares, v)
        return self.linear(mixed.reshape(x.shape[0], -1), prefix + "o_proj")


class Plain(Latent):
    pass
