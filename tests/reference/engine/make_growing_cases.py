"""Writes tests/data/engine/growing_cases.json: greedy tokens of sequences that grow past longrope's threshold.

Each token comes from one pass of transformers over the whole sequence so far, without a cache, so that a sequence past
the threshold has the long frequencies for all of its tokens. transformers 5.23 makes those without the length; it is
put back, as in tests/reference/model/expected.py. Float32 on the CPU, eager attention. Run after tests/reference/model
(the checkpoint is its file): python3 make_growing_cases.py (pins: requirements.txt).
"""
import torch

from tiny_models import DATA, LEAD, load, write_cases

NAME = "phimoe_tiny"
NEW_TOKENS = 14


@torch.no_grad()
def next_scores(model, tokens, length):
    """Scores after the last token, with the frequencies of a sequence of `length` tokens."""
    rotary = model.model.rotary_emb
    original = rotary.rope_init_fn
    rotary.rope_init_fn = lambda config, *_, **__: original(config, seq_len=length)
    scores = model(torch.tensor([tokens]), use_cache=False).logits[0, -1]
    rotary.rope_init_fn = original
    return scores


def grown(model, prompt, length_of=len):
    """Greedy tokens after the prompt, up to a step where rounding could decide."""
    tokens = []
    for _ in range(NEW_TOKENS):
        best = next_scores(model, prompt + tokens, length_of(prompt + tokens)).topk(2)
        if best.values[0] - best.values[1] <= LEAD:
            break
        tokens.append(best.indices[0].item())
    return tokens


def case_of(model, length, threshold, generator):
    """A drawn prompt whose continuation gets past the threshold, and there needs the long frequencies."""
    while True:
        prompt = torch.randint(3, model.config.vocab_size, (length,), generator=generator).tolist()
        tokens = grown(model, prompt)
        always_short = grown(model, prompt, lambda _: threshold)
        if length + len(tokens) > threshold + 3 and always_short[:len(tokens)] != tokens:
            return {"checkpoint": NAME, "threshold": threshold, "prompt": prompt, "tokens": tokens}


def main():
    model = load(NAME)
    threshold = model.config.original_max_position_embeddings
    generator = torch.Generator().manual_seed(100)
    lengths = [threshold + more for more in (-9, -7, -3, -1, 0, 1)]
    write_cases(DATA / "engine" / "growing_cases.json", [case_of(model, n, threshold, generator) for n in lengths])


main()
