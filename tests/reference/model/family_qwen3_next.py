"""Qwen3-Next: gated delta-net layers among gated attention layers, a shared expert, norms that multiply by 1 + weight.

The recurrence is written here token by token; transformers runs it in chunks of 64 tokens.
"""
import torch
import torch.nn.functional as F

import checkpoints
from plain_model import PlainModel
from steered_router import Rule

LONG_PROMPT = 150  # tokens of one more prompt: two chunks of the delta rule and a part of a third
SKIPPED = "mtp"
HAS_BFLOAT16 = True

# Layers 0 and 2 are delta nets, layer 1 is attention. Key and value heads, their widths and the rotated share
# differ from the library's defaults and from each other, so that none can stand for another.
CONFIG = {
    "architectures": ["Qwen3NextForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "decoder_sparse_step": 1,
    "eos_token_id": 2,
    "full_attention_interval": 2,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 40,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_value_head_dim": 12,
    "max_position_embeddings": 192,
    "mlp_only_layers": [1],
    "model_type": "qwen3_next",
    "moe_intermediate_size": 20,
    "norm_topk_prob": True,
    "num_attention_heads": 4,
    "num_experts": 8,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "output_router_logits": False,
    "partial_rotary_factor": 0.5,
    "rms_norm_eps": 0.05,
    "rope_scaling": None,
    "rope_theta": 40.0,
    "router_aux_loss_coef": 0.001,
    "shared_expert_intermediate_size": 28,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.57.0",
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": checkpoints.VOCABULARY,
}

MISTAKES = {
    # Attention layers.
    "rope_theta_1_percent": "rope_theta x 1.01",
    "rope_theta_default": "rope_theta of the config ignored: 10000",
    "rope_interleaved": "pairs (0,1),(2,3).. are rotated, not (i, i + rotary_dim/2)",
    "rope_omitted": "queries and keys not rotated",
    "rope_queries_only": "keys not rotated",
    "rotary_whole_head": "all of head_dim rotated",
    "rotary_factor_default": "partial_rotary_factor of the config ignored: 0.25",
    "rotary_last_dimensions": "the last dimensions of a head are rotated, not the first",
    "qk_norm_omitted": "q_norm and k_norm skipped",
    "qk_norm_after_rope": "q_norm and k_norm after the rotation",
    "kv_heads_tiled": "query head h uses kv head h mod n_kv, not h / (heads/n_kv)",
    "attention_scale_omitted": "scale 1",
    "mask_hides_self": "token i sees j < i (the first one itself)",
    "mask_shows_next": "token i sees j <= i + 1",
    "output_gate_omitted": "attention's output not gated",
    "output_gate_silu": "silu(gate) in place of sigmoid(gate)",
    "output_gate_first": "of each head's rows of q_proj the gate's come first",
    "output_gate_behind_all_heads": "q_proj holds all queries and then all gates",
    # Delta-net layers.
    "conv_omitted": "q, k and v go past the convolution (silu stays)",
    "conv_reversed": "taps of the convolution in reverse order",
    "conv_tail_forgotten": "the convolution starts anew every 4 tokens",
    "conv_activation_omitted": "no silu after the convolution",
    "conv_on_keys_and_queries_only": "values go past the convolution",
    "qkvz_not_grouped": "in_proj_qkvz holds all q, then all k, v and z, not one key head after the other",
    "ba_not_grouped": "in_proj_ba holds all b and then all a, not one key head after the other",
    "ba_swapped": "a before b in in_proj_ba",
    "vz_swapped": "z before v in in_proj_qkvz",
    "delta_key_heads_tiled": "value head h uses key head h mod n_k, not h / (n_v/n_k)",
    "l2_norm_omitted": "queries and keys not normalised",
    "l2_norm_keys_only": "queries not normalised",
    "delta_scale_omitted": "queries not multiplied by key_dim^-0.5",
    "delta_term_omitted": "the state adds k v^T, without taking out what it held for k",
    "decay_omitted": "the state does not fade",
    "decay_after_update": "the state fades after the token was written, not before",
    "dt_bias_omitted": "softplus(a) in place of softplus(a + dt_bias)",
    "a_log_not_exponentiated": "decay rate |A_log| in place of e^A_log",
    "softplus_omitted": "max(a + dt_bias, 0) in place of its softplus",
    "beta_omitted": "beta 1",
    "state_read_before_update": "the output reads the state before the token is written",
    "state_reset_by_chunk": "the state starts anew every 8 tokens",
    "gated_norm_omitted": "the recurrence's output not normalised",
    "gated_norm_plus_1": "the gated norm multiplies by 1 + weight",
    "gated_norm_over_all_heads": "statistics of the gated norm over all value heads together",
    "gated_norm_after_gate": "the norm after the gate, not before",
    "delta_gate_omitted": "no silu(z) on the output",
    "delta_gate_sigmoid": "sigmoid(z) in place of silu(z)",
    # Both.
    "eps_times_10": "rms_norm_eps x 10 in every norm",
    "eps_default": "rms_norm_eps of the config ignored: 1e-6",
    "norm_weight_not_plus_1": "norms multiply by the weight, not by 1 + weight",
    "norm_weight_omitted": "norms multiply by 1",
    "norm_subtracts_mean": "LayerNorm statistics in place of RMS",
    "final_norm_omitted": "model.norm skipped",
    "layer_norms_swapped": "input_layernorm and post_attention_layernorm exchanged",
    "activation_gelu": "gelu in place of silu in experts and dense layers",
    "gate_up_swapped": "act(up) * gate in experts, the shared one and dense layers",
    "dense_layer_skipped": "the dense layers' MLP adds nothing",
    "shared_expert_omitted": "no shared expert",
    "shared_gate_omitted": "the shared expert counts in full",
    "shared_gate_without_sigmoid": "the gate's logit itself scales the shared expert",
    "norm_topk_flipped": "norm_topk_prob read the other way round",
    "top_k_one_less": "num_experts_per_tok - 1",
    "top_k_one_more": "num_experts_per_tok + 1",
    "top_k_smallest": "the k smallest experts",
    "router_sigmoid": "sigmoid scores in place of softmax",
    "router_before_norm": "the router reads the residual, not the normed hidden state",
    "routing_weights_omitted": "chosen experts are averaged, weights unused",
    "weights_on_input": "the routing weight scales the expert's input, not its output",
    "experts_shifted_by_1": "expert e runs the weights of e + 1",
    "residual_from_norm": "the residual of the MLP is taken after the norm",
    "lm_head_tied": "the embedding used in place of lm_head",
}


CHECKPOINTS = {"qwen3_next_tiny": (CONFIG, 78)}


def rule(config):
    return Rule(config["num_experts_per_tok"], "renormalised" if config["norm_topk_prob"] else "softmax")


def is_attention(config, layer):
    return (layer + 1) % config["full_attention_interval"] == 0


def offset(draw, width):
    """A weight that is added to one."""
    return draw.norm(width) - 1


def attention_tensors(config, draw, prefix):
    hidden, dim = config["hidden_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * dim, config["num_key_value_heads"] * dim
    return {
        prefix + "q_proj.weight": draw.linear(2 * queries, hidden, 1.5),
        prefix + "k_proj.weight": draw.linear(keys, hidden, 1.5),
        prefix + "v_proj.weight": draw.linear(keys, hidden, 1.5),
        prefix + "o_proj.weight": draw.linear(hidden, queries, 4.0),
        prefix + "q_norm.weight": offset(draw, dim),
        prefix + "k_norm.weight": offset(draw, dim),
    }


def delta_tensors(config, draw, prefix):
    """Decay rates from slow to fast: some heads remember the whole prompt, others a few tokens."""
    hidden, heads = config["hidden_size"], config["linear_num_value_heads"]
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    values, kernel = heads * config["linear_value_head_dim"], config["linear_conv_kernel_dim"]
    return {
        prefix + "in_proj_qkvz.weight": draw.linear(2 * keys + 2 * values, hidden, 1.5),
        prefix + "in_proj_ba.weight": draw.linear(2 * heads, hidden, 1.0),
        prefix + "conv1d.weight": draw.linear(2 * keys + values, kernel, 1.5)[:, None],
        prefix + "A_log": torch.linspace(-3.0, 0.5, heads) + draw.bias(heads, 0.2),
        prefix + "dt_bias": draw.bias(heads, 1.0),
        prefix + "norm.weight": draw.norm(config["linear_value_head_dim"]),
        prefix + "out_proj.weight": draw.linear(hidden, values, 2.0),
    }


def moe_tensors(config, draw, prefix):
    hidden, inner = config["hidden_size"], config["moe_intermediate_size"]
    tensors = {prefix + "gate.weight": draw.linear(config["num_experts"], hidden, 2.2)}
    for expert in range(config["num_experts"]):
        tensors |= checkpoints.mlp_tensors(draw, f"{prefix}experts.{expert}.", hidden, inner)
    tensors |= checkpoints.mlp_tensors(draw, prefix + "shared_expert.", hidden,
                                       config["shared_expert_intermediate_size"])
    return tensors | {prefix + "shared_expert_gate.weight": draw.linear(1, hidden, 1.5)}


def prediction_tensors(config):
    """Some of those that predict further tokens (mtp.*), which no one reads."""
    return {"mtp.fc.weight": torch.ones(4, 2 * config["hidden_size"]), "mtp.norm.weight": torch.ones(4)}


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = prediction_tensors(config) if layer == 0 else {}
    tensors[prefix + "input_layernorm.weight"] = offset(draw, hidden)
    if is_attention(config, layer):
        tensors |= attention_tensors(config, draw, prefix + "self_attn.")
    else:
        tensors |= delta_tensors(config, draw, prefix + "linear_attn.")
    tensors[prefix + "post_attention_layernorm.weight"] = offset(draw, hidden)
    if layer in config["mlp_only_layers"]:
        return tensors | checkpoints.mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    return tensors | moe_tensors(config, draw, prefix + "mlp.")


def by_blocks(x, width):
    """Row numbers of a [tokens, ..] tensor in blocks of `width`."""
    return [range(start, min(start + width, len(x))) for start in range(0, len(x), width)]


class Plain(PlainModel):
    """Logits of one sequence: float64, one mistake or none."""

    def norm(self, x, weight, bias=None):
        if self.mistake == "norm_subtracts_mean":
            x = x - x.mean(-1, keepdim=True)
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
        if self.mistake == "norm_weight_omitted":
            return x
        return x * (weight if self.mistake == "norm_weight_not_plus_1" else 1 + weight)

    def rotate(self, x, sign=1.0):
        """x [tokens, heads, dim]: the first dimensions turn, the rest passes."""
        factor = {"rotary_whole_head": 1.0, "rotary_factor_default": 0.25}.get(
            self.mistake, self.config["partial_rotary_factor"])
        turned = int(x.shape[-1] * factor)
        if self.mistake == "rotary_last_dimensions":
            return torch.cat([x[..., :-turned], super().rotate(x[..., -turned:], sign)], -1)
        return torch.cat([super().rotate(x[..., :turned], sign), x[..., turned:]], -1)

    def positioned_heads(self, x, name, is_key):
        """Norm of each head and rotation: x [tokens, heads, dim]."""
        turn = (lambda y: y) if is_key and self.mistake == "rope_queries_only" else self.rotate
        weight = self.tensors[name + ".weight"]
        if self.mistake == "qk_norm_omitted":
            return turn(x)
        if self.mistake == "qk_norm_after_rope":
            return self.norm(turn(x), weight)
        return turn(self.norm(x, weight))

    def split_gate(self, x, heads, dim):
        """Queries and gates, [tokens, heads, dim] each: of each head's rows first its query's, then its gate's."""
        if self.mistake == "output_gate_behind_all_heads":
            return x.view(-1, 2, heads, dim).unbind(1)
        query, gate = x.view(-1, heads, 2, dim).unbind(2)
        return (gate, query) if self.mistake == "output_gate_first" else (query, gate)

    def gated(self, mixed, gate):
        if self.mistake == "output_gate_omitted":
            return mixed
        return mixed * (F.silu(gate) if self.mistake == "output_gate_silu" else gate.sigmoid())

    def softmax_attention(self, x, prefix):
        heads, kv_heads, dim = (self.config[key] for key in ("num_attention_heads", "num_key_value_heads", "head_dim"))
        q, gate = self.split_gate(self.linear(x, prefix + "q_proj"), heads, dim)
        q = self.positioned_heads(q, prefix + "q_norm", is_key=False)
        k = self.positioned_heads(self.linear(x, prefix + "k_proj").view(-1, kv_heads, dim), prefix + "k_norm", True)
        v = self.linear(x, prefix + "v_proj").view(-1, kv_heads, dim)
        source = torch.arange(heads)
        source = source % kv_heads if self.mistake == "kv_heads_tiled" else source // (heads // kv_heads)
        scale = 1.0 if self.mistake == "attention_scale_omitted" else dim ** -0.5
        scores = torch.einsum("qhd,khd->hqk", q, k[:, source]) * scale
        shares = scores.masked_fill(~self.mask(x.shape[0]), -torch.inf).softmax(-1)
        mixed = self.gated(torch.einsum("hqk,khd->qhd", shares, v[:, source]), gate)
        return self.linear(mixed.reshape(x.shape[0], -1), prefix + "o_proj")

    def delta_parts(self, x, prefix):
        """q, k, v, z flat over heads, and b, a [tokens, value heads]: the projections hold one key head after the
        other, and of each its q, k, v, z (its b, a)."""
        groups, ratio = self.config["linear_num_key_heads"], self.value_heads() // self.config["linear_num_key_heads"]
        key, value = self.config["linear_key_head_dim"], ratio * self.config["linear_value_head_dim"]
        qkvz, ba = self.linear(x, prefix + "in_proj_qkvz"), self.linear(x, prefix + "in_proj_ba")

        def parts(y, widths, grouped):
            if not grouped:
                return list(y.split([groups * width for width in widths], -1))
            return [part.flatten(1) for part in y.view(-1, groups, sum(widths)).split(widths, -1)]

        q, k, v, z = parts(qkvz, [key, key, value, value], self.mistake != "qkvz_not_grouped")
        b, a = parts(ba, [ratio, ratio], self.mistake != "ba_not_grouped")
        if self.mistake == "ba_swapped":
            b, a = a, b
        return (q, k, z, v, b, a) if self.mistake == "vz_swapped" else (q, k, v, z, b, a)

    def value_heads(self):
        return self.config["linear_num_value_heads"]

    def convolved(self, x, weight):
        """Each channel over its own last tokens: x [tokens, channels], weight [channels, 1, kernel]."""
        kernel = weight.shape[-1]
        if self.mistake == "conv_tail_forgotten":
            padded = [F.pad(x[list(rows)], (0, 0, kernel - 1, 0)).unfold(0, kernel, 1) for rows in by_blocks(x, 4)]
            y = (torch.cat(padded) * weight[:, 0]).sum(-1)
        else:
            taps = weight[:, 0].flip(-1) if self.mistake == "conv_reversed" else weight[:, 0]
            y = (F.pad(x, (0, 0, kernel - 1, 0)).unfold(0, kernel, 1) * taps).sum(-1)
        if self.mistake == "conv_omitted":
            y = x
        return y if self.mistake == "conv_activation_omitted" else F.silu(y)

    def convolved_parts(self, q, k, v, weight):
        y = self.convolved(torch.cat([q, k, v], -1), weight)
        q, k, w = y.split([q.shape[-1], k.shape[-1], v.shape[-1]], -1)
        return q, k, F.silu(v) if self.mistake == "conv_on_keys_and_queries_only" else w

    def by_value_head(self, x):
        """Queries or keys [tokens, flat] to [tokens, value heads, key width], of length one."""
        groups, heads = self.config["linear_num_key_heads"], self.value_heads()
        source = torch.arange(heads)
        source = source % groups if self.mistake == "delta_key_heads_tiled" else source // (heads // groups)
        return x.view(x.shape[0], groups, -1)[:, source]

    def normalised(self, x, is_key):
        if self.mistake == "l2_norm_omitted" or (self.mistake == "l2_norm_keys_only" and not is_key):
            return x
        return x * torch.rsqrt(x.pow(2).sum(-1, keepdim=True) + 1e-6)

    def log_decay(self, a, prefix):
        rate = self.tensors[prefix + "A_log"]
        rate = rate.abs() if self.mistake == "a_log_not_exponentiated" else rate.exp()
        step = a if self.mistake == "dt_bias_omitted" else a + self.tensors[prefix + "dt_bias"]
        if self.mistake == "decay_omitted":
            return torch.zeros_like(a)
        return -rate * (step.clamp_min(0) if self.mistake == "softplus_omitted" else F.softplus(step))

    def recurrence(self, q, k, v, log_decay, beta):
        """The gated delta rule, token by token (arXiv 2412.06464, Eq. 10); the state is [heads, key, value]."""
        state, out = torch.zeros(k.shape[1], k.shape[2], v.shape[2]).double(), []
        for t in range(len(q)):
            if self.mistake == "state_reset_by_chunk" and t % 8 == 0:
                state = torch.zeros_like(state)
            decay = log_decay[t].exp()[:, None, None]
            if self.mistake != "decay_after_update":
                state = state * decay
            before = state
            held = torch.einsum("hkv,hk->hv", state, k[t])
            new = v[t] if self.mistake == "delta_term_omitted" else v[t] - held
            state = state + torch.einsum("hk,hv->hkv", k[t], new * beta[t][:, None])
            read = before if self.mistake == "state_read_before_update" else state
            out.append(torch.einsum("hkv,hk->hv", read, q[t]))
            if self.mistake == "decay_after_update":
                state = state * decay
        return torch.stack(out)

    def gated_norm(self, y, z, weight):
        """y and z [tokens, value heads, width]."""
        gate = {"delta_gate_omitted": torch.ones_like(z), "delta_gate_sigmoid": z.sigmoid()}.get(
            self.mistake, F.silu(z))
        if self.mistake == "gated_norm_after_gate":
            y, gate = y * gate, torch.ones_like(z)
        if self.mistake == "gated_norm_omitted":
            return y * weight * gate
        axes = (-2, -1) if self.mistake == "gated_norm_over_all_heads" else -1
        y = y * torch.rsqrt(y.pow(2).mean(axes, keepdim=True) + self.eps)
        return y * (1 + weight if self.mistake == "gated_norm_plus_1" else weight) * gate

    def delta_net(self, x, prefix):
        q, k, v, z, b, a = self.delta_parts(x, prefix)
        q, k, v = self.convolved_parts(q, k, v, self.tensors[prefix + "conv1d.weight"])
        q, k = self.by_value_head(q), self.by_value_head(k)
        q, k = self.normalised(q, is_key=False), self.normalised(k, is_key=True)
        if self.mistake != "delta_scale_omitted":
            q = q * q.shape[-1] ** -0.5
        v, z = (y.view(len(x), self.value_heads(), -1) for y in (v, z))
        beta = torch.ones_like(b) if self.mistake == "beta_omitted" else b.sigmoid()
        y = self.recurrence(q, k, v, self.log_decay(a, prefix), beta)
        y = self.gated_norm(y, z, self.tensors[prefix + "norm.weight"])
        return self.linear(y.flatten(1), prefix + "out_proj")

    def attention(self, x, layer):
        if is_attention(self.config, layer):
            return self.softmax_attention(x, f"model.layers.{layer}.self_attn.")
        return self.delta_net(x, f"model.layers.{layer}.linear_attn.")

    def experts(self, x, residual, layer):
        routed, prefix = super().experts(x, residual, layer), f"model.layers.{layer}.mlp."
        if self.mistake == "shared_expert_omitted":
            return routed
        gate = x @ self.tensors[prefix + "shared_expert_gate.weight"].T
        if self.mistake != "shared_gate_without_sigmoid":
            gate = torch.ones_like(gate) if self.mistake == "shared_gate_omitted" else gate.sigmoid()
        return routed + gate * self.mlp(x, prefix + "shared_expert.")
