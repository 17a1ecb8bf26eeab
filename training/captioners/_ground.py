"""The ground of a picture: whether it is plain, and the name of its colour."""

from __future__ import annotations

from collections import Counter
from itertools import product
from statistics import mean, median

from PIL import Image

from training.recipe.backgrounds import COLOURS

SIDE = 64  #: pixels that a picture is reduced to
CORNER = 6  #: pixels of each corner that are looked at
MAX_NAME_DIFFERENCE = 40  #: levels, from the named colour that a pixel is taken for
MIN_NAMED_SHARE = 0.75  #: of the border that has a colour before the ground is called by it

Colour = tuple[int, int, int]


def measure_ground(picture: Image.Image) -> float:
    """Return how far a picture's two plainest corners are from one colour, in levels of 255.

    Two corners are enough, because many a drawn thing reaches into the others. A rendered ground
    has 0, photographs have 1 and more, even before a white or black wall.
    """
    small, last = reduce_picture(picture), SIDE - CORNER
    colours, differences = list[tuple[float, ...]](), list[float]()
    for left, top in product((0, last), repeat=2):
        pixels = read_pixels(small.crop((left, top, left + CORNER, top + CORNER)))
        colour = tuple(median(channel) for channel in zip(*pixels, strict=True))
        colours.append(colour)
        differences.append(mean(measure_difference(pixel, colour) for pixel in pixels))
    far = [
        max(own, min(measure_difference(colour, other) for other in others))
        for at, (own, colour) in enumerate(zip(differences, colours, strict=True))
        for others in [colours[:at] + colours[at + 1 :]]
    ]
    return sorted(far)[1]


def describe_ground(picture: Image.Image) -> str:
    """Return "on a white background" if most of the border has that colour; "" if none has."""
    small = reduce_picture(picture)
    edges = (
        (0, 0, SIDE, 1),
        (0, SIDE - 1, SIDE, SIDE),
        (0, 0, 1, SIDE),
        (SIDE - 1, 0, SIDE, SIDE),
    )
    border = [pixel for edge in edges for pixel in read_pixels(small.crop(edge))]
    (name, count), *_ = Counter(find_colour_name(pixel) for pixel in border).most_common()
    if not name or count < MIN_NAMED_SHARE * len(border):
        return ""
    return f"on {'an' if name == 'orange' else 'a'} {name} background"


def reduce_picture(picture: Image.Image) -> Image.Image:
    """Return a picture as the embedded captioner sees it: squeezed into a small square."""
    size = (SIDE, SIDE)
    return picture.convert("RGB").resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def read_pixels(picture: Image.Image) -> list[Colour]:
    """Return the pixels of a picture in RGB."""
    flat = picture.tobytes()
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def measure_difference(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the largest difference of two colours in a channel."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def find_colour_name(pixel: Colour) -> str:
    """Return the name of the colour that a pixel is near to; "" if it is near to none."""
    near = min(COLOURS, key=lambda name: measure_hue_difference(pixel, COLOURS[name]))
    return near if measure_hue_difference(pixel, COLOURS[near]) <= MAX_NAME_DIFFERENCE else ""


def measure_hue_difference(one: Colour, other: Colour) -> float:
    """Return the difference of two colours in which brightness counts half: shade is no hue."""
    light, other_light = mean(one), mean(other)
    hue = (abs(a - light - b + other_light) for a, b in zip(one, other, strict=True))
    return max(hue) + abs(light - other_light) / 2
