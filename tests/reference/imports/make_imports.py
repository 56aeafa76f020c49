#!/usr/bin/env python3
"""Logs as lm-evaluation-harness and inspect_ai themselves write them, for tests/experiments/import_test.cpp.

pip install -r tests/reference/imports/requirements.txt
python3 tests/reference/imports/make_imports.py        # writes tests/data/imports

Both tools run small tasks of made-up questions on a model that answers from a list: the harness with a class of its own,
inspect_ai with its mockllm. expected.json keeps what the tools report: accuracies by filter or scorer.
"""

import json
import os
import pathlib
import shutil
import tempfile
from importlib.metadata import version

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import inspect_ai
from inspect_ai import Task, dataset, model, scorer, solver
from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "imports"

CHOICES = [
    {"Question": f"Which of these is colour number {i}?", "choice1": "red", "choice2": "green", "choice3": "blue",
     "choice4": "grey", "choices": ["red", "green", "blue", "grey"], "answer": f"({'ABCD'[i % 4]})", "High-level domain": "Colour" if i < 4 else "Light"}
    for i in range(6)
]
# Strict needs "The answer is (X)." and loses the last character; flexible takes the last letter in parentheses.
CHOICE_REPLIES = {
    "original": ["The answer is (A).", "I pick (B)", "The answer is (A).", "no idea", "So (A) or (B)?", "The answer is (B)."],
    "steered": ["The answer is (A).", "The answer is (B).", "<think>(A)?</think>The answer is (C).", "The answer is (D).",
                "The answer is (A).", "It is (C)"],
}
SUMS = [{"question": f"What is {i} + {i}?", "answer": f"Twice {i}.\n#### {2 * i}"} for i in range(4)]
SUM_REPLIES = ["So\n#### 0", "#### 3", "That is 4.", "nothing"]


class ListModel(LM):
    """Answers by the place of the question in its list."""

    def __init__(self, replies):
        super().__init__()
        self.replies = replies

    def generate_until(self, requests):
        return [self.replies[request.doc_id] for request in requests]

    def loglikelihood(self, requests):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


def regex_filter(name, pattern, function="regex", **options):
    return {"name": name, "filter": [{"function": function, "regex_pattern": pattern, **options}, {"function": "take_first"}]}


def choice_task(rows):
    return {"task": "gpqa_mini_cot_zeroshot", "dataset_path": "json", "dataset_kwargs": {"data_files": {"train": str(rows)}},
            "test_split": "train", "output_type": "generate_until",
            "doc_to_text": "{{Question}}\n(A) {{choice1}}\n(B) {{choice2}}\n(C) {{choice3}}\n(D) {{choice4}}\n",
            "doc_to_target": "{{answer}}",
            "filter_list": [regex_filter("strict-match", "(?<=The answer is )(.*)(?=.)"),
                            regex_filter("flexible-extract", "(\\([A-Z]\\))", "multi_choice_regex", group_select=-1,
                                         ignore_case=True, ignore_punctuation=True)],
            "generation_kwargs": {"until": ["</s>"]},
            "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True,
                             "ignore_punctuation": True}]}


def sum_task(rows):
    return {"task": "gsm8k_mini", "dataset_path": "json", "dataset_kwargs": {"data_files": {"train": str(rows)}},
            "test_split": "train", "output_type": "generate_until", "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_target": "{{answer}}",
            "filter_list": [regex_filter("strict-match", "#### (\\-?[0-9\\.\\,]+)")],
            "generation_kwargs": {"until": ["Question:"]},
            "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True,
                             "regexes_to_ignore": [",", "\\$", "(?s).*#### ", "\\.$"]}]}


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run_lm_eval(folder, task, replies, name):
    results = simple_evaluate(model=ListModel(replies), tasks=[task], log_samples=True, bootstrap_iters=0,
                              task_manager=TaskManager(include_defaults=False))
    tracker = EvaluationTracker(output_path=str(folder / name))
    tracker.general_config_tracker.model_name = "list"
    tracker.general_config_tracker.model_name_sanitized = "list"
    tracker.date_id = "2026-11-22T10-00-00.000000"
    tracker.save_results_samples(task["task"], results["samples"][task["task"]])
    written = next((folder / name).rglob("samples_*.jsonl"))
    (DATA / name).mkdir(exist_ok=True)
    target = DATA / name / written.name
    # Paths of the temporary folder are no part of the format.
    target.write_text(written.read_text().replace(str(folder), "rows"))
    return {key.removeprefix("exact_match,"): value for key, value in results["results"][task["task"]].items()
            if key.startswith("exact_match,")}


def run_inspect(folder):
    samples = [dataset.Sample(id=f"q{i}", input=row["Question"], target="ABCD"[i % 4],
                              choices=[row[f"choice{c}"] for c in (1, 2, 3, 4)], metadata={"category": row["High-level domain"]})
               for i, row in enumerate(CHOICES)]
    replies = ["ANSWER: A", "ANSWER: B", "ANSWER: A", "who knows", "I say\nANSWER: A", "ANSWER: B"]
    outputs = [model.ModelOutput.from_content("mockllm/model", reply) for reply in replies for _ in range(2)]
    outputs[1] = model.ModelOutput.from_content("mockllm/model", "ANSWER: C", stop_reason="max_tokens")
    for output in outputs:
        output.usage = model.ModelUsage(input_tokens=9, output_tokens=4, total_tokens=13)
    outputs[0].usage = model.ModelUsage(input_tokens=9, output_tokens=12, total_tokens=21, reasoning_tokens=8)
    outputs[0].choices[0].message.content = [model.ContentReasoning(reasoning="red, so A"), model.ContentText(text="ANSWER: A")]
    task = Task(name="colours", dataset=dataset.MemoryDataset(samples), solver=solver.multiple_choice(), scorer=scorer.choice(),
                epochs=2)
    logs = {}
    for kind in ("json", "eval"):
        log = inspect_ai.eval(task, model=model.get_model("mockllm/model", custom_outputs=list(outputs)), log_dir=str(folder / kind),
                              log_format=kind, display="none", max_connections=1, max_samples=1)[0]
        logs[kind] = log
        shutil.copy(next((folder / kind).glob(f"*.{kind}")), DATA / f"colours.{kind}")
    # What the run was made on is no part of the format.
    text = json.loads((DATA / "colours.json").read_text())
    for key in ("revision", "packages"):
        text["eval"].pop(key, None)
    (DATA / "colours.json").write_text(json.dumps(text) + "\n")
    return {"accuracy": logs["json"].results.scores[0].metrics["accuracy"].value}


def main():
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir(parents=True)
    expected = {"versions": {name: version(name) for name in ("lm-eval", "inspect-ai")}}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        choices, sums = write_rows(folder / "choices.jsonl", CHOICES), write_rows(folder / "sums.jsonl", SUMS)
        for method, replies in CHOICE_REPLIES.items():
            expected[method] = run_lm_eval(folder, choice_task(choices), replies, method)
        expected["sums"] = run_lm_eval(folder, sum_task(sums), SUM_REPLIES, "sums")
        expected["inspect"] = run_inspect(folder)
    (DATA / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
