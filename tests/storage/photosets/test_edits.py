"""Changes of captions."""

from __future__ import annotations

import pytest

from storage.photosets.edits import (
    add_word,
    put_trigger,
    remove_word,
    rename_trigger,
    replace_text,
)


@pytest.mark.parametrize(
    ("caption", "shown"),
    [("a dog", "mydog, a dog"), ("MyDog, a dog", "MyDog, a dog"), ("", ""),
     ("a photo of mydog on grass", "a photo of mydog on grass"),
     ("mydogs on grass", "mydog, mydogs on grass"),
     ("x" * 101 + " mydog", "mydog, " + "x" * 101 + " mydog")],
)  # fmt: skip
def test_put_trigger(caption: str, shown: str) -> None:
    """A caption is shown as a training reads it."""
    assert put_trigger(caption, "mydog") == shown


@pytest.mark.parametrize(
    ("caption", "text", "words", "becomes"),
    [
        ("mydog, a cat in a category", "cat", "dog", "mydog, a dog in a category"),
        ("mydog, A Cat and a cat", "cat", "dog", "mydog, A dog and a dog"),
        ("a  red   cat", "red cat", "dog", "a dog"),
        ("mydog, a cat", "mydog", "rex", "mydog, a cat"),  # that's for renaming it
        ("a photo of mydog", "mydog", "rex", "a photo of rex"),
        ("a cat", "cat", r"\1 \g<0>", r"a \1 \g<0>"),
        ("a cat (grey)", "(grey)", "(white)", "a cat (white)"),
        ("赤い犬が走る", "犬", "猫", "赤い猫が走る"),
        ("ein Hündchen", "HÜNDCHEN", "Hund", "ein Hund"),
        ("a cat", ".", "!", "a cat"),
    ],
)
def test_replace(caption: str, text: str, words: str, becomes: str) -> None:
    """Whole words are replaced in any case, as they are typed, but for the trigger in front."""
    assert replace_text(caption, "mydog", text, words) == becomes


@pytest.mark.parametrize(
    ("caption", "becomes"),
    [("mydog, a red dog, red, sitting", "mydog, a dog, sitting"), ("red", ""),
     ("redder", "redder"), ("mydog, red", "mydog"), ("a dog, red.", "a dog."),
     ("mydog on red , wet grass", "mydog on, wet grass")],
)  # fmt: skip
def test_remove(caption: str, becomes: str) -> None:
    """A removed word leaves no double spaces and commas."""
    assert remove_word(caption, "mydog", "red") == becomes


@pytest.mark.parametrize(
    ("caption", "becomes"),
    [("mydog, a dog", "mydog, a dog, wet"), ("a Wet dog", "a Wet dog"), ("", ""),
     ("a dog,", "a dog, wet")],
)  # fmt: skip
def test_add(caption: str, becomes: str) -> None:
    """A word is added where it is not yet; photos without a caption stay without."""
    assert add_word(caption, "mydog", "wet") == becomes


@pytest.mark.parametrize(
    ("caption", "becomes"),
    [("mydog, a dog", "rex, a dog"), ("a photo of MyDog", "a photo of rex"), ("a dog", "a dog"),
     ("mydogs", "mydogs")],
)  # fmt: skip
def test_rename(caption: str, becomes: str) -> None:
    """The first trigger is renamed."""
    assert rename_trigger(caption, "mydog", "rex") == becomes


def test_rename_a_word() -> None:
    """A trigger that is a word of the language keeps its place in the rest of the caption."""
    assert rename_trigger("dog, a dog on grass", "dog", "rex") == "rex, a dog on grass"
