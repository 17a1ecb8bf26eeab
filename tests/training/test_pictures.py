"""Pictures are written whole or not at all, and those of a batch at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.pictures import write_picture, write_pictures


def draw(seed: int) -> Image.Image:
    """Draw a picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
    return Image.fromarray(pixels)


def read(paths: Iterable[Path]) -> list[bytes]:
    """Return the pixels of files."""
    return [Image.open(path).tobytes() for path in paths]


def test_pictures(tmp_path: Path) -> None:
    """Each picture is in its own file, without loss, however many there are."""
    pictures = [draw(seed) for seed in range(9)]
    paths = [tmp_path / f"{seed}.png" for seed in range(9)]

    write_pictures(paths, pictures)

    assert read(paths) == [picture.tobytes() for picture in pictures]
    assert sorted(tmp_path.iterdir()) == paths


def test_a_picture_that_fails(tmp_path: Path) -> None:
    """What fails is raised; every other picture is whole or absent, and no part is left."""
    (tmp_path / "1.png").mkdir()
    paths = [tmp_path / f"{seed}.png" for seed in range(3)]

    with pytest.raises(OSError, match="directory"):
        write_pictures(paths, [draw(seed) for seed in range(3)])

    left = [path for path in tmp_path.iterdir() if path.is_file()]
    assert set(left) <= {paths[0], paths[2]}
    assert read(left) == [draw(int(path.stem)).tobytes() for path in left]


def test_again(tmp_path: Path) -> None:
    """A picture replaces the one before it."""
    for seed in (1, 2):
        write_picture(tmp_path / "a.png", draw(seed))

    assert read([tmp_path / "a.png"]) == [draw(2).tobytes()]
