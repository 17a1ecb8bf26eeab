"""Find what is to be kept of a photo: its faces, else what stands out from its edges."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from storage.crops import Box, FramedBy, Framing
from storage.photos.faces import FaceDetector

MAP_SIDE = 96  #: pixels of the longer side of a map
EDGE_COLOURS = 4  #: that the edges of a photo are summed up in
CELLS = 48  #: of a profile along one side
CONTRAST_BITS = 4  #: that contrast has beside faces, of 8
HAIR = 0.4  #: of a face's height, above the box that a detector finds

Profile = Sequence[int]  #: how much is to be seen at each place along one side


def find_framing(picture: Image.Image, detector: FaceDetector | None) -> Framing:
    """Return what to keep of a picture in RGB; without a detector, faces are not looked for.

    It is the middle of the square in which most is to be seen. A base's bucket never cuts more
    than that square away.
    """
    seen = map_contrast(picture)
    faces = detector.find_faces(picture) if detector else []
    if faces:
        seen = add_faces(seen, faces)
    side = min(picture.size)
    across = read_profile(seen.resize((CELLS, 1), Image.Resampling.BOX))
    down = read_profile(seen.resize((1, CELLS), Image.Resampling.BOX))
    x, y = (
        find_window(profile, side / length)
        for profile, length in zip((across, down), picture.size, strict=True)
    )
    return Framing(x, y, by=FramedBy.FACE if faces else FramedBy.CONTRAST)


def map_contrast(picture: Image.Image) -> Image.Image:
    """Return how much each place stands out from the colours along the edges, in grey.

    What touches the edges is mostly background (Wei et al. 2012, "Geodesic saliency using
    background priors"). Fine detail says less: there is more of it in grass than in a dog.
    """
    small = picture.copy()
    small.thumbnail((MAP_SIDE, MAP_SIDE), Image.Resampling.BOX, reducing_gap=None)
    small = small.filter(ImageFilter.GaussianBlur(1))
    least = Image.new("L", small.size, 255)
    for colour in list_edge_colours(small):
        apart = ImageChops.difference(small, Image.new("RGB", small.size, colour))
        red, green, blue = apart.split()
        most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        least = ImageChops.darker(least, most)
    return ImageChops.multiply(least, least)


def list_edge_colours(picture: Image.Image) -> list[tuple[int, int, int]]:
    """Return the main colours along the four edges of a picture."""
    width, height = picture.size
    length = max(picture.size)
    strip = Image.new("RGB", (length, 4))
    for at, top in enumerate((0, height - 1)):
        strip.paste(picture.crop((0, top, width, top + 1)).resize((length, 1)), (0, at))
    for at, left in enumerate((0, width - 1), 2):
        edge = picture.crop((left, 0, left + 1, height)).transpose(Image.Transpose.ROTATE_90)
        strip.paste(edge.resize((length, 1)), (0, at))
    found = strip.quantize(EDGE_COLOURS).getpalette() or []
    values = found[: 3 * EDGE_COLOURS]
    return list(zip(values[::3], values[1::3], values[2::3], strict=True))


def add_faces(seen: Image.Image, faces: Sequence[Box]) -> Image.Image:
    """Return a map on which faces weigh more than all that stands out."""
    drawn = seen.point([value >> CONTRAST_BITS for value in range(256)])
    pen, (width, height) = ImageDraw.Draw(drawn), drawn.size
    for face in faces:
        top = max(0.0, face.top - HAIR * (face.bottom - face.top))
        box = (face.left * width, top * height, face.right * width, face.bottom * height)
        pen.rectangle(box, fill=255)
    return drawn


def read_profile(line: Image.Image) -> Profile:
    """Return the pixels of a picture that is one pixel wide or high."""
    return line.tobytes()


def find_window(profile: Profile, share: float) -> float:
    """Return the middle of the window of a share of the profile in which most is to be seen.

    It lies between 0 and 1; of equal windows, it is the one nearest to the middle.
    """
    count = len(profile)
    kept = min(count, max(1, round(share * count)))
    starts = range(count - kept + 1)
    best = max(
        starts, key=lambda at: (sum(profile[at : at + kept]), -abs(2 * at - (count - kept)))
    )
    return (best + kept / 2) / count
