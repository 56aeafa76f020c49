"""config.json of the models that moelab is built for, as far as it fixes widths: the table behind scripts/fake_checkpoint.

Every value is the published one as far as it is known; UNVERIFIED names what was not verified against it and must be
held against the published config.json before a figure is quoted. Names are those of configs/model.
"""

UNVERIFIED = {
    "phi_tiny": "head_dim (only 128 gives 3.75 B parameters), rope_theta", "phi_mini": "rope_theta",
    "phi_3_5": "rope factors (made up), rope_theta", "olmoe_1b_7b": "all but layers and experts",
    "qwen1_5_moe": "rope_theta, max_position_embeddings", "deepseek_moe_16b": "all", "qwen3_30b_a3b": "rope_theta",
    "qwen3_30b_a3b_thinking": "rope_theta", "qwen3_next_thinking": "all", "deepseek_v2_lite": "rope scaling, vocab_size",
    "glm_4_5_air": "attention_bias, rope_theta, routed_scaling_factor", "granite_1b": "all", "granite_3b": "all",
    "mixtral_8x7b": "all",
}


def common(family, hidden, heads, vocabulary, positions, **more):
    """Keys that all configs share; heads is (queries, keys and values, size)."""
    return {"model_type": family, "hidden_size": hidden, "num_attention_heads": heads[0],
            "num_key_value_heads": heads[1], "head_dim": heads[2], "vocab_size": vocabulary,
            "max_position_embeddings": positions, "hidden_act": "silu", "tie_word_embeddings": False,
            "torch_dtype": "bfloat16", "bos_token_id": 1, "eos_token_id": 2} | more


def phi(inner, heads, **more):
    return common("phimoe", 4096, heads, 32064, 4096, num_hidden_layers=32, intermediate_size=inner,
                  num_local_experts=16, num_experts_per_tok=2, attention_bias=True, lm_head_bias=True,
                  rms_norm_eps=1e-5, rope_theta=10000.0, router_jitter_noise=0.01, sliding_window=None) | more


def longrope():
    return {"type": "longrope", "original_max_position_embeddings": 4096, "short_mscale": 1.243163,
            "long_mscale": 1.243163, "short_factor": [1 + 0.02 * i for i in range(64)],
            "long_factor": [1 + i for i in range(64)]}


def qwen3(rope_theta):
    return common("qwen3_moe", 2048, (32, 4, 128), 151936, 262144, num_hidden_layers=48, moe_intermediate_size=768,
                  intermediate_size=6144, num_experts=128, num_experts_per_tok=8, norm_topk_prob=True,
                  attention_bias=False, decoder_sparse_step=1, mlp_only_layers=[], rms_norm_eps=1e-6,
                  rope_theta=rope_theta, use_sliding_window=False)


def gpt_oss(layers, experts):
    yarn = {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
            "original_max_position_embeddings": 4096}
    return common("gpt_oss", 2880, (64, 8, 64), 201088, 131072, num_hidden_layers=layers, intermediate_size=2880,
                  num_local_experts=experts, num_experts_per_tok=4, attention_bias=True, rms_norm_eps=1e-5,
                  rope_theta=150000.0, rope_scaling=yarn, sliding_window=128, swiglu_limit=7.0,
                  quantization_config={"quant_method": "mxfp4"})


def deepseek(family, layers, vocabulary, positions, **more):
    """The fields of DeepSeek's three generations that have 64 experts and two shared ones."""
    return common(family, 2048, (16, 16, 128), vocabulary, positions, num_hidden_layers=layers,
                  moe_intermediate_size=1408, n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6,
                  first_k_dense_replace=1, moe_layer_freq=1, attention_bias=False) | more


def latent(**more):
    """Multi-head latent attention; the head size follows from its parts."""
    return {"kv_lora_rank": 512, "q_lora_rank": None, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
            "v_head_dim": 128, "head_dim": None} | more


def granite(hidden, heads, layers, experts):
    return common("granitemoe", hidden, heads, 49155, 131072, num_hidden_layers=layers, intermediate_size=512,
                  num_local_experts=experts, num_experts_per_tok=8, attention_bias=False, tie_word_embeddings=True,
                  rms_norm_eps=1e-6, rope_theta=1500000.0, embedding_multiplier=12.0, residual_multiplier=0.22,
                  attention_multiplier=0.015625, logits_scaling=6.0)


def models():
    v2_yarn = {"type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 0.707,
               "original_max_position_embeddings": 4096}
    return {
        "phi_tiny": phi(448, (16, 4, 128)),
        "phi_mini": phi(960, (32, 8, 128)),
        "phi_3_5": phi(6400, (32, 8, 128), max_position_embeddings=131072, original_max_position_embeddings=4096,
                       rope_scaling=longrope()),
        "olmoe_1b_7b": common("olmoe", 2048, (16, 16, 128), 50304, 4096, num_hidden_layers=16, intermediate_size=1024,
                              num_experts=64, num_experts_per_tok=8, norm_topk_prob=False, attention_bias=False,
                              clip_qkv=None, rms_norm_eps=1e-5, rope_theta=10000.0),
        "qwen1_5_moe": common("qwen2_moe", 2048, (16, 16, 128), 151936, 8192, num_hidden_layers=24,
                              moe_intermediate_size=1408, shared_expert_intermediate_size=5632, intermediate_size=5632,
                              num_experts=60, num_experts_per_tok=4, norm_topk_prob=False, decoder_sparse_step=1,
                              mlp_only_layers=[], rms_norm_eps=1e-6, rope_theta=1000000.0, use_sliding_window=False),
        "qwen3_30b_a3b": qwen3(10000000.0),
        "qwen3_30b_a3b_thinking": qwen3(10000000.0),
        "gpt_oss_20b": gpt_oss(24, 32),
        "gpt_oss_120b": gpt_oss(36, 128),
        "deepseek_moe_16b": deepseek("deepseek", 28, 102400, 4096, intermediate_size=10944, norm_topk_prob=False,
                                     scoring_func="softmax", rms_norm_eps=1e-6, rope_theta=10000.0),
        "deepseek_v2_lite": deepseek("deepseek_v2", 27, 102400, 163840, intermediate_size=10944, norm_topk_prob=False,
                                     scoring_func="softmax", topk_method="greedy", routed_scaling_factor=1.0,
                                     n_group=1, topk_group=1, rms_norm_eps=1e-6, rope_theta=10000.0,
                                     rope_scaling=v2_yarn) | latent(),
        "moonlight_16b": deepseek("deepseek_v3", 27, 163840, 8192, intermediate_size=11264, norm_topk_prob=True,
                                  scoring_func="sigmoid", topk_method="noaux_tc", routed_scaling_factor=2.446,
                                  n_group=1, topk_group=1, rms_norm_eps=1e-5, rope_theta=50000.0) | latent(),
        "ernie_4_5_thinking": common("ernie4_5_moe", 2560, (20, 4, 128), 103424, 131072, num_hidden_layers=28,
                                     moe_intermediate_size=1536, intermediate_size=12288, moe_num_experts=64,
                                     moe_k=6, moe_num_shared_experts=2, moe_layer_start_index=1,
                                     moe_layer_end_index=-1, moe_layer_interval=1, use_bias=False,
                                     tie_word_embeddings=True, rms_norm_eps=1e-5, rope_theta=500000.0),
        "glm_4_5_air": common("glm4_moe", 4096, (96, 8, 128), 151552, 131072, num_hidden_layers=46,
                              moe_intermediate_size=1408, intermediate_size=10944, n_routed_experts=128,
                              n_shared_experts=1, num_experts_per_tok=8, first_k_dense_replace=1, n_group=1,
                              topk_group=1, norm_topk_prob=True, routed_scaling_factor=1.0, attention_bias=True,
                              use_qk_norm=False, partial_rotary_factor=0.5, rms_norm_eps=1e-5, rope_theta=1000000.0),
        "granite_1b": granite(1024, (16, 8, 64), 24, 32),
        "granite_3b": granite(1536, (24, 8, 64), 32, 40),
        "mixtral_8x7b": common("mixtral", 4096, (32, 8, 128), 32000, 32768, num_hidden_layers=32,
                               intermediate_size=14336, num_local_experts=8, num_experts_per_tok=2,
                               rms_norm_eps=1e-5, rope_theta=1000000.0, sliding_window=None),
        "qwen3_next_thinking": common("qwen3_next", 2048, (16, 2, 256), 151936, 262144, num_hidden_layers=48,
                                      moe_intermediate_size=512, shared_expert_intermediate_size=512,
                                      intermediate_size=5120, num_experts=512, num_experts_per_tok=10,
                                      norm_topk_prob=True, partial_rotary_factor=0.25, attention_bias=False,
                                      decoder_sparse_step=1, mlp_only_layers=[], linear_num_key_heads=16,
                                      linear_num_value_heads=32, linear_key_head_dim=128, linear_value_head_dim=128,
                                      linear_conv_kernel_dim=4, rms_norm_eps=1e-6, rope_theta=10000000.0),
    }


def config_of(name, layers):
    """The model's config with only `layers` layers; layer kinds that alternate keep both kinds."""
    config = {key: value for key, value in models()[name].items()}
    if config["head_dim"] is None:
        del config["head_dim"]
    config["num_hidden_layers"] = layers
    family = config["model_type"]
    if family == "gpt_oss":
        config["layer_types"] = ["full_attention" if i % 2 else "sliding_attention" for i in range(layers)]
    if family == "qwen3_next":
        every = min(4, layers)
        config["full_attention_interval"] = every
        config["layer_types"] = ["linear_attention" if (i + 1) % every else "full_attention" for i in range(layers)]
    if family == "ernie4_5_moe":
        config["moe_layer_end_index"] = layers - 1
    return config
