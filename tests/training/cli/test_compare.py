"""`safelight compare`: which trainings it comes to."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from training.cli.commands import parse
from training.cli.compare import list_recipes, narrow


def read(*more):
    """Return the arguments of a command line."""
    _, given = parse(["compare", "photos", "--out", "out", "--name", "panda", *more])
    return given


def test_methods_and_bases():
    """Either the methods differ on one base, or the bases with one method."""
    methods = read("--methods", "lora, lokr")
    bases = read("--bases", "sdxl,realvis", "--method", "dora", "--steps", "9", "--seed", "4")

    assert list_recipes(methods) == [("lora", "embedded", "lora"), ("lokr", "embedded", "lokr")]
    assert list_recipes(bases) == [("sdxl", "sdxl", "dora"), ("realvis", "realvis", "dora")]
    one = narrow(bases, "realvis", "dora", "panda-realvis")
    assert (one.base, one.method, one.name) == ("realvis", "dora", "panda-realvis")
    assert (one.steps, one.seed, one.photos) == (9, 4, bases.photos)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ((), "comparison_few"),
        (("--methods", "lora"), "comparison_few"),
        (("--methods", "a,b,c,d,e,f,g"), "comparison_few"),
        (("--methods", "lora,lora"), "comparison_twice"),
        (("--methods", "lora,lokr", "--bases", "a,b"), "comparison_both"),
    ],
)
def test_refused(more, code):
    """Nothing is trained where nothing can be compared."""
    with pytest.raises(UserError, match=code):
        list_recipes(read(*more))
