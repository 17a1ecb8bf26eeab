"""Crops of one photo are told from photos that differ."""

from __future__ import annotations

from PIL import Image

from storage.photos.measures import measure
from storage.photos.overlap import MIN_OVERLAP, group_parts, measure_overlaps
from storage.records import CheckedPhoto
from tests.storage.photos.scenes import draw_scene


def see(picture: Image.Image) -> CheckedPhoto:
    """Return a photo with its measures, without its files."""
    return CheckedPhoto("", 0, *picture.size, b"", b"", (), measures=measure(picture))


def test_crops() -> None:
    """Parts that overlap are of one photo, also where two of them meet only through a third."""
    scene = draw_scene(2, (640, 480))
    boxes = [(0, 0, 400, 300), (120, 90, 520, 390), (240, 180, 640, 480)]

    parts = group_parts([see(scene.crop(box)) for box in boxes])

    assert len({*parts}) == 1


def test_photos_that_differ() -> None:
    """Other scenes are others, even on one ground; a plain wall is part of nothing."""
    grounds = [Image.new("RGB", (320, 240), "orange") for _ in range(4)]
    for at, ground in enumerate(grounds):
        ground.paste(draw_scene(at, (160, 120)), (80, 60))
    walls = [Image.new("RGB", (320, 240), colour) for colour in ("white", "grey")]
    photos = [see(each) for each in (*grounds, *walls, draw_scene(9))]

    assert len({*group_parts(photos)}) == len(photos)


def test_old_photos() -> None:
    """Photos that were stored before anything was measured are left alone."""
    old = CheckedPhoto("", 0, 9, 9, b"", b"", ())

    assert len({*group_parts([old, old])}) == 2


def test_one_figure() -> None:
    """Drawings that share a figure, but not what is around it, are no crops of one."""
    figure, drawings = draw_scene(3, (240, 180)), [draw_scene(at, (320, 240)) for at in (4, 5)]
    for drawing in drawings:
        drawing.paste(figure, (40, 30))
    overlaps = measure_overlaps([measure(each).thumbnail for each in drawings])

    assert overlaps[0, 1] >= MIN_OVERLAP
    assert group_parts([see(each) for each in drawings]) == [0, 1]
