"""The boxes of HEIF files (ISO 14496-12): take apart, change, join two stills in one file."""

from __future__ import annotations

from collections.abc import Iterator


def box(kind: bytes, body: bytes) -> bytes:
    """Return a box."""
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def split(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes of a file or body, as (kind, body)."""
    while len(content) >= 8:
        size = int.from_bytes(content[:4], "big") or len(content)
        yield content[4:8], content[8:size]
        content = content[size:]


def nest(depth: int, kind: bytes = b"meta") -> bytes:
    """Return boxes inside boxes, so deep."""
    content = b""
    for _ in range(depth):
        content = box(kind, bytes(4) + content)
    return content


def join_stills(*files: bytes, primary: int) -> bytes:
    """Return one AVIF with the still of each file, as made by Pillow; `primary` counts from 1."""
    first = dict(split(files[0]))
    metas = [dict(split(dict(split(file))[b"meta"][4:])) for file in files]
    properties, links, datas, infos = b"", b"", [], b""
    for number, (file, meta) in enumerate(zip(files, metas, strict=True), 1):
        parts = dict(split(meta[b"iprp"]))
        before = sum(1 for _ in split(properties))
        count = parts[b"ipma"][10]
        indexes = [
            (one & 0x80) | ((one & 0x7F) + before) for one in parts[b"ipma"][11 : 11 + count]
        ]
        links += number.to_bytes(2, "big") + bytes([count, *indexes])
        properties += parts[b"ipco"]
        datas.append(dict(split(file))[b"mdat"])
        infos += box(b"infe", bytes([2, 0, 0, 0]) + number.to_bytes(2, "big") + b"\0\0av01\0")
    many = len(files).to_bytes(2, "big")

    def head(start: int) -> bytes:
        places = b""
        for number, data in enumerate(datas, 1):
            at = start + sum(map(len, datas[: number - 1]))
            places += number.to_bytes(2, "big") + bytes(2) + b"\0\1"
            places += at.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body = bytes(4) + box(b"hdlr", metas[0][b"hdlr"])
        body += box(b"pitm", bytes(4) + primary.to_bytes(2, "big"))
        body += box(b"iloc", bytes(4) + b"\x44\x00" + many + places)
        body += box(b"iinf", bytes(4) + many + infos)
        ipma = box(b"ipma", bytes(6) + many + links)
        body += box(b"iprp", box(b"ipco", properties) + ipma)
        return box(b"ftyp", first[b"ftyp"]) + box(b"meta", body)

    return head(len(head(0)) + 8) + box(b"mdat", b"".join(datas))
