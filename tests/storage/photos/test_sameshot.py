"""Photos of the same shot."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image, ImageOps

from storage.photos.measures import measure
from storage.photos.pixels import difference_hash
from storage.photos.sameshot import are_same_shot, number_shots
from storage.records import CheckedPhoto
from tests.storage.photos.scenes import draw_scene

Change = Callable[[Image.Image], Image.Image]


def check(picture: Image.Image) -> CheckedPhoto:
    """Return a photo as the darkroom does, without its files."""
    phash = difference_hash(picture.convert("L"))
    return CheckedPhoto("", phash, *picture.size, b"", b"", (), measures=measure(picture))


def save(picture: Image.Image) -> Image.Image:
    """Save a picture again, badly."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=35)
    return Image.open(file)


def crop(*shares: float) -> Change:
    """Cut off a share at the left, top, right and bottom."""

    def cut(picture: Image.Image) -> Image.Image:
        left, top, right, bottom = shares
        width, height = picture.size
        return picture.crop(
            (round(left * width), round(top * height), round(width - right * width),
             round(height - bottom * height))
        )  # fmt: skip

    return cut


def turn(degrees: float) -> Change:
    """Turn a picture and cut its empty corners off."""
    return lambda picture: crop(0.03, 0.03, 0.03, 0.03)(
        picture.rotate(degrees, Image.Resampling.BICUBIC)
    )


CHANGES: dict[str, Change] = {
    "saved": save,
    "resized": lambda picture: picture.resize((410, 310), Image.Resampling.LANCZOS),
    "cropped": crop(0.05, 0.05, 0.05, 0.05),
    "cropped at a corner": crop(0.05, 0, 0, 0.04),
    "cropped a little": crop(0.02, 0.03, 0.01, 0.02),
    "mirrored": ImageOps.mirror,
    "mirrored and cropped": lambda picture: ImageOps.mirror(crop(0.04, 0.04, 0.04, 0.04)(picture)),
    "turned left": turn(2),
    "turned right": turn(-2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_same_shot(change: str) -> None:
    """Saved again, resized, cropped by 5 %, mirrored or turned by 2 degrees, it is the same."""
    for seed in range(4):
        picture = draw_scene(seed)
        one, other = check(picture), check(CHANGES[change](picture))

        assert are_same_shot(one, other)
        assert are_same_shot(other, one)


def test_different_photos() -> None:
    """Different photos are no copies, and neither is the middle of one."""
    photos = [check(draw_scene(seed)) for seed in range(12)]
    part = check(crop(0.25, 0.25, 0.25, 0.25)(draw_scene(0)))

    assert number_shots([*photos, part]) == list(range(13))


def test_numbers() -> None:
    """All photos of a shot have one number, in any order."""
    first, second = draw_scene(0), draw_scene(1)
    pictures = [first, second, ImageOps.mirror(first), CHANGES["cropped"](second), draw_scene(2)]

    numbers = number_shots([check(each) for each in pictures])

    assert (numbers[0] == numbers[2], numbers[1] == numbers[3]) == (True, True)
    assert len(set(numbers)) == 3
