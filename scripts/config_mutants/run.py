#!/usr/bin/env python3
"""Changes core/config in small wrong ways, one at a time, and says whether the tests of the configuration notice.

    scripts/config_mutants/run.py [--only NAME] [--build COMMAND] [--tests COMMAND]

mutants.json lists them: a file, a text that stands in it exactly once, and the wrong text. Every file is put back, also
after an interruption. The result goes to result.txt; the exit status is 1 when a mutant was missed.
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = "cmake --build build/release --target moelab_tests_config"
TESTS = "build/release/tests/moelab_tests_config [config] --abort"


def run(command, seconds):
    """The exit status; a run that takes too long counts as a failure."""
    try:
        return subprocess.run(shlex.split(command), cwd=ROOT, timeout=seconds, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        return 124


def judge(mutant, options):
    path = ROOT / "core" / "config" / mutant["file"]
    original = path.read_text(encoding="utf-8")
    if original.count(mutant["from"]) != 1:
        return f"broken: the text stands {original.count(mutant['from'])} times in {mutant['file']}"
    try:
        path.write_text(original.replace(mutant["from"], mutant["to"]), encoding="utf-8")
        if run(options.build, 1200) != 0:
            return "broken: it does not compile"
        return "caught" if run(options.tests, 300) != 0 else "MISSED"
    finally:
        path.write_text(original, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only")
    parser.add_argument("--build", default=BUILD)
    parser.add_argument("--tests", default=TESTS)
    options = parser.parse_args()
    mutants = json.loads((HERE / "mutants.json").read_text(encoding="utf-8"))
    if run(options.build, 3600) != 0 or run(options.tests, 300) != 0:
        sys.exit("the tests must build and pass before anything is changed")
    lines = []
    for mutant in mutants:
        if options.only and options.only != mutant["name"]:
            continue
        verdict = judge(mutant, options)
        lines.append(f"{verdict:<8} {mutant['name']:<28} {mutant['file']}")
        print(lines[-1], flush=True)
    run(options.build, 3600)
    caught = sum(line.startswith("caught") for line in lines)
    lines.append(f"{caught} of {len(lines)} caught")
    print(lines[-1])
    if not options.only:
        (HERE / "result.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(caught != len(lines) - 1)


if __name__ == "__main__":
    main()
