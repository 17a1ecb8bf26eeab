"""What an editor means by what is painted in a mask: white is learned and black is not.

A photo keeps its mask as alpha channel, over its own colours; a picture that is transparent by
itself was composited on white instead.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops

from storage.errors import UserError
from storage.photos.png import encode_png

MAX_ASPECT_DIFFERENCE = 0.02  #: between a mask's width by height and its photo's
MAX_DARK = 63  #: of 255; darker parts of a mask are black, if no other part is bright
MIN_COLOUR = 48  #: of 255, between the channels of a colour; a JPEG's grey has less


def join_mask(photo: Image.Image, mask: Image.Image, file: str) -> Image.Image:
    """Return a photo in RGBA with its mask as alpha channel, both as the darkroom keeps them.

    Raises UserError "mask_shape" or "mask_dark", which name the mask's file.
    """
    picture = photo.convert("RGB")
    shapes = (width / height for width, height in (picture.size, mask.size))
    if abs(next(shapes) - next(shapes)) > MAX_ASPECT_DIFFERENCE:
        raise UserError("mask_shape", file=file)
    learned = read_painted(mask)
    if find_brightest(learned) <= MAX_DARK:
        raise UserError("mask_dark", file=file)
    picture.putalpha(learned.resize(picture.size, Image.Resampling.LANCZOS))
    return picture


def split_mask(pixels: bytes) -> tuple[bytes, bytes]:
    """Return a photo that was joined with its mask as two PNGs: the photo, and the mask."""
    with Image.open(BytesIO(pixels), formats=("PNG",)) as joined:
        joined.load()
    return encode_png(joined.convert("RGB")), encode_png(joined.getchannel("A"))


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
