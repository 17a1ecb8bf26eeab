"""Detect picture formats by their first bytes, never by name; nothing is decoded here."""

from __future__ import annotations

#: first brands that libheif opens; `mif1` and `msf1` name no codec, so another brand decides
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
HEIC_SEQUENCE_BRANDS = frozenset({b"hevc", b"hevx", b"hevm", b"hevs"})
AVIF_BRANDS = frozenset({b"avif", b"avis"})
MIN_WEBP_BYTES = 25  #: as long as the shortest header, VP8L's
CONTAINER_BRANDS = frozenset({b"mif1", b"msf1"})


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


def _detect_heif(content: bytes) -> str | None:
    """Return HEIF or AVIF by the brands in the `ftyp` box (ISO 14496-12)."""
    if content[4:8] != b"ftyp":
        return None
    box = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    first, *others = (box[at : at + 4] for at in range(0, max(len(box), 4), 4) if at != 4)
    if first in AVIF_BRANDS or (first in CONTAINER_BRANDS and AVIF_BRANDS & set(others)):
        return "AVIF"
    return "HEIF" if first in HEIC_BRANDS | HEIC_SEQUENCE_BRANDS | CONTAINER_BRANDS else None


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
