"""Hostile pictures: honest files of every accepted format, crafted ones, and mutations."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from benchmarks.hostile.boxes import box, join_frames, join_stills, nest, relate_stills
from storage.photos.sandbox import FRAMING_MARK, STRIP_MARK, TILE_HEAD, TILE_MARK

HEIC_FILES = Path(__file__).parents[2] / "tests" / "storage" / "photos" / "pictures"
PNG_START = b"\x89PNG\r\n\x1a\n"
ACCEPTED = "accepted"
EITHER = ""  #: accepted or refused, by a decoder's leave
SCRIPT = b"<!DOCTYPE html><html><script>alert('SECRET')</script></html>"


@dataclass(frozen=True, slots=True)
class Picture:
    """A file with what becomes of it: ACCEPTED, the code of its refusal, or EITHER."""

    name: str
    content: bytes
    expected: str = EITHER


def scene(size: tuple[int, int] = (96, 64), mode: str = "RGB") -> Image.Image:
    """Draw a picture with edges."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for at in range(0, size[0], 12):
        draw.ellipse((at, 4, at + 9, size[1] - 4), fill=(at * 2 % 256, 80, 200))
    return picture.convert(mode)


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@cache
def list_honest() -> tuple[Picture, ...]:
    """Return a file of each accepted format and variant."""
    frames = [scene(), scene().rotate(90)]
    deep = Image.new("I;16", (64, 48), 40_000)
    two = (HEIC_FILES / "two.heic").read_bytes()
    files = {
        "jpeg": encode(scene(), "JPEG"),
        "jpeg-progressive": encode(scene(), "JPEG", progressive=True),
        "jpeg-grey": encode(scene(mode="L"), "JPEG"),
        "jpeg-cmyk": encode(scene(mode="CMYK"), "JPEG"),
        "jpeg-two": encode(frames[0], "MPO", save_all=True, append_images=frames[1:]),
        "png": encode(scene(), "PNG"),
        "png-alpha": encode(scene(mode="RGBA"), "PNG"),
        "png-palette": encode(scene(mode="P"), "PNG", transparency=0),
        "png-grey-alpha": encode(scene(mode="LA"), "PNG"),
        "png-bits": encode(scene(mode="1"), "PNG"),
        "png-16": encode(deep, "PNG"),
        "webp": encode(scene(), "WEBP"),
        "webp-lossless": encode(scene(mode="RGBA"), "WEBP", lossless=True),
        "avif": encode(scene(), "AVIF", speed=10),
        "avif-alpha": encode(scene(mode="RGBA"), "AVIF", speed=10),
        "avif-two": join_stills(*(encode(one, "AVIF", speed=10) for one in frames), primary=2),
        "heic": (HEIC_FILES / "located.heic").read_bytes(),
        "heic-two": two,
        "heic-alpha": relate_stills(two, alpha=True),
        "heic-spatial": relate_stills(two, alpha=False),
    }
    return tuple(Picture(name, content, ACCEPTED) for name, content in files.items())


def list_crafted() -> Iterator[Picture]:
    """Yield files that were made to harm, and honest ones that are often refused."""
    for group in (
        list_strangers,
        list_wrong_sizes,
        list_bombs,
        list_moving,
        list_codecs,
        list_profiles,
        list_orientations,
        list_boxes,
        list_polyglots,
        list_chunks,
    ):
        yield from group()


def list_strangers() -> Iterator[Picture]:
    """Yield files of other kinds, whatever they are called."""
    unknown = {
        "html.jpg": SCRIPT,
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "zip": b"PK\x03\x04" + bytes(60),
        "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94",
        "elf": b"\x7fELF\x02\x01\x01" + bytes(60),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "quicktime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        "zeros": bytes(1000),
        "ones": b"\xff" * 1000,
        "text": "Ein Bild, wirklich! ☃".encode(),
        "wave": b"RIFF\x24\0\0\0WAVEfmt " + bytes(20),
        # what the bot itself asks
        "tile": TILE_MARK + TILE_HEAD.pack(1, 0, 0, 1, 1) + encode(scene(), "WEBP"),
        "strip": STRIP_MARK + b"\0\0\0\2{}" + encode(scene(), "WEBP"),
        "framing": FRAMING_MARK + encode(scene(), "WEBP"),
    }
    yield Picture("empty", b"", "photo_empty")
    yield Picture("heavy", b"\xff\xd8\xff" + bytes(26 << 20), "photo_heavy")
    for name, content in unknown.items():
        yield Picture(name, content, "photo_unknown")
    for kind in ("GIF", "BMP", "TIFF", "ICO", "PDF", "JPEG2000", "TGA", "PPM"):
        yield Picture(kind.lower(), encode(scene(), kind), "photo_unknown")
    starts = [b"\xff\xd8\xff", PNG_START, b"RIFF\x10\0\0\0WEBP"]
    starts += [b"\0\0\0\x14ftyp" + brand + b"\0\0\0\0mif1" for brand in (b"heic", b"avif")]
    for number, start in enumerate(starts):
        yield Picture(f"only-start-{number}", start, "photo_damaged")
        noise = random.Random(number).randbytes(500)
        yield Picture(f"start-and-noise-{number}", start + noise, EITHER)


def list_wrong_sizes() -> Iterator[Picture]:
    """Yield files whose header gives another size than their pixels have."""
    sizes = {
        (0, 0): "photo_damaged", (0, 9): "photo_damaged", (1, 1): "photo_small",
        (15, 15): "photo_small", (96, 65): EITHER, (95, 64): EITHER, (4000, 16): "photo_small",
        (16, 12_000): "photo_small", (5000, 5000): EITHER, (16_385, 20): "photo_long",
        (20, 16_385): "photo_long", (20_000, 20_000): "photo_big", (15_000, 14_000): "photo_big",
        (65_535, 65_535): "photo_big", (0x7FFFFFFF, 0x7FFFFFFF): "photo_big",
    }  # fmt: skip
    names = ("jpeg", "png", "webp", "heic", "avif")
    jpeg, png, webp, heic, avif = map(find_honest, names)
    for (width, height), expected in sizes.items():
        name = f"{width}x{height}"
        size = struct.pack(">II", width, height)
        yield Picture(f"png-{name}", replace_chunk(png, b"IHDR", size + png[24:29]), expected)
        if max(width, height) < 1 << 16:
            at = jpeg.index(b"\xff\xc0") + 5
            content = overwrite(jpeg, at, struct.pack(">HH", height, width))
            yield Picture(f"jpeg-{name}", content, expected)
        if max(width, height) < 1 << 14:
            content = overwrite(webp, 26, struct.pack("<HH", width, height))
            yield Picture(f"webp-{name}", content, expected)
        for kind, content in (("heic", heic), ("avif", avif)):
            at = content.index(b"ispe") + 8
            yield Picture(f"{kind}-{name}", overwrite(content, at, size), expected)


def list_bombs() -> Iterator[Picture]:
    """Yield small files that want much memory."""
    square = Image.new("1", (8100, 8100))
    yield Picture("png-66-megapixels", encode(square, "PNG", compress_level=1), "photo_big")
    yield Picture("png-64-megapixels", encode(square.crop((0, 0, 8000, 8000)), "PNG"), ACCEPTED)
    yield Picture("jpeg-long", encode(Image.new("L", (17_000, 40)), "JPEG"), "photo_long")
    yield Picture("thin", encode(Image.new("L", (11_000, 40)), "PNG"), "photo_small")
    png = list_honest()[5].content
    data = chunk(b"IDAT", zlib.compress(bytes(30 << 20), 1))
    yield Picture("png-pixels-too-many", png[:33] + data + chunk(b"IEND", b""), EITHER)
    for megabytes, expected in ((3, ACCEPTED), (70, "photo_memory")):
        packed = zlib.compress(b"x" * (megabytes << 20), 1)
        texts = {
            "text": chunk(b"zTXt", b"note\0\0" + packed),
            "itxt": chunk(b"iTXt", b"note\0\x01\0\0\0" + packed),
            "profile": chunk(b"iCCP", b"icc\0\0" + packed),
        }
        for name, part in texts.items():
            yield Picture(f"png-{name}-{megabytes}", png[:33] + part + png[33:], expected)
    many = chunk(b"zTXt", b"note\0\0" + zlib.compress(b"x" * (1 << 20), 9)) * 80
    yield Picture("png-texts-many", png[:33] + many + png[33:], "photo_memory")


def list_moving() -> Iterator[Picture]:
    """Yield animations."""
    frames = [scene(), scene().rotate(90), scene().rotate(180)]
    for kind in ("PNG", "WEBP", "AVIF"):
        content = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        yield Picture(f"{kind.lower()}-moving", content, ACCEPTED)
    heic = (HEIC_FILES / "two.heic").read_bytes()
    moving = join_frames(heic, 2, 64)
    yield Picture("heic-moving", moving, ACCEPTED)
    yield Picture("heic-moving-with-cover", overwrite(heic, 8, b"msf1"), ACCEPTED)
    for part in (b"moov", b"trak", b"stbl", b"stsd", b"hvc1", b"hvcC", b"stsz", b"stco"):
        at = moving.index(part)
        yield Picture(
            f"heic-moving-no-{part.decode()}", overwrite(moving, at, b"free"), "photo_damaged"
        )
        cut = overwrite(moving, at - 4, b"\0\0\0\x08")
        yield Picture(f"heic-moving-empty-{part.decode()}", cut, "photo_damaged")
    located = (HEIC_FILES / "located.heic").read_bytes()
    crashing = overwrite(located, located.index(b"Exif") + 3, b"\x80")  # a kind that is no UTF-8
    yield Picture("heic-crash", crashing, "photo_crashed")
    for primary in (0, 3, 255):
        content = overwrite(heic, heic.index(b"pitm") + 8, struct.pack(">H", primary))
        yield Picture(f"heic-primary-{primary}", content, "photo_damaged")


def list_codecs() -> Iterator[Picture]:
    """Yield pictures in codecs that their format allows and its decoder here does not know."""
    jpeg, heic, avif = (find_honest(name) for name in ("jpeg", "heic", "avif"))
    frame = jpeg.index(b"\xff\xc0")
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7):
        content = overwrite(jpeg, frame + 1, bytes([marker]))
        yield Picture(f"jpeg-frame-{marker:x}", content, "photo_codec")
    for bits in (0, 1, 17, 255):
        content = overwrite(jpeg, frame + 4, bytes([bits]))
        yield Picture(f"jpeg-bits-{bits}", content, "photo_damaged")
    for bits in (2, 12, 16):
        yield Picture(
            f"jpeg-bits-{bits}", overwrite(jpeg, frame + 4, bytes([bits])), "photo_codec"
        )
    for layers, expected in ((0, "photo_damaged"), (2, "photo_codec"), (5, "photo_codec")):
        content = overwrite(jpeg, frame + 9, bytes([layers]))
        yield Picture(f"jpeg-layers-{layers}", content, expected)
    for codec in (b"av01", b"avc1", b"evc1", b"j2k1", b"jpeg", b"jxl1", b"unci", b"vvc1"):
        content = heic.replace(b"hvc1", codec)
        yield Picture(f"heic-{codec.decode()}", content, "photo_codec")
    for codec in (b"av02", b"hvc1", b"j2k1"):
        content = avif.replace(b"av01", codec)
        yield Picture(f"avif-{codec.decode()}", content, "photo_codec")
    yield Picture("heic-no-codec", heic.replace(b"hvc1", b"\0\0\0\0"), "photo_damaged")


def find_honest(name: str) -> bytes:
    """Return an honest file."""
    return next(each.content for each in list_honest() if each.name == name)


def list_profiles() -> Iterator[Picture]:
    """Yield pictures with damaged colour profiles, and with those of other modes."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    huge = overwrite(srgb, 0, b"\xff\xff\xff\xff")
    tags = overwrite(srgb, 128, b"\x7f\xff\xff\xff")
    profiles = {"lab": lab, "cut": srgb[:100], "noise": random.Random(3).randbytes(900)}
    profiles |= {"huge": huge, "tags": tags, "words": b"no profile", "zeros": bytes(300)}
    for name, profile in profiles.items():
        for kind, mode in (("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "L")):
            content = encode(scene(mode=mode), kind, icc_profile=profile)
            yield Picture(f"{kind.lower()}-{mode.lower()}-icc-{name}", content, ACCEPTED)
        content = encode(scene(), "WEBP", icc_profile=profile)
        yield Picture(f"webp-icc-{name}", content, ACCEPTED)


def list_orientations() -> Iterator[Picture]:
    """Yield pictures with every orientation, with impossible ones, and with damaged EXIF."""
    for orientation in (*range(10), 255, 65_535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("JPEG", "WEBP"):
            content = encode(scene(), kind, exif=exif)
            yield Picture(f"{kind.lower()}-turned-{orientation}", content, ACCEPTED)
    endless = b"II*\0\x08\0\0\0" + b"\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0" + b"\x08\0\0\0"
    text = b"II*\0\x08\0\0\0" + b"\x01\0\x12\x01\x02\0\x04\0\0\0one\0" + bytes(4)
    far = b"II*\0\xff\xff\xff\x7f"
    many = b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" * 9
    for name, damaged in (("endless", endless), ("text", text), ("far", far), ("many", many)):
        for kind in ("JPEG", "PNG", "WEBP"):
            content = encode(scene(), kind, exif=b"Exif\0\0" + damaged)
            yield Picture(f"{kind.lower()}-exif-{name}", content, ACCEPTED)


def list_boxes() -> Iterator[Picture]:
    """Yield HEIFs with strange boxes: nested deeply, endless, overlapping, without sizes."""
    for brand in (b"heic", b"avif", b"mif1"):
        start, name = box(b"ftyp", brand + bytes(4) + b"mif1heic"), brand.decode()
        bodies = {
            f"nested-{depth}": nest(depth, kind)
            for depth in (10, 1000)
            for kind in (b"meta", b"iprp", b"moov")
        }
        bodies |= {
            "no-size": bytes(4) + b"meta" + bytes(40),
            "long-size": b"\0\0\0\x01meta" + b"\x7f" + b"\xff" * 7 + bytes(40),
            "negative": b"\0\0\0\x01meta" + b"\xff" * 8 + bytes(40),
            "tiny": b"\0\0\0\x04meta" * 20,
            "huge": b"\xff\xff\xff\xffmeta" + bytes(40),
            "many": box(b"free", b"") * 5000,
        }
        for kind, body in bodies.items():
            yield Picture(f"{name}-{kind}", start + body, "photo_damaged")


def list_polyglots() -> Iterator[Picture]:
    """Yield pictures with something else before, behind or inside them."""
    tails = {"html": SCRIPT, "zip": b"PK\x03\x04SECRET", "zeros": bytes(100_000)}
    for honest in list_honest():
        for name, tail in tails.items():
            yield Picture(f"{honest.name}+{name}", honest.content + tail, ACCEPTED)
    for kind, content in (("jpeg", list_honest()[0].content), ("png", list_honest()[5].content)):
        yield Picture(f"html+{kind}", SCRIPT + content, "photo_unknown")
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SCRIPT.decode())
    yield Picture("png-script", encode(scene(), "PNG", pnginfo=notes), ACCEPTED)
    yield Picture("jpeg-script", encode(scene(), "JPEG", comment=SCRIPT), ACCEPTED)


def list_chunks() -> Iterator[Picture]:
    """Yield PNGs whose chunks are doubled, damaged, missing or in the wrong order."""
    png = encode(scene(), "PNG")
    head, rest = png[:33], png[33:]
    bad_sum = bytearray(png)
    bad_sum[29] ^= 1
    yield Picture("png-two-heads", png[:8] + png[8:33] * 2 + rest)
    yield Picture("png-no-pixels", head + chunk(b"IEND", b""), "photo_damaged")
    yield Picture("png-no-end", png[:-12], EITHER)
    yield Picture("png-bad-sum", bytes(bad_sum), "photo_damaged")
    yield Picture("png-unknown", head + chunk(b"aaAa", b"?") * 1000 + rest, ACCEPTED)
    yield Picture("png-length", overwrite(png, 33, b"\xff\xff\xff\xff"))
    parts = {"depth": 24, "colours": 25, "compression": 26, "filter": 27, "interlacing": 28}
    for part, byte in parts.items():
        for value in (3, 5, 16, 255):
            wrong = head[16:byte] + bytes([value]) + head[byte + 1 : 29]
            content = replace_chunk(png, b"IHDR", wrong)
            expected = EITHER if part == "compression" else "photo_damaged"  # there is only one
            yield Picture(f"png-{part}-{value}", content, expected)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def replace_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """Return a PNG with another body in its first chunk of a kind."""
    at = png.index(kind) - 4
    length = int.from_bytes(png[at : at + 4], "big")
    return png[:at] + chunk(kind, body) + png[at + 12 + length :]


def overwrite(content: bytes, at: int, new: bytes) -> bytes:
    """Return content with some bytes replaced."""
    return content[:at] + new + content[at + len(new) :]


def flip_bits(rng: random.Random, content: bytes) -> bytes:
    """Flip one to sixteen bits."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(rng: random.Random, content: bytes) -> bytes:
    """Cut the end off."""
    return content[: rng.randrange(len(content))]


def cut_out(rng: random.Random, content: bytes) -> bytes:
    """Cut something out of the middle."""
    at = rng.randrange(len(content))
    return content[:at] + content[at + rng.randrange(1, 40) :]


def double(rng: random.Random, content: bytes) -> bytes:
    """Repeat a part."""
    at = rng.randrange(len(content))
    return content[: at + rng.randrange(1, 200)] + content[at:]


def exaggerate(rng: random.Random, content: bytes) -> bytes:
    """Replace two or four bytes by an extreme number, more often near the start."""
    at = int(len(content) * rng.random() ** 3)
    number = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
    return overwrite(content, at, number[: rng.choice((2, 4))])[: len(content)]


def scramble(rng: random.Random, content: bytes) -> bytes:
    """Replace a part by noise."""
    at = rng.randrange(len(content))
    return overwrite(content, at, rng.randbytes(rng.randrange(1, 64)))[: len(content)]


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    flip_bits, cut_off, cut_out, double, exaggerate, scramble,
)  # fmt: skip


def mutate_pictures(rng: random.Random) -> Iterator[Picture]:
    """Yield mutations of honest pictures, without end."""
    while True:
        honest, mutation = rng.choice(list_honest()), rng.choice(MUTATIONS)
        content = mutation(rng, honest.content)
        if rng.random() < 0.2 and content:
            content = rng.choice(MUTATIONS)(rng, content)
        yield Picture(f"{honest.name} {mutation.__name__}", content)
