"""Photos are written as PNGs that any program reads."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from storage.photos.png import encode_png


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (64, 1), (317, 211)])
def test_pixels(mode: str, size: tuple[int, int]) -> None:
    """A PNG gives its picture back, and has nothing else in it."""
    noise = Image.effect_noise(size, 90)
    channels = [
        noise.point(lambda value, at=at: value * at % 256) for at in range(1, len(mode) + 1)
    ]
    picture = Image.merge(mode, channels)

    content = encode_png(picture)

    with Image.open(BytesIO(content), formats=("PNG",)) as read:
        assert (read.mode, read.size, read.tobytes()) == (mode, size, picture.tobytes())
        assert read.info == {}
