"""The table of training options."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pytest

from storage.errors import UserError
from storage.options import (
    TrainingOptions,
    aliases,
    check_options,
    option,
    options_from_json,
    options_table,
)
from storage.records import Optimizer


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreOptions(TrainingOptions):
    """The table with one more line."""

    sparkle: float = option(0.0, "how much to sparkle", limits=(0, 1), aliases=("glitter",))


def test_table() -> None:
    """A line in the table is an option with its name, default and facts."""
    *usual, sparkle = options_table(MoreOptions)

    assert usual == list(options_table())
    assert (sparkle.name, sparkle.default, sparkle.limits) == ("sparkle", 0.0, (0, 1))
    assert sparkle.aliases == ("glitter",)


def test_names() -> None:
    """No alias is the name or an alias of another option."""
    names = [field.name for field in fields(TrainingOptions)]
    olds = [old for each in options_table() for old in each.aliases]

    assert len({*names, *olds}) == len(names) + len(olds)
    assert set(aliases().values()) <= set(names)


@pytest.mark.parametrize("each", options_table(), ids=lambda each: each.name)
def test_defaults(each: Any) -> None:
    """Each default is allowed, as is the value of a switch, and a switch has a label."""
    each.check(each.default, UserError)

    if each.switch is not None:
        each.check(each.switch, UserError)
        assert each.label


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"dropout": 0.95}, "out_of_range"),
        ({"lr_scheduler": "linear"}, "not_a_choice"),
        ({"optimizer": "magic"}, "not_a_choice"),
        ({"extra_resolutions": (48, 9)}, "out_of_range"),
        ({"extra_resolutions": (48, 56, 64, 72, 80)}, "sides_many"),
    ],
)
def test_refused(options: dict[str, Any], code: str) -> None:
    """A value beyond the limits, or one that is no choice, is refused with a code."""
    with pytest.raises(UserError) as caught:
        check_options(options, UserError)

    assert caught.value.code == code


def test_from_json() -> None:
    """Options from JSON have the types and names of the table."""
    read = options_from_json({"optimizer": "prodigy", "sides": [48, 96], "dropout": 0.1})

    assert read == {"optimizer": Optimizer.PRODIGY, "extra_resolutions": (48, 96), "dropout": 0.1}
    assert isinstance(read["optimizer"], Optimizer)


@pytest.mark.parametrize("options", [{"sparkle": 1}, {"optimizer": "magic"}])
def test_unknown(options: dict[str, Any]) -> None:
    """Unknown options and choices raise."""
    with pytest.raises((KeyError, ValueError)):
        options_from_json(options)
