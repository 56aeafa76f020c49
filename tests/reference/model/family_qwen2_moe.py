"""Qwen1.5-MoE (qwen2_moe): a shared expert behind a sigmoid gate, biases on q, k and v, weights as they are."""
from checkpoints import VOCABULARY, attention_tensors, mlp_tensors, moe_tensors, norm_tensors
from plain_model import shared_mistakes
from routed_model import LLAMA, SHARED, SHARED_GATE, RoutedModel, shared_tensors
from steered_router import Rule

# Every second layer is sparse (the second and the fourth); four query heads share two key heads.
CONFIG = {
    "architectures": ["Qwen2MoeForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "decoder_sparse_step": 2,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 32,
    "initializer_range": 0.02,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "max_window_layers": 3,
    "mlp_only_layers": [],
    "model_type": "qwen2_moe",
    "moe_intermediate_size": 12,
    "norm_topk_prob": False,
    "num_attention_heads": 4,
    "num_experts": 12,
    "num_experts_per_tok": 3,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "output_router_logits": False,
    "rms_norm_eps": 0.003,
    "rope_theta": 3000.0,
    "router_aux_loss_coef": 0.001,
    "shared_expert_intermediate_size": 24,
    "sliding_window": 32768,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.39.0.dev0",
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": VOCABULARY,
}
CHECKPOINTS = {"qwen2_moe_tiny": (CONFIG, 1)}


def rule(config):
    return Rule(config["num_experts_per_tok"], "renormalised" if config["norm_topk_prob"] else "softmax")


def moe_layers(config):
    return [layer for layer in range(config["num_hidden_layers"])
            if layer not in config["mlp_only_layers"] and (layer + 1) % config["decoder_sparse_step"] == 0]


def biased_attention(config, draw, prefix):
    """Biases on q, k and v, none on o."""
    tensors = attention_tensors(config | {"attention_bias": True}, draw, prefix)
    del tensors[prefix + "o_proj.bias"]
    return tensors


def layer_tensors(config, draw, layer):
    hidden, prefix = config["hidden_size"], f"model.layers.{layer}."
    tensors = norm_tensors(config, draw, prefix + "input_layernorm")
    tensors |= biased_attention(config, draw, prefix + "self_attn.")
    tensors |= norm_tensors(config, draw, prefix + "post_attention_layernorm")
    if layer not in moe_layers(config):
        return tensors | mlp_tensors(draw, prefix + "mlp.", hidden, config["intermediate_size"])
    tensors |= moe_tensors(config, draw, prefix)
    tensors |= shared_tensors(config, draw, prefix + "mlp.shared_expert.", config["shared_expert_intermediate_size"])
    return tensors | {prefix + "mlp.shared_expert_gate.weight": draw.linear(1, hidden, 2.0)}


class Plain(RoutedModel):
    shared_name, shared_gate_name = "shared_expert", "shared_expert_gate"


MISTAKES = LLAMA | SHARED | SHARED_GATE | shared_mistakes(
    "rope_theta_default", "rope_interleaved", "dense_layer_skipped", "router_sigmoid", "experts_sorted_as_text",
    "lm_head_tied") | {"attention_bias_omitted": "no bias on q, k, v"}
