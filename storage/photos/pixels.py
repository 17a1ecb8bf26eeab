"""Check, decode and measure a picture. Only `storage.photos.child` may call this."""

from __future__ import annotations

import hashlib
from io import BytesIO

from PIL import Image, ImageCms, ImageFilter, ImageStat

from storage.errors import UserError
from storage.photos.formats import detect_format, is_heif_sequence, read_webp_header
from storage.photos.sandbox import MAX_KEPT_SIDE
from storage.records import CheckedPhoto

PREVIEW_SIDE = 512  #: pixels
MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000  #: pixels
MIN_SIDE = 16  #: pixels, as kept
TINY_SIDE = 256  #: pixels; smaller pictures get a warning
MIN_SHARPNESS = 20.0  #: photos in focus have 90 to 600, drawings no less
EXIF_ORIENTATION = 0x0112  #: tag
UPRIGHT_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def check_picture(content: bytes) -> CheckedPhoto:
    """Return a picture's pixels, preview and measures; raise UserError if it is not accepted."""
    kind = detect_format(content)
    if kind is None:
        raise UserError("photo_unknown")
    picture = open_picture(content, kind)
    return measure_picture(decode_picture(picture))


def open_picture(content: bytes, kind: str) -> Image.Image:
    """Open a picture without decoding it; raise UserError if its header exceeds the limits."""
    if kind == "WEBP":
        width, height, moves = read_webp_header(content)
        check_size(width, height, animated=moves)
    picture = Image.open(BytesIO(content), formats=(kind,))
    if kind == "HEIF":  # further stills are the shots of a burst; the primary one is opened
        moves = is_heif_sequence(content)
    else:  # further frames of a JPEG are no animation but depth maps and previews of cameras
        moves = kind != "JPEG" and getattr(picture, "n_frames", 1) > 1
    check_size(*picture.size, animated=moves)
    return picture


def check_size(width: int, height: int, *, animated: bool) -> None:
    """Raise UserError for a picture that is too large, too small or animated."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise UserError(
            "photo_big", megapixels=round(width * height / 1e6), width=width, height=height
        )
    if animated:
        raise UserError("photo_animated")
    if min(fit_size(width, height)) < MIN_SIDE:
        raise UserError("photo_small", width=width, height=height, least=MIN_SIDE)


def fit_size(width: int, height: int) -> tuple[int, int]:
    """Return the size to keep: the longer side at most `MAX_KEPT_SIDE`, never enlarged."""
    scale = min(1.0, MAX_KEPT_SIDE / max(width, height, 1))
    return round(width * scale), round(height * scale)


def decode_picture(picture: Image.Image) -> Image.Image:
    """Decode to upright RGB pixels of the size to keep, without anything else of the file.

    A picture with transparent parts is composited on white and keeps its alpha channel: a
    training may use it as a mask.
    """
    size = fit_size(*picture.size)
    picture.draft("RGB", size)  # JPEG decodes at a fraction of its size: faster, less memory
    picture.load()
    turn = UPRIGHT_TRANSPOSES.get(_read_orientation(picture))
    plain = _to_resizable_mode(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    coloured = _to_srgb(plain, picture.info.get("icc_profile"))
    if plain.mode == "RGBA" and plain.getchannel("A").getextrema() != (255, 255):
        coloured.putalpha(plain.getchannel("A"))
    upright = coloured if turn is None else coloured.transpose(turn)
    return Image.frombytes(upright.mode, upright.size, upright.tobytes())


def measure_picture(picture: Image.Image) -> CheckedPhoto:
    """Return a decoded picture's files, hashes and warnings."""
    small = picture.convert("RGB")
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    grey = small.convert("L")
    warnings = []
    if min(picture.size) < TINY_SIDE:
        warnings.append("tiny")
    if measure_sharpness(grey) < MIN_SHARPNESS:
        warnings.append("blurred")
    size = b"%dx%d:" % picture.size
    return CheckedPhoto(
        digest=hashlib.sha256(size + picture.tobytes()).hexdigest(),
        phash=difference_hash(grey),
        width=picture.width,
        height=picture.height,
        pixels=_encode(picture, "PNG", compress_level=1),
        preview=_encode(small, "WEBP", quality=80, method=2),
        warnings=tuple(warnings),
    )


def measure_sharpness(grey: Image.Image) -> float:
    """Return the variance of the Laplacian (Pech-Pacheco et al. 2000)."""
    # Pillow's filter leaves the border as it is
    edges = grey.filter(LAPLACIAN).crop((1, 1, grey.width - 1, grey.height - 1))
    return ImageStat.Stat(edges).var[0]


def difference_hash(grey: Image.Image) -> int:
    """Return 64 bits of an 8x8 grid: whether each cell is brighter than the next to the right."""
    spots = grey.resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    pairs = [(row * 9 + at, row * 9 + at + 1) for row in range(8) for at in range(8)]
    return sum((spots[left] > spots[right]) << bit for bit, (left, right) in enumerate(pairs))


def _read_orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - the pixels of a picture with broken EXIF may be fine
        return 1


def _to_resizable_mode(picture: Image.Image) -> Image.Image:
    """Return a picture in a mode that can be resized: L, RGB, RGBA or CMYK."""
    if picture.mode.startswith("I"):  # 16-bit grey; convert() alone would clip it
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture if picture.mode in {"L", "CMYK"} else picture.convert("RGB")


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return sRGB: colour profile applied, transparent parts composited on white."""
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
            pass  # a broken profile, or one for another mode: take the values as sRGB
    return picture.convert("RGB")


def _encode(picture: Image.Image, kind: str, **options: int) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
