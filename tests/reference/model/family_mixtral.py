"""Mixtral (mixtral): Llama with experts named w1 (gate), w3 (up), w2 (down) and weights renormalised always."""
from checkpoints import VOCABULARY, attention_tensors, mlp_tensors, norm_tensors
from plain_model import shared_mistakes
from routed_model import LLAMA, RoutedModel
from steered_router import Rule

# The published models have no window; a config may set one.
CONFIG = {
    "architectures": ["MixtralForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 32,
    "initializer_range": 0.02,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
    "model_type": "mixtral",
    "num_attention_heads": 4,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "num_local_experts": 12,
    "output_router_logits": False,
    "rms_norm_eps": 0.003,
    "rope_theta": 3000.0,
    "router_aux_loss_coef": 0.02,
    "sliding_window": 11,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.36.0.dev0",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}
CHECKPOINTS = {"mixtral_tiny": (CONFIG, 2)}


def rule(config):
    return Rule(config["num_experts_per_tok"], "renormalised")


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = norm_tensors(config, draw, prefix + "input_layernorm")
    tensors |= attention_tensors(config | {"attention_bias": False}, draw, prefix + "self_attn.")
    tensors |= norm_tensors(config, draw, prefix + "post_attention_layernorm")
    block, experts = prefix + "block_sparse_moe.", config["num_local_experts"]
    tensors[block + "gate.weight"] = draw.linear(experts, hidden, 2.2)
    for expert in range(experts):
        tensors |= mlp_tensors(draw, f"{block}experts.{expert}.", hidden, config["intermediate_size"],
                               ("w1", "w3", "w2"))
    return tensors


class Plain(RoutedModel):
    def named(self, tensors):
        parts = {".block_sparse_moe.": ".mlp.", ".w1.": ".gate_proj.", ".w3.": ".up_proj.", ".w2.": ".down_proj."}
        for old, new in parts.items():
            tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
        return tensors


MISTAKES = LLAMA | shared_mistakes(
    "rope_theta_default", "rope_interleaved", "router_sigmoid", "experts_sorted_as_text", "window_omitted",
    "window_one_more", "lm_head_tied")
