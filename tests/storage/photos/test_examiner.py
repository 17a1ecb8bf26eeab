"""Photos are examined by the nets of an extra, in a child process."""

from __future__ import annotations

import asyncio
import io

import psutil
import pytest
from PIL import Image, ImageDraw, ImageFont

from storage.measurements import Examination
from storage.photos.examine import IDLE, PACKAGES, list_looks
from storage.photos.examiner import CHILD_MODULE, Examiner


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its packages nothing is looked for, and nothing is started."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    async with Examiner() as examiner:
        assert examiner.looks == []


async def test_idle_time_only() -> None:
    """One child looks at one photo after another, and yields each core to whoever wants it."""
    Image.new("RGB", (32, 32)).save(file := io.BytesIO(), "PNG")

    async with Examiner() as examiner:
        await asyncio.gather(*(examiner.examine(file.getvalue()) for _ in range(2)))
        (child,) = [each for each in psutil.Process().children() if CHILD_MODULE in each.cmdline()]
        assert child.nice() == IDLE


@pytest.mark.skipif(list_looks() != [*PACKAGES], reason="needs the extra `photos`")
async def test_examine() -> None:
    """A harmless picture with a word in it is told to be so."""
    picture = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(picture).text((60, 80), "SAMPLE", "black", ImageFont.load_default(60))
    picture.save(file := io.BytesIO(), "PNG")

    async with Examiner() as examiner:
        found = await examiner.examine(file.getvalue())

    assert found.text is not None
    assert [each.text for each in found.text] == ["SAMPLE"]
    assert found.nudity is not None
    assert found.nudity < 0.2


def test_json() -> None:
    """What was not looked for is unknown."""
    assert Examination.from_json({}) == Examination(None, None)
    assert Examination.from_json({"text": []}).text == ()
