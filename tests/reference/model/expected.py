"""Expected values of one checkpoint: what transformers computes in float32 on the CPU, eager paths only."""
import itertools
import json
import math

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from checkpoints import VOCABULARY, family_module
from plain_model import mistakes_of, plain_model
from plans import make_plans
from steered_router import Steering, layer_rules

TOLERANCE = 1e-4  # of the logits' standard deviation
LENGTHS = (3, 9, 17, 24)
NEW_TOKENS = 8
OPTION_LENGTHS = ((1, 1, 1, 1), (2, 3, 1, 5))


def load(folder):
    """The checkpoint in float32 on eager paths; every tensor must be found and used, but those that a family's
    published checkpoints hold for other purposes (SKIPPED, a prefix).
    """
    module = family_module(json.loads((folder / "config.json").read_text()))
    if hasattr(module, "load"):
        return module.load(folder)
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager",
        output_loading_info=True)
    skipped = getattr(module, "SKIPPED", None)
    if skipped is not None:
        info["unexpected_keys"] = [name for name in info["unexpected_keys"] if not name.startswith(skipped)]
    assert not any(info.values()), info
    return model.eval()


def draw_inputs(seed):
    """Four prompts of unlike lengths and, for two of them, options to score."""
    stream = torch.Generator().manual_seed(seed)
    draw = lambda n: torch.randint(3, VOCABULARY, (n,), generator=stream).tolist()
    prompts = [draw(n) for n in LENGTHS]
    options = [(1, [draw(n) for n in OPTION_LENGTHS[0]]), (2, [draw(n) for n in OPTION_LENGTHS[1]])]
    return prompts, options


def gradient(model, steering, tokens):
    """d (mean next-token loss) / d (input embedding), [tokens, hidden], and the loss."""
    embeddings = model.get_input_embeddings()(torch.tensor([tokens])).detach().requires_grad_(True)
    logits = steering.logits(tokens, embeddings=embeddings)
    loss = F.cross_entropy(logits[:-1], torch.tensor(tokens[1:]))
    loss.backward()
    return embeddings.grad[0], loss.item()


@torch.no_grad()
def option_log_probs(steering, prompt, option, plan):
    """log p of each option token after prompt + earlier option tokens: one full forward pass."""
    log_probs = steering.logits(prompt + option, plan).double().log_softmax(-1)
    start = len(prompt) - 1
    return [log_probs[start + i, token].item() for i, token in enumerate(option)]


@torch.no_grad()
def greedy(steering, prompt, plan):
    """Greedy tokens by a full forward pass a token, and the smallest lead of the best over the second logit."""
    tokens, lead = list(prompt), math.inf
    for _ in range(NEW_TOKENS):
        best = steering.logits(tokens, plan)[-1].topk(2)
        lead = min(lead, (best.values[0] - best.values[1]).item())
        tokens.append(best.indices[0].item())
    return tokens[len(prompt):], lead


def store_run(tensors, prefix, logits, routings):
    """Experts are stored by ascending id, the weights beside them in the same order."""
    tensors[prefix + "logits"] = logits.detach().clone()
    for layer, seen in routings.items():
        tensors[f"{prefix}layer.{layer}.router_logits"] = seen.logits.detach().clone()
        experts, order = seen.experts.sort(-1)
        tensors[f"{prefix}layer.{layer}.experts"] = experts
        tensors[f"{prefix}layer.{layer}.weights"] = seen.weights.detach().gather(-1, order)


def effects(runs, plan, routers):
    """By MoE layer, over all prompts: what the plan changed against the plain router on the same logits."""
    rows = []
    for layer in runs[0]:
        seen = [run[layer] for run in runs]
        logits, experts, weights = (torch.cat([getattr(s, f) for s in seen]) for f in ("logits", "experts", "weights"))
        plain = routers[layer].plain(logits)
        dense, plain_dense = (torch.zeros_like(logits).scatter(-1, i, w)
                              for i, w in ((experts, weights), (plain.experts, plain.weights)))
        added = (experts[:, :, None] != plain.experts[:, None, :]).all(-1).sum(-1)
        rows.append({"layer": layer, "rows": len(logits), "changed_rows": int((added > 0).sum()),
                     "changed_slots": int(added.sum()),
                     "mean_abs_weight_change": (dense - plain_dense).abs().sum(-1).mean().item(),
                     "selected_rows": {str(e): int((experts == e).any(-1).sum()) for e in layer_rules(plan, layer)}})
    return rows


@torch.no_grad()
def clamped_shares(model, prompts, limit):
    """Share of q, k and v values beyond clip_qkv, over all layers and prompts, before the clamp."""
    counts = {"q_norm": [0, 0], "k_norm": [0, 0], "v_proj": [0, 0]}

    def count(name, output):
        counts[name][0] += int((output.abs() > limit).sum())
        counts[name][1] += output.numel()

    hooks = [getattr(layer.self_attn, name).register_forward_hook(lambda _m, _i, out, name=name: count(name, out))
             for layer in model.model.layers for name in counts]
    for prompt in prompts:
        model(torch.tensor([prompt]), use_cache=False)
    for hook in hooks:
        hook.remove()
    return {name[0]: beyond / total for name, (beyond, total) in counts.items()}


class Expectation:
    """Collects tensors and JSON fields of one checkpoint."""

    def __init__(self, folder, config, input_seed):
        self.folder, self.config = folder, config
        self.model = load(folder)
        self.prompts, self.options = draw_inputs(input_seed)
        plain_logits = [self.model(torch.tensor([p]), use_cache=False).logits[0].detach() for p in self.prompts]
        self.steering = Steering(self.model, config)
        self.plans = make_plans(sorted(self.steering.routers))
        self.tensors, self.fields = {}, {}
        for prompt, logits in zip(self.prompts, plain_logits):
            replaced = self.steering.logits(prompt).detach()
            # Some sum the chosen weights in another order, and granitemoe's own softmax runs over the chosen
            # logits: the same weights but for rounding.
            rounds = config["model_type"] == "granitemoe" or family_module(config) is not None
            same = torch.allclose(replaced, logits, rtol=0, atol=1e-5) if rounds else torch.equal(replaced, logits)
            assert same, "the replaced router differs"

    def all_logits(self, prefix=""):
        return torch.cat([self.tensors[f"{prefix}prompt.{p}.logits"] for p in range(len(self.prompts))])

    def run_prompts(self):
        losses = []
        for p, prompt in enumerate(self.prompts):
            logits = self.steering.logits(prompt)
            store_run(self.tensors, f"prompt.{p}.", logits, self.steering.routings())
            grad, loss = gradient(self.model, self.steering, prompt)
            self.tensors[f"prompt.{p}.gradient"] = grad
            losses.append(loss)
        self.fields |= {"prompts": self.prompts, "losses": losses, "logits_sd": self.all_logits().std().item()}
        self.fields["router_logits_sd"] = {
            str(layer): torch.cat([self.tensors[f"prompt.{p}.layer.{layer}.router_logits"]
                                   for p in range(len(self.prompts))]).std().item()
            for layer in self.steering.routers}

    @torch.no_grad()
    def run_plans(self):
        sd, described = self.fields["logits_sd"], []
        for plan in self.plans:
            runs, prefix = [], f"plan.{plan['name']}."
            for p, prompt in enumerate(self.prompts):
                logits = self.steering.logits(prompt, plan)
                runs.append(self.steering.routings())
                store_run(self.tensors, f"{prefix}prompt.{p}.", logits, runs[-1])
            moved = (self.all_logits(prefix) - self.all_logits()).abs().max().item() / sd
            described.append(plan | {"logit_change": moved, "effects": effects(runs, plan, self.steering.routers)})
        self.fields["plans"] = described

    @torch.no_grad()
    def run_long_prompt(self):
        """One prompt past the rope threshold. transformers 5.23 makes the frequencies of a long sequence anew
        without its length, and so from the short factors; 4.x passed the length, and that is put back here.
        """
        threshold = self.config["original_max_position_embeddings"]
        prompt = torch.randint(3, VOCABULARY, (threshold + 11,), generator=torch.Generator().manual_seed(7)).tolist()
        wrong = self.steering.logits(prompt).detach()
        rotary = self.model.model.rotary_emb
        original = rotary.rope_init_fn
        rotary.rope_init_fn = lambda config: original(config, seq_len=len(prompt))
        logits = self.steering.logits(prompt).detach()
        store_run(self.tensors, "long.", logits, self.steering.routings())
        rotary.rope_init_fn = original
        sd = self.fields["logits_sd"]
        self.fields["long_prompt"] = prompt
        self.fields["long_prompt_released_error"] = (wrong - logits).abs().max().item() / sd

    @torch.no_grad()
    def run_longer_prompt(self, length):
        """The first of a stream of drawn prompts that has no near-tie among experts."""
        for seed in itertools.count(7):
            prompt = torch.randint(3, VOCABULARY, (length,), generator=torch.Generator().manual_seed(seed)).tolist()
            logits, routings = self.steering.logits(prompt, gaps_count=False), self.steering.routings()
            if all(seen.gap > 1e-4 and seen.log_gap > 1e-3 for seen in routings.values()):
                break
        store_run(self.tensors, "long.", logits, routings)
        self.fields["long_prompt"] = prompt

    @torch.no_grad()
    def run_bfloat16(self):
        """How far the library itself is off in bfloat16, by prompt: root mean square, in standard deviations."""
        model = AutoModelForCausalLM.from_pretrained(
            self.folder, dtype=torch.bfloat16, attn_implementation="eager", experts_implementation="eager").eval()
        errors = [model(torch.tensor([prompt]), use_cache=False).logits[0].float() - self.tensors[f"prompt.{p}.logits"]
                  for p, prompt in enumerate(self.prompts)]
        self.fields["bfloat16_errors"] = [e.pow(2).mean().sqrt().item() / self.fields["logits_sd"] for e in errors]

    def run_options(self):
        by_name = {plan["name"]: plan for plan in self.plans}
        self.fields["options"], self.fields["greedy"], self.smallest_lead = [], [], math.inf
        for name in (None, "logit_shift", "mixed"):
            plan = by_name.get(name)
            for p, options in self.options:
                token_log_probs = [option_log_probs(self.steering, self.prompts[p], o, plan) for o in options]
                self.fields["options"].append({
                    "prompt": p, "plan": name, "options": options, "token_log_probs": token_log_probs,
                    "log_probs": [math.fsum(values) for values in token_log_probs]})
            for p, prompt in enumerate(self.prompts):
                tokens, lead = greedy(self.steering, prompt, plan)
                self.smallest_lead = min(self.smallest_lead, lead)
                self.fields["greedy"].append({"prompt": p, "plan": name, "tokens": tokens})

    @torch.no_grad()
    def run_mistakes(self, weights):
        """How far each mistake moves the logits, in standard deviations; and the agreement without any."""
        exact, sd = self.all_logits().double(), self.fields["logits_sd"]

        def distance(mistake):
            wrong = plain_model(self.config, weights, mistake)
            return (torch.cat([wrong.logits(p) for p in self.prompts]) - exact).abs().max().item() / sd

        if "long_prompt" in self.fields:
            plain = plain_model(self.config, weights).logits(self.fields["long_prompt"])
            away = (plain - self.tensors["long.logits"].double()).abs().max().item() / sd
            self.fields["long_prompt_agreement"] = away
        self.fields["agreement_with_plain_model"] = distance(None)
        self.fields["wrong_variants"] = [
            {"name": name, "changes": changes, "relative_error": distance(name)}
            for name, changes in mistakes_of(self.config).items()]

    def require_clear_choices(self):
        """Ends a hopeless seed before the long part."""
        assert self.steering.smallest_gap > 1e-4, "near-tie among experts"
        assert self.steering.smallest_log_gap > 1e-3, "near-tie among experts under a plan"

    def run(self, weights):
        """Everything; weights are the checkpoint's tensors by published names, for PlainModel."""
        self.run_prompts()
        self.require_clear_choices()
        if self.config.get("clip_qkv"):
            self.fields["clamped"] = clamped_shares(self.model, self.prompts, self.config["clip_qkv"])
        self.run_plans()
        self.require_clear_choices()
        self.run_options()
        self.require_clear_choices()
        if self.config.get("original_max_position_embeddings"):
            self.run_long_prompt()
        if hasattr(family_module(self.config), "extend"):
            family_module(self.config).extend(self)
        length = getattr(family_module(self.config), "LONG_PROMPT", 0)
        if length:
            self.run_longer_prompt(length)
        if getattr(family_module(self.config), "HAS_BFLOAT16", False):
            self.run_bfloat16()
        self.run_mistakes(weights)
        self.fields["smallest_gap"] = self.steering.smallest_gap
        self.fields["smallest_log_gap"] = self.steering.smallest_log_gap
        self.fields["smallest_greedy_lead"] = self.smallest_lead
        return self
