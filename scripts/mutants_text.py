#!/usr/bin/env python3
"""Breaks the tokenizer and thinking code on purpose, one place at a time, and says whether the tests notice.

Usage: scripts/mutants_text.py [--build build/release] [--only NAME ...] [--out tests/data/text/mutants.result.json]

tests/data/text/mutants.json lists the changes: name, file, the text to replace (which must occur exactly once) and its replacement. The target
moelab_tests_plain is brought up to date first. Then for each mutant a changed copy of its file is compiled with that build's own command (at -O0),
linked into the tests in place of the original, and the tests of core/text run, with MOELAB_TEXTS_PER_KIND texts for each kind of tokenizer (fewer than
they take otherwise, so that what is caught here is caught there). Exit status 1 when one is missed or cannot be tried.
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
TESTS = "tests/moelab_tests_plain"
TEXTS_PER_KIND = "100"
LONGEST_RUN = 300


def compile_commands(build):
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    return {str(pathlib.Path(entry["file"]).relative_to(ROOT)): shlex.split(entry["command"]) for entry in entries
            if pathlib.Path(entry["file"]).is_relative_to(ROOT / "core")}


def compile_copy(command, copy, out):
    """The build's command with another input and output."""
    command = ["-O0" if part == "-O3" else part for part in command]
    command[command.index("-o") + 1] = str(out)
    command[command.index("-c") + 1] = str(copy)
    return subprocess.run([*command, "-Wno-error"], cwd=ROOT, capture_output=True, text=True)


def link(build, objects, out):
    """Objects named first win over the same ones in a library."""
    listed = subprocess.run(["ninja", "-C", str(build), "-t", "commands", TESTS], check=True, capture_output=True, text=True).stdout
    command = listed.strip().splitlines()[-1].replace(f"-o {TESTS}", f"{' '.join(map(str, objects))} -o {out}")
    subprocess.run(command, cwd=build, shell=True, check=True)


def failed_check(program):
    """Where the first check fails, or None. A crash or a hang counts as a failure too."""
    environment = os.environ | {"MOELAB_TEXTS_PER_KIND": TEXTS_PER_KIND}
    command = [str(program), "[text]~*published*", "--abort", "--reporter", "compact"]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_RUN, errors="replace")
    except subprocess.TimeoutExpired:
        return "ran too long"
    if done.returncode == 0:
        return None
    places = [line.split(": failed:")[0] for line in done.stdout.splitlines() if ": failed:" in line]
    return (places or [f"exit status {done.returncode}"])[0].replace(str(ROOT) + "/", "")


def try_mutant(mutant, commands, build, folder):
    original = (ROOT / mutant["file"]).read_text(encoding="utf-8")
    if original.count(mutant["old"]) != 1:
        return {"outcome": f"the text to replace occurs {original.count(mutant['old'])} times"}
    copy = folder / pathlib.Path(mutant["file"]).name
    copy.write_text(original.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    done = compile_copy(commands[mutant["file"]], copy, folder / "mutant.o")
    if done.returncode != 0:
        return {"outcome": "does not compile"}
    link(build, [folder / "mutant.o"], folder / "tests")
    place = failed_check(folder / "tests")
    return {"outcome": "caught", "by": place} if place else {"outcome": "missed"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--only", nargs="*", help="names of mutants; all otherwise")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    mutants = json.loads((ROOT / "tests/data/text/mutants.json").read_text(encoding="utf-8"))
    chosen = [m for m in mutants if not arguments.only or m["name"] in arguments.only]
    subprocess.run(["cmake", "--build", str(build), "--target", "moelab_tests_plain", "--", "-j1"], check=True, stdout=subprocess.DEVNULL)
    if place := failed_check(build / TESTS):
        sys.exit(f"the tests fail without any change: {place}")
    commands = compile_commands(build)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for mutant in chosen:
            result = {"name": mutant["name"]} | try_mutant(mutant, commands, build, pathlib.Path(folder))
            results.append(result)
            print(f"{result['outcome']:8} {result['name']}" + (f"  ({result['by']})" if "by" in result else ""), flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    caught = sum(r["outcome"] == "caught" for r in results)
    print(f"{caught} of {len(results)} caught")
    return 0 if caught == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
