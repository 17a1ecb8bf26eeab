"""Glim's pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from bot.demo.mascot import FOLDER, HELD_OUT, SHEET, TRAINED, picture_files
from bot.demo.mascot.__main__ import draw
from storage.photos.sandbox import Darkroom


def test_each_picture_is_an_svg_and_a_small_png():
    """There are twelve SVGs, each with a PNG of 512 pixels under 30 KB."""
    drawn = sorted(path.stem for path in FOLDER.glob("*.svg"))
    assert drawn == sorted(TRAINED + HELD_OUT)
    assert len(drawn) == 12
    for picture in picture_files(TRAINED + HELD_OUT):
        assert picture.stat().st_size < 30_000
        with Image.open(picture) as shown:
            assert shown.size == (512, 512)
    assert SHEET.stat().st_size < 100_000


def test_the_png_shows_the_svg():
    """A newly rendered SVG looks like its PNG."""
    for picture in picture_files(HELD_OUT):
        again = Image.open(io.BytesIO(draw(picture.with_suffix(".svg")))).convert("RGB")
        with Image.open(picture) as shown:
            there = shown.convert("RGB")
        assert np.abs(np.asarray(again, float) - np.asarray(there, float)).mean() < 2


async def test_the_bot_takes_every_picture():
    """No picture is refused, tiny, blurred or a duplicate."""
    async with Darkroom() as darkroom:
        checked = [
            await darkroom.check(path.read_bytes()) for path in picture_files(TRAINED + HELD_OUT)
        ]
    assert [one.warnings for one in checked] == [()] * 12
    assert len({one.digest for one in checked}) == 12
