"""Parts of cards: files with safe names, and texts that fit."""

from __future__ import annotations

import pytest

from bot.card import Card
from bot.cards.components import MAX_TEXT_CHARS, Button, row, text


class Sample(Button, verb="test:sample"):
    """A button for these tests."""

    label = "Press"


def test_media(tmp_path):
    """A file's name is one that Discord keeps; equal names do not clash."""
    card = Card()
    names = [card.attach(tmp_path / name) for name in ("dog.webp", "my dög.webp", "dog.webp")]

    assert names == [
        "attachment://dog.webp",
        "attachment://my_d_g.webp",
        "attachment://2-dog.webp",
    ]


def test_files(tmp_path):
    """Files are opened only when the card is sent."""
    card = Card()
    card.attach(tmp_path / "later.txt")
    (tmp_path / "later.txt").write_text("here")

    (file,) = card.open_files()

    assert file.fp.read() == b"here"
    file.close()


def test_text():
    """Too long a text is truncated; empty lines are left out."""
    assert text("a", "", "b").content == "a\nb"
    assert len(text("x" * 9000).content) == MAX_TEXT_CHARS


@pytest.mark.parametrize("numbers", [(), (1,), (1, -2, 123456789012345678)])
async def test_button(numbers):
    """A button is rebuilt from its custom id alone."""
    button = Sample(*numbers)
    match = Sample.__discord_ui_compiled_template__.fullmatch(button.custom_id)

    again = await Sample.from_custom_id(None, button.item, match)

    assert again.numbers == numbers


def test_exact():
    """A button does not match an id that only begins like its own."""
    template = Sample.__discord_ui_compiled_template__

    assert template.fullmatch("test:sample:1")
    assert not template.fullmatch("test:sampler:1")
    assert not template.fullmatch("test:sample:x")


def test_gallery(tmp_path):
    """An empty gallery is left out; every picture has its alt text on one line."""
    card = Card(row(Sample())).add_gallery([])
    assert len(list(card.walk_children())) == 3

    card.add_gallery([(tmp_path / "a.webp", "two\nlines")])
    (gallery,) = [part for part in card.walk_children() if hasattr(part, "items")]

    assert gallery.items[0].description == "two lines"
