"""What happens to a picture's bytes in the darkroom's child: limits, clean pixels, a judgement.

Only `storage.photos.child`, the child, calls this: nobody else decodes a stranger's file.
"""

from __future__ import annotations

import hashlib
from io import BytesIO

from PIL import Image, ImageCms, ImageFilter, ImageStat

from storage.errors import UserError
from storage.photos.formats import MOVING, brands, sniff, webp
from storage.photos.sandbox import LONGEST
from storage.records import Checked

PREVIEW = 512
PIXELS = 40_000_000
SIDE = 12_000
LEAST = 16
TINY = 256
BLURRED = 20.0  #: of `sharpness`: photos in focus have 90 to 600, drawings no less
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def check(content: bytes) -> Checked:
    """Check a picture and return its clean pixels."""
    kind = sniff(content)
    if kind is None:
        raise UserError("photo_unknown")
    picture = opened(content, kind)
    return judged(develop(picture))


def opened(content: bytes, kind: str) -> Image.Image:
    """Open a picture without decoding it; refuse what its header says is too much."""
    if kind == "WEBP":
        width, height, moves = webp(content)
        limit(width, height, moves=moves)
    picture = Image.open(BytesIO(content), formats=(kind,))
    moves = kind != "JPEG" and getattr(picture, "n_frames", 1) > 1  # a JPEG's others are spare
    limit(*picture.size, moves=moves or bool(brands(content) & MOVING))
    return picture


def limit(width: int, height: int, *, moves: bool) -> None:
    """Refuse a picture by its measures."""
    if width * height > PIXELS or max(width, height) > SIDE:
        raise UserError(
            "photo_big", megapixels=round(width * height / 1e6), width=width, height=height
        )
    if moves:
        raise UserError("photo_animated")
    if min(fitted(width, height)) < LEAST:
        raise UserError("photo_small", width=width, height=height, least=LEAST)


def fitted(width: int, height: int) -> tuple[int, int]:
    """Return the measures that are kept: never larger, the longer side at most `LONGEST`."""
    scale = min(1.0, LONGEST / max(width, height, 1))
    return round(width * scale), round(height * scale)


def develop(picture: Image.Image) -> Image.Image:
    """Decode to upright RGB pixels of the kept size, with nothing else of the file.

    What is see-through keeps its alpha channel beside the colours it has on white: a training may
    take it for a mask.
    """
    size = fitted(*picture.size)
    picture.draft("RGB", size)
    picture.load()
    turn = UPRIGHT.get(_orientation(picture))
    plain = _plain(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    coloured = _coloured(plain, picture.info.get("icc_profile"))
    if plain.mode == "RGBA" and plain.getchannel("A").getextrema() != (255, 255):
        coloured.putalpha(plain.getchannel("A"))
    upright = coloured if turn is None else coloured.transpose(turn)
    return Image.frombytes(upright.mode, upright.size, upright.tobytes())


def judged(picture: Image.Image) -> Checked:
    """Measure a clean picture and write it down."""
    small = picture.convert("RGB")
    small.thumbnail((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)
    grey = small.convert("L")
    warnings = []
    if min(picture.size) < TINY:
        warnings.append("tiny")
    if sharpness(grey) < BLURRED:
        warnings.append("blurred")
    size = b"%dx%d:" % picture.size
    return Checked(
        digest=hashlib.sha256(size + picture.tobytes()).hexdigest(),
        phash=dhash(grey),
        width=picture.width,
        height=picture.height,
        pixels=_saved(picture, "PNG", compress_level=1),
        preview=_saved(small, "WEBP", quality=80, method=2),
        warnings=tuple(warnings),
    )


def sharpness(grey: Image.Image) -> float:
    """Return the variance of the Laplacian, without the border that the filter leaves alone."""
    edges = grey.filter(LAPLACIAN).crop((1, 1, grey.width - 1, grey.height - 1))
    return ImageStat.Stat(edges).var[0]


def dhash(grey: Image.Image) -> int:
    """Return 64 bits, each whether a spot is brighter than the one to its right."""
    spots = grey.resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    pairs = [(row * 9 + at, row * 9 + at + 1) for row in range(8) for at in range(8)]
    return sum((spots[left] > spots[right]) << bit for bit, (left, right) in enumerate(pairs))


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a broken note about the picture is no broken picture
        return 1


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture in one of the modes that can be resized: L, RGB, RGBA or CMYK."""
    if picture.mode.startswith("I"):  # 16-bit grey; convert() alone would clip it
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode in {"L", "CMYK"} else picture.convert("RGB")


def _coloured(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return RGB as a screen shows it: its colour profile applied, white behind what is clear."""
    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        picture = ground.convert("RGB")
    if profile and picture.mode in {"RGB", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            shown = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, source, shown, outputMode="RGB")
            return converted or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile for something else: the numbers as they are
    return picture.convert("RGB")


def _saved(picture: Image.Image, kind: str, **how: int) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()
