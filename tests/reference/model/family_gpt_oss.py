"""gpt_oss: attention sinks, alternating windows, YaRN without truncation, a clamped SwiGLU with biases, and experts
in MXFP4 (two 4-bit values a byte, one power of two for 32 values along a row).
"""
import math

import torch

from checkpoints import VOCABULARY, attention_tensors, head_dim, v5_config, write_single
from plain_model import PlainModel, shared_mistakes
from steered_router import Rule

# The limit of the SwiGLU is low enough to act often; both ends of YaRN's ramp lie between whole numbers inside the
# head; the window is shorter than all prompts but one. hidden / heads is not head_dim.
CONFIG = {
    "architectures": ["GptOssForCausalLM"],
    "attention_bias": True,
    "attention_dropout": 0.0,
    "eos_token_id": 2,
    "experts_per_token": 3,
    "head_dim": 24,
    "hidden_act": "silu",
    "hidden_size": 64,
    "initial_context_length": 32,
    "initializer_range": 0.02,
    "intermediate_size": 32,
    "layer_types": ["sliding_attention", "full_attention"],
    "max_position_embeddings": 128,
    "model_type": "gpt_oss",
    "num_attention_heads": 4,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "num_local_experts": 8,
    "output_router_logits": False,
    "pad_token_id": 0,
    "quantization_config": {
        "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens",
                                   "lm_head"],
        "quant_method": "mxfp4",
    },
    "rms_norm_eps": 0.003,
    "rope_scaling": {
        "beta_fast": 2.0,
        "beta_slow": 0.25,
        "factor": 4.0,
        "original_max_position_embeddings": 32,
        "rope_type": "yarn",
        "truncate": False,
    },
    "rope_theta": 3000,
    "router_aux_loss_coef": 0.9,
    "sliding_window": 7,
    "swiglu_limit": 1.25,
    "tie_word_embeddings": False,
    "transformers_version": "4.55.0.dev0",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}

CHECKPOINTS = {"gpt_oss_tiny": (CONFIG, 9)}

# By code; bit 3 is the sign.
FP4 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)

MISTAKES = shared_mistakes(
    "rope_theta_1_percent", "rope_theta_default", "rope_interleaved", "rope_omitted", "rope_queries_only",
    "rope_reversed", "eps_times_10", "eps_default", "norm_weight_plus_1", "norm_weight_omitted",
    "norm_subtracts_mean", "final_norm_omitted", "layer_norms_swapped", "kv_heads_tiled",
    "attention_scale_hidden_over_heads", "attention_scale_omitted", "mask_hides_self", "mask_shows_next",
    "mask_omitted", "gate_up_swapped", "norm_topk_flipped", "top_k_one_less", "top_k_one_more", "top_k_smallest",
    "router_sigmoid", "router_before_norm", "routing_weights_omitted", "weights_on_input", "experts_shifted_by_1",
    "residual_from_norm", "lm_head_tied", "attention_bias_omitted", "output_bias_omitted", "window_omitted",
    "window_one_more", "rope_factors_omitted", "rope_scale_omitted") | {
    "sinks_omitted": "softmax over the tokens alone",
    "sinks_zero": "a sink of logit 0 in every head",
    "sinks_scaled": "the sink's logit times the attention scale",
    "sinks_of_next_head": "head h uses the sink of head h + 1",
    "windows_swapped": "the window on the layers of full attention",
    "window_everywhere": "the window on every layer",
    "yarn_truncated": "the ends of the ramp rounded to whole dimensions",
    "yarn_betas_default": "beta_fast and beta_slow of the config ignored: 32 and 1",
    "yarn_all_divided": "every frequency divided by the factor",
    "rope_scale_squared": "cosines and sines times the square of YaRN's factor",
    "swiglu_limit_omitted": "no clamp",
    "swiglu_limit_default": "swiglu_limit of the config ignored: 7",
    "swiglu_gate_clamped_below": "the gate clamped from both sides",
    "swiglu_up_clamped_above_only": "the up projection clamped from above alone",
    "swiglu_up_plain": "up in place of up + 1",
    "swiglu_alpha_1": "sigmoid(gate) in place of sigmoid(1.702 gate)",
    "gate_up_in_halves": "the first half of the rows taken for the gate, not every other row",
    "gate_up_bias_omitted": "no bias on gate and up",
    "down_bias_omitted": "no bias on down",
    "down_bias_unweighted": "the bias of down added without the routing weight",
    "router_bias_omitted": "no bias on the router",
    "mxfp4_nibbles_swapped": "the high half of a byte read first",
    "mxfp4_scale_bias_128": "2^(scale - 128)",
    "mxfp4_sign_omitted": "bit 3 of a code ignored",
    "mxfp4_scale_of_next_group": "each group of 32 takes the scale of the next",
}
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")


def rule(config):
    """The softmax over the chosen logits is the softmax over all, divided by the sum of the chosen."""
    return Rule(config["num_experts_per_tok"], "renormalised")


def packed(draw, name, shape, middle):
    """Random codes and scales around 2^middle; shape [experts, rows, columns]."""
    experts, rows, columns = shape
    blocks = draw.stream.integers(0, 256, (experts, rows, columns // 32, 16))
    scales = 127 + middle + draw.stream.integers(-1, 2, (experts, rows, columns // 32))
    return {name + "_blocks": torch.from_numpy(blocks).to(torch.uint8),
            name + "_scales": torch.from_numpy(scales).to(torch.uint8)}


def layer_tensors(config, draw, layer):
    hidden, inner, experts = config["hidden_size"], config["intermediate_size"], config["num_local_experts"]
    prefix = f"model.layers.{layer}."
    block = prefix + "mlp."
    return {
        prefix + "input_layernorm.weight": draw.norm(hidden),
        **attention_tensors(config, draw, prefix + "self_attn."),
        prefix + "self_attn.sinks": draw.bias(config["num_attention_heads"], 2.0),
        prefix + "post_attention_layernorm.weight": draw.norm(hidden),
        block + "router.weight": draw.linear(experts, hidden, 2.0),
        block + "router.bias": draw.bias(experts, 1.5),
        **packed(draw, block + "experts.gate_up_proj", (experts, 2 * inner, hidden), -4),
        block + "experts.gate_up_proj_bias": draw.bias(2 * inner * experts, 0.8).view(experts, -1),
        **packed(draw, block + "experts.down_proj", (experts, hidden, inner), -3),
        block + "experts.down_proj_bias": draw.bias(hidden * experts, 0.8).view(experts, -1),
    }


def unpack(blocks, scales, mistake=None):
    """[.., groups, 16] bytes and [.., groups] scales to [.., groups * 32] values, float64."""
    codes = torch.stack([blocks & 15, blocks >> 4], -1).long()
    if mistake == "mxfp4_nibbles_swapped":
        codes = codes.flip(-1)
    if mistake == "mxfp4_sign_omitted":
        codes = codes & 7
    values = torch.tensor(FP4).double()[codes].flatten(-2)
    if mistake == "mxfp4_scale_of_next_group":
        scales = scales.roll(1, -1)
    exponents = scales.double() - (128 if mistake == "mxfp4_scale_bias_128" else 127)
    return (values * torch.exp2(exponents)[..., None]).flatten(-2)


class Plain(PlainModel):
    def named(self, tensors):
        named = {}
        for name, tensor in tensors.items():
            name = name.replace(".mlp.router.", ".mlp.gate.")
            if name.endswith("_scales"):
                continue
            if name.endswith("_blocks"):
                name = name.removesuffix("_blocks")
                tensor = unpack(tensor, tensors[name + "_scales"], self.mistake)
            if ".mlp.experts." not in name:
                named[name] = tensor
                continue
            prefix, part = name.rsplit(".", 1)
            named |= {f"{prefix}.{expert}.{part}": values for expert, values in enumerate(tensor)}
        return named

    def linear(self, x, name):
        y, bias = x @ self.tensors[name + ".weight"].T, self.tensors.get(name + ".bias")
        omitted = {"attention_bias_omitted": PROJECTIONS, "output_bias_omitted": ("o_proj",),
                   "router_bias_omitted": ("gate",)}.get(self.mistake, ())
        return y if bias is None or name.endswith(omitted or ("none",)) else y + bias

    def rope_scaling(self, length):
        """YaRN (arXiv 2309.00071): frequency i is divided by the factor above the ramp, kept below it."""
        fields, half, name = self.config["rope_scaling"], head_dim(self.config) // 2, self.mistake
        fast, slow = (32, 1) if name == "yarn_betas_default" else (fields["beta_fast"], fields["beta_slow"])

        def dimension(turns):
            """Where a frequency turns that often over the original context."""
            span = fields["original_max_position_embeddings"] / (turns * 2 * math.pi)
            return half * math.log(span) / math.log(self.config["rope_theta"])

        low, high = dimension(fast), dimension(slow)
        if name == "yarn_truncated":
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, 2 * half - 1)
        ramp = ((torch.arange(half).double() - low) / (high - low)).clamp(0, 1)
        ramp = torch.ones(half).double() if name == "yarn_all_divided" else ramp
        factors = 1 / (ramp / fields["factor"] + 1 - ramp)
        scale = 0.1 * math.log(fields["factor"]) + 1
        return (torch.ones(half) if name == "rope_factors_omitted" else factors,
                {"rope_scale_omitted": 1.0, "rope_scale_squared": scale ** 2}.get(name, scale))

    def mask(self, n, layer):
        i, j = torch.arange(n)[:, None], torch.arange(n)[None]
        seen = self.causal_mask(n, i, j)
        narrow = self.config["layer_types"][layer] == "sliding_attention"
        narrow = {"windows_swapped": not narrow, "window_everywhere": True, "window_omitted": False}.get(
            self.mistake, narrow)
        window = self.config["sliding_window"] + (self.mistake == "window_one_more")
        return seen & (j > i - window) if narrow else seen

    def shares(self, scores, layer):
        name, sinks = self.mistake, self.tensors[f"model.layers.{layer}.self_attn.sinks"]
        if name == "sinks_omitted":
            return scores.softmax(-1)
        sinks = {"sinks_zero": 0 * sinks, "sinks_scaled": sinks * self.scale(),
                 "sinks_of_next_head": sinks.roll(-1)}.get(name, sinks)
        column = sinks[:, None, None].expand(-1, scores.shape[1], 1)
        return torch.cat([scores, column], -1).softmax(-1)[..., :-1]

    def swiglu(self, gate, up):
        name = self.mistake
        limit = 7.0 if name == "swiglu_limit_default" else self.config["swiglu_limit"]
        limit = math.inf if name == "swiglu_limit_omitted" else limit
        gate = gate.clamp(-limit if name == "swiglu_gate_clamped_below" else None, limit)
        up = up.clamp(None if name == "swiglu_up_clamped_above_only" else -limit, limit)
        alpha = 1.0 if name == "swiglu_alpha_1" else 1.702
        return (up if name == "swiglu_up_plain" else up + 1) * gate * torch.sigmoid(alpha * gate)

    def expert(self, x, prefix):
        """One expert without the bias of its last projection."""
        get, name = lambda part: self.tensors[prefix + part], self.mistake
        both = x @ get("gate_up_proj").T
        if name != "gate_up_bias_omitted":
            both = both + get("gate_up_proj_bias")
        gate, up = both.chunk(2, -1) if name == "gate_up_in_halves" else (both[..., 0::2], both[..., 1::2])
        if name == "gate_up_swapped":
            gate, up = up, gate
        return self.swiglu(gate, up) @ get("down_proj").T

    def mlp(self, x, prefix):
        omitted = self.mistake in ("down_bias_omitted", "down_bias_unweighted")
        y = self.expert(x, prefix)
        return y if omitted else y + self.tensors[prefix + "down_proj_bias"]

    def experts(self, x, residual, layer):
        out = super().experts(x, residual, layer)
        if self.mistake == "down_bias_unweighted":
            prefix = f"model.layers.{layer}.mlp."
            chosen = self.routed(self.linear(x, prefix + "gate"))[1].double()
            biases = [self.tensors[f"{prefix}experts.{e}.down_proj_bias"] for e in range(chosen.shape[1])]
            out = out + chosen @ torch.stack(biases)
        return out


@torch.no_grad()
def extend(expectation):
    """One prompt of twice the original context and many windows: the first without a near-tie among experts."""
    from expected import store_run

    steering = expectation.steering
    margins = steering.smallest_gap, steering.smallest_log_gap
    for seed in range(1, 100):
        stream = torch.Generator().manual_seed(seed)
        prompt = torch.randint(3, VOCABULARY, (78,), generator=stream).tolist()
        logits = steering.logits(prompt)
        seen = steering.routings()
        if min(layer.gap for layer in seen.values()) > 1e-4 and min(layer.log_gap for layer in seen.values()) > 1e-3:
            break
    steering.smallest_gap, steering.smallest_log_gap = margins
    store_run(expectation.tensors, "long.", logits, seen)
    expectation.fields["long_prompt"] = prompt


def write_others(folder, weights, expectation):
    """The same weights and settings as transformers v5 writes them dequantised: [E, H, 2I] and [E, I, H]."""
    plain = {}
    for name, tensor in weights.items():
        if name.endswith("_blocks"):
            name = name.removesuffix("_blocks")
            tensor = unpack(tensor, weights[name + "_scales"]).transpose(1, 2).float()
            assert torch.equal(tensor.bfloat16().float(), tensor), name
        if not name.endswith("_scales"):
            plain[name] = tensor
    config = {key: value for key, value in CONFIG.items() if key != "quantization_config"}
    write_single(folder / "gpt_oss_bf16", v5_config(config, "bfloat16"), plain, torch.bfloat16)
    from expected import load

    model = load(folder / "gpt_oss_bf16")
    for p, prompt in enumerate(expectation.prompts):
        logits = model(torch.tensor([prompt]), use_cache=False).logits[0]
        # The replaced router's softmax runs over all logits, this one's over the chosen: rounding apart.
        assert torch.allclose(logits, expectation.tensors[f"prompt.{p}.logits"], rtol=0, atol=1e-5), "layouts differ"
