"""Writes tests/data/engine/thinking_cases.json: greedy generation whose thinking is closed by hand.

transformers generates up to the place where the budget is spent, the closing ids are appended by hand, and transformers
goes on from there. Float32 on the CPU, eager attention, each prompt alone. Run after tests/reference/model (the
checkpoints and prompts are its files): python3 make_thinking_cases.py (pins: requirements.txt).
"""
import torch

from tiny_models import CHECKPOINTS, DATA, load, prompts_of, sure_steps, write_cases

LENGTH = 24


@torch.no_grad()
def go_on(model, tokens, count):
    """Up to `count` greedy tokens after `tokens`, and whether they are fewer because a lead was too small."""
    if count <= 0:
        return [], False
    out = model.generate(torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens), dtype=torch.long),
                         do_sample=False, max_new_tokens=count, pad_token_id=0, output_scores=True,
                         return_dict_in_generate=True)
    new = out.sequences[0, len(tokens):].tolist()
    sure = sure_steps(out.scores)
    return new[:sure], sure < len(out.scores)


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
    cases = []
    for name in CHECKPOINTS:
        model = load(name)
        for index, prompt in enumerate(prompts_of(name)):
            cases += [{"checkpoint": name, "prompt": index} | entry for entry in cases_of_prompt(model, prompt)]
    write_cases(DATA / "engine" / "thinking_cases.json", cases)


main()
