"""Sentences are complete, short enough for Discord, and all in one package."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import bot
from bot import wording
from storage.errors import JobError, UserError
from tests.bot.wording.test_facts import codes, placeholders, sources

ROOT = Path(bot.__file__).parent


def test_explained():
    """Every error has complete sentences, for Discord and for a shell."""
    said = []
    for code, template in wording.errors.ERRORS.items():
        said.append(wording.explain(make_error(code, template)))
    for code, template in (wording.errors.ERRORS | wording.errors.IN_SHELL).items():
        said.append(wording.explain_in_shell(make_error(code, template)))
    whole = re.compile(r"\W*[A-Z7][^{}…]*[.:?o7]")

    assert [each for each in said if not whole.fullmatch(each)] == []


def test_a_failure_of_before_is_explained():
    """A job that failed under version 0.1 kept a code for each number; its card says the same."""
    facts = {"value": 7.0, "least": 1e-07, "most": 0.1}

    said = wording.explain(UserError("rate_range", **facts))

    assert said == wording.explain(UserError("out_of_range", name="Learning rate", **facts))


def make_error(code: str, template: str) -> UserError:
    """Return an error with every fact that its sentence names, and choices."""
    facts = dict.fromkeys(placeholders(template) - {"code", "suggestion"}, 7)
    return UserError(code, **facts | {"choices": ["7"]})


FOREIGN = re.compile(
    r"operator|member|while you type|[^\w.~]/[a-z]|\bcards?\b|button|\b[Pp]ress\b|moderator"
    r"|channel|thread|\bbots?\b|Discord|server|dataset|\bI\b|\bI'm\b|\bme\b|<[@#t]"
)  #: what a shell knows nothing of


def list_codes(*packages: str) -> set[str]:
    """Return the codes of errors and notes that a command of the training can end with or tell."""
    away = {
        "tables",
        "scheduler",
        "pretraining",
        "disk.py",
        "backup",
    }  # no such command opens them
    return {
        code
        for source in sources(*packages)
        if not away & set(source.path.parts)
        for call in source.calls({"UserError", "JobError", "Failed", "Note", "tell"})
        for code in codes(source, call.args[0])
    }


def test_in_shell():
    """No sentence that a shell can reach speaks of Discord's commands, cards or people."""
    errors = wording.errors.ERRORS | wording.errors.IN_SHELL
    notes = wording.job.NOTES | wording.shell.TOLD
    reached = list_codes("training", "storage")
    said = {code: notes.get(code) or errors.get(code, "") for code in reached | notes.keys()}
    said |= {str(each): each for each in wording.shell.EVENTS.values()}

    assert len(reached) > 90
    assert {code: text for code, text in said.items() if FOREIGN.search(text)} == {}
    assert [code for code, text in said.items() if not text] == []


def test_suggested():
    """An unknown name is answered with the nearest one and with all there are."""
    error = UserError("base_unknown", base="sd51", choices=["embedded", "sd15", "sdxl"])

    said = wording.explain_in_shell(error)

    assert wording.fill(wording.shell.NEAREST, nearest="sd15") in said
    assert "embedded, sd15, sdxl" in said


def test_unknown():
    """An error without a sentence still shows its code."""
    assert "new_code" in wording.explain_in_shell(UserError("new_code"))


def test_short():
    """No command, option, hint or checkbox is longer than Discord's 100 characters."""
    modules = [one for one in vars(wording).values() if isinstance(one, ModuleType)]
    for name, text in [pair for module in modules for pair in vars(module).items()]:
        if re.search(r"COMMAND(?!S)|OPTION|HINT|TICK", name):
            texts = text.values() if isinstance(text, dict) else [text]
            assert all(len(one) <= 100 for one in texts), name


def test_one_place():
    """Cards and commands contain no sentences, except log messages (%s)."""
    own = [
        text
        for folder in ("cards", "cogs")
        for path in sorted((ROOT / folder).glob("*.py"))
        for text in strings(path)
        if re.search(r"[a-z]+ [a-z]+ [a-z]+", text) and "%s" not in text
    ]

    assert own == []


def strings(path: Path) -> list[str]:
    """Return the strings of a file that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [
        node.value for node in constants if isinstance(node.value, str) and id(node) not in docs
    ]


def test_a_strangers_names_cannot_steer_a_terminal():
    """Control characters in a fact are question marks; a sentence's own lines stay."""
    said = wording.explain_in_shell(JobError("style_missing", file="a\x1b[2Jb\r.safetensors"))

    assert "a?[2Jb?.safetensors" in said
    assert "\n" in wording.explain_in_shell(UserError("token_missing"))
