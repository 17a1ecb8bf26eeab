"""What happens to photos before they come: softened, saved again, cropped, mirrored, turned."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageFilter, ImageOps

Change = Callable[[Image.Image], Image.Image]
TURN_CROP = 0.03  #: of each side, to have no empty corners


def blur(sigma: float) -> Change:
    """Return a Gaussian blur of a standard deviation in pixels."""
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(sigma))


def enlarge(factor: int) -> Change:
    """Return an enlargement to the picture's own size."""

    def change(picture: Image.Image) -> Image.Image:
        small = [max(1, side // factor) for side in picture.size]
        shrunk = picture.resize((small[0], small[1]), Image.Resampling.LANCZOS)
        return shrunk.resize(picture.size, Image.Resampling.BICUBIC)

    return change


def save(quality: int, before: Change = lambda picture: picture) -> Change:
    """Return saving as JPEG, after another change."""

    def change(picture: Image.Image) -> Image.Image:
        file = BytesIO()
        before(picture).save(file, "JPEG", quality=quality)
        return Image.open(file).convert("RGB")

    return change


def crop(left: float, top: float, right: float, bottom: float) -> Change:
    """Return a crop by shares of the sides."""

    def change(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
        return picture.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))

    return change


def turn(degrees: float) -> Change:
    """Return a turn without empty corners."""
    cut = crop(TURN_CROP, TURN_CROP, TURN_CROP, TURN_CROP)
    return lambda picture: cut(picture.rotate(degrees, Image.Resampling.BICUBIC))


def shrink(picture: Image.Image) -> Image.Image:
    """Return a picture at half its size."""
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)


def list_soft() -> dict[str, Change]:
    """Return what must be called soft."""
    return {
        "blurred, sigma 1.5": blur(1.5),
        "blurred, sigma 2.5": blur(2.5),
        "blurred, sigma 6": blur(6),
        "blurred, sigma 1.5, then JPEG 85": save(85, blur(1.5)),
        "enlarged x3": enlarge(3),
        "enlarged x4": enlarge(4),
        "enlarged x3, then JPEG 85": save(85, enlarge(3)),
    }


def list_same() -> dict[str, Change]:
    """Return what leaves a photo the same shot."""
    draw_number = random.Random(0)
    return {
        "JPEG 35": save(35),
        "half size": shrink,
        "5 % cropped at all sides": crop(0.05, 0.05, 0.05, 0.05),
        "5 % cropped at one side": crop(0.05, 0, 0, 0),
        "5 % cropped at two sides": crop(0, 0.05, 0.05, 0),
        "2.5 % cropped": crop(0.025, 0.025, 0.025, 0.025),
        "up to 5 % cropped": crop(*(draw_number.uniform(0, 0.05) for _ in range(4))),
        "mirrored": ImageOps.mirror,
        "mirrored and cropped": lambda each: ImageOps.mirror(crop(0.05, 0.03, 0.02, 0.05)(each)),
        "+2°": turn(2),
        "-2°": turn(-2),
        "+1°": turn(1),
    }  # fmt: skip


def crop_six(picture: Image.Image, seed: int) -> list[Image.Image]:
    """Return six crops of half to nine tenths of a side of a photo."""
    draw_number = random.Random(seed)
    crops = []
    for _ in range(6):
        kept = draw_number.uniform(0.5, 0.9)
        left, top = (draw_number.uniform(0, 1 - kept) for _ in range(2))
        crops.append(crop(left, top, 1 - kept - left, 1 - kept - top)(picture))
    return crops
