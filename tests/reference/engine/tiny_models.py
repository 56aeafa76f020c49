"""What the generation references share: the tiny checkpoints in transformers, and how cases are written."""
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM

DATA = Path(__file__).resolve().parents[2] / "data"
CHECKPOINTS = ("qwen3_moe_tiny", "olmoe_tiny")
LEAD = 1e-3  # of the best over the second score; a case is cut before a smaller one, where rounding would decide


def load(name):
    """The checkpoint in float32 on the CPU, eager paths only."""
    model = AutoModelForCausalLM.from_pretrained(DATA / "model" / name, dtype=torch.float32,
                                                 attn_implementation="eager", experts_implementation="eager")
    return model.eval()


def prompts_of(name):
    return json.loads((DATA / "model" / "expected" / name / "expected.json").read_text())["prompts"]


def sure_steps(scores):
    """How many leading steps of a generation have a clear best token."""
    for step, row in enumerate(scores):
        best = row[0].topk(2).values
        if best[0] - best[1] <= LEAD:
            return step
    return len(scores)


def write_cases(target, cases):
    assert transformers.__version__ == "5.23.0"
    head = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    with open(target, "w") as out:
        out.write('{"versions": ' + json.dumps(head) + ', "cases": [\n')
        out.write(",\n".join(json.dumps(case) for case in cases) + "\n]}\n")
