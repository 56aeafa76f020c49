"""The second implementation for families with shared experts, selection biases, groups of experts or another way
of rotating: the base of their `Plain` classes, with the mistakes that can be made there.

The routing is written once more from the formulas, not taken from steered_router.py.
"""
import torch

from checkpoints import head_dim, mlp_tensors
from plain_model import PlainModel, shared_mistakes
from steered_router import rule_of

LLAMA = shared_mistakes(
    "rope_theta_1_percent", "rope_omitted", "rope_queries_only", "rope_reversed", "eps_times_10", "eps_default",
    "norm_weight_plus_1", "norm_weight_omitted", "norm_subtracts_mean", "final_norm_omitted", "layer_norms_swapped",
    "kv_heads_tiled", "attention_scale_omitted", "mask_hides_self", "mask_shows_next", "mask_omitted",
    "activation_gelu", "gate_up_swapped", "norm_topk_flipped", "top_k_one_less", "top_k_one_more", "top_k_smallest",
    "router_before_norm", "routing_weights_omitted", "weights_on_input", "experts_shifted_by_1",
    "residual_from_norm")

SHARED = {
    "shared_experts_omitted": "the shared experts add nothing",
    "shared_experts_before_norm": "the shared experts read the residual, not the normed hidden state",
}
SHARED_GATE = {
    "shared_gate_omitted": "the shared expert's output is not gated",
    "shared_gate_linear": "the gate's value itself, without the sigmoid",
    "shared_gate_on_input": "the gate scales the shared expert's input",
}
SELECTION_BIAS = {
    "selection_bias_omitted": "experts chosen by their scores alone",
    "selection_bias_in_weights": "weights from score + bias",
    "selection_bias_on_logits": "the bias added to the router logits, before the score",
}
GROUPS = {
    "groups_omitted": "experts chosen from all groups",
    "groups_by_max": "a group counts by its best expert, not by its best two",
    "groups_by_sum": "a group counts by all of its experts",
    "groups_without_bias": "groups ranked by scores without the selection bias",
    "groups_masked_with_zero": "choice values in dropped groups are 0, which beats those below",
    "groups_interleaved": "expert e belongs to group e mod n",
}


def shared_tensors(config, draw, prefix, inner):
    return mlp_tensors(draw, prefix, config["hidden_size"], inner)


def spread_bias(draw, experts):
    """Correction biases [experts] with a spread above 1: most near each other, so that scores still decide among
    them; three are so far above the last that no score of it, which is at most 1, passes them.
    """
    bias = draw.bias(experts, 0.2)
    bias[2], bias[6], bias[10], bias[-1] = 0.25, 0.22, 0.19, -0.9
    return bias


class RoutedModel(PlainModel):
    """Subclasses set the four names below where they differ."""

    shared_name = None  # of the shared experts' MLP inside a layer's `mlp.`
    shared_gate_name = None
    bias_name = None  # of the selection bias inside a layer's `mlp.`
    interleaved = False

    def rotary_dim(self):
        return int(head_dim(self.config) * self.config.get("partial_rotary_factor", 1.0))

    def rotate(self, x, sign=1.0):
        name, theta = self.mistake, self.config["rope_theta"]
        if name == "rope_omitted":
            return x
        theta *= 1.01 if name == "rope_theta_1_percent" else 1.0
        theta = 10000.0 if name == "rope_theta_default" else theta
        dim = x.shape[-1] if name == "rope_on_all_dims" else self.rotary_dim()
        over = x.shape[-1] if name == "rope_exponents_over_head_dim" else dim
        angle = torch.arange(x.shape[0]).double()[:, None, None] * theta ** (-torch.arange(0, dim, 2).double() / over)
        if name == "rope_last_dims":
            return torch.cat([x[..., :-dim], self.turned(x[..., -dim:], sign * angle)], -1)
        return torch.cat([self.turned(x[..., :dim], sign * angle), x[..., dim:]], -1)

    def turned(self, x, angle):
        """x [tokens, heads, dim] as complex numbers times e^(i angle); [tokens, 1, dim / 2] angles."""
        pairs = self.interleaved != (self.mistake in ("rope_interleaved", "rope_halves"))
        x = x.unflatten(-1, (-1, 2)) if pairs else torch.stack(x.chunk(2, -1), -1)
        z = torch.view_as_complex(x.contiguous()) * torch.polar(torch.ones_like(angle), angle)
        both = torch.view_as_real(z)
        return both.flatten(-2) if pairs else torch.cat([both[..., 0], both[..., 1]], -1)

    def scores(self, logits):
        sigmoid = (rule_of(self.config).score == "sigmoid") != (self.mistake in ("router_sigmoid", "router_softmax"))
        return self.sigmoid(logits) if sigmoid else logits.softmax(-1)

    def sigmoid(self, logits):
        return 1 / (1 + torch.exp(-logits))

    def kept_groups(self, scores, choice, rule):
        """[tokens, experts] bool: the experts of the groups that may be chosen from."""
        name, experts = self.mistake, scores.shape[-1]
        group = torch.arange(experts)
        group = group % rule.groups if name == "groups_interleaved" else group // (experts // rule.groups)
        ranked = scores if name == "groups_without_bias" else choice
        values = []
        for g in range(rule.groups):
            own = ranked[:, group == g].sort(-1, descending=True).values
            best = name == "groups_by_max" or rule.group_score == "max" and name != "groups_by_two"
            take = 1 if best else 2
            values.append(own.sum(-1) if name == "groups_by_sum" else own[:, :take].sum(-1))
        values = torch.stack(values, -1)
        rank = (values[:, None, :] > values[:, :, None]).sum(-1)  # how many groups are better
        return (rank < rule.groups_kept + (name == "groups_one_more"))[:, group]

    def chosen(self, scores, rule, k):
        name, choice = self.mistake, scores
        if self.bias_name and name not in ("selection_bias_omitted", "selection_bias_on_logits"):
            choice = scores + self.bias
        if rule.groups > rule.groups_kept and name != "groups_omitted":
            below = 0.0 if name in ("groups_masked_with_zero", "groups_masked_to_zero") else -torch.inf
            choice = choice.masked_fill(~self.kept_groups(scores, choice, rule), below)
        if name == "top_k_smallest":
            choice = -choice
        ids = choice.topk(k, -1).indices
        return torch.zeros_like(scores, dtype=torch.bool).scatter(-1, ids, True)

    def routed(self, logits):
        rule, name = rule_of(self.config), self.mistake
        k = rule.k + {"top_k_one_less": -1, "top_k_one_more": 1}.get(name, 0)
        scores = self.scores(logits + self.bias if name == "selection_bias_on_logits" else logits)
        chosen = self.chosen(scores, rule, k)
        weights = (scores + self.bias if name == "selection_bias_in_weights" else scores) * chosen
        if (rule.kind == "renormalised") != (name == "norm_topk_flipped"):
            least = 1e-12 if name == "norm_min_default" else rule.renorm_min
            total = weights.sum(-1, keepdim=True) + rule.renorm_eps
            weights = weights / (total.clamp_min(least) if least > 0 else total)
        if name != "multiplier_omitted":
            weights = weights * rule.multiplier
        return (chosen.double() / k if name == "routing_weights_omitted" else weights), chosen

    def shared(self, x, residual, layer):
        name, prefix = self.mistake, f"model.layers.{layer}.mlp."
        x = residual if name == "shared_experts_before_norm" else x
        gate = 1.0
        if self.shared_gate_name and name != "shared_gate_omitted":
            gate = x @ self.tensors[prefix + self.shared_gate_name + ".weight"].T
            gate = gate if name == "shared_gate_linear" else gate.sigmoid()
        if name == "shared_gate_on_input":
            x, gate = x * gate, 1.0
        out = gate * self.mlp(x, f"{prefix}{self.shared_name}.")
        return out * rule_of(self.config).multiplier if name == "multiplier_on_shared" else out

    def experts(self, x, residual, layer):
        if self.bias_name:
            self.bias = self.tensors[f"model.layers.{layer}.mlp.{self.bias_name}"].reshape(-1)
        out = super().experts(x, residual, layer)
        if self.shared_name is None or self.mistake == "shared_experts_omitted":
            return out
        return out + self.shared(x, residual, layer)
