"""Odd and hostile masks of photos: by any editor, in any kind of file, and made to harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from PIL import Image, ImageCms

from benchmarks.hostile.boxes import join_stills
from benchmarks.hostile.pictures import encode, list_honest, scene

Colour = int | str | tuple[int, ...]

SIZE = (96, 64)
WHITE, BLACK, GREY, RED, BLUE = (255,) * 3, (0,) * 3, (128,) * 3, (200, 0, 0), (0, 0, 255)
#: what is painted on the left half, on what, and how much of both halves is learned then, of 255
ON_SOLID = (
    (WHITE, BLACK, (255, 0)), (BLACK, WHITE, (0, 255)), (GREY, BLACK, (128, 0)),
    (GREY, WHITE, (128, 255)), (RED, BLACK, (255, 0)), (BLUE, BLACK, (255, 0)),
)  # fmt: skip
ON_NOTHING = (
    (WHITE, (255, 0)), (BLACK, (0, 255)), (GREY, (128, 0)), (RED, (255, 0)), (BLUE, (255, 0)),
)  # fmt: skip
LOSSLESS: dict[str, dict[str, Any]] = {
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "speed": 10},
}
DARK = "mask_dark"


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask with what of its photo's halves is learned, of 255, or the code of its refusal."""

    name: str
    content: bytes
    expected: tuple[int, int] | str


def paint(left: Colour, right: Colour, mode: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture of two halves."""
    picture = Image.new(mode, size, right)
    picture.paste(left, (0, 0, size[0] // 2, size[1]))
    return picture


def list_masks() -> Iterator[Mask]:
    """Yield masks."""
    for group in (
        list_solid, list_transparent, list_palettes, list_deep, list_sizes, list_dark, list_broken,
        list_framed,
    ):  # fmt: skip
        yield from group()


def list_solid() -> Iterator[Mask]:
    """Yield masks without transparency, in each format."""
    for (left, right, learned), kind in product(ON_SOLID, ("PNG", "JPEG", "WEBP", "AVIF")):
        options: dict[str, Any] = LOSSLESS.get(kind, {"quality": 95})
        content = encode(paint(left, right, "RGB"), kind, **options)
        yield Mask(f"{kind} {left} on {right}", content, learned)
    for left, right, learned in ON_SOLID[:4]:
        for kind in ("PNG", "JPEG"):
            grey = encode(paint(left[0], right[0], "L"), kind)
            yield Mask(f"{kind} grey {left[0]} on {right[0]}", grey, learned)
        opaque = encode(paint((*left, 255), (*right, 255), "RGBA"), "PNG")
        yield Mask(f"opaque {left} on {right}", opaque, learned)


def list_transparent() -> Iterator[Mask]:
    """Yield masks on nothing, whatever colour the nothing has."""
    for (colour, learned), below, kind in product(
        ON_NOTHING, (WHITE, BLACK, (90, 140, 30)), ("PNG", "WEBP", "AVIF")
    ):
        picture = paint((*colour, 255), (*below, 0), "RGBA")
        content = encode(picture, kind, **LOSSLESS.get(kind, {}))
        yield Mask(f"{kind} {colour} on nothing of {below}", content, learned)
    for level, learned in ((255, (255, 0)), (0, (0, 255)), (128, (128, 0))):
        content = encode(paint((level, 255), (0, 0), "LA"), "PNG")
        yield Mask(f"grey {level} on nothing", content, learned)
    for colour, learned in ((WHITE, (128, 0)), (BLACK, (127, 255))):
        content = encode(paint((*colour, 128), (0, 0, 0, 0), "RGBA"), "PNG")
        yield Mask(f"half of {colour}", content, learned)


def list_palettes() -> Iterator[Mask]:
    """Yield masks with palettes, of few or many bits, with and without a transparent colour."""
    palettes: dict[str, tuple[list[tuple[int, ...]], int | None, tuple[int, int] | str]] = {
        "black white": ([BLACK, WHITE], None, (255, 0)),
        "white black": ([WHITE, BLACK], None, (0, 255)),
        "clear white": ([WHITE, WHITE], 0, (255, 0)),
        "clear black": ([BLACK, BLACK], 0, (0, 255)),
        "black red": ([BLACK, (128, 0, 0)], None, (255, 0)),
        "same": ([BLACK, BLACK], None, DARK),
    }
    for (name, (colours, clear, learned)), bits in product(palettes.items(), (1, 2, 4, 8)):
        picture = paint(1, 0, "P")
        picture.putpalette([value for colour in colours for value in colour])
        options = {} if clear is None else {"transparency": clear}
        yield Mask(f"palette {name} {bits}", encode(picture, "PNG", bits=bits, **options), learned)


def list_deep() -> Iterator[Mask]:
    """Yield masks of 1 and 16 bits."""
    for left, right, learned in (
        (65_535, 0, (255, 0)), (0, 65_535, (0, 255)), (32_768, 0, (128, 0)),
        (257, 0, DARK), (1, 0, DARK),
    ):  # fmt: skip
        halves = b"".join(v.to_bytes(2, "little") * (SIZE[0] // 2) for v in (left, right))
        deep = Image.frombytes("I;16", SIZE, halves * SIZE[1])
        yield Mask(f"16 bits {left} on {right}", encode(deep, "PNG"), learned)
    for left, right, learned in ((1, 0, (255, 0)), (0, 1, (0, 255)), (0, 0, DARK)):
        yield Mask(f"1 bit {left} on {right}", encode(paint(left, right, "1"), "PNG"), learned)


def list_sizes() -> Iterator[Mask]:
    """Yield masks of other sizes than their photo."""
    for size in ((48, 32), (192, 128), (960, 640), (2000, 1333), (95, 64)):
        content = encode(paint(255, 0, "L", size), "PNG")
        yield Mask(f"size {size}", content, (255, 0))
    for size in ((64, 96), (64, 64), (96, 96), (200, 64), (960, 600)):
        yield Mask(f"shape {size}", encode(paint(255, 0, "L", size), "PNG"), "mask_shape")
    for size, code in (((12, 8), "photo_small"), ((10_000, 6600), "photo_big")):
        picture = Image.new("1", size, 1)
        yield Mask(f"size {size}", encode(picture, "PNG", compress_level=1), code)


def list_dark() -> Iterator[Mask]:
    """Yield masks in which nothing is to be learned."""
    for level in (0, 1, 40):
        yield Mask(f"dark {level}", encode(paint(level, 0, "L"), "PNG"), DARK)
    yield Mask("all white", encode(Image.new("L", SIZE, 255), "PNG"), (255, 255))
    yield Mask("nothing painted", encode(Image.new("RGBA", SIZE), "PNG"), (255, 255))


def list_broken() -> Iterator[Mask]:
    """Yield files that are no masks at all."""
    png = encode(paint(255, 0, "L"), "PNG")
    yield Mask("empty", b"", "photo_empty")
    yield Mask("text", b"white", "photo_unknown")
    yield Mask("gif", encode(paint(255, 0, "L"), "GIF"), "photo_unknown")
    yield Mask("photoshop", b"8BPS\0\1" + bytes(60), "photo_unknown")
    yield Mask("cut", png[: len(png) // 2], "photo_damaged")
    yield Mask("heavy", png + bytes(26 << 20), "photo_heavy")
    yield Mask("behind", png + b"PK\3\4" + bytes(900), (255, 0))


def list_framed() -> Iterator[Mask]:
    """Yield masks in files with more in them: frames, stills, profiles, a turn."""
    white, black = paint(255, 0, "L").convert("RGB"), paint(0, 255, "L").convert("RGB")
    for kind in ("PNG", "WEBP", "AVIF"):
        moving = encode(
            white, kind, save_all=True, append_images=[black], **LOSSLESS.get(kind, {})
        )
        yield Mask(f"{kind} frames", moving, (255, 0))
    stills = (encode(each, "AVIF", **LOSSLESS["AVIF"]) for each in (black, white))
    yield Mask("AVIF stills", join_stills(*stills, primary=2), (255, 0))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield Mask("profile", encode(white, "PNG", icc_profile=profile + bytes(1 << 20)), (255, 0))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    yield Mask("turned", encode(black, "PNG", exif=exif), (255, 0))
    for honest in list_honest():
        if honest.name.startswith("heic-"):
            yield Mask(honest.name, honest.content, "mask_shape")


def make_masked_photo() -> bytes:
    """Return the photo that the masks are for."""
    return encode(scene(SIZE), "PNG")
