"""Formats, detected by their first bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from storage.photos.formats import detect_format, name_unknown_codec, read_webp_header

PICTURES = Path(__file__).parent / "pictures"
Encode = Callable[..., bytes]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_accepted(encode: Encode, kind: str) -> None:
    """Accepted formats are detected by their bytes."""
    assert detect_format(encode(Image.new("RGB", (20, 20)), kind)) == kind


def test_heic() -> None:
    """HEIC and AVIF are detected by their first brand; `mif1` says neither, so others decide."""
    assert detect_format((PICTURES / "located.heic").read_bytes()) == "HEIF"
    assert detect_format(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif") == "AVIF"
    assert detect_format(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic") == "HEIF"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PDF", "JPEG2000", "EPS"])
def test_other_formats(encode: Encode, kind: str) -> None:
    """No other format is accepted, even if Pillow can read it."""
    assert detect_format(encode(Image.new("RGB", (20, 20)), kind)) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"RIFF\0\0\0\0WAVE",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"\0\0\0\x1cftypisom\0\0\0\0mif1heic",
        b"\0\0\0\0ftyp",
        b"\x80\x04\x95 pickle",
        b"PK\x03\x04",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"SIMPLE  =                    T",
    ],
)
def test_unknown(content: bytes) -> None:
    """Other files are not taken for pictures."""
    assert detect_format(content) is None


@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {}), ("RGB", {"lossless": True}), ("RGBA", {}), ("RGB", {"exif": b"Exif\0\0x"})],
)
def test_webp(encode: Encode, mode: str, options: dict[str, object]) -> None:
    """The size is read from each of WebP's three headers."""
    content = encode(Image.new(mode, (321, 123)), "WEBP", **options)

    assert read_webp_header(content) == (321, 123, False)


def test_animated_webp(encode: Encode) -> None:
    """An animated WebP is detected by its header."""
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]

    assert read_webp_header(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))[2]


def test_truncated_webp() -> None:
    """A WebP that ends within its header has no size."""
    for chunk in (b"VP8 ", b"VP8L", b"VP8X", b""):
        with pytest.raises(ValueError, match="header"):
            read_webp_header(b"RIFF\0\0\0\0WEBP" + chunk)


@pytest.mark.parametrize(
    ("kind", "old", "new", "codec"),
    [
        ("JPEG", b"\xff\xc0", b"\xff\xc3", "lossless JPEG"),
        ("JPEG", b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c", "JPEG with 12 bits"),
        ("JPEG", b"\xff\xc0", b"\xff\xf7", "JPEG-LS"),
        ("AVIF", b"av01", b"av02", "AV2"),
        ("AVIF", b"", b"", ""),
        ("JPEG", b"", b"", ""),
        ("PNG", b"", b"", ""),
    ],
)
def test_unknown_codec(encode: Encode, kind: str, old: bytes, new: bytes, codec: str) -> None:
    """A codec that no decoder here knows is named."""
    content = encode(Image.new("RGB", (20, 20)), kind)

    assert name_unknown_codec(content.replace(old, new)) == codec
