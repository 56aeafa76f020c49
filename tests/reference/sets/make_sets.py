#!/usr/bin/env python3
"""Writes made-up sets in the published formats into tests/data/sets, with pyarrow and Python's own csv and json.

    python3 tests/reference/sets/make_sets.py

Versions: requirements.txt. tables.json holds the rows as pyarrow and csv read them back, for the readers' tests.
"""
import csv
import json
import pathlib

import pyarrow
import pyarrow.parquet

import synthetic_rows

DATA = pathlib.Path(__file__).resolve().parents[2] / "data" / "sets"
PARQUET = {"mmlu_pro_test": synthetic_rows.mmlu_pro("test"), "mmlu_pro_validation": synthetic_rows.mmlu_pro("validation"),
           "gpqa": synthetic_rows.gpqa(), "maxwell_jia": synthetic_rows.maxwell_jia(),
           "hugging_face_h4": synthetic_rows.hugging_face_h4("2024"), "gsm8k": synthetic_rows.gsm8k(),
           "mmlu": synthetic_rows.mmlu()}
JSONL = {"math_ai": synthetic_rows.math_ai(), "opencompass": synthetic_rows.opencompass(),
         "gsm8k_train": synthetic_rows.gsm8k_train()}


def kinds_table():
    """One column of every kind that the reader turns into JSON, in two row groups."""
    return pyarrow.table({
        "text": ["one", "zwei", None, "четыре"],
        "large_text": pyarrow.array(["a", "b", "c", ""], pyarrow.large_string()),
        "word": pyarrow.array(["x", "y", "x", None]).dictionary_encode(),
        "small": pyarrow.array([1, -2, None, 127], pyarrow.int8()),
        "large": pyarrow.array([2**40, -1, 0, None], pyarrow.int64()),
        "real": [0.5, -1.25, None, 3.0],
        "yes": [True, False, None, True],
        "texts": [["a", "b"], [], None, ["c"]],
        "nested": [[[1], [2, 3]], [[]], None, []],
    })


def write_parquet():
    for name, rows in PARQUET.items():
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), DATA / f"{name}.parquet", compression="zstd")
    pyarrow.parquet.write_table(kinds_table(), DATA / "kinds.parquet", row_group_size=3, compression="snappy")
    # A small file that unpacks to 64 MB: one text again and again, which dictionary and compression fold away.
    bomb = pyarrow.table({"question": ["x" * 65536] * 1024})
    pyarrow.parquet.write_table(bomb, DATA / "unfolds.parquet", compression="zstd")


def write_csv():
    rows = synthetic_rows.gpqa()
    with (DATA / "gpqa.csv").open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_back():
    tables = {f"{name}.parquet": pyarrow.parquet.read_table(DATA / f"{name}.parquet").to_pylist()
              for name in ["kinds", "mmlu", "maxwell_jia"]}
    with (DATA / "gpqa.csv").open(encoding="utf-8-sig", newline="") as source:
        tables["gpqa.csv"] = list(csv.DictReader(source))
    return tables


def main():
    DATA.mkdir(parents=True, exist_ok=True)
    write_parquet()
    write_csv()
    for name, rows in JSONL.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (DATA / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    rows = synthetic_rows.hugging_face_h4("2025")
    (DATA / "yentinglin.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    record = {"pyarrow": pyarrow.__version__, "tables": read_back()}
    (DATA / "tables.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
