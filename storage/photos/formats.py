"""Detect picture formats by their first bytes, never by name; nothing is decoded here."""

from __future__ import annotations

HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
HEIC_SEQUENCE_BRANDS = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"})  #: HEIC sequences
AVIF_BRANDS = frozenset({b"avif", b"avis"})


def detect_format(content: bytes) -> str | None:
    """Return Pillow's name of the format, or None if it is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    return "HEIF" if read_brands(content) & (HEIC_BRANDS | HEIC_SEQUENCE_BRANDS) else None


def read_brands(content: bytes) -> set[bytes]:
    """Return the brands in the `ftyp` box of a HEIC (ISO 14496-12); empty for other formats."""
    if content[4:8] != b"ftyp":
        return set()
    box = content[8 : min(int.from_bytes(content[:4], "big"), 256)]
    found = {box[at : at + 4] for at in range(0, len(box), 4) if at != 4}
    return set() if found & AVIF_BRANDS else found


def read_webp_header(content: bytes) -> tuple[int, int, bool]:
    """Return a WebP's width, height and whether it is animated (RFC 9649, section 2).

    Pillow's decoder allocates the canvas as it opens the file, so sizes are checked before.
    """
    chunk, body = content[12:16], content[20:30].ljust(10, b"\0")
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height, bool(body[0] & 0x02)
    if chunk == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, False
    width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return width, height, False
