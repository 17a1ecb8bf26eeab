"""Every code that the project raises has a sentence that its facts fill."""

from __future__ import annotations

import ast
import string
from pathlib import Path
from string import Formatter

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
                yield from ((c, facts) for c in wording.ERRORS if c.endswith(ending))
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
    assert code in wording.ERRORS, f"{where} raises {code}"
    if None not in facts:
        assert fields(wording.ERRORS[code]) <= {*facts, "code"}


def test_alphabetical():
    """The sentences stand in the order of their codes."""
    assert list(wording.ERRORS) == sorted(wording.ERRORS)


@pytest.mark.parametrize("code", wording.ERRORS)
def test_fills(code):
    """Every sentence is whole, whatever the facts are."""
    template = wording.ERRORS[code]
    facts = dict.fromkeys(fields(template) - {"code"}, 7)

    said = wording.sentence(UserError(code, **facts))

    assert "{" not in said
    assert "…" not in said
    assert said.removeprefix("**")[0] in string.ascii_uppercase + "7"
    assert said.rstrip()[-1] in ".:o7"


def test_gaps():
    """A fact that is missing leaves a gap; an unknown code still says something."""
    assert wording.sentence(JobError("base_unknown")).startswith("There is no base called **…**")
    assert "new_code" in wording.plain(UserError("new_code")).replace("\\", "")


def test_labels():
    """Nothing in the catalogue is longer than Discord shows."""
    for name in dir(wording):
        text = getattr(wording, name)
        if isinstance(text, str) and name.endswith(("_COMMAND", "_HINT")):
            assert len(text) <= 100
    for options in (wording.DATASET_NEW_OPTIONS, wording.DATASET_ADD_OPTIONS):
        assert all(len(text) <= 100 for text in options.values())
    assert len(wording.CONSENT_TICK) <= 100
    assert len(wording.CONSENT_TICK_MORE) <= 100
