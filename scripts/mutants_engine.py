#!/usr/bin/env python3
"""Breaks generation (sampler, thinking budget, KV cache, batches) on purpose, one place at a time, and says whether the tests notice.

Usage: scripts/mutants_engine.py [--build build/release] [--only NAME ...] [--out tests/data/engine/mutants.result.json]

tests/data/engine/mutants.json lists the changes: name, file, the text to replace (which must occur exactly once), its replacement, and the test that
should notice. The target moelab_tests_core is brought up to date first. Then for each mutant a changed copy of its file is compiled with that build's
options and linked into the tests before the libraries; of two definitions the first one counts. A small function that the compiler had put into its
callers keeps its original there, so a mutant may be missed for that reason, but none is caught for it. Exit status 1 when one is missed or cannot be
tried. --out keeps the results of mutants that are not tried this time.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = "tests/moelab_tests_core"
LONGEST_RUN = 300


class NotRun(Exception):
    """The test program did not come to judge anything."""


def compile_command(build):
    """The command of one source of the engine; its input and output are its last arguments."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    commands = [shlex.split(entry["command"]) for entry in entries]
    command = next(c for c in commands if any("moelab_engine.dir" in part for part in c) and "c++-header" not in c)
    return command[:command.index("-o")]


def link(build, mutant, out):
    """Without relocations that are read-only: with two definitions the linker may lay that part out so that the loader refuses it."""
    listed = subprocess.run(["ninja", "-C", str(build), "-t", "commands", TESTS], check=True, capture_output=True, text=True).stdout
    command = listed.strip().splitlines()[-1].replace(f"-o {TESTS}", f"-Wl,-z,muldefs,-z,norelro {mutant} -o {out}")
    subprocess.run(command, cwd=build, shell=True, check=True)


def failed_check(program, test):
    """Where the first check fails, or None. A crash or a hang counts as a failure too."""
    command = [str(program), test, "--abort", "--reporter", "compact"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_RUN, errors="replace")
    except subprocess.TimeoutExpired:
        return "ran too long"
    if done.returncode == 0:
        return None if "No test cases matched" not in done.stdout else "no such test"
    places = [line.split(": failed:")[0] for line in done.stdout.splitlines() if ": failed:" in line]
    if not places and done.returncode > 0:
        raise NotRun(f"the tests did not run: exit status {done.returncode}")
    return (places or [f"signal {-done.returncode}"])[0].replace(str(ROOT) + "/", "")


def try_mutant(mutant, command, build, folder):
    original = (ROOT / mutant["file"]).read_text(encoding="utf-8")
    if original.count(mutant["old"]) != 1:
        return {"outcome": f"the text to replace occurs {original.count(mutant['old'])} times"}
    copy, out = folder / pathlib.Path(mutant["file"]).name, folder / "mutant.o"
    copy.write_text(original.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    done = subprocess.run([*command, "-Wno-error", "-o", str(out), "-c", str(copy)], cwd=build, capture_output=True, text=True)
    if done.returncode != 0:
        return {"outcome": "does not compile"}
    link(build, out, folder / "tests")
    try:
        place = failed_check(folder / "tests", mutant["test"])
    except NotRun as reason:
        return {"outcome": str(reason)}
    return {"outcome": "caught", "by": place} if place else {"outcome": "missed"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--only", nargs="*", help="names of mutants; all otherwise")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    mutants = json.loads((ROOT / "tests/data/engine/mutants.json").read_text(encoding="utf-8"))
    chosen = [m for m in mutants if not arguments.only or m["name"] in arguments.only]
    subprocess.run(["cmake", "--build", str(build), "--target", "moelab_tests_core", "--", "-j2"], check=True, stdout=subprocess.DEVNULL)
    for test in sorted({m["test"] for m in chosen}):
        if place := failed_check(build / TESTS, test):
            sys.exit(f"'{test}' fails without any change: {place}")
    command = compile_command(build)
    results = json.loads(arguments.out.read_text(encoding="utf-8")) if arguments.out and arguments.out.exists() else []
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for mutant in chosen:
            result = {"name": mutant["name"]} | try_mutant(mutant, command, build, pathlib.Path(folder))
            outcomes.append(result["outcome"])
            results = [r for r in results if r["name"] != mutant["name"]] + [result]
            print(f"{result['outcome']:8} {result['name']}" + (f"  ({result['by']})" if "by" in result else ""), flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    caught = outcomes.count("caught")
    print(f"{caught} of {len(outcomes)} caught")
    return 0 if caught == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
