"""Captions are audited, and each finding can be put right by itself."""

from __future__ import annotations

import pytest

from storage.planning.caption_audit import (
    Finding,
    FindingKind,
    audit_captions,
    list_repeats,
    remove_words,
)

EMPTY, SAME, FUSED, CONTRADICTION = FindingKind


def test_what_comes_with_the_trigger_in_nearly_all_captions() -> None:
    """The longest phrase is told, not its parts; case does not matter, nor do a few exceptions."""
    captions = [
        "mydog, a corgi with a Red Collar, on grass",
        "mydog, red collar, asleep",
        "a red collar, indoors",
        "mydog in a red collar, running",
        "mydog, at the beach",
    ]

    assert audit_captions(captions, "mydog") == [Finding(FUSED, (0, 1, 2, 3), ("red collar",))]
    told = audit_captions(captions, "")  # nobody said which word is the trigger
    assert [finding.words for finding in told] == [("red collar",), ("mydog",)]


@pytest.mark.parametrize(
    "captions",
    [
        ["mydog, red collar"] * 3,  # too few to tell
        [
            f"a mydog emoji, {style} style, on a red background"
            for style in ("flat", "noto", "blob", "ink")
        ],
        ["mydog"] * 6,
        ["mydog asleep", "mydog on grass", "a photo of mydog", "mydog jumping"],
    ],
)
def test_what_every_caption_may_have(captions: list[str]) -> None:
    """The trigger, words for any picture, and what is on some photos only fuse with nothing."""
    assert not [each for each in audit_captions(captions, "mydog") if each.kind is FUSED]


def test_contradictions() -> None:
    """Opposites and two grounds in one caption; in two captions they are variety."""
    captions = ["mydog indoors", "mydog outdoors", "mydog, indoors, outdoors",
                "mydog, on a red background, on a light blue background"]  # fmt: skip

    assert audit_captions(captions, "mydog") == [
        Finding(CONTRADICTION, (2,), ("indoors", "outdoors")),
        Finding(CONTRADICTION, (3,), ("on a red background", "on a light blue background")),
    ]


def test_empty_and_repeated_captions() -> None:
    """Trigger, case and ground are no difference; the first of the same ones is no repeat."""
    ground = "on a white background"
    captions = ["mydog, on grass", "", "On  grass", "mydog", f"mydog, {ground}", "  "]

    assert audit_captions(captions, "mydog") == [Finding(EMPTY, (1, 5)), Finding(SAME, (0, 2))]
    assert list_repeats(captions, "mydog") == {2}


@pytest.mark.parametrize(
    ("caption", "words", "left"),
    [
        ("mydog, a corgi with a red collar, on grass", ["red collar"], "mydog, a corgi, on grass"),
        ("a corgi with a red collar", ["red collar", "corgi"], "mydog"),
        ("a corgi with a hat", ["corgi"], "with a hat"),
        ("a mydog violin emoji", ["violin"], "a mydog emoji"),
        ("mydog, flat style, on grass", ["flat style"], "mydog, on grass"),
        ("mydog, indoors, outdoors", ["indoors", "outdoors"], "mydog"),
        ("red, red collar", ["red"], "collar"),
        ("mydog, by the river", ["river"], "mydog"),
        ("collars", ["collar"], "collars"),
    ],
)
def test_words_are_removed_with_what_led_to_them(
    caption: str, words: list[str], left: str
) -> None:
    """No caption ends with "with a", and none becomes empty."""
    assert remove_words(caption, "mydog", words) == left
    found = audit_captions([remove_words(caption, "mydog", words)] * 5, "mydog")
    assert not [each for each in found if set(each.words) & set(words)]
