#!/usr/bin/env python3
"""Compares the speed of moelab's tokenizer with the `tokenizers` package on one thread, over the same mixed text.

Usage: benchmarks/run_tokenizer_speed.py --out results.json [--assets FOLDER] [--megabytes 10] [--repeats 2]

The text is drawn from the lists of tests/data/text/generator.json (words of many scripts, code, numbers, white space, emoji, marks, random Unicode) and
from the bundled questions, line by line. Both sides encode it line by line in one run, in turn, on one thread; processor
time is taken, the best of the repeats counts, and the ids must be equal. Kinds: Qwen3 and gpt-oss as published (from FOLDER, skipped where it is not there) and a small Llama-style one. Needs the package tokenizers.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import hashlib
import json
import lzma
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import tokenizers
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/reference/text"))
from text_generator import Generator  # noqa: E402
from tokenizer_kinds import LLAMA_DECODER, LLAMA_NORMAL  # noqa: E402


def prose():
    for path in sorted((ROOT / "data/demo/questions").glob("*.jsonl")):
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            yield row["question"] + " " + "; ".join(row.get("options", []))


def make_text(megabytes):
    """Half prose, half drawn texts, by bytes; line ends inside a text stay."""
    generator = Generator(json.loads((ROOT / "tests/data/text/generator.json").read_text(encoding="utf-8")))
    questions = list(prose())
    sizes, lines, index = [0, 0], [], 0
    while sum(sizes) < megabytes * 1_000_000:
        side = 0 if sizes[0] <= sizes[1] else 1
        line = (questions[index % len(questions)] if side == 0 else generator.text(77, index)[0]) + "\n"
        sizes[side] += len(line.encode())
        lines.append(line)
        index += 1
    return "".join(lines)


def llama_file():
    value = json.loads((ROOT / "tests/data/text/kinds.marks.tokenizer.json").read_text(encoding="utf-8"))
    return json.dumps(value | LLAMA_NORMAL | LLAMA_DECODER | {"pre_tokenizer": None})


def tokenizer_files(assets):
    files = {"llama_small": llama_file()}
    for name in ("qwen3", "gptoss"):
        packed = assets / name / "tokenizer.json.xz"
        if packed.exists():
            files[name] = lzma.decompress(packed.read_bytes()).decode()
        else:
            print(f"skipped: {packed} is not there")
    return files


def pieces_of(text):
    """Only \\n ends a line, as in the C++ program."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def theirs(tokenizer, pieces):
    """Their quickest call (no offsets), in batches so that Python costs nothing; taking the ids out is not timed."""
    ids, seconds = [], 0.0
    for at in range(0, len(pieces), 1000):
        start = time.process_time()
        batch = tokenizer.encode_batch_fast(pieces[at:at + 1000], add_special_tokens=False)
        seconds += time.process_time() - start
        for encoding in batch:
            ids += encoding.ids
    return seconds, ids


def compare(name, content, folder, text_file, arguments):
    path = folder / f"{name}.json"
    path.write_text(content, encoding="utf-8")
    pieces = pieces_of(text_file.read_bytes().decode())
    tokenizer = Tokenizer.from_file(str(path))
    best = {"ours": [], "theirs": []}
    for _ in range(arguments.repeats):
        out = subprocess.run([arguments.binary, path, text_file, "1"], check=True, capture_output=True, text=True).stdout
        ours = json.loads(out)
        best["ours"].append(ours["encode_seconds"])
        seconds, ids = theirs(tokenizer, pieces)
        best["theirs"].append(seconds)
    digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()
    assert digest == ours["sha256"], f"{name}: the ids differ"
    megabytes = text_file.stat().st_size / 1e6
    return {"moelab_seconds": min(best["ours"]), "tokenizers_seconds": min(best["theirs"]), "ratio": min(best["theirs"]) / min(best["ours"]),
            "moelab_mb_per_second": megabytes / min(best["ours"]), "tokens": len(ids), "ids_equal": True,
            "moelab_load_seconds": ours["load_seconds"], "moelab_decode_seconds": ours["decode_seconds"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=pathlib.Path, default=ROOT.parent / "shared/assets/tokenizers")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/benchmarks/tokenizer_speed")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text_file = folder / "text"
        text_file.write_bytes(make_text(arguments.megabytes).encode())
        report = {"command": f"benchmarks/run_tokenizer_speed.py --megabytes {arguments.megabytes:g} --repeats {arguments.repeats} --out "
                             + arguments.out.name,
                  "versions": {"tokenizers": tokenizers.__version__, "python": platform.python_version()},
                  "threads": 1, "time": "processor seconds", "text_bytes": text_file.stat().st_size, "text_lines": len(pieces_of(text_file.read_bytes().decode())), "kinds": {}}
        for name, content in tokenizer_files(arguments.assets).items():
            report["kinds"][name] = compare(name, content, folder, text_file, arguments)
            print(name, json.dumps(report["kinds"][name]), flush=True)
    report["smallest_ratio"] = min(kind["ratio"] for kind in report["kinds"].values())
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
