"""A style's small picture for its file's header: modelspec's `thumbnail`, without torch."""

from __future__ import annotations

import base64
import io
from itertools import product
from pathlib import Path

from PIL import Image

KEY = "modelspec.thumbnail"
DATA_URL_START = "data:image/jpeg;base64,"  #: RFC 2397, as modelspec 1.0.1 has it
SIDES_PIXELS = (256, 192, 128, 64)  #: pixels of the longer side, the largest first
QUALITIES = (80, 60, 40)  #: of JPEG
MAX_JPEG_BYTES = 6000  #: bytes of the JPEG: a header is read whole by everyone who lists styles


def make_thumbnail(picture: Path) -> str:
    """Write a picture as a data URL, 256 pixels long at most, the same bytes for the same pixels.

    It is never enlarged; the smallest size and quality are taken when nothing else fits.
    """
    with Image.open(picture, formats=("PNG",)) as opened:
        whole = opened.convert("RGB")
    content = b""
    for side, quality in product(SIDES_PIXELS, QUALITIES):
        content = encode_jpeg(whole, side, quality)
        if len(content) <= MAX_JPEG_BYTES:
            break
    return DATA_URL_START + base64.b64encode(content).decode()


def encode_jpeg(picture: Image.Image, side: int, quality: int) -> bytes:
    """Encode a picture as JPEG, at most so many pixels a side."""
    small, content = picture.copy(), io.BytesIO()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    small.save(content, "JPEG", quality=quality, optimize=True)
    return content.getvalue()


def thumbnail_bytes(told: dict[str, str]) -> int:
    """Count the bytes of the picture that a header carries; 0 where there is none."""
    url = told.get(KEY, "")
    if not url.startswith("data:image/") or ";base64," not in url:
        return 0
    letters = url.partition(";base64,")[2].rstrip("=")
    return len(letters) * 3 // 4
