"""The shell's commands and their arguments."""

from __future__ import annotations

import argparse
import json
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import pytest

from storage.options import options_table
from storage.records import Optimizer
from training.cli.commands import COMMANDS, build_parser, parse

if TYPE_CHECKING:
    from training.cli.arguments import TrainArguments

TRAIN = ("train", "photos", "--out", "out", "--name", "a")


def parse_arguments(*flags: str) -> Any:
    """Return the parsed arguments of a command."""
    _, arguments = parse(flags)
    return arguments


def test_arguments_are_frozen() -> None:
    """Parsed arguments cannot be changed."""
    with pytest.raises(FrozenInstanceError):
        parse_arguments(*TRAIN).method = "embedding"


def test_options_are_those_that_were_given() -> None:
    """An option without a flag keeps the method's default."""
    flags = ("--optimizer", "prodigy", "--no-shuffle-caption", "--extra-resolutions", "48,96")

    assert parse_arguments(*TRAIN).options == {}
    assert parse_arguments(*TRAIN, *flags).options == {
        "optimizer": Optimizer.PRODIGY,
        "shuffle_caption": False,
        "extra_resolutions": (48, 96),
    }


@pytest.mark.parametrize(
    ("flag", "typed", "nearest"),
    [
        ("--method", "loar", "lora"),
        ("--optimizer", "adam", "adamw"),
        ("--lr-scheduler", "cosin", "cosine"),
        ("--dial", "quik", "quick"),
        ("--concept", "subjekt", "subject"),
    ],
)
def test_nearest(flag: str, typed: str, nearest: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown value is refused, suggesting the nearest one."""
    with pytest.raises(SystemExit):
        parse_arguments(*TRAIN, flag, typed)

    assert f"did you mean {nearest}?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("--word", "--class-word", "dog"),
        ("--rate", "--learning-rate", "0.01"),
        ("--batch", "--batch-size", "2"),
        ("--prior", "--num-class-images", "20"),
    ],
)
def test_flags_of_before(old: str, new: str, value: str) -> None:
    """A flag's old name still works, and is not in the help."""
    before: TrainArguments = parse_arguments(*TRAIN, old, value)

    assert before == parse_arguments(*TRAIN, new, value) != parse_arguments(*TRAIN)


@pytest.mark.parametrize(
    ("alias", "name"), [(alias, each.name) for each in options_table() for alias in each.aliases]
)
def test_options_of_before(alias: str, name: str) -> None:
    """An option's old flag sets the option."""
    option = next(each for each in options_table() if each.name == name)
    value = option.choices[0] if option.choices else "1"
    switch = isinstance(option.default, bool)

    assert set(parse_arguments(*TRAIN, f"--{alias}", *([] if switch else [value])).options) == {
        name
    }


def test_names_after_fetch() -> None:
    """`bases` lists, `bases fetch NAME...` fetches."""
    assert parse_arguments("bases").fetch == []
    assert parse_arguments("bases", "fetch", "sd15", "blip").fetch == ["sd15", "blip"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains every flag."""
    with pytest.raises(SystemExit) as ended:
        parse([command, "--help"])

    assert ended.value.code == 0
    assert f"safelight {command}" in capsys.readouterr().out
    (subparsers,) = (each for each in build_parser()._actions if each.choices)
    actions = subparsers.choices[command]._actions  # type: ignore[call-overload, index]
    assert all(action.help for action in actions if action.nargs != argparse.PARSER)


@pytest.mark.parametrize(
    "typed", [(*TRAIN, "--stpes", "5"), (*TRAIN, "--stpes=5"), ("train", "a", "--stpes", "5")]
)
def test_an_unknown_flag(typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused with exit code 2 and the flags there are, also where others are missing."""
    with pytest.raises(SystemExit) as ended:
        parse(typed)

    line = json.loads(capsys.readouterr().out)
    assert (ended.value.code, line["code"], line["flag"]) == (2, "flag_unknown", "--stpes")
    assert "--steps" in line["choices"]
    assert "--word" not in line["choices"]  # a name of before
