"""A mask is read as its painter meant it, whatever kind of file the editor wrote."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from storage.errors import UserError
from storage.photos.masks import join_mask, split_mask
from storage.photos.pixels import check_picture
from storage.photos.png import encode_png

SIZE, LEFT, RIGHT = (64, 48), (10, 20), (50, 20)
CLEAR, WHITE, BLACK = (255, 255, 255, 0), (255, 255, 255, 255), (0, 0, 0, 255)


def paint(ground, left, mode="RGBA"):
    """Return a picture whose left half has another colour."""
    picture = Image.new(mode, SIZE, ground)
    picture.paste(left, (0, 0, SIZE[0] // 2, SIZE[1]))
    return picture


def paint_palette(colours):
    """Return a picture with a palette: its left half has the second colour."""
    picture = paint(0, 1, "P")
    picture.putpalette([value for colour in colours for value in colour])
    return picture


def paint_deep(ground, left):
    """Return a picture of 16 bits, whose left half has another value."""
    halves = (value.to_bytes(2, "little") * (SIZE[0] // 2) for value in (left, ground))
    return Image.frombytes("I;16", SIZE, b"".join(halves) * SIZE[1])


def save(picture, kind="PNG", **options):
    """Return a picture as a file."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def learn(mask, photo=None):
    """Return how much of a photo's left and right half is learned, of 255."""
    photo = photo or Image.new("RGB", SIZE, "teal")
    painted = Image.open(BytesIO(check_picture(mask).pixels))
    joined = join_mask(photo, painted, "a.mask.png")
    assert joined.convert("RGB").tobytes() == photo.tobytes()
    alpha = joined.getchannel("A")
    return alpha.getpixel(LEFT), alpha.getpixel(RIGHT)


@pytest.mark.parametrize(
    ("painted", "expected"),
    [
        (paint("black", "white", "L"), (255, 0)),
        (paint("white", "black", "L"), (0, 255)),
        (paint("white", 128, "L"), (128, 255)),
        (paint(0, 1, "1"), (255, 0)),
        (paint(BLACK, WHITE), (255, 0)),
        (paint(CLEAR, WHITE), (255, 0)),
        (paint(CLEAR, BLACK), (0, 255)),
        (paint((0, 0, 0, 0), WHITE), (255, 0)),
        (paint((0, 0, 0, 0), BLACK), (0, 255)),
        (paint(CLEAR, (255, 255, 255, 128)), (128, 0)),
        (paint(CLEAR, (0, 0, 0, 128)), (127, 255)),
        (paint(CLEAR, (128, 128, 128, 255)), (128, 0)),
        (paint(CLEAR, (40, 40, 40, 255)), (40, 255)),
        (paint((0, 0), (255, 255), "LA"), (255, 0)),
        (paint((0, 0), (0, 255), "LA"), (0, 255)),
        (paint(CLEAR, (30, 90, 200, 255)), (255, 0)),
        (paint("black", (128, 0, 0), "RGB"), (255, 0)),
        (paint("black", "blue", "RGB"), (255, 0)),
        (paint_deep(0, 65_535), (255, 0)),
        (paint_deep(65_535, 0), (0, 255)),
        (paint_deep(0, 32_768), (128, 0)),
    ],
)
def test_painted(painted, expected):
    """White is learned; what is transparent is the opposite of what was painted."""
    assert learn(save(painted)) == expected


@pytest.mark.parametrize(
    ("colours", "clear", "expected"),
    [
        ([(0, 0, 0), (255, 255, 255)], None, (255, 0)),
        ([(255, 255, 255), (0, 0, 0)], None, (0, 255)),
        ([(255, 255, 255), (255, 255, 255)], 0, (255, 0)),
        ([(0, 0, 0), (0, 0, 0)], 0, (0, 255)),
        ([(0, 0, 0), (128, 0, 0)], None, (255, 0)),
    ],
)
def test_palettes(colours, clear, expected):
    """A palette's colours count, not its numbers; one of them may be transparent."""
    options = {} if clear is None else {"transparency": clear}

    assert learn(save(paint_palette(colours), **options)) == expected


def test_jpeg():
    """A JPEG's noise is no colour, and takes nothing of the black and white."""
    left, right = learn(save(paint("black", "white", "RGB"), "JPEG", quality=60))

    assert left >= 250
    assert right <= 5


@pytest.mark.parametrize("painted", [Image.new("L", SIZE), paint(0, 1, "L"), paint_deep(0, 255)])
def test_dark(painted):
    """A mask without a bright part is refused by its name: nothing would be learned."""
    with pytest.raises(UserError, match="mask_dark") as refused:
        learn(save(painted))

    assert refused.value.facts == {"file": "a.mask.png"}


def test_split():
    """A photo and its mask come apart as they were joined."""
    photo, mask = paint("teal", "red", "RGB"), paint("black", "white", "L")

    joined = encode_png(join_mask(photo, mask, "a.mask.png"))

    opened = [Image.open(BytesIO(part)) for part in split_mask(joined)]
    assert [part.mode for part in opened] == ["RGB", "L"]
    assert [part.tobytes() for part in opened] == [photo.tobytes(), mask.tobytes()]
