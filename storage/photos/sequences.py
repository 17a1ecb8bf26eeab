"""Make a still of a HEIC sequence's first frame: libheif as it is bound here opens stills only.

The boxes are those of ISO 14496-12 (section 8) and, for the still, of ISO 23008-12.
"""

from __future__ import annotations

from collections.abc import Iterator

Path = tuple[bytes, ...]
FRAME_TABLE: Path = (b"mdia", b"minf", b"stbl")  #: in a track
CODED_KINDS = frozenset({b"hvc1", b"hev1"})  #: of frames in HEVC
ENTRY_BYTES = 78  #: of a visual sample entry, before its own boxes
SIZE_AT = 24  #: in such an entry: width and height


def wrap_first_frame(content: bytes) -> bytes:
    """Return a HEIC whose still is the sequence's first frame; raise ValueError if there is none.

    A damaged table raises KeyError, too.
    """
    for track in find_boxes(content, (b"moov", b"trak")):
        for table in find_boxes(track, FRAME_TABLE):
            parts = dict(split_boxes(table))
            for kind, entry in split_boxes(parts.get(b"stsd", b"")[8:]):
                if kind in CODED_KINDS:
                    config = dict(split_boxes(entry[ENTRY_BYTES:]))[b"hvcC"]
                    frame = content[find_first_frame(parts)]
                    return make_still(frame, config, entry[SIZE_AT : SIZE_AT + 4])
    raise ValueError("no frames in HEVC")


def has_stills(content: bytes) -> bool:
    """Return whether a HEIF has stills; those of a sequence are its covers."""
    return any(kind == b"meta" for kind, _ in split_boxes(content))


def find_first_frame(parts: dict[bytes, bytes]) -> slice:
    """Return where the first frame of a table lies in the file."""
    sizes, wide = parts[b"stsz"], b"co64" in parts
    size = int.from_bytes(sizes[4:8], "big") or int.from_bytes(sizes[12:16], "big")
    chunks = parts[b"co64" if wide else b"stco"]
    start = int.from_bytes(chunks[8 : 16 if wide else 12], "big")
    return slice(start, start + size)


def make_still(frame: bytes, config: bytes, size: bytes) -> bytes:
    """Return a HEIC of one frame; `size` is width and height, two bytes each."""
    wide, high = bytes(2) + size[:2], bytes(2) + size[2:]
    properties = make_box(b"hvcC", config) + make_box(b"ispe", bytes(4) + wide + high)
    links = make_box(b"ipma", b"\0\0\0\0\0\0\0\1" + b"\0\1\2\x81\2")
    start = make_box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def make_meta(at: int) -> bytes:
        place = at.to_bytes(4, "big") + len(frame).to_bytes(4, "big")
        return make_box(
            b"meta",
            bytes(4)
            + make_box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + make_box(b"pitm", bytes(4) + b"\0\1")
            + make_box(b"iloc", bytes(4) + b"\x44\0\0\1" + b"\0\1\0\0\0\1" + place)
            + make_box(b"iinf", bytes(4) + b"\0\1" + make_box(b"infe", b"\2\0\0\0\0\1\0\0hvc1\0"))
            + make_box(b"iprp", make_box(b"ipco", properties) + links),
        )

    at = len(start) + len(make_meta(0)) + 8
    return start + make_meta(at) + make_box(b"mdat", frame)


def find_boxes(content: bytes, path: Path) -> Iterator[bytes]:
    """Yield the bodies of the boxes at a path."""
    for kind, body in split_boxes(content):
        if kind == path[0]:
            if len(path) == 1:
                yield body
            else:
                yield from find_boxes(body, path[1:])


def split_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes side by side in a file or body, as (kind, body)."""
    at = 0
    while at + 8 <= len(content):
        size, start = int.from_bytes(content[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(content[start : start + 8], "big"), start + 8
        end = at + size if size else len(content)
        if end < start:
            return
        yield content[at + 4 : at + 8], content[start:end]
        at = end


def make_box(kind: bytes, body: bytes) -> bytes:
    """Return a box."""
    return (8 + len(body)).to_bytes(4, "big") + kind + body
