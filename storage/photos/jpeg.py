"""Decode JPEGs at a fraction of their size: their pixels are never made, which saves most time.

libjpeg can decode at 1/8, 2/8, 3/8, 4/8 and 8/8 by itself, as sharp as a resize (`python -m
benchmarks.speed.intake`). Pillow's `draft` has no 3/8, which gives 12 megapixels the size to keep.
"""

from __future__ import annotations

from PIL import Image, JpegImagePlugin

DENOMINATORS = {1: 8, 2: 4, 3: 3, 4: 2}  #: by eighths; libjpeg rounds 1/3 up to 3/8


def draft_jpeg(picture: Image.Image, least: int) -> None:
    """Let a JPEG decode at the smallest size whose longer side has at least so many pixels."""
    if not isinstance(picture, JpegImagePlugin.JpegImageFile) or len(picture.tile) != 1:
        return
    for eighths, denominator in DENOMINATORS.items():
        width, height = (-(-side * eighths // 8) for side in picture.size)
        if max(width, height) >= least:
            (tile,) = picture.tile
            picture._size = width, height  # noqa: SLF001 - as its own `draft` does
            picture.tile = [tile._replace(extents=(0, 0, width, height))]
            picture.decoderconfig = (denominator, 0)
            return
