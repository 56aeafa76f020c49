#!/usr/bin/env python3
"""Converts a Parquet file to JSONL, for builds that do not read Parquet (MOELAB_PARQUET=OFF).

    python3 scripts/parquet_to_jsonl.py questions.parquet [questions.jsonl]

Needs the pyarrow package. Rows, columns and values stay as they are; kinds that JSON lacks (dates, say) become text.
"""
import json
import pathlib
import sys


def convert(source, target):
    import pyarrow.parquet
    rows = 0
    with target.open("w", encoding="utf-8") as out:
        for batch in pyarrow.parquet.ParquetFile(source).iter_batches():
            for row in batch.to_pylist():
                out.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                rows += 1
    return rows


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else source.with_suffix(".jsonl")
    if target.exists():
        sys.exit(f"{target} is there already; move it away or name another file")
    try:
        print(f"{target}: {convert(source, target)} rows")
    except ModuleNotFoundError:
        sys.exit("the pyarrow package is missing: pip install pyarrow")


if __name__ == "__main__":
    main()
