"""Masks beside photos: how they are named, and what an editor means by what is painted in one.

White is learned and black is not. `x.mask.png` is our name, `x-masklabel.png` OneTrainer's.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import PurePath

from PIL import Image, ImageChops

from storage.errors import UserError
from storage.photos.png import encode_png

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".hif", ".avif",
     ".gif", ".bmp", ".tif", ".tiff", ".jxl"}
)  # fmt: skip
MASK_MARKS = (".mask", "-masklabel")
#: PNGs come first
MASK_SUFFIXES = sorted(PICTURE_SUFFIXES, key=lambda suffix: (suffix != ".png", suffix))
MASK_ENDINGS = tuple(mark + suffix for mark in MASK_MARKS for suffix in MASK_SUFFIXES)
MASK_NAME = re.compile(r".+(\.mask|-masklabel)(\.\w+)?", re.IGNORECASE)
MAX_ASPECT_DIFFERENCE = 0.02  #: between a mask's width by height and its photo's
MAX_DARK = 63  #: of 255; darker parts of a mask are black, if no other part is bright
MIN_COLOUR = 48  #: of 255, between the channels of a colour; a JPEG's grey has less


def is_mask(path: PurePath) -> bool:
    """Return whether a picture is a mask, by its name."""
    return MASK_NAME.fullmatch(path.name) is not None


def join_mask(photo: bytes, mask: bytes, file: str) -> bytes:
    """Return a photo as PNG with its mask as alpha channel; both are PNGs of the darkroom.

    Raises UserError "mask_shape" or "mask_dark", which name the mask's file.
    """
    picture, painted = Image.open(BytesIO(photo)).convert("RGB"), Image.open(BytesIO(mask))
    shapes = (width / height for width, height in (picture.size, painted.size))
    if abs(next(shapes) - next(shapes)) > MAX_ASPECT_DIFFERENCE:
        raise UserError("mask_shape", file=file)
    learned = read_painted(painted)
    if find_brightest(learned) <= MAX_DARK:
        raise UserError("mask_dark", file=file)
    picture.putalpha(learned.resize(picture.size, Image.Resampling.LANCZOS))
    return encode_png(picture)


def read_painted(mask: Image.Image) -> Image.Image:
    """Return what a mask wants learned, as L; its transparent parts were laid on white before.

    What lies behind the transparent parts of white paint is black, behind black paint white. A
    cut-out in colours means its own shape. On a solid ground any colour is as good as white.
    """
    red, green, blue = mask.convert("RGB").split()
    light = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    dark = ImageChops.darker(ImageChops.darker(red, green), blue)
    coloured = find_brightest(ImageChops.subtract(light, dark)) >= MIN_COLOUR
    if mask.mode == "RGBA":
        alpha = mask.getchannel("A")
        on_black = ImageChops.subtract(light, ImageChops.invert(alpha))
        if coloured:
            return alpha
        return light if find_brightest(on_black) <= MAX_DARK else on_black
    if coloured:  # such as the colours of a palette
        brightest = find_brightest(light)
        return light.point(lambda value: value * 255 / brightest)
    return light


def find_brightest(grey: Image.Image) -> int:
    """Return the brightest value in a picture of one channel."""
    return max(value for value, count in enumerate(grey.histogram()) if count)
