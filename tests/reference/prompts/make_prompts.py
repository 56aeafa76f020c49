#!/usr/bin/env python3
"""Prompts that the makers' own code builds from the made-up rows of tests/data/sets, for tests/evaluators/prompts_test.cpp.

    python3 tests/reference/prompts/make_prompts.py --mmlu-pro DIR --simple-evals DIR

Versions: requirements.txt. DIR are checkouts of TIGER-AI-Lab/MMLU-Pro at f418b11 and openai/simple-evals at ee3b031. lm-eval's
tasks are built by its own ConfigurableTask on local files; functions of the others are taken out of their files and
run without the imports around them. simple-evals draws four repeats of each question. The examples of gsm8k_cot are
those of tests/data/prompts/own_examples.yaml. GPQA's own baseline is not published as a package: its prompt is written here
as public copies of run_baseline.py have it, with CPython's shuffle.

Writes tests/data/prompts/prompts.jsonl: the versions, then a line a prompt with its text (the first two of each kind)
or the text's SHA-256, and the right letter.
"""
import argparse
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import random
import sys
import types
from string import ascii_uppercase

HERE = pathlib.Path(__file__).resolve().parent
SETS = HERE.parents[1] / "data" / "sets"
OUT = HERE.parents[1] / "data" / "prompts" / "prompts.jsonl"
sys.path[:0] = [str(HERE.parent / "sets"), str(HERE.parent / "evaluators")]
import synthetic_rows
from borrowed_code import borrowed, package_file

MMLU_PRO = {"test": str(SETS / "mmlu_pro_test.parquet"), "validation": str(SETS / "mmlu_pro_validation.parquet")}


def mmlu_pro_official(folder):
    local = borrowed(folder / "evaluate_from_local.py",
                     ["choices", "preprocess", "select_by_category", "format_cot_example", "generate_cot_prompt"])
    test, validation = (local.preprocess(synthetic_rows.mmlu_pro(split)) for split in ("test", "validation"))
    os.chdir(folder)  # the function reads cot_prompt_lib/initial_prompt.txt
    for shots in (5, 2, 0):
        for row in test:
            yield f"mmlu_pro/official@{shots}", row["question_id"], local.generate_cot_prompt(validation, row, shots), row["answer"]


def mmlu_pro_api(folder):
    api = borrowed(folder / "evaluate_from_api.py", ["preprocess", "format_example", "single_request"])
    sent = []
    api.space["call_api"] = lambda client, instruction, inputs: sent.append(instruction + inputs) or "(A)"
    api.space["extract_answer"] = lambda text: None
    test, validation = (api.preprocess(synthetic_rows.mmlu_pro(split)) for split in ("test", "validation"))
    for name, examples in (("mmlu_pro/official_api@5", validation),
                           ("mmlu_pro/zero_shot@0", {category: [] for category in validation})):
        for row in [row for rows in test.values() for row in rows]:
            api.single_request(None, row, examples, [])
            yield name, row["question_id"], sent.pop(), row["answer"]


def lm_eval_task(yaml, dataset, files, fewshot=None):
    """A task of lm-eval as it is, but for the place of its data, and its examples where `fewshot` has others."""
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml
    config = load_yaml(package_file("lm-eval", f"lm_eval/tasks/{yaml}"), resolve_func=True)
    for key in ("group", "tag", "task_alias", "dataset_name"):
        config.pop(key, None)
    config |= {"dataset_path": dataset, "dataset_kwargs": {"data_files": files}} | (fewshot or {})
    return ConfigurableTask(config=config)


def lm_eval_prompts(name, task, docs, shots, letter_of):
    task.config.num_fewshot = shots
    task.set_fewshot_seed(1234)
    for doc in docs:
        yield f"{name}@{shots}", doc, task.fewshot_context(doc, num_fewshot=shots), letter_of(doc)


def lm_eval_mmlu_pro():
    for category in synthetic_rows.CATEGORIES:
        task = lm_eval_task(f"mmlu_pro/mmlu_pro_{category.replace(' ', '_')}.yaml", "parquet", MMLU_PRO)
        for name, doc, text, letter in lm_eval_prompts("mmlu_pro/lm_eval", task, task.test_docs(), 5, lambda d: d["answer"]):
            yield name, doc["question_id"], text, letter


def lm_eval_gpqa():
    # The task's validation rows are shuffled whenever they are asked for; the seed is what simple_evaluate sets.
    task = lm_eval_task("gpqa/cot_zeroshot/gpqa_diamond_cot_zeroshot.yaml", "parquet",
                        {"train": str(SETS / "gpqa.parquet")})
    random.seed(0)
    docs = borrowed(package_file("lm-eval", "lm_eval/tasks/gpqa/cot_zeroshot/utils.py"), ["preprocess", "process_docs"],
                    random=random, datasets=__import__("datasets")).process_docs(task.dataset["train"])
    for name, doc, text, letter in lm_eval_prompts("gpqa/lm_eval", task, docs, 0, lambda d: d["answer"][1]):
        yield name, doc["Record ID"], text, letter


def lm_eval_numbers():
    for name, yaml, dataset, file, split in (
            ("aime/lm_eval", "aime/aime24.yaml", "parquet", "maxwell_jia.parquet", "train"),
            ("aime/lm_eval", "aime/aime25.yaml", "json", "math_ai.jsonl", "test"),
            ("gsm8k/lm_eval", "gsm8k/gsm8k.yaml", "parquet", "gsm8k.parquet", "test")):
        files = {split: str(SETS / file)} | ({"train": str(SETS / file)} if split == "test" else {})
        task = lm_eval_task(yaml, dataset, files)
        for row, (kind, doc, text, letter) in enumerate(lm_eval_prompts(name, task, task.test_docs(), 0, lambda d: None)):
            yield kind, f"{file}#{row}", text, letter


def lm_eval_gsm8k():
    # The examples of each question are drawn from one generator, question after question.
    file = "gsm8k_train.jsonl"
    for shots in (5, 8):
        task = lm_eval_task("gsm8k/gsm8k.yaml", "json", {"test": str(SETS / file), "train": str(SETS / file)})
        for row, (kind, doc, text, letter) in enumerate(lm_eval_prompts("gsm8k/lm_eval", task, task.test_docs(), shots, lambda d: None)):
            if row < 15:
                yield kind, f"{file}#{row}", text, letter


def lm_eval_gsm8k_cot():
    # The eight examples of the task's YAML are lm-eval's; made-up ones of the same layout stand in for them.
    from lm_eval.tasks._yaml_loader import load_yaml
    examples = load_yaml(SETS.parent / "prompts" / "own_examples.yaml")["fewshot_config"]
    file = "gsm8k_train.jsonl"
    for shots in (8, 3, 0):
        task = lm_eval_task("gsm8k/gsm8k-cot.yaml", "json", {"test": str(SETS / file)}, {"fewshot_config": examples})
        for row, (kind, doc, text, letter) in enumerate(lm_eval_prompts("gsm8k/lm_eval_cot", task, task.test_docs(), shots, lambda d: None)):
            if row < 5:
                yield kind, f"{file}#{row}", text, letter


def lm_eval_mmlu():
    # One task a subject; description and texts come out of the task, the rows are those of its subject.
    task_files = {"test": str(SETS / "mmlu.parquet"), "dev": str(SETS / "mmlu.parquet")}
    for subject in ("abstract_algebra", "world_religions"):
        task = lm_eval_task(f"mmlu/default/mmlu_{subject}.yaml", "parquet", task_files)
        rows = list(task.test_docs())
        for row, doc in enumerate(rows):
            if doc["subject"] != subject:
                continue
            yield ("mmlu/lm_eval@0", f"mmlu.parquet#{row}", task.fewshot_context(doc, num_fewshot=0),
                   ascii_uppercase[doc["answer"]])


def simple_evals_gpqa(folder):
    common = borrowed(folder / "common.py", ["QUERY_TEMPLATE_MULTICHOICE", "format_multichoice_question"])
    rows = synthetic_rows.gpqa()
    frame = types.SimpleNamespace(iterrows=lambda: enumerate(types.SimpleNamespace(to_dict=lambda r=row: r) for row in rows))
    stub = types.SimpleNamespace(format_multichoice_question=common.format_multichoice_question)
    gpqa = borrowed(folder / "gpqa_eval.py", ["GPQAEval"], random=random, pandas=types.SimpleNamespace(read_csv=lambda url: frame),
                    common=stub, Eval=object, EvalResult=None, SamplerBase=None)
    for place, row in enumerate(gpqa.GPQAEval(n_repeats=4).examples):
        texts = [row["Correct Answer"]] + [row[f"Incorrect Answer {i}"] for i in (1, 2, 3)]
        shown = [texts[i] for i in row["permutation"]]
        choices = dict(zip("ABCD", shown)) | {"Question": row["Question"]}
        yield ("gpqa/simple_evals@0", row["Record ID"], common.format_multichoice_question(choices),
               "ABCD"[shown.index(row["Correct Answer"])], place // len(rows))


def gpqa_official():
    random.seed(0)
    for row in synthetic_rows.gpqa():
        choices = [row[f"Incorrect Answer {i}"] for i in (1, 2, 3)] + [row["Correct Answer"]]
        random.shuffle(choices)
        text = f"What is the correct answer to this question: {row['Question']}\n\nChoices:\n"
        text += "\n".join(f"({letter}) {choice}" for letter, choice in zip("ABCD", choices))
        letter = "ABCD"[choices.index(row["Correct Answer"])]
        yield "gpqa/official_cot@0", row["Record ID"], text + "\nLet's think step by step: ", letter
        text += '\n\nFormat your response as follows: "The correct answer is (insert answer here)"'
        yield "gpqa/official@0", row["Record ID"], text, letter


def lighteval_prompts():
    from textwrap import dedent
    tasks = "lighteval/tasks/tasks/"
    known = {"Doc": types.SimpleNamespace, "random": random, "ascii_uppercase": ascii_uppercase, "dedent": dedent}
    aime = borrowed(package_file("lighteval", tasks + "aime.py"), ["MATH_PROMPT_TEMPLATE", "aime_prompt"], **known)
    for row, doc in enumerate(map(aime.aime_prompt, synthetic_rows.hugging_face_h4("2025"))):
        yield "aime/lighteval@0", f"yentinglin.json#{row}", doc.query, None
    gpqa = borrowed(package_file("lighteval", tasks + "gpqa.py"), ["gpqa_instruct_prompt"], **known)
    random.seed(1234)
    for row in synthetic_rows.gpqa():
        doc = gpqa.gpqa_instruct_prompt(row)
        yield "gpqa/lighteval@0", row["Record ID"], doc.query, "ABCD"[doc.gold_index]
    mmlu_pro = borrowed(package_file("lighteval", tasks + "mmlu_pro.py"), ["TEMPLATE", "mmlu_pro_prompt_function"], **known)
    for row in synthetic_rows.mmlu_pro("test"):
        yield "mmlu_pro/lighteval@0", row["question_id"], mmlu_pro.mmlu_pro_prompt_function(row).query, row["answer"]


def lines_of(prompts):
    shown = {}
    for name, question, text, letter, *repeat in prompts:
        kind, shots = name.split("@")
        line = {"prompt": kind, "shots": int(shots), "question": question, "letter": letter}
        if repeat:
            line["repeat"] = repeat[0]
        shown[name] = shown.get(name, 0) + 1
        if shown[name] <= 2 and len(text) < 3000:
            line["text"] = text
        else:
            line["sha256"] = hashlib.sha256(text.encode("utf-8")).hexdigest()
        yield line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mmlu-pro", type=pathlib.Path, required=True)
    parser.add_argument("--simple-evals", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    versions = {name: importlib.metadata.version(name) for name in ("lm-eval", "lighteval", "datasets")}
    versions |= {"python": platform.python_version(), "MMLU-Pro": "f418b11", "simple-evals": "ee3b031"}
    prompts = [*lm_eval_mmlu_pro(), *lm_eval_gpqa(), *lm_eval_numbers(), *lm_eval_gsm8k(), *lm_eval_gsm8k_cot(), *lm_eval_mmlu(), *lighteval_prompts(), *gpqa_official(),
               *simple_evals_gpqa(arguments.simple_evals.resolve()), *mmlu_pro_api(arguments.mmlu_pro.resolve()),
               *mmlu_pro_official(arguments.mmlu_pro.resolve())]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("w", encoding="utf-8") as out:
        for line in [versions, *lines_of(prompts)]:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
