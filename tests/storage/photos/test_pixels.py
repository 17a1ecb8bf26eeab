"""Checks, pixels, hashes and warnings of a picture."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter, ImageStat, PngImagePlugin

from storage.errors import UserError
from storage.photos.pixels import check_picture, open_picture
from tests.storage.photos.scenes import draw_scene
from tests.storage.photos.stored import decode

Encode = Callable[..., bytes]


def emoji(size: int = 128) -> Image.Image:
    """Draw a face on a transparent background, as custom emoji have."""
    large = Image.new("RGBA", (size * 4, size * 4))
    draw = ImageDraw.Draw(large)
    for box, colour in (
        ((0.05, 0.05, 0.95, 0.95), "#ffcc4d"),
        ((0.3, 0.3, 0.4, 0.45), "#664500"),
        ((0.6, 0.3, 0.7, 0.45), "#664500"),
        ((0.3, 0.6, 0.7, 0.8), "#664500"),
    ):
        draw.ellipse([at * size * 4 for at in box], fill=colour)
    return large.resize((size, size), Image.Resampling.LANCZOS)


def refusal(content: bytes) -> UserError:
    """Return the error of a refused picture."""
    with pytest.raises(UserError) as caught:
        check_picture(content)
    return caught.value


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_files(encode: Encode, kind: str) -> None:
    """A picture is stored as an RGB PNG of its size, with a small WebP as preview."""
    checked = check_picture(encode(draw_scene(), kind))
    with Image.open(BytesIO(checked.preview), formats=("WEBP",)) as preview:
        measures = preview.size

    assert (checked.width, checked.height) == decode(checked).size == (640, 480)
    assert decode(checked).mode == "RGB"
    assert measures == (512, 384)
    assert checked.warnings == ()


@pytest.mark.parametrize(
    ("kind", "size"), [("JPEG", (3600, 2700)), ("PNG", (1200, 1600)), ("WEBP", (1601, 1201))]
)
def test_large(encode: Encode, kind: str, size: tuple[int, int]) -> None:
    """A large picture is scaled down to 1536 pixels on its longer side."""
    checked = check_picture(encode(draw_scene(size=size), kind))

    assert max(checked.width, checked.height) == 1536
    assert checked.width / checked.height == pytest.approx(size[0] / size[1], rel=0.002)


@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((4000, 600), (1500, 225)),
        ((608, 4032), (228, 1512)),
        ((4096, 640), (1536, 240)),
        ((2999, 399), (1500, 200)),
        ((4400, 550), (1536, 193)),
        ((1600, 400), (1536, 384)),
        ((1536, 200), (1536, 200)),
    ],
)
def test_large_jpeg(encode: Encode, size: tuple[int, int], kept: tuple[int, int]) -> None:
    """A JPEG is decoded at a fraction that has about the size to keep, or a little more."""
    picture = draw_scene(size=(600, 400)).resize(size)

    checked = check_picture(encode(picture, "JPEG", quality=95))

    assert (checked.width, checked.height) == decode(checked).size == kept
    apart = ImageChops.difference(decode(checked), picture.resize(kept, Image.Resampling.LANCZOS))
    assert max(ImageStat.Stat(apart).mean) < 4


def test_digest(encode: Encode) -> None:
    """Files with the same pixels have the same digest; a changed pixel or shape changes it."""
    picture = draw_scene()
    first = check_picture(encode(picture, "PNG", compress_level=9))
    second = check_picture(encode(picture, "WEBP", lossless=True))
    picture.putpixel((3, 3), (1, 2, 3))

    assert first.digest == second.digest
    assert first.digest != check_picture(encode(picture, "PNG")).digest
    turned = check_picture(encode(Image.new("RGB", (20, 30)), "PNG"))
    assert turned.digest != check_picture(encode(Image.new("RGB", (30, 20)), "PNG")).digest


def test_hash(encode: Encode) -> None:
    """Copies of a picture have similar hashes, other pictures do not."""
    one = check_picture(encode(draw_scene(1), "PNG")).phash
    copy = check_picture(encode(draw_scene(1).resize((420, 280)), "JPEG", quality=60)).phash
    other = check_picture(encode(draw_scene(2), "PNG")).phash

    assert (one ^ copy).bit_count() <= 5 < (one ^ other).bit_count()
    assert 0 <= one < 1 << 64


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((13000, 13000), "photo_big"),
        ((8126, 8000), "photo_big"),
        ((16385, 20), "photo_long"),
        ((20, 16385), "photo_long"),
    ],
)
def test_too_many_pixels(encode: Encode, size: tuple[int, int], code: str) -> None:
    """A picture with too many pixels is refused by its header, however small its file."""
    error = refusal(encode(Image.new("1", size), "PNG"))

    assert error.code == code
    assert (error.facts["width"], error.facts["height"]) == size


def test_huge_webp(encode: Encode) -> None:
    """A WebP with a huge canvas is refused before its decoder allocates it."""
    content = bytearray(encode(Image.new("RGBA", (20, 20)), "WEBP", exif=b"Exif\0\0x"))
    content[24:30] = b"\xff\x3f\x00\xff\x3f\x00"  # 16384 x 16384

    assert refusal(bytes(content)).facts == {
        "megapixels": 268, "most": 65, "width": 16384, "height": 16384,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("size", "options", "refused"),
    [((16320, 12240), {}, False), ((16320, 12300), {}, True),
     ((9248, 6944), {"progressive": True}, False), ((9248, 7100), {"progressive": True}, True)],
)  # fmt: skip
def test_huge_jpeg(encode: Encode, size: tuple[int, int], options: Any, refused: bool) -> None:
    """Of a JPEG that is not progressive no pixels are made, so it may have 200 megapixels."""
    content = encode(Image.new("L", (16, 16)), "JPEG", **options)
    at = content.index(b"\xff\xc2" if options else b"\xff\xc0") + 5
    content = content[:at] + struct.pack(">2H", size[1], size[0]) + content[at + 4 :]

    if refused:
        assert refusal(content).code == "photo_big"
    else:
        assert open_picture(content, "JPEG").size == size


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15), (6000, 40)])
def test_small(encode: Encode, size: tuple[int, int]) -> None:
    """A picture with a side under 16 pixels, once scaled down, is refused."""
    error = refusal(encode(Image.new("RGB", size), "PNG"))

    assert error.code == "photo_small"
    assert error.facts == {"width": size[0], "height": size[1], "least": 16}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright(encode: Encode, orientation: int) -> None:
    """A picture is turned upright by its EXIF orientation."""
    picture = Image.new("RGB", (60, 40), "white")
    picture.paste((255, 0, 0), (0, 0, 30, 20))  # the corner that says where up and left are
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turn = turns.get(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(picture if turn is None else picture.transpose(turn), "PNG", exif=exif)

    assert decode(check_picture(content)).tobytes() == picture.tobytes()


def test_stripped(encode: Encode) -> None:
    """Only the pixels of a file are stored: no location, camera, comment or profile."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "SECRET note")
    contents = [
        encode(draw_scene(), "JPEG", exif=exif, comment=b"SECRET note", icc_profile=profile),
        encode(draw_scene(), "PNG", exif=exif, pnginfo=notes, icc_profile=profile, dpi=(72, 72)),
        encode(draw_scene(), "WEBP", exif=exif, icc_profile=profile, xmp=b"<x>SECRET note</x>"),
    ]

    for content in contents:
        assert b"SECRET" in content
        checked = check_picture(content)
        assert decode(checked).info == {}
        chunks = {checked.pixels[at : at + 4] for at in range(len(checked.pixels))}
        assert not chunks & {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"pHYs", b"tIME"}
        assert not any(word in checked.preview for word in (b"EXIF", b"XMP ", b"ICCP", b"SECRET"))


@pytest.mark.parametrize("megabytes", [2, 20])
def test_large_chunks(encode: Encode, megabytes: int) -> None:
    """A PNG with megabytes of text (a workflow, XMP) and a large colour profile is read."""
    notes = PngImagePlugin.PngInfo()
    words = "workflow " * (megabytes << 17)
    notes.add_text("workflow", words, zip=True)
    notes.add_itxt("prompt", words, zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    large = profile + bytes(megabytes << 20)
    content = encode(draw_scene(), "PNG", pnginfo=notes, icc_profile=large)

    assert len(content) < 1 << 20
    assert check_picture(content).digest == check_picture(encode(draw_scene(), "PNG")).digest


def test_trailing_data(encode: Encode) -> None:
    """Data behind the picture (an archive, a script) is dropped."""
    for kind in ("JPEG", "PNG", "WEBP"):
        checked = check_picture(encode(draw_scene(), kind) + b"PK\x03\x04 <script>SECRET</script>")

        assert b"SECRET" not in checked.pixels + checked.preview


def test_warnings(encode: Encode) -> None:
    """A blurred picture gets a warning; a sharp one, however small or plain, does not."""
    large = draw_scene(size=(2000, 1500))
    soft = check_picture(encode(large.filter(ImageFilter.GaussianBlur(12)), "JPEG"))
    sharp = check_picture(encode(large, "JPEG"))
    tiny = [check_picture(encode(emoji(size), "PNG")) for size in (32, 64, 128)]
    noisy = check_picture(encode(emoji(128).filter(ImageFilter.GaussianBlur(5)), "PNG"))

    assert (soft.warnings, sharp.warnings) == (("blurred",), ())
    assert [checked.warnings for checked in tiny] == [("tiny",)] * 3
    assert noisy.warnings == ("tiny", "blurred")
