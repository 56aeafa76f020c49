"""Writes tests/data/engine/thinking_cases.json: greedy generation whose thinking is closed by hand.

transformers generates up to the place where the budget is spent, the closing ids are appended by hand, and transformers
goes on from there. Float32 on the CPU, eager attention, each prompt alone. Run after tests/reference/model (the
checkpoints and prompts are its files): python3 make_thinking_cases.py (pins: requirements.txt).
"""
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM

DATA = Path(__file__).resolve().parents[2] / "data"
TARGET = DATA / "engine" / "thinking_cases.json"
CHECKPOINTS = ("qwen3_moe_tiny", "olmoe_tiny")
LENGTH = 24
LEAD = 1e-3  # of the best over the second score; a case is cut before a smaller one, where rounding would decide


def load(name):
    model = AutoModelForCausalLM.from_pretrained(DATA / "model" / name, dtype=torch.float32,
                                                 attn_implementation="eager", experts_implementation="eager")
    return model.eval()


@torch.no_grad()
def go_on(model, tokens, count):
    """Up to `count` greedy tokens after `tokens`, and whether they are fewer because a lead was too small."""
    if count <= 0:
        return [], False
    out = model.generate(torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens), dtype=torch.long),
                         do_sample=False, max_new_tokens=count, pad_token_id=0, output_scores=True,
                         return_dict_in_generate=True)
    new = out.sequences[0, len(tokens):].tolist()
    for step, scores in enumerate(out.scores):
        best = scores[0].topk(2).values
        if best[0] - best[1] <= LEAD:
            return new[:step], True
    return new, False


def closed_by_hand(model, prompt, place, closing):
    """LENGTH tokens with `closing` at index `place`, whatever the model would have written there."""
    before, cut = go_on(model, prompt, place)
    assert not cut and len(before) == place
    tokens = before + closing
    after, cut = go_on(model, prompt + tokens, LENGTH - len(tokens))
    return tokens + after, len(tokens + after) if cut else LENGTH


def case(budget, tokens, limit, forced):
    """A budget's ids: open_ids, close_ids, forced_ids, opened_by_prompt."""
    names = ("max_tokens", "open_ids", "close_ids", "forced_ids", "opened_by_prompt")
    return dict(zip(names, budget)) | {"tokens": tokens, "max_new_tokens": limit, "forced_close": forced}


def cases_of_prompt(model, prompt):
    plain, cut = go_on(model, prompt, LENGTH)
    limit = len(plain) if cut else LENGTH
    unused = [i for i in range(3, 120) if i not in plain and i not in prompt]
    close, before, after = unused[0], unused[1], unused[2]
    cases = []
    # Opened by the prompt: several ids are forced, at once and after some tokens.
    for budget in (0, 1, 4):
        closing = [before, close, after]
        tokens, length = closed_by_hand(model, prompt, budget, closing)
        cases.append(case((budget, [], [close], closing, True), tokens, length, True))
    # Cut short in the middle of the closing ids.
    tokens, _ = closed_by_hand(model, prompt, 4, [before, close, after])
    cases.append(case((4, [], [close], [before, close, after], True), tokens[:6], 6, True))
    # Opened by the model: the thinking begins behind the opening token.
    place = 2
    opening = plain[place]
    if opening not in plain[:place]:
        tokens, length = closed_by_hand(model, prompt, place + 1 + 3, [close])
        if opening not in tokens[place + 1 + 3:]:  # no second thinking
            cases.append(case((3, [opening], [close], [], False), tokens, length, True))
    # Closed by the model: just in time, and one token too late (then the same token is forced).
    place = min(5, len(plain) - 1)
    place = plain.index(plain[place])
    for budget in (place, place + 1):
        cases.append(case((budget, [], [plain[place]], [], True), plain, limit, budget == place))
    return cases


def main():
    assert transformers.__version__ == "5.23.0"
    cases = []
    for name in CHECKPOINTS:
        model = load(name)
        prompts = json.loads((DATA / "model" / "expected" / name / "expected.json").read_text())["prompts"]
        for index, prompt in enumerate(prompts):
            cases += [{"checkpoint": name, "prompt": index} | entry for entry in cases_of_prompt(model, prompt)]
    with open(TARGET, "w") as out:
        head = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
        out.write('{"versions": ' + json.dumps(head) + ', "cases": [\n')
        out.write(",\n".join(json.dumps(entry) for entry in cases) + "\n]}\n")


main()
