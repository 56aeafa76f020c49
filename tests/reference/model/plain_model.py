"""The decoders written once more from their formulas, in float64, with named mistakes to switch on.

Without a mistake it must agree with transformers; with one it shows how far that mistake moves the logits.
"""
import math

import torch

from checkpoints import expert_count, family_module, head_dim, moe_layers
from steered_router import rule_of, sparsemixer_weights

# name -> (families it is a mistake for, what it changes)
BOTH, QWEN, OLMO = ("qwen3_moe", "olmoe"), ("qwen3_moe",), ("olmoe",)
GRANITE, PHI = ("granitemoe",), ("phimoe",)
ALL, RMS, SOFTMAX = BOTH + GRANITE + PHI, BOTH + GRANITE, BOTH + GRANITE
MISTAKES = {
    "rope_theta_1_percent": (ALL, "rope_theta x 1.01"),
    "rope_theta_default": (ALL, "rope_theta of the config ignored: 10000"),
    "rope_interleaved": (ALL, "pairs (0,1),(2,3).. are rotated, not (i, i + head_dim/2)"),
    "rope_omitted": (ALL, "queries and keys not rotated"),
    "rope_queries_only": (ALL, "keys not rotated"),
    "rope_reversed": (ALL, "rotation by minus the angle on keys"),
    "eps_times_10": (ALL, "rms_norm_eps x 10 in every norm"),
    "eps_default": (ALL, "rms_norm_eps of the config ignored: 1e-6"),
    "norm_weight_plus_1": (ALL, "every norm multiplies by 1 + weight"),
    "norm_weight_omitted": (ALL, "every norm's weight left out"),
    "norm_subtracts_mean": (SOFTMAX, "LayerNorm statistics in place of RMS"),
    "final_norm_omitted": (ALL, "model.norm skipped"),
    "layer_norms_swapped": (ALL, "input_layernorm and post_attention_layernorm exchanged"),
    "qk_norm_omitted": (BOTH, "q_norm and k_norm skipped"),
    "qk_norm_weight_omitted": (BOTH, "q_norm and k_norm without their weights"),
    "qk_norm_after_rope": (BOTH, "q_norm and k_norm after the rotation"),
    "qk_norm_full_width": (QWEN, "statistics of q_norm and k_norm over all heads together"),
    "qk_norm_per_head": (OLMO, "statistics of q_norm and k_norm for each head alone"),
    "v_normed_like_k": (QWEN, "values go through k_norm too"),
    "clip_qkv_omitted": (OLMO, "no clamp on q, k, v"),
    "clip_qkv_not_on_v": (OLMO, "values not clamped"),
    "clip_qkv_before_norm": (OLMO, "clamp before q_norm and k_norm"),
    "clip_qkv_after_rope": (OLMO, "clamp of q and k after the rotation"),
    "kv_heads_tiled": (QWEN + GRANITE + PHI, "query head h uses kv head h mod n_kv, not h / (heads/n_kv)"),
    "attention_scale_hidden_over_heads": (QWEN + PHI, "scale (hidden/heads)^-0.5 in place of head_dim^-0.5"),
    "attention_scale_omitted": (ALL, "scale 1"),
    "mask_hides_self": (ALL, "token i sees j < i (the first one itself)"),
    "mask_shows_next": (ALL, "token i sees j <= i + 1"),
    "mask_omitted": (ALL, "every token sees all"),
    "activation_gelu": (ALL, "gelu in place of silu"),
    "gate_up_swapped": (ALL, "act(up) * gate in experts and dense layers"),
    "dense_layer_skipped": (QWEN, "the dense layer's MLP adds nothing"),
    "norm_topk_flipped": (SOFTMAX, "norm_topk_prob read the other way round (with false -> true this is also the "
                                "softmax over the chosen logits only)"),
    "top_k_one_less": (ALL, "num_experts_per_tok - 1"),
    "top_k_one_more": (ALL, "num_experts_per_tok + 1"),
    "top_k_smallest": (ALL, "the k smallest experts"),
    "router_sigmoid": (SOFTMAX, "sigmoid scores in place of softmax"),
    "router_before_norm": (ALL, "the router reads the residual, not the normed hidden state"),
    "routing_weights_omitted": (ALL, "chosen experts are averaged, weights unused"),
    "weights_on_input": (ALL, "the routing weight scales the expert's input, not its output"),
    "experts_shifted_by_1": (ALL, "expert e runs the weights of e + 1"),
    "experts_sorted_as_text": (OLMO + PHI, "experts in the order 0, 1, 10, 11, 2, .."),
    "residual_from_norm": (ALL, "the residual of the MLP is taken after the norm"),
    "embedding_multiplier_omitted": (GRANITE, "embeddings not multiplied"),
    "residual_multiplier_omitted": (GRANITE, "branches added as they are"),
    "residual_multiplier_on_attention_only": (GRANITE, "the experts' branch added as it is"),
    "attention_scale_from_head_dim": (GRANITE, "scale head_dim^-0.5 in place of attention_multiplier"),
    "logits_multiplied": (GRANITE, "logits times logits_scaling, not divided by it"),
    "norm_root_mean_square": (PHI, "RMS in place of LayerNorm statistics"),
    "norm_bias_omitted": (PHI, "LayerNorm without its bias"),
    "attention_bias_omitted": (PHI, "no bias on q, k, v, o"),
    "output_bias_omitted": (PHI, "no bias on o"),
    "head_bias_omitted": (PHI, "no bias on lm_head"),
    "router_softmax": (PHI, "softmax over the two chosen logits in place of the sparsemixer"),
    "router_log_softmax_first": (PHI, "log_softmax before the sparsemixer, which a constant on all logits changes"),
    "sparsemixer_renormalised": (PHI, "the two weights divided by their sum"),
    "sparsemixer_eps_default": (PHI, "router_jitter_noise of the config ignored: 0.01"),
    "sparsemixer_first_kept": (PHI, "the first expert stays in the second one's sum"),
    "rope_factors_omitted": (PHI, "theta's own frequencies"),
    "rope_long_always": (PHI, "long factors and scale at any length"),
    "rope_scale_omitted": (PHI, "cosines and sines times 1 in place of short_mscale"),
    "rope_scale_from_factor": (PHI, "sqrt(1 + ln(max / original) / ln(original)) in place of short_mscale"),
    "window_omitted": (PHI, "every earlier token is seen"),
    "window_one_more": (PHI, "token i sees j >= i - window, one token too many"),
    "lm_head_tied": (BOTH + PHI, "the embedding used in place of lm_head"),
}


def mistakes_of(config):
    """name -> what it changes, for the config's family."""
    module = family_module(config)
    if module is not None:
        return module.mistakes(config) if hasattr(module, "mistakes") else module.MISTAKES
    return {name: changes for name, (families, changes) in MISTAKES.items() if config["model_type"] in families}


def shared_mistakes(*names):
    """Mistakes of MISTAKES that a family module takes over."""
    return {name: MISTAKES[name][1] for name in names}


def plain_model(config, tensors, mistake=None):
    """The family's PlainModel with one mistake or none."""
    module = family_module(config)
    return (PlainModel if module is None else module.Plain)(config, tensors, mistake)


def common_names(config, tensors):
    """The tensors under qwen3_moe's published names, one a matrix."""
    if config["model_type"] == "phimoe":
        parts = {".block_sparse_moe.": ".mlp.", ".w1.": ".gate_proj.", ".w3.": ".up_proj.", ".w2.": ".down_proj."}
    else:
        parts = {".block_sparse_moe.router.layer.": ".mlp.gate."}
    named = {}
    for name, tensor in tensors.items():
        for old, new in parts.items():
            name = name.replace(old, new)
        prefix = name.replace(".block_sparse_moe.input_linear.weight", ".mlp.experts")
        if prefix != name:
            for expert, both in enumerate(tensor):
                gate, up = both.chunk(2)
                named[f"{prefix}.{expert}.gate_proj.weight"], named[f"{prefix}.{expert}.up_proj.weight"] = gate, up
            continue
        prefix = name.replace(".block_sparse_moe.output_linear.weight", ".mlp.experts")
        if prefix != name:
            named |= {f"{prefix}.{expert}.down_proj.weight": down for expert, down in enumerate(tensor)}
            continue
        named[name] = tensor
    return named


class PlainModel:
    """Logits of one sequence: float64, one mistake or none (mistake=None)."""

    def __init__(self, config, tensors, mistake=None):
        assert mistake is None or mistake in mistakes_of(config), mistake
        self.config, self.mistake = config, mistake
        self.tensors = {name: t.double() for name, t in self.named(tensors).items()}
        self.eps = config["rms_norm_eps"] * (10 if mistake == "eps_times_10" else 1)
        if mistake == "eps_default":
            self.eps = 1e-6
        self.order = list(range(expert_count(config)))
        if mistake == "experts_sorted_as_text":
            self.order.sort(key=str)
        if mistake == "experts_shifted_by_1":
            self.order = self.order[1:] + self.order[:1]

    def named(self, tensors):
        """The tensors under the names that the methods below use."""
        return common_names(self.config, tensors)

    def norms_each_head(self):
        return self.config["model_type"] == "qwen3_moe"

    def norm(self, x, weight, bias=None):
        centred = (bias is not None) != (self.mistake in ("norm_subtracts_mean", "norm_root_mean_square"))
        if centred:
            x = x - x.mean(-1, keepdim=True)
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
        if self.mistake != "norm_weight_omitted":
            x = x * (weight + 1 if self.mistake == "norm_weight_plus_1" else weight)
        return x if bias is None or self.mistake == "norm_bias_omitted" else x + bias

    def named_norm(self, x, name):
        return self.norm(x, self.tensors[name + ".weight"], self.tensors.get(name + ".bias"))

    def linear(self, x, name):
        y, bias = x @ self.tensors[name + ".weight"].T, self.tensors.get(name + ".bias")
        omitted = self.mistake == "attention_bias_omitted" or (
            self.mistake == "output_bias_omitted" and name.endswith("o_proj"))
        return y if bias is None or omitted else y + bias

    def qk_norm(self, x, weight, heads):
        """x [tokens, heads * dim]; qwen3_moe norms each head alone, olmoe the full width, others none."""
        if self.mistake == "qk_norm_omitted" or weight is None:
            return x
        if self.mistake == "qk_norm_weight_omitted":
            weight = torch.ones_like(weight)
        dim = head_dim(self.config)
        per_head = self.norms_each_head()
        weight = weight.repeat(heads) if per_head else weight
        if self.mistake in ("qk_norm_full_width", "qk_norm_per_head"):
            per_head = not per_head
        if not per_head:
            return self.norm(x, weight)
        return self.norm(x.view(-1, heads, dim), weight.view(heads, dim)).reshape(x.shape)

    def clip(self, x):
        limit = self.config.get("clip_qkv")
        return x if limit is None else x.clamp(-limit, limit)

    def rope_scaling(self, length):
        """longrope: what divides the frequencies and multiplies cosines and sines of a sequence of this length."""
        scaling = self.config.get("rope_scaling")
        if scaling is None:
            return 1.0, 1.0
        original = scaling["original_max_position_embeddings"]
        which = "long" if length > original or self.mistake == "rope_long_always" else "short"
        factors, scale = torch.tensor(scaling[which + "_factor"]).double(), scaling[which + "_mscale"]
        if self.mistake == "rope_factors_omitted":
            factors = 1.0
        if self.mistake == "rope_scale_omitted":
            scale = 1.0
        if self.mistake == "rope_scale_from_factor":
            scale = math.sqrt(1 + math.log(self.config["max_position_embeddings"] / original) / math.log(original))
        return factors, scale

    def rotate(self, x, sign=1.0):
        """x [tokens, heads, dim]."""
        if self.mistake == "rope_omitted":
            return x
        theta = self.config["rope_theta"] * (1.01 if self.mistake == "rope_theta_1_percent" else 1.0)
        theta = 10000.0 if self.mistake == "rope_theta_default" else theta
        half = x.shape[-1] // 2
        factors, scale = self.rope_scaling(x.shape[0])
        frequencies = theta ** (-torch.arange(half).double() / half) / factors
        angle = torch.arange(x.shape[0]).double()[:, None] * frequencies
        cos, sin = scale * angle.cos()[:, None], scale * sign * angle.sin()[:, None]
        if self.mistake == "rope_interleaved":
            a, b = x[..., 0::2], x[..., 1::2]
            return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def mask(self, n, layer):
        window = (self.config.get("sliding_window") or n) + (self.mistake == "window_one_more")
        i, j = torch.arange(n)[:, None], torch.arange(n)[None]
        return self.causal_mask(n, i, j) & ((j > i - window) | (self.mistake == "window_omitted"))

    def causal_mask(self, n, i, j):
        if self.mistake == "mask_omitted":
            return torch.ones(n, n, dtype=torch.bool)
        if self.mistake == "mask_shows_next":
            return j <= i + 1
        return (j < i) | ((i == 0) & (j == 0)) if self.mistake == "mask_hides_self" else j <= i

    def scale(self):
        if self.mistake == "attention_scale_omitted":
            return 1.0
        if self.mistake == "attention_scale_hidden_over_heads":
            return (self.config["hidden_size"] / self.config["num_attention_heads"]) ** -0.5
        if self.mistake != "attention_scale_from_head_dim" and "attention_multiplier" in self.config:
            return self.config["attention_multiplier"]
        return head_dim(self.config) ** -0.5

    def positioned(self, x, weight, heads, is_key):
        """Norm, clamp and rotation of queries or keys, in the family's order."""
        name, late = self.mistake, self.mistake == "qk_norm_after_rope"
        sign = -1.0 if is_key and name == "rope_reversed" else 1.0
        turned = not (is_key and name == "rope_queries_only")
        if name == "clip_qkv_before_norm":
            x = self.clip(x)
        x = x if late else self.qk_norm(x, weight, heads)
        if name not in ("clip_qkv_before_norm", "clip_qkv_omitted", "clip_qkv_after_rope"):
            x = self.clip(x)
        x = x.view(x.shape[0], heads, -1)
        x = self.rotate(x, sign) if turned else x
        x = self.clip(x) if name == "clip_qkv_after_rope" else x
        if late:
            x = self.qk_norm(x.reshape(x.shape[0], -1), weight, heads).view(x.shape)
        return x

    def values(self, x, k_norm, heads):
        if self.mistake not in ("clip_qkv_omitted", "clip_qkv_not_on_v"):
            x = self.clip(x)
        if self.mistake == "v_normed_like_k":
            x = self.qk_norm(x, k_norm, heads)
        return x.view(x.shape[0], heads, -1)

    def shares(self, scores, layer):
        return scores.softmax(-1)

    def attention(self, x, layer):
        prefix = f"model.layers.{layer}.self_attn."
        get = lambda name: self.tensors.get(f"{prefix}{name}.weight")
        heads, kv_heads = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        q = self.positioned(self.linear(x, prefix + "q_proj"), get("q_norm"), heads, is_key=False)
        k = self.positioned(self.linear(x, prefix + "k_proj"), get("k_norm"), kv_heads, is_key=True)
        v = self.values(self.linear(x, prefix + "v_proj"), get("k_norm"), kv_heads)
        source = torch.arange(heads) // (heads // kv_heads)
        if self.mistake == "kv_heads_tiled":
            source = torch.arange(heads) % kv_heads
        scores = torch.einsum("qhd,khd->hqk", q, k[:, source]) * self.scale()
        shares = self.shares(scores.masked_fill(~self.mask(x.shape[0], layer), -torch.inf), layer)
        mixed = torch.einsum("hqk,khd->qhd", shares, v[:, source])
        return self.linear(mixed.reshape(x.shape[0], -1), prefix + "o_proj")

    def mlp(self, x, prefix):
        gate, up, down = (self.tensors[f"{prefix}{p}_proj.weight"] for p in ("gate", "up", "down"))
        act = torch.nn.functional.gelu if self.mistake == "activation_gelu" else torch.nn.functional.silu
        if self.mistake == "gate_up_swapped":
            gate, up = up, gate
        return (act(x @ gate.T) * (x @ up.T)) @ down.T

    def routed(self, logits):
        """Dense [tokens, experts] weights, zero where an expert is not chosen, and the choice."""
        k, name = self.config["num_experts_per_tok"], self.mistake
        k += {"top_k_one_less": -1, "top_k_one_more": 1}.get(name, 0)
        if self.config["model_type"] == "phimoe" and name != "router_softmax":
            return self.sparsemixed(logits, k)
        scores = logits.sigmoid() if name == "router_sigmoid" else logits.softmax(-1)
        ids = scores.topk(k, -1, largest=name != "top_k_smallest").indices
        chosen = torch.zeros_like(scores, dtype=torch.bool).scatter(-1, ids, True)
        weights = scores * chosen
        if (rule_of(self.config).kind != "softmax") != (name == "norm_topk_flipped"):
            weights = weights / weights.sum(-1, keepdim=True)
        if name == "routing_weights_omitted":
            weights = chosen.double() / k
        return weights, chosen

    def sparsemixed(self, logits, k):
        name, eps = self.mistake, self.config["router_jitter_noise"]
        ids = logits.topk(k, -1, largest=name != "top_k_smallest").indices
        chosen = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, ids, True)
        if name == "router_log_softmax_first":
            logits = logits.log_softmax(-1)
        eps = 0.01 if name == "sparsemixer_eps_default" else eps
        if name == "sparsemixer_first_kept":
            slots = torch.cat([sparsemixer_weights(logits, ids[:, i, None], eps) for i in range(k)], -1)
        else:
            slots = sparsemixer_weights(logits, ids, eps)
        if name == "sparsemixer_renormalised":
            slots = slots / slots.sum(-1, keepdim=True)
        weights = torch.zeros_like(logits).scatter(-1, ids, slots)
        return (chosen.double() / k if name == "routing_weights_omitted" else weights), chosen

    def experts(self, x, residual, layer):
        prefix = f"model.layers.{layer}.mlp."
        logits = self.linear(residual if self.mistake == "router_before_norm" else x, prefix + "gate")
        weights, chosen = self.routed(logits)
        out = torch.zeros_like(x)
        for expert, source in enumerate(self.order):
            name, w = f"{prefix}experts.{source}.", weights[:, expert, None]
            if self.mistake == "weights_on_input":
                out += self.mlp(x * w, name) * chosen[:, expert, None]
            else:
                out += self.mlp(x, name) * w
        return out

    def feed_forward(self, x, residual, layer):
        if layer in moe_layers(self.config):
            return self.experts(x, residual, layer)
        if self.mistake == "dense_layer_skipped":
            return torch.zeros_like(x)
        return self.mlp(x, f"model.layers.{layer}.mlp.")

    def logits(self, tokens):
        hidden = self.tensors["model.embed_tokens.weight"][tokens]
        if self.mistake != "embedding_multiplier_omitted":
            hidden = hidden * self.config.get("embedding_multiplier", 1.0)
        step = 1.0 if self.mistake == "residual_multiplier_omitted" else self.config.get("residual_multiplier", 1.0)
        moe_step = 1.0 if self.mistake == "residual_multiplier_on_attention_only" else step
        for layer in range(self.config["num_hidden_layers"]):
            names = ["input_layernorm", "post_attention_layernorm"]
            if self.mistake == "layer_norms_swapped":
                names.reverse()
            first, second = (f"model.layers.{layer}.{name}" for name in names)
            hidden = hidden + step * self.attention(self.named_norm(hidden, first), layer)
            normed = self.named_norm(hidden, second)
            base = normed if self.mistake == "residual_from_norm" else hidden
            hidden = base + moe_step * self.feed_forward(normed, hidden, layer)
        if self.mistake != "final_norm_omitted":
            hidden = self.named_norm(hidden, "model.norm")
        return self.head(hidden)

    def head(self, hidden):
        tied = self.config["tie_word_embeddings"] or self.mistake == "lm_head_tied"
        logits = hidden @ self.tensors["model.embed_tokens.weight" if tied else "lm_head.weight"].T
        if "lm_head.bias" in self.tensors and self.mistake != "head_bias_omitted":
            logits = logits + self.tensors["lm_head.bias"]
        scaling = self.config.get("logits_scaling", 1.0)
        return logits * scaling if self.mistake == "logits_multiplied" else logits / scaling
