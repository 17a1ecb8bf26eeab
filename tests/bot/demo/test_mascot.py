"""Glim's pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from bot.demo.mascot import HELD_OUT, SHEET, TRAINED, face, picture_files
from bot.demo.mascot.__main__ import draw
from bot.demo.mascot.poses import POSES
from storage.photos.sandbox import Darkroom


def test_each_pose_is_a_small_transparent_png():
    """There are twelve poses, each a PNG of 512 pixels under 30 KB with nothing in its corners."""
    assert sorted(POSES) == sorted(TRAINED + HELD_OUT)
    assert len(POSES) == 12
    for picture in picture_files(TRAINED + HELD_OUT):
        assert picture.stat().st_size < 30_000
        with Image.open(picture) as shown:
            assert (shown.size, shown.mode) == ((512, 512), "RGBA")
            assert shown.getpixel((2, 2))[3] == 0
    assert SHEET.stat().st_size < 100_000


def test_the_png_shows_the_pose():
    """A newly drawn pose looks like its PNG."""
    for picture in picture_files(HELD_OUT):
        again = Image.open(io.BytesIO(draw(POSES[picture.stem])))
        with Image.open(picture) as shown:
            assert np.abs(np.asarray(again, float) - np.asarray(shown, float)).mean() < 2


def test_a_face_has_a_ground():
    """Where Glim stands for somebody, nothing is transparent."""
    with Image.open(io.BytesIO(face("winking"))) as shown:
        assert (shown.mode, shown.getpixel((1, 1))) == ("RGB", (60, 110, 205))


async def test_the_bot_takes_every_picture():
    """No picture is refused, tiny, blurred or a duplicate."""
    async with Darkroom() as darkroom:
        checked = [
            await darkroom.check(path.read_bytes()) for path in picture_files(TRAINED + HELD_OUT)
        ]
    assert [one.warnings for one in checked] == [()] * 12
    assert len({one.digest for one in checked}) == 12
