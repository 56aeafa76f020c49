"""Functions, classes and constants out of other people's files, run without the imports around them."""
import __future__
import ast
import importlib.metadata
import pathlib
import types


def package_file(package, file):
    """A file of an installed package."""
    return pathlib.Path(importlib.metadata.distribution(package).locate_file(file))


def names_of(node):
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [getattr(node, "name", None)]


def borrowed(path, names, **known):
    """What a file defines under `names`; `known` is what its code uses from elsewhere, and `space` where it looks."""
    tree = ast.parse(pathlib.Path(path).read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if set(names_of(node)) & set(names)]
    space = {"__name__": __name__} | known  # a module that is there: dataclasses look it up
    exec(compile(tree, str(path), "exec", flags=__future__.annotations.compiler_flag), space)
    return types.SimpleNamespace(space=space, **{name: space[name] for name in names})
