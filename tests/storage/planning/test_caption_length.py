"""Captions are measured as a base reads them, without torch."""

from __future__ import annotations

import pytest

from storage.planning.caption_length import (
    MAX_LOST_CHARS,
    CutCaptions,
    find_cut_captions,
    find_ignored_words,
    find_lost_words,
)
from storage.planning.clip import CAPTION_TOKENS
from storage.records import Base


def make_base(tokens: int = CAPTION_TOKENS, tokenizer: str = "") -> Base:
    """Return a base that reads so many tokens of a caption."""
    return Base(
        "sd15", "SD 1.5", "sd1", "some/where", 512, "", "", present=True,
        caption_tokens=tokens, tokenizer=tokenizer,
    )  # fmt: skip


def test_what_is_cut_is_counted_and_quoted() -> None:
    """How many captions are cut, of how many, and what is lost of the first of them."""
    fits, long = " ".join(["dog"] * 75), " ".join(["dog"] * 75) + " on a beach"

    assert find_cut_captions([fits, long, "a dog", ""], make_base()) == CutCaptions(
        1, 4, "on a beach"
    )
    assert find_ignored_words(long, make_base()) == "on a beach"
    assert find_ignored_words(fits, make_base()) == ""


@pytest.mark.parametrize("captions", [[], ["a dog"], [" ".join(["dog"] * 75)]])
def test_nothing_is_said_of_captions_that_fit(captions: list[str]) -> None:
    """A base that reads all of them gives nothing to say."""
    assert find_cut_captions(captions, make_base()) is None


def test_some_bases_read_everything() -> None:
    """Of them no tokenizer is needed."""
    long = " ".join(["dog"] * 200)

    assert find_cut_captions([long], make_base(0)) is None
    assert find_ignored_words(long, make_base(0)) == ""


def test_a_tokenizer_that_is_gone_is_taken_for_clips() -> None:
    """A base that was moved away does not break a card."""
    long = " ".join(["dog"] * 76)

    assert find_cut_captions([long], make_base(75, "/gone/tokenizer.json")) == (1, 1, "dog")


def count_beyond_eight(text: str) -> int:
    """Count what is cut by an encoder that reads eight letters, and no spaces."""
    return max(0, len(text.replace(" ", "")) - 8)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("a dog, sat", ""),
        ("a dog, sits", "sits"),
        ("a dog, he runs\n far", "runs far"),
        ("a dog, its tail up", "tail up"),
        ("ab cd efgh", ""),
        ("红色的小狗在雪地里奔跑", "里奔跑"),
        ("a big dog " + "x" * 300, "x" * (MAX_LOST_CHARS - 1) + "…"),
    ],
)
def test_lost_words(text: str, lost: str) -> None:
    """What is not read is told from the start of the first word that is not read whole."""
    assert find_lost_words(text, count_beyond_eight) == lost
