"""What a captioner says of photographs and emoji is counted."""

from __future__ import annotations

from PIL import Image

from benchmarks.teaching.unknown import Emoji, grade_emoji, grade_photographs
from training.captioners import Description


class ColourBlind:
    """A captioner that calls everything a cat, and knows what is not black."""

    def write(self, pictures):
        """Return the same caption of all."""
        return [("a cat face emoji", -0.1) for _ in pictures]

    def knows(self, picture, score):
        """Return whether a picture is not black."""
        assert score == -0.1
        return picture.getpixel((0, 0)) != (0, 0, 0)

    def describe(self, pictures):
        """Return the caption, known or not."""
        return [Description("", known=self.knows(each, -0.1)) for each in pictures]


def test_one_noun_is_one_too_many(tmp_path):
    """A photograph that is described misses the bar, and is named."""
    paths = [tmp_path / "dark.png", tmp_path / "light.png"]
    for path, colour in zip(paths, ("black", "white"), strict=True):
        Image.new("RGB", (8, 8), colour).save(path)

    (row,) = grade_photographs(ColourBlind(), {"photographs": paths})

    assert "1 (light.png)" in row.figure
    assert row.met is False


def test_right_words_that_get_lost_are_counted():
    """Of four pictures three are cats, and one of those is not known."""
    named = [("white", "cat"), ("red", "cat-face"), ("black", "cat"), ("black", "dog-face")]
    emoji = [Emoji(Image.new("RGB", (8, 8), colour), name) for colour, name in named]

    before, lost, wrong = grade_emoji(ColourBlind(), {"emoji": emoji})

    assert (before.figure, lost.figure, wrong.figure) == ("75 %", "25 points", "1 of 1")
    assert lost.met is False
