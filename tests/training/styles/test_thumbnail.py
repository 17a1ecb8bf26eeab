"""The thumbnail in a file's header."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from training.styles.thumbnail import (
    DATA_URL_START,
    MAX_JPEG_BYTES,
    make_thumbnail,
    thumbnail_bytes,
)

if TYPE_CHECKING:
    from pathlib import Path


def decode(url: str) -> Image.Image:
    """Return the picture of a data URL."""
    return Image.open(
        io.BytesIO(base64.b64decode(url.removeprefix(DATA_URL_START))), formats=("JPEG",)
    )


@pytest.mark.parametrize(
    ("size", "longest"), [((64, 64), 64), ((512, 256), 256), ((100, 30), 100)]
)
def test_its_sides(tmp_path: Path, size: tuple[int, int], longest: int) -> None:
    """A sample is reduced to 256 pixels at most, keeps its proportions, and is never enlarged."""
    Image.new("RGB", size, (200, 60, 30)).save(tmp_path / "a.png")

    small = decode(make_thumbnail(tmp_path / "a.png"))

    assert max(small.size) == longest
    assert small.size[0] * size[1] == small.size[1] * size[0]


def test_it_stays_small(tmp_path: Path) -> None:
    """Even incompressible noise takes only a few kilobytes."""
    Image.effect_noise((512, 512), 80).convert("RGB").save(tmp_path / "a.png")

    url = make_thumbnail(tmp_path / "a.png")

    assert 0 < thumbnail_bytes({"modelspec.thumbnail": url}) <= MAX_JPEG_BYTES


def test_the_same_pixels_are_the_same_bytes(tmp_path: Path) -> None:
    """A PNG's metadata does not affect the thumbnail."""
    picture = Image.effect_noise((64, 64), 80).convert("RGB")
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.png", compress_level=1, dpi=(300, 300))

    assert make_thumbnail(tmp_path / "a.png") == make_thumbnail(tmp_path / "b.png")


@pytest.mark.parametrize(
    ("told", "bytes_"),
    [({}, 0), ({"modelspec.thumbnail": "https://away"}, 0),
     ({"modelspec.thumbnail": "data:image/png;base64,QUJDRA=="}, 4)],
)  # fmt: skip
def test_weight(told: dict[str, str], bytes_: int) -> None:
    """Its bytes are counted without decoding; a web address is no picture."""
    assert thumbnail_bytes(told) == bytes_
