"""What is kept of a photo for a base."""

from __future__ import annotations

import random

import pytest
from PIL import Image, ImageOps

from storage.crops import (
    MIDDLE,
    Box,
    FramedBy,
    Framing,
    centering,
    crop_at,
    crop_box,
    find_bucket,
    list_buckets,
)

SIZES = [(random.Random(seed).randrange(16, 1537), 1 + 97 * seed) for seed in range(1, 16)]


def test_a_small_base_knows_squares_alone() -> None:
    """Below 256 pixels a side there is one bucket."""
    assert list_buckets(64, 4) == [(64, 64)]
    assert list_buckets(82, 4) == [(80, 80)]
    assert len(list_buckets(512, 8)) > 4


@pytest.mark.parametrize("photo", SIZES)
def test_the_middle_is_exact(photo: tuple[int, int]) -> None:
    """Without a choice the shares are one half to the last bit, as they always were."""
    for bucket in list_buckets(512):
        assert centering(photo, bucket, MIDDLE) == (0.5, 0.5)


@pytest.mark.parametrize("photo", SIZES)
@pytest.mark.parametrize("place", [(0.0, 0.0), (0.3, 0.8), (1.0, 1.0)])
def test_the_box_is_what_pillow_cuts(photo: tuple[int, int], place: tuple[float, float]) -> None:
    """The box lies within the photo, and has its place in the middle where there is room."""
    bucket, framing = find_bucket(photo, list_buckets(512)), Framing(*place)
    box = crop_box(photo, bucket, framing)
    ramp = Image.linear_gradient("L").rotate(90).resize(photo, Image.Resampling.BILINEAR)
    cut = ImageOps.fit(ramp, bucket, centering=centering(photo, bucket, framing))

    assert min(box.left, box.top) >= 0
    assert max(box.right, box.bottom) <= 1 + 1e-9
    assert min(box.left, box.top, 1 - box.right, 1 - box.bottom) < 1e-9
    middle = (box.left + box.right) / 2
    assert middle == pytest.approx(place[0]) or min(box.left, 1 - box.right) < 1e-9
    shown = cut.getpixel((bucket[0] // 2, bucket[1] // 2)) / 255
    assert shown == pytest.approx(middle, abs=0.02 + 2 / min(photo))


def test_a_long_photo_keeps_a_third_of_a_square() -> None:
    """What a 3:1 photo keeps follows its framing, also on a base with longer buckets."""
    assert crop_at((900, 300), 64, Framing(0.0, 0.5)) == pytest.approx((0, 0, 1 / 3, 1))
    assert crop_at((900, 300), 64, Framing(0.5, 0.5)).left == pytest.approx(1 / 3)
    assert crop_at((900, 300), 1024, Framing(1.0, 0.5)) == pytest.approx(
        (1 - 2.0909 / 3, 0, 1, 1), abs=1e-3
    )
    assert crop_at((900, 300), 64, Framing(0.1, 0.5, whole=True)) == Box(0, 0, 1, 1)


def test_json() -> None:
    """A framing comes back from JSON as it was; a place outside of the photo is refused."""
    framing = Framing(0.25, 1.0, whole=True, by=FramedBy.MEMBER)

    assert Framing.from_json(framing.to_json()) == framing
    for broken in ({"x": 1.5}, {"y": float("nan")}, {"by": "nobody"}):
        with pytest.raises(ValueError, match=r"place|FramedBy"):
            Framing.from_json(framing.to_json() | broken)
