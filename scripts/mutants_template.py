#!/usr/bin/env python3
"""Plants one mistake after another in the chat template interpreter and checks that a test fails for each.

Usage: scripts/mutants_template.py [--report FILE] [NUMBER ...]
Objects are kept in build/mutants; every mutant compiles one file anew. Exit status 1 when a mutant survives.
"""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
CORE = sorted(ROOT.glob("core/text/template*.cpp")) + [
    ROOT / "core" / name for name in ("text/utf8.cpp", "base/files.cpp", "base/json.cpp", "base/hash.cpp")]
TESTS = [ROOT / "tests" / name for name in ("main.cpp", "text/template_reference_test.cpp", "text/template_test.cpp")]
COMPILE = ["c++", "-std=c++20", "-O0", f"-I{ROOT}", "-DFMT_SHARED", f'-DMOELAB_SOURCE_DIR="{ROOT}"', "-c"]
LIBRARIES = ["-lfmt", "-lutf8proc", "-lcrypto"]

# (file, what is there once, what it becomes, what that means)
MUTANTS = [
    ("template_lexer.cpp", "at_ < source_.size() && source_[at_] == '\\n') ++at_;", "false) ++at_;", "trim_blocks is off"),
    ("template_lexer.cpp", "if (line == 0 && !line_starting_) return text;", "if (!line_starting_) return text;",
     "lstrip_blocks only at the start of a line that begins the text"),
    ("template_scopes.cpp", "outside ? Kind::copy : Kind::empty", "outside ? Kind::copy : Kind::context",
     "a set variable shows the caller's value before it is set"),
    ("template_statements.cpp", "    start_slots(loop.body_scope, *frame);\n", "", "variables live on in the next iteration"),
    ("template_loop.cpp", "+ index0 + 1 +", "+ index0 +", "loop.length of a filtered loop is one short"),
    ("template_text_filters.cpp", "if (style.indent) style.item_separator = \",\";", "", "tojson(indent) leaves spaces at line ends"),
    ("template_repr.cpp", " && text.find('\"') == std::string::npos", "", "repr takes the wrong quotes"),
    ("template_operators.cpp", "return quotient - (", "return quotient + 0 * (", "integer division rounds towards zero"),
    ("template_attributes.cpp", "return loop.length() - loop.index0;", "return loop.length() - loop.index0 - 1;",
     "loop.revindex counts from zero"),
    ("template_strings.cpp", "if (side != Side::right)", "if (side == Side::left)", "strip leaves what is in front"),
    ("template_calls.cpp", "for (std::size_t i = given; i < count; ++i) {", "for (std::size_t i = given + 1; i < count; ++i) {",
     "the first named argument of a macro is missed"),
    ("template_tests.cpp", "value.is<Dict>() || value.is<Range>()", "value.is<Range>()", "a dict is no sequence"),
    ("template_expression_parser.cpp", "parse_unary(false)", "parse_unary(true)", "a filter binds before the sign"),
    ("template.cpp", "if (message.reasoning) fields[\"thinking\"] = *message.reasoning;", "", "reasoning is not found as thinking"),
]


def object_of(source):
    return WORK / (source.stem + ".o")


def compile_file(source, target):
    subprocess.run([*COMPILE, str(source), "-o", str(target)], check=True, cwd=ROOT)


def link(objects, program):
    subprocess.run(["c++", "-o", str(program), *map(str, objects), *LIBRARIES], check=True)


def passes(program):
    """Whether all tests pass; a crash or five minutes without an end count as a failure."""
    try:
        return subprocess.run([str(program)], cwd=ROOT, capture_output=True, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def prepare():
    WORK.mkdir(parents=True, exist_ok=True)
    newest_header = max(path.stat().st_mtime for path in ROOT.glob("core/*/*.h"))
    for source in CORE + TESTS:
        made = object_of(source)
        if not made.exists() or made.stat().st_mtime < max(source.stat().st_mtime, newest_header):
            compile_file(source, made)
    link([object_of(source) for source in CORE + TESTS], WORK / "tests")
    if not passes(WORK / "tests"):
        sys.exit("the tests fail without a mutant")


def caught(name, old, new):
    source = ROOT / "core" / "text" / name
    text = source.read_text(encoding="utf-8")
    if text.count(old) != 1:
        sys.exit(f"{name} holds {text.count(old)} times instead of once: {old}")
    mutant = WORK / ("mutant_" + name)
    mutant.write_text(text.replace(old, new), encoding="utf-8")
    changed = mutant.with_suffix(".o")
    compile_file(mutant, changed)
    link([changed if other == source else object_of(other) for other in CORE + TESTS], WORK / "mutant")
    return not passes(WORK / "mutant")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=pathlib.Path, help="file for the result, one mutant a line")
    parser.add_argument("numbers", nargs="*", type=int, help="only these mutants, counted from 1")
    options = parser.parse_args()
    prepare()
    lines = []
    for number, (name, old, new, meaning) in enumerate(MUTANTS, 1):
        if options.numbers and number not in options.numbers:
            continue
        lines.append(f"{number:2} {'caught' if caught(name, old, new) else 'SURVIVED'}  {name}: {meaning}")
        print(lines[-1], flush=True)
        if options.report:
            options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(any("SURVIVED" in line for line in lines))


if __name__ == "__main__":
    main()
