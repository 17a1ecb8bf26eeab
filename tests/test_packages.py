"""The packages that are imported are those that pyproject.toml asks for."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRODUCT = ("bot", "storage", "training")
NAME = re.compile(r"[A-Za-z0-9._-]+")


def normalize(name: str) -> str:
    """Return a package's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def list_imports(tree: ast.AST) -> Iterator[str]:
    """List the modules that a file imports, those that are imported late as well."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case ast.Call(func=ast.Name(id="LazyModule"), args=[ast.Constant(value=str(name))]):
                yield name


def find_imported() -> set[str]:
    """Return the packages that the product imports, by the names of an index."""
    files = (path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py"))
    modules = {
        name.partition(".")[0]
        for path in files
        for name in list_imports(ast.parse(path.read_text()))
    }
    known = packages_distributions()
    return {
        normalize(known.get(name, [name])[0])
        for name in modules - {*PRODUCT} - sys.stdlib_module_names
    }


def read_names(lines: list[str]) -> set[str]:
    """Return the packages' names of a list of requirements."""
    return {normalize(found[0]) for line in lines if (found := NAME.match(line))}


def test_what_is_imported_is_asked_for() -> None:
    """A package that only another one brings today is missing after that one's next release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    always = read_names(project["dependencies"])
    extras = read_names([*chain(*project["optional-dependencies"].values())])
    imported = find_imported()

    assert imported - always - extras == set()
    assert always - imported == set()
