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


def join_frames(heic: bytes, count: int, size: int) -> bytes:
    """Return a HEIC's stills, square and equally long, as frames of a sequence without stills.

    The boxes are those of ISO 14496-12, section 8.
    """
    parts = dict(split(dict(split(heic))[b"meta"][4:]))
    config = dict(split(dict(split(parts[b"iprp"]))[b"ipco"]))[b"hvcC"]
    data = dict(split(heic))[b"mdat"]
    wide = size.to_bytes(2, "big")
    entry = bytes(6) + b"\0\1" + bytes(16) + wide * 2 + bytes(50) + box(b"hvcC", config)
    many = count.to_bytes(4, "big")
    sizes = (len(data) // count).to_bytes(4, "big") * count

    def head(start: int) -> bytes:
        table = box(b"stsd", bytes(4) + b"\0\0\0\1" + box(b"hvc1", entry))
        table += box(b"stts", bytes(4) + b"\0\0\0\1" + many + b"\0\0\0\x0a")
        table += box(b"stsc", bytes(4) + b"\0\0\0\1" + b"\0\0\0\1" + many + b"\0\0\0\1")
        table += box(b"stsz", bytes(8) + many + sizes)
        table += box(b"stco", bytes(4) + b"\0\0\0\1" + start.to_bytes(4, "big"))
        media = box(b"mdhd", bytes(12) + b"\0\0\0\x64" + bytes(8))
        media += box(b"hdlr", bytes(8) + b"pict" + bytes(13))
        media += box(b"minf", box(b"vmhd", bytes(12)) + box(b"stbl", table))
        track = box(b"tkhd", bytes(12) + b"\0\0\0\1" + bytes(60) + (wide + bytes(2)) * 2)
        movie = box(b"mvhd", bytes(12) + b"\0\0\0\x64" + bytes(84))
        movie += box(b"trak", track + box(b"mdia", media))
        return box(b"ftyp", b"msf1" + bytes(4) + b"msf1hevc") + box(b"moov", movie)

    return head(len(head(0)) + 8) + box(b"mdat", data)


def relate_stills(heic: bytes, *, alpha: bool) -> bytes:
    """Return `two.heic` whose second still is the first one's alpha, or its other eye's view.

    The boxes are those of ISO 23008-12, sections 6.5.8 (alpha) and 6.8.5 (stereo pairs).
    """
    parts = list(split(heic))
    meta = dict(split(dict(parts)[b"meta"][4:]))
    before = len(dict(parts)[b"meta"])
    if alpha:
        properties = dict(split(meta[b"iprp"]))
        number = sum(1 for _ in split(properties[b"ipco"])) + 1
        kind = box(b"auxC", bytes(4) + b"urn:mpeg:hevc:2015:auxid:1\0")
        *_, second = properties[b"ipma"].partition(b"\0\2\5")
        links = properties[b"ipma"][: -len(second) - 1] + b"\6" + second + bytes([0x80 | number])
        ipco = box(b"ipco", properties[b"ipco"] + kind)
        meta[b"iprp"] = ipco + box(b"ipma", links)
        meta[b"iref"] = bytes(4) + box(b"auxl", b"\0\2\0\1\0\1")
    else:
        pair = bytes(4) + b"\0\0\0\x64" + b"\0\0\0\2" + b"\0\0\0\1" + b"\0\0\0\2"
        meta[b"grpl"] = box(b"ster", pair)
    grown = sum(8 + len(body) for body in meta.values()) + 4 - before
    places = bytearray(meta[b"iloc"])
    for at in (12, 30):  # the base offset of each still
        start = int.from_bytes(places[at : at + 4], "big") + grown
        places[at : at + 4] = start.to_bytes(4, "big")
    meta[b"iloc"] = bytes(places)
    body = bytes(4) + b"".join(box(kind, part) for kind, part in meta.items())
    return b"".join(box(kind, body if kind == b"meta" else part) for kind, part in parts)
