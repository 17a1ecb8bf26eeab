"""Every code that the project raises has a sentence that its facts fill."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path
from string import Formatter
from types import ModuleType

import pytest

import bot
from bot import wording
from storage.errors import JobError, UserError

ROOT = Path(bot.__file__).parent.parent
ERRORS = {"UserError", "JobError"}


def raised():
    """Find each `UserError("code", fact=…)` in the source: where, code, facts (None: unknown)."""
    for package in ("storage", "training", "bot"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for code, facts in named(node):
                    yield f"{path.name}:{node.lineno}", code, facts


def named(node):
    """Find the codes that one piece of code names, with their facts."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
        facts = [keyword.arg for keyword in node.keywords]
        match node.args[0]:
            case ast.Constant(code):
                yield code, facts
            case ast.JoinedStr(values=[*_, ast.Constant(ending)]):
                yield from ((c, facts) for c in wording.errors.ERRORS if c.endswith(ending))
    if isinstance(node, ast.Dict):  # an error as it stands in an event
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                yield from ((value.value, [None]) for value in [value] if constant(value))


def constant(node):
    """Whether a piece of code is a text that stands there."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


RAISED = list(raised())


def fields(template):
    """Return the facts that a sentence needs."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_found():
    """The walk finds what it is there for."""
    assert {"photo_empty", "dataset_unknown", "bug"} <= {code for _, code, _ in RAISED}


@pytest.mark.parametrize(
    ("where", "code", "facts"), RAISED, ids=[f"{r[0]}-{r[1]}" for r in RAISED]
)
def test_sentence(where, code, facts):
    """A code that is raised has a sentence, and every fact that this needs is given."""
    assert code in wording.errors.ERRORS, f"{where} raises {code}"
    if None not in facts:
        assert fields(wording.errors.ERRORS[code]) <= {*facts, "code"}


def test_alphabetical():
    """The sentences stand in the order of their codes."""
    assert list(wording.errors.ERRORS) == sorted(wording.errors.ERRORS)


@pytest.mark.parametrize("code", wording.errors.ERRORS)
def test_fills(code):
    """Every sentence is whole, whatever the facts are."""
    template = wording.errors.ERRORS[code]
    facts = dict.fromkeys(fields(template) - {"code"}, 7)

    said = wording.explain(UserError(code, **facts))

    assert "{" not in said
    assert "…" not in said
    assert said.removeprefix("**")[0] in string.ascii_uppercase + "7"
    assert said.rstrip()[-1] in ".:o7"


def test_gaps():
    """A fact that is missing leaves a gap; an unknown code still says something."""
    assert wording.explain(JobError("base_unknown")).startswith("There is no base called **…**")
    assert "new_code" in wording.explain_in_shell(UserError("new_code")).replace("\\", "")


def test_short():
    """No command, option, hint or tick is longer than the 100 characters Discord shows."""
    modules = [one for one in vars(wording).values() if isinstance(one, ModuleType)]
    for name, text in [pair for module in modules for pair in vars(module).items()]:
        if re.search(r"COMMAND(?!S)|OPTION|HINT|TICK", name):
            listed = text.values() if isinstance(text, dict) else [text]
            assert all(len(one) <= 100 for one in listed), name


def strings(path):
    """Find the strings of a file that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [node.value for node in ast.walk(tree) if constant(node) and id(node) not in told]


@pytest.mark.parametrize("folder", ["cards", "cogs"])
def test_one_place(folder):
    """No card and no command has a sentence of its own; what goes into the log (%s) is none."""
    files = sorted((ROOT / "bot" / folder).glob("*.py"))
    own = [text for path in files for text in strings(path) if "%s" not in text]

    assert own
    assert [text for text in own if re.search(r"[a-z]+ [a-z]+ [a-z]+", text)] == []
