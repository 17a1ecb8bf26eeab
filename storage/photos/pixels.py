"""Check, decode and measure a picture. Only `storage.photos.child` may call this."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO

from PIL import Image, ImageCms

from storage.errors import UserError
from storage.photos.faces import FaceDetector
from storage.photos.formats import (
    detect_format,
    is_heif_sequence,
    list_heif_sizes,
    read_webp_header,
)
from storage.photos.framing import frame_faces
from storage.photos.jpeg import draft_jpeg
from storage.photos.measures import list_warnings, measure
from storage.photos.png import encode_png
from storage.photos.sandbox import MAX_KEPT_SIDE
from storage.photos.sequences import has_stills, wrap_first_frame
from storage.records import CheckedPhoto

PREVIEW_SIDE = 512  #: pixels
#: pixels of the longer side of a JPEG that is decoded small enough to be kept as it is
MIN_DRAFT_SIDE = MAX_KEPT_SIDE * 95 // 100
#: The first are as phones have them, and take up to 935 MB of address space (a PNG with alpha). A
#: JPEG that is drafted, of which no pixels are made, takes 183 MB
MAX_PIXELS, MAX_DRAFTED_PIXELS = 65_000_000, 200_000_000
MAX_SIDE = 16_384  #: pixels
MIN_SIDE = 16  #: pixels, as kept
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


def check_picture(content: bytes, detector: FaceDetector | None = None) -> CheckedPhoto:
    """Return a picture's pixels, preview and measures; raise UserError if it is not accepted.

    Without a detector, faces are not looked for.
    """
    kind = detect_format(content)
    if kind is None:
        raise UserError("photo_unknown")
    picture = open_picture(content, kind)
    animated = is_animated(picture, content, kind)
    checked = measure_picture(decode_picture(picture), detector)
    return replace(checked, warnings=(*checked.warnings, "animated")) if animated else checked


def open_picture(content: bytes, kind: str) -> Image.Image:
    """Open a picture's first frame, or the still that it says to show, without decoding it.

    Raises UserError if its header exceeds the limits.
    """
    if kind == "WEBP":  # before its decoder allocates the canvas
        check_size(*read_webp_header(content)[:2])
    for size in list_heif_sizes(content) if kind in {"HEIF", "AVIF"} else ():
        check_most(*size)
    if kind == "HEIF" and is_heif_sequence(content) and not has_stills(content):
        content = wrap_first_frame(content)
    picture = Image.open(BytesIO(content), formats=(kind,))
    # the coefficients of a progressive JPEG are all kept
    drafted = kind == "JPEG" and "progressive" not in picture.info
    check_size(*picture.size, MAX_DRAFTED_PIXELS if drafted else MAX_PIXELS)
    return picture


def is_animated(picture: Image.Image, content: bytes, kind: str) -> bool:
    """Return whether a picture is a sequence of frames, not one of several stills."""
    if kind == "HEIF":  # further stills are the shots of a burst, or for the other eye
        return is_heif_sequence(content)
    # further frames of a JPEG are no animation but depth maps and previews of cameras
    return kind != "JPEG" and getattr(picture, "n_frames", 1) > 1


def check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise UserError for a picture that is too large or too small, ValueError for no picture."""
    check_most(width, height, most)
    if not width or not height:
        raise ValueError("a picture without pixels")
    if min(fit_size(width, height)) < MIN_SIDE:
        raise UserError("photo_small", width=width, height=height, least=MIN_SIDE)


def check_most(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise UserError for a picture that is too large."""
    if width * height > most:
        megapixels, limit = round(width * height / 1e6), round(most / 1e6)
        raise UserError("photo_big", megapixels=megapixels, most=limit, width=width, height=height)
    if max(width, height) > MAX_SIDE:
        raise UserError("photo_long", width=width, height=height, most=MAX_SIDE)


def fit_size(width: int, height: int) -> tuple[int, int]:
    """Return the size to keep: the longer side at most `MAX_KEPT_SIDE`, never enlarged."""
    scale = min(1.0, MAX_KEPT_SIDE / max(width, height, 1))
    return round(width * scale), round(height * scale)


def decode_picture(picture: Image.Image) -> Image.Image:
    """Decode to upright RGB pixels of the size to keep, without anything else of the file.

    A picture with transparent parts is composited on white and keeps its alpha channel: a
    training may use it as a mask.
    """
    draft_jpeg(picture, MIN_DRAFT_SIDE)
    picture.load()
    turn = UPRIGHT_TRANSPOSES.get(_read_orientation(picture))
    plain = shrink_picture(_to_resizable_mode(picture), fit_size(*picture.size))
    coloured = _to_srgb(plain, picture.info.get("icc_profile"))
    if plain.mode == "RGBA" and plain.getchannel("A").getextrema() != (255, 255):
        coloured.putalpha(plain.getchannel("A"))
    upright = coloured if turn is None else coloured.transpose(turn)
    upright.info = {}
    return upright


def shrink_picture(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture in a size; it is not copied if it has that."""
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def measure_picture(
    picture: Image.Image, detector: FaceDetector | None, *, masked: bool = False
) -> CheckedPhoto:
    """Return a decoded picture's files, hashes, warnings and framing.

    If it is masked, its alpha channel hides nothing of it, and only belongs to its digest.
    """
    seen = picture.convert("RGB") if masked else picture
    small = seen.convert("RGB")
    # by a whole number first, as far as the last step still shrinks
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS, reducing_gap=1.2)
    grey = small.convert("L")
    faces = detector.find_faces(small) if detector else None
    measures = measure(seen, faces)
    return CheckedPhoto(
        digest=digest_pixels(picture),
        plain_digest=digest_pixels(seen) if masked else "",
        phash=difference_hash(grey),
        width=picture.width,
        height=picture.height,
        pixels=encode_png(picture),
        preview=_encode_preview(small),
        warnings=list_warnings(measures, picture.size),
        measures=measures,
        framing=frame_faces(small, faces or []),
    )


def digest_pixels(picture: Image.Image) -> str:
    """Return the SHA-256 of a picture's size and pixels, hex."""
    digest = hashlib.sha256(b"%dx%d:" % picture.size)
    digest.update(picture.tobytes())
    return digest.hexdigest()


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
    return picture if picture.mode in {"L", "RGB", "CMYK"} else picture.convert("RGB")


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
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _encode_preview(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "WEBP", quality=80, method=0)
    return file.getvalue()
