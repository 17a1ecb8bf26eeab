"""A training request from a shell."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from storage.records import Concept
from training.cli.commands import parse
from training.cli.request import check_backgrounds, list_concepts

TRAIN = ("train", "dog", "--out", "out", "--name", "My Pets")


def concepts(*flags: str) -> list[tuple[str, str, Concept, str]]:
    """Return folder, trigger, concept and class word of each concept."""
    _, given = parse([*TRAIN, *flags])
    return [
        (str(each.folder), each.trigger, each.concept, each.class_word)
        for each in list_concepts(given)
    ]


def test_one_folder() -> None:
    """The trigger is made from the name."""
    assert concepts() == [("dog", "mypets", Concept.SUBJECT, "")]
    assert concepts("--trigger", "rex", "--concept", "look") == [("dog", "rex", Concept.LOOK, "")]


def test_several_folders() -> None:
    """Each folder has its trigger; concept and class word are given once or for each."""
    cat = ("--photos", "cat", "--trigger", "rex", "--trigger", "mia")
    words = ("--class-word", "dog", "--class-word", "cat")

    assert concepts(*cat, *words, "--concept", "subject") == [
        ("dog", "rex", Concept.SUBJECT, "dog"),
        ("cat", "mia", Concept.SUBJECT, "cat"),
    ]


@pytest.mark.parametrize(
    "flags",
    [
        ("--photos", "cat"),
        ("--photos", "cat", "--trigger", "rex"),
        ("--trigger", "rex", "--trigger", "mia"),
        ("--class-word", "dog", "--class-word", "cat"),
    ],
)
def test_folders_and_triggers_that_do_not_pair(flags: tuple[str, ...]) -> None:
    """Unequal numbers are refused before a photo is read."""
    with pytest.raises(UserError, match="folders_uneven"):
        concepts(*flags)


def test_no_transparent_photo() -> None:
    """Backgrounds that nothing could be laid on are refused."""
    check_backgrounds({"random_backgrounds": 0}, [])
    check_backgrounds({"random_backgrounds": 4}, ["a.png"])

    with pytest.raises(UserError, match="transparent_missing"):
        check_backgrounds({"random_backgrounds": 4}, [])


def test_sample_prompts() -> None:
    """Own prompts are given once each; too many or too long ones are refused."""
    shown = [flag for number in range(4) for flag in ("--sample-prompt", f"a dog {number}")]

    assert parse([*TRAIN, *shown])[1].sample_prompt == [f"a dog {number}" for number in range(4)]
    with pytest.raises(UserError, match="prompts_many"):
        concepts(*shown, "--sample-prompt", "a cat")
    with pytest.raises(UserError, match="prompt_long"):
        concepts("--sample-prompt", "a" * 301)
