"""The documents agree with the code."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bot.settings import BotSettings
from bot.terminal.cli import TRAINING_COMMANDS, make_parser
from storage.settings import StorageSettings
from training.cli.commands import parse
from training.settings import TrainingSettings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "benchmarks", "training/embedded")
    for path in (ROOT / folder).glob("*.md")
)
COMMAND = re.compile(r"^    (?:uv run |python3 run\.py )?safelight (.+)$", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:benchmarks|tests)\.[a-z_.]*[a-z_])")
LINE = re.compile(r"^([A-Z_]+)=(\S*) +# (.+)$", re.MULTILINE)


def example():
    """Return the settings of `.env.example`: name, value and words."""
    return {name: (value, words) for name, value, words in LINE.findall(read(".env.example"))}


def read(name):
    """Return a file of the checkout."""
    return (ROOT / name).read_text("utf-8")


def known():
    """Return every setting's name and default."""
    found = {}
    for settings in (StorageSettings, BotSettings, TrainingSettings):
        for field in settings.model_fields.values():
            default = field.default
            if default is None or default is PydanticUndefined or isinstance(default, SecretStr):
                default = ""
            written = str(default).lower() if isinstance(default, bool) else str(default)
            found[field.validation_alias] = written
    return found


def test_every_setting_stands_in_the_example():
    """`.env.example` has every setting with its default, and nothing else."""
    assert {name: value for name, (value, _) in example().items()} == known()


def test_the_example_can_be_used_as_it_is(monkeypatch):
    """`cp .env.example .env` changes nothing."""
    for name in known():
        monkeypatch.delenv(name, raising=False)
    for settings in (BotSettings, TrainingSettings):
        copied = settings(_env_file=ROOT / ".env.example")
        assert copied == settings(_env_file=None)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_documents_link_to_is_there(name):
    """Every link to a file of the checkout works."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(name))
    here = (ROOT / name).parent
    assert [link for link in links if not (here / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_of_documents_are_taken(name):
    """The shell parses each of its commands as printed."""
    for line in COMMAND.findall(read(name)):
        words = shlex.split(line, comments=True)
        parse_words = parse if words[0] in TRAINING_COMMANDS else make_parser().parse_args
        parse_words(words)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_modules_that_documents_run_are_there(name):
    """What `python -m` is given is a module, or a package that can be run."""
    for module in MODULE.findall(read(name)):
        found = importlib.util.find_spec(module)
        assert found is not None, module
        assert not found.submodule_search_locations or importlib.util.find_spec(
            f"{module}.__main__"
        ), module


def test_every_protection_has_its_test():
    """Each row of SECURITY.md's table but the stolen disk's names tests, and they are there."""
    rows = [line for line in read("SECURITY.md").splitlines() if line.startswith("| ")][2:]
    named = [re.findall(r"`(tests/[\w/]+\.py)`", row) for row in rows if "steals" not in row]

    assert [] not in named
    assert [path for row in named for path in row if not (ROOT / path).is_file()] == []


def read_contracts():
    """Return import-linter's contracts by their names."""
    table = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]
    return {contract["name"]: contract for contract in table["contracts"]}


def test_every_arrow_is_checked():
    """ARCHITECTURE.md lists exactly the arrows that import-linter checks."""
    section = read("ARCHITECTURE.md").partition("\n## Arrows\n")[2].partition("\n## ")[0]

    assert re.findall(r"^- \*\*(.+?)\*\*", section, re.MULTILINE) == [*read_contracts()]


def test_only_the_demo_may_know_simcord():
    """The contract about simcord names every module of the bot but the demo."""
    children = {path.stem for path in (ROOT / "bot").iterdir() if path.suffix in {"", ".py"}}
    named = read_contracts()["simcord lives in the demo alone"]["source_modules"]

    assert sorted(named) == sorted(
        f"bot.{name}" for name in children - {"__init__", "__pycache__", "demo"}
    )
