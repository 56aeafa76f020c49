"""Composes the cases of trees.py and cases.py with hydra-core and writes what it gives to tests/data/config/.

    python3 -m venv venv && venv/bin/pip install -r tests/reference/config/requirements.txt
    venv/bin/python tests/reference/config/make_cases.py [--seed 1]
    python3 -m venv newer && newer/bin/pip install hydra-core==1.4.0rc3 omegaconf==2.4.1rc1 PyYAML==6.0.3
    newer/bin/python tests/reference/config/make_cases.py --newer

With --newer it makes only newer.json: functions that came with hydra-core 1.4. Beside the written cases there are random
override texts and trees, drawn from the seed.
"""
import argparse
import datetime
import itertools
import json
import math
import os
import pathlib
import platform
import sys
import tempfile
import warnings
from importlib.metadata import version

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
import hydra.core.utils as hydra_utils
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import InterpolationToMissingValueError

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import random_cases  # noqa: E402
from cases import (COMPOSE, FUNCTIONS, GLOB_SWEEPS, NEWER_COMPOSE, NEWER_FUNCTIONS, ON_PURPOSE,  # noqa: E402
                   ON_PURPOSE_CONFIGS, OVERRIDES, SCALARS, SWEEPS)
from trees import TREES  # noqa: E402

TARGET = pathlib.Path(__file__).parents[2] / "data" / "config"
PINNED = {"hydra-core": "1.3.2", "omegaconf": "2.3.1", "PyYAML": "6.0.3"}
NEWER = {"hydra-core": "1.4.0rc3", "omegaconf": "2.4.1rc1", "PyYAML": "6.0.3"}
NOW = datetime.datetime(2024, 2, 29, 13, 5, 9)  # what ${now:...} reads, here and in the test
MANY = 1000  # elements of a sweep, beyond which a case is not kept


def encode(value):
    """JSON has no infinities: floats that are not finite become {"$float": text}; keys become their JSON text."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def write_tree(root, directories):
    paths = []
    for number, files in enumerate(directories):
        folder = root / f"d{number}"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        paths.append(folder)
    return paths


def missing_keys(value, path=""):
    """Dotted paths of the values that are still ???."""
    if value == "???":
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [name for key, item in items for name in missing_keys(item, f"{path}.{key}" if path else str(key))]


def resolve(config):
    """The tree with its interpolations replaced; one that leads to ??? becomes ??? itself."""
    try:
        try:
            return encode(OmegaConf.to_container(config, resolve=True))
        except InterpolationToMissingValueError:
            OmegaConf.resolve(config)
            return encode(OmegaConf.to_container(config))
    except Exception:
        return "error"


def is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    return not isinstance(value, str) or "\n" not in value


def plain_yaml(config):
    """The YAML text, or None where ours differs on purpose: keys that are not strings, texts of several lines."""
    return OmegaConf.to_yaml(config) if is_plain(OmegaConf.to_container(config, resolve=False)) else None


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def defaults_list(name, overrides):
    """[config, package] of what is merged, in its order, without what belongs to Hydra itself."""
    loader = GlobalHydra.instance().config_loader()
    entries = loader.compute_defaults_list(config_name=name, overrides=overrides, run_mode=RunMode.RUN).defaults
    return [[entry.config_path, entry.package or ""] for entry in entries if not entry.config_path.startswith("hydra/")]


def without_hydra(config):
    """The job's part, with Hydra's own node kept where ${hydra:...} looks for it."""
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]


def compose_case(paths, name, overrides):
    own_search = (paths[0] / name).with_suffix(".yaml")
    has_own = own_search.exists() and "searchpath" in own_search.read_text(encoding="utf-8")
    search = []
    if len(paths) > 1 and not has_own:
        search = [f"hydra.searchpath=[{','.join('file://' + str(path) for path in paths[1:])}]"]
    os.environ["MOELAB_TEST_TREE"] = str(paths[0])
    # A header "@package _group_" has the meaning of its name under version base 1.1 only.
    base = "1.1" if "grouped" in " ".join(overrides) else "1.3"
    try:
        with initialize_config_dir(config_dir=str(paths[0]), version_base=base):
            config = compose(config_name=name, overrides=search + overrides, return_hydra_config=True)
            entries = defaults_list(name, search + overrides)
        without_hydra(config)
        tree = encode(OmegaConf.to_container(config, resolve=False))
    except Exception as problem:
        return {"error": type(problem).__name__}
    finally:
        GlobalHydra.instance().clear()
    return {"tree": tree, "yaml": plain_yaml(config), "missing": missing_keys(tree),
            "resolved": resolve(config), "defaults": entries}


def compose_cases(trees, listed):
    cases = []
    for tree, name, lines in listed:
        with tempfile.TemporaryDirectory() as scratch:
            paths = write_tree(pathlib.Path(scratch), trees[tree])
            for line in lines:
                overrides = line.split("|") if line else []
                cases.append({"tree": tree, "config": name, "overrides": overrides,
                              "expected": compose_case(paths, name, overrides)})
                if name in ON_PURPOSE_CONFIGS:
                    cases[-1]["on_purpose"] = ON_PURPOSE_CONFIGS[name]
    return cases


def plain_values(parsed):
    """What an override gives: one value, all of a sweep, the ends of an interval, nothing for a glob."""
    kind = parsed.value_type.name if parsed.value_type else ""
    if kind == "INTERVAL_SWEEP":
        return [parsed._value.start, parsed._value.end]
    if not kind or kind == "GLOB_CHOICE_SWEEP":
        return []
    if not parsed.is_sweep_override():
        return [parsed._value]
    values = list(itertools.islice(parsed.sweep_iterator(), MANY + 1))
    if len(values) > MANY:
        raise OverflowError("too many values for a case")
    return values


def override_case(text):
    case = parsed_case(text)
    if text in ON_PURPOSE:
        case["on_purpose"] = ON_PURPOSE[text]
    return case


def parsed_case(text):
    try:
        parsed = OverridesParser.create().parse_override(text)
        case = {"text": text, "kind": parsed.type.name, "key": parsed.key_or_group, "package": parsed.package,
                "values": encode([parsed._convert_value(value) for value in plain_values(parsed)]),
                "is_sweep": parsed.is_sweep_override()}
        if case["is_sweep"]:
            case["tags"] = sorted(getattr(parsed._value, "tags", []))
        if hasattr(parsed._value, "include"):
            case["globs"] = [parsed._value.include, parsed._value.exclude]
        if parsed.is_sweep_override() and case["values"]:
            list(parsed.sweep_string_iterator()) if parsed.is_discrete_sweep() else None
        json.dumps(case)
        return case
    except Exception as problem:
        return {"text": text, "error": type(problem).__name__}


def sweep_case(texts, loader=None):
    try:
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(texts)
        return {"overrides": texts, "jobs": BasicSweeper.split_arguments(parsed, max_batch_size=None)[0]}
    except Exception as problem:
        return {"overrides": texts, "error": type(problem).__name__}


def glob_cases():
    with tempfile.TemporaryDirectory() as scratch:
        paths = write_tree(pathlib.Path(scratch), TREES["groups"])
        with initialize_config_dir(config_dir=str(paths[0]), version_base="1.3"):
            cases = [sweep_case(texts, GlobalHydra.instance().config_loader()) for texts in GLOB_SWEEPS]
        GlobalHydra.instance().clear()
    return [{"tree": "groups", **case} for case in cases]


def scalar_case(text):
    try:
        value = OmegaConf.to_container(OmegaConf.create(f"a: {text}"), resolve=False)["a"]
        return {"text": text, "value": encode(value), "type": type(value).__name__}
    except Exception as problem:
        return {"text": text, "error": type(problem).__name__}


def write(name, cases, versions, **content):
    """One case a line keeps the files readable and their diffs small."""
    head = {"made_by": "tests/reference/config/make_cases.py",
            "versions": {"python": platform.python_version(), **versions}, **content}
    lines = [json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in cases]
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"
    (TARGET / name).write_text(text, encoding="utf-8")


def check_versions(wanted):
    for package, number in wanted.items():
        if version(package) != number:
            sys.exit(f"{package} {number} is needed, found {version(package)}")


def write_newer():
    check_versions(NEWER)
    used = {name: TREES[name] for name, _, _ in NEWER_COMPOSE}
    write("newer.json", compose_cases(TREES, NEWER_COMPOSE), NEWER, trees=used,
          overrides=[override_case(text) for text in NEWER_FUNCTIONS])


def write_all(seed):
    check_versions(PINNED)
    random_trees, random_listed = random_cases.trees_and_cases(seed, 40)
    trees = {**TREES, **random_trees}
    cases = compose_cases(trees, COMPOSE + random_listed)
    texts = OVERRIDES + FUNCTIONS + random_cases.override_texts(seed, 300)
    overrides = [override_case(text) for text in dict.fromkeys(texts)]
    write("compositions.json", cases, PINNED, seed=seed, trees=trees)
    write("overrides.json", overrides, PINNED, seed=seed)
    write("sweeps.json", [sweep_case(texts) for texts in SWEEPS] + glob_cases(), PINNED)
    write("scalars.json", [scalar_case(text) for text in SCALARS], PINNED)
    errors = sum("error" in case["expected"] for case in cases)
    wrong = sum("error" in case for case in overrides)
    print(f"{len(cases)} compositions ({errors} errors) of {len({(c['tree'], c['config']) for c in cases})} primary configs, "
          f"{len(overrides)} overrides ({wrong} errors), {len(SWEEPS) + len(GLOB_SWEEPS)} sweeps, {len(SCALARS)} scalars")


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--newer", action="store_true")
    options = parser.parse_args()
    hydra_utils.datetime = FixedTime
    os.environ["MOELAB_TEST_SET"] = "from the environment"
    os.environ.pop("MOELAB_TEST_UNSET", None)
    TARGET.mkdir(parents=True, exist_ok=True)
    write_newer() if options.newer else write_all(options.seed)


if __name__ == "__main__":
    main()
