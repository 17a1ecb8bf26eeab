"""Detect picture formats and codecs by their bytes, never by name; nothing is decoded here."""

from __future__ import annotations

import re

#: first brands that libheif opens; `mif1` and `msf1` name no codec, so another brand decides
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
HEIC_SEQUENCE_BRANDS = frozenset({b"hevc", b"hevx", b"hevm", b"hevs"})
AVIF_BRANDS = frozenset({b"avif", b"avis"})
MIN_WEBP_BYTES = 25  #: as long as the shortest header, VP8L's
CONTAINER_BRANDS = frozenset({b"mif1", b"msf1"})
#: an item's entry in a HEIF: version, flags, number, protection, and its codec
HEIF_ITEM = re.compile(rb"infe(?:\x02.{7}|\x03.{9})(\w{4})", re.DOTALL)
#: codecs that are not built into the decoder of their format, with their names
HEIF_CODECS = {
    b"av01": "AV1", b"avc1": "H.264", b"evc1": "EVC", b"j2k1": "JPEG 2000", b"jpeg": "JPEG",
    b"jxl1": "JPEG XL", b"unci": "uncompressed", b"vvc1": "H.266",
}  # fmt: skip
AVIF_CODECS = HEIF_CODECS | {b"av01": "", b"av02": "AV2", b"hvc1": "HEVC"}
JPEG_LS = 0xF7  #: marker of the frame
JPEG_FRAMES = frozenset({*range(0xC0, 0xD0), JPEG_LS} - {0xC4, 0xC8, 0xCC})
READ_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
READ_JPEG_LAYERS = frozenset({1, 3, 4})
JPEG_BITS, MAX_JPEG_LAYERS = range(2, 17), 8  #: with other values the header is damaged
#: a still's size in a HEIF
HEIF_SIZE = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)


def detect_format(content: bytes) -> str | None:
    """Return Pillow's name of the format, or None if it is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    return _detect_heif(content)


def is_heif_sequence(content: bytes) -> bool:
    """Return whether a HEIF says that it is first of all a sequence, not a still."""
    return content[8:12] in HEIC_SEQUENCE_BRANDS | {b"msf1"}


def name_unknown_codec(content: bytes) -> str:
    """Return the codec of a picture that its decoder does not know; "" if it knows it."""
    kind = detect_format(content)
    if kind == "JPEG":
        return _name_jpeg_codec(content)
    if kind in {"HEIF", "AVIF"}:
        names = AVIF_CODECS if kind == "AVIF" else HEIF_CODECS
        found = (names.get(item) for item in HEIF_ITEM.findall(content))
        return next(filter(None, found), "")
    return ""


def _name_jpeg_codec(content: bytes) -> str:
    """Name what a JPEG's frame header says (ITU-T T.81, B.2.2), if that is not decoded."""
    at = 2
    while len(header := content[at : at + 10]) == 10 and header[0] == 0xFF:
        marker, bits, layers = header[1], header[4], header[9]
        if marker in JPEG_FRAMES:
            if marker == JPEG_LS:
                return "JPEG-LS"
            if bits not in JPEG_BITS or not 0 < layers <= MAX_JPEG_LAYERS:
                return ""
            if bits != 8:
                return f"JPEG with {bits} bits"
            if layers not in READ_JPEG_LAYERS:
                return f"JPEG with {layers} layers"
            return "" if marker in READ_JPEG_FRAMES else "lossless JPEG"
        at += 2 + int.from_bytes(header[2:4], "big")
    return ""


def _detect_heif(content: bytes) -> str | None:
    """Return HEIF or AVIF by the brands in the `ftyp` box (ISO 14496-12)."""
    if content[4:8] != b"ftyp":
        return None
    box = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    first, *others = (box[at : at + 4] for at in range(0, max(len(box), 4), 4) if at != 4)
    if first in AVIF_BRANDS or (first in CONTAINER_BRANDS and AVIF_BRANDS & set(others)):
        return "AVIF"
    return "HEIF" if first in HEIC_BRANDS | HEIC_SEQUENCE_BRANDS | CONTAINER_BRANDS else None


def list_heif_sizes(content: bytes) -> list[tuple[int, int]]:
    """Return width and height of each still in a HEIF or AVIF, as its header has them."""
    found = HEIF_SIZE.findall(content)
    return [(int.from_bytes(w, "big"), int.from_bytes(h, "big")) for w, h in found]


def read_webp_header(content: bytes) -> tuple[int, int, bool]:
    """Return a WebP's width, height and whether it is animated (RFC 9649, section 2).

    Pillow's decoder allocates the canvas as it opens the file, so sizes are checked before.
    Raises ValueError if the file ends within its header.
    """
    if len(content) < MIN_WEBP_BYTES:
        raise ValueError("the file ends within its header")
    chunk, body = content[12:16], content[20:30].ljust(10, b"\0")
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height, bool(body[0] & 0x02)
    if chunk == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, False
    width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width, height, False
