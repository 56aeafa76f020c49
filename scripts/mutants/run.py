#!/usr/bin/env python3
"""Breaks the code on purpose, one place at a time, and says whether a test notices.

    scripts/mutants/run.py config                   # every change that config.json lists
    scripts/mutants/run.py text --only "NAME" ...   # some of text.json's

A list names the test program with its arguments and, for each change, the file, a text that stands in it exactly once,
the wrong text and maybe the one test that should notice. No file of the tree is touched: a changed copy is compiled and linked in place of the original, in a
build of its own (build/mutants: not optimised, file by file). Outcomes go to NAME.results.json beside the list, each with
the check that failed; a run with --only renews those. Exit status 1 when a change was missed or could not be tried.
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "mutants"
LONGEST_RUN = 600  # seconds; a test that takes longer has noticed


def build(program):
    configure = ["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None", "-DMOELAB_UNITY=OFF"]
    for command in (configure, ["cmake", "--build", BUILD, "--target", program]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)


def compile_commands():
    entries = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    return {str(pathlib.Path(entry["file"]).relative_to(ROOT)): entry for entry in entries
            if pathlib.Path(entry["file"]).is_relative_to(ROOT)}


def compile_copy(entry, copy, out):
    """The build's own command with another input and output."""
    command = shlex.split(entry["command"])
    command[command.index("-o") + 1] = str(out)
    command[command.index("-c") + 1] = str(copy)
    return subprocess.run([*command, "-Wno-error"], cwd=entry["directory"], capture_output=True).returncode == 0


def link(program, replaced, out):
    """An object named first wins over the same one in a library."""
    listed = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", f"tests/{program}"], check=True, capture_output=True,
                            text=True).stdout
    command = listed.strip().splitlines()[-1].replace(f"-o tests/{program}", f"{replaced} -o {out}")
    subprocess.run(command, cwd=BUILD, shell=True, check=True)


def failed_check(program, tests, only=None):
    """Where the first check fails, or None. A crash or a hang counts as a failure too; a program that does not start, or
    finds no test, ends everything."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | tests.get("environment", {})
    command = [str(program), *([only] if only else tests["arguments"]), "--abort", "--reporter", "compact"]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_RUN,
                              errors="replace")
    except subprocess.TimeoutExpired:
        return "ran too long"
    if "No test cases matched" in done.stdout:
        sys.exit(f"no such test: {command[1:]}")
    if done.returncode == 0:
        return None
    places = [line.split(": failed")[0] for line in done.stdout.splitlines() if ": failed" in line]
    if not places and done.returncode > 0:
        sys.exit(f"the tests did not run: exit status {done.returncode}\n{done.stderr}")
    return (places or [f"signal {-done.returncode}"])[0].replace(str(ROOT) + "/", "")


def outcome(mutant, tests, commands, folder):
    original = (ROOT / mutant["file"]).read_text(encoding="utf-8")
    if (count := original.count(mutant["from"])) != 1:
        return {"outcome": f"the text stands {count} times in the file"}
    copy, program = folder / pathlib.Path(mutant["file"]).name, folder / "tests"
    copy.write_text(original.replace(mutant["from"], mutant["to"]), encoding="utf-8")
    if not compile_copy(commands[mutant["file"]], copy, folder / "mutant.o"):
        return {"outcome": "does not compile"}
    link(tests["program"], folder / "mutant.o", program)
    place = failed_check(program, tests, mutant.get("test"))
    return {"outcome": "caught", "by": place} if place else {"outcome": "missed"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", help="one of " + ", ".join(sorted(p.stem for p in HERE.glob("*.json") if "." not in p.stem)))
    parser.add_argument("--only", nargs="*", help="names of changes; all otherwise")
    options = parser.parse_args()
    listed = json.loads((HERE / f"{options.list}.json").read_text(encoding="utf-8"))
    tests, results_path = listed["tests"], HERE / f"{options.list}.results.json"
    results = json.loads(results_path.read_text(encoding="utf-8")) if results_path.exists() else {}
    results = {m["name"]: results[m["name"]] for m in listed["mutants"] if m["name"] in results}
    build(tests["program"])
    if place := failed_check(BUILD / "tests" / tests["program"], tests):
        sys.exit(f"the tests fail without any change: {place}")
    commands = compile_commands()
    with tempfile.TemporaryDirectory() as folder:
        for mutant in listed["mutants"]:
            if options.only and mutant["name"] not in options.only:
                continue
            results[mutant["name"]] = outcome(mutant, tests, commands, pathlib.Path(folder))
            print(f"{results[mutant['name']]['outcome']:8} {mutant['name']}", flush=True)
            results_path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    caught = sum(result["outcome"] == "caught" for result in results.values())
    print(f"{caught} of {len(listed['mutants'])} caught")
    return 0 if caught == len(listed["mutants"]) else 1


if __name__ == "__main__":
    sys.exit(main())
