"""Captions are graded by name, word, style and background."""

from __future__ import annotations

import torch

from training.pretraining.score import grade_captions, on_background
from training.recipe.backgrounds import COLOURS


def test_captions_are_graded():
    """A word of the name counts apart from the whole name; "face" does not count."""
    texts = [
        "a red apple emoji, noto style, on a blue background",
        "a green apple emoji, flat style, on a blue background",
        "a cat face emoji, blob style, on a red background",
        "a pig face emoji, blob style, on a blue background",
    ]
    keys = [("red-apple", "noto"), ("red-apple", "noto"), ("dog-face", "blob"), ("pig", "blob")]

    found = grade_captions(texts, keys, "blue")

    assert found == {"name": 0.25, "a word of the name": 0.75, "style": 0.75, "ground": 0.75}


def test_pictures_are_put_on_a_background():
    """The background's colour shows wherever a picture is transparent."""
    rgba = torch.zeros(4, 64, 64, dtype=torch.uint8)
    rgba[3, :, :8] = 255  # a black bar at the left

    pixels = on_background({("bar", "noto"): rgba}, [("bar", "noto")], "green")

    assert torch.allclose(pixels[0, :, 0, 63], torch.tensor(COLOURS["green"]) / 127.5 - 1)
    assert (pixels[0, :, :, :8] == -1).all()
