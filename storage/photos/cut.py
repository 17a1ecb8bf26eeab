"""Cut a photo to what a training sees of it, in the ways that it is shown."""

from __future__ import annotations

import math
from typing import NamedTuple

from PIL import Image, ImageEnhance, ImageOps, ImageStat

from storage.crops import Framing, Size, centering, kept_size
from storage.variations import Variation

TURNED_MARGIN = 2.0  #: pixels along the edges, where nothing is known to turn
LANCZOS, BICUBIC = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC


class Part(NamedTuple):
    """A part of a picture, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        """Where its middle is."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def cut_picture(
    picture: Image.Image, size: Size, framing: Framing, variation: Variation | None = None
) -> Image.Image:
    """Return what is kept of a picture in a variation, scaled to a size.

    The bars beside one that is kept whole are black in a mask, and have the mean colour of others;
    it is neither turned nor shown nearer.
    """
    if framing.whole:
        mean = tuple(round(value) for value in ImageStat.Stat(picture).mean)
        cut = ImageOps.pad(picture, size, LANCZOS, 0 if picture.mode == "L" else mean)
    elif variation is None:
        at = centering(picture.size, size, framing)
        return ImageOps.fit(picture, size, LANCZOS, centering=at)
    else:
        part = vary_part(picture.size, size, framing, variation)
        if variation.angle:
            picture = picture.rotate(variation.angle, BICUBIC, center=part.middle)
        cut = picture.resize(size, LANCZOS, box=part)
    return cut if variation is None else change_look(cut, variation)


def vary_part(photo: Size, size: Size, framing: Framing, variation: Variation) -> Part:
    """Return the part of a photo, turned around its middle, that a variation shows.

    A turned part is so small that no corner lies outside of the photo.
    """
    kept, at = kept_size(photo, size), centering(photo, size, framing)
    width, height = (side / variation.zoom for side in kept)
    x = (photo[0] - kept[0]) * at[0] + (kept[0] - width) * variation.x + width / 2
    y = (photo[1] - kept[1]) * at[1] + (kept[1] - height) * variation.y + height / 2
    turn = math.radians(abs(variation.angle))
    reach = (
        (width * math.cos(turn) + height * math.sin(turn)) / 2,
        (width * math.sin(turn) + height * math.cos(turn)) / 2,
    )
    margin = TURNED_MARGIN if turn else 0.0
    room = (min(x, photo[0] - x) - margin, min(y, photo[1] - y) - margin)
    fits = min(1.0, room[0] / reach[0], room[1] / reach[1])
    width, height = width * fits / 2, height * fits / 2
    right, bottom = min(x + width, photo[0]), min(y + height, photo[1])
    return Part(max(x - width, 0), max(y - height, 0), right, bottom)


def change_look(picture: Image.Image, variation: Variation) -> Image.Image:
    """Return a picture mirrored and with other colours, as a variation says; masks keep theirs."""
    if variation.mirrored:
        picture = ImageOps.mirror(picture)
    for enhance, factor in (
        (ImageEnhance.Brightness, variation.brightness),
        (ImageEnhance.Contrast, variation.contrast),
        (ImageEnhance.Color, variation.saturation),
    ):
        if factor != 1 and picture.mode == "RGB":
            picture = enhance(picture).enhance(factor)
    return picture
