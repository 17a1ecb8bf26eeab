"""The darkroom's child process: decodes pictures under limits of memory and time.

python -P -m storage.photos.child [faces | probe]

A message is its length (8 bytes, big-endian) and its content. For each picture on stdin there are
two messages on stdout: JSON with the fields of `CheckedPhoto` or an error, then the pixels (PNG)
and the preview (WebP) one after the other; `cut` in the JSON is where the preview begins. A
preview behind a mark is drawn as a tile of a contact sheet, or looked at for its framing.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from io import BytesIO
from typing import Any

import pi_heif
from PIL import (
    AvifImagePlugin,
    Image,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from storage.crops import Box, Framing
from storage.errors import UserError
from storage.photos.confine import give_up_rights, try_attempts
from storage.photos.faces import FaceDetector
from storage.photos.formats import name_unknown_codec
from storage.photos.framing import find_framing
from storage.photos.masks import join_mask
from storage.photos.pixels import check_picture, check_size, measure_picture
from storage.photos.sandbox import (
    CUT_HEAD,
    CUT_MARK,
    FRAMING_MARK,
    MASK_HEAD,
    MASK_MARK,
    MEMORY_EXIT_CODE,
    MIB,
    STRIP_HEAD,
    STRIP_MARK,
    TILE_HEAD,
    TILE_MARK,
    receive_message,
    send_message,
)
from storage.photos.tile import draw_strip, draw_tile, load_font
from storage.records import CheckedPhoto
from storage.variations import Variation

MAX_MEMORY_BYTES = 1 << 30  #: of address space
MAX_CPU_SECONDS = 10  #: for one picture
MAX_CHUNK_BYTES = 64 * MIB  #: of a PNG's text or colour profile, unpacked; Pillow's own is 1 MiB
DECODE_THREADS = 2
#: modules that Pillow imports when it first meets a file; later it could not
NEEDED_PLUGINS = (AvifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
#: with which Pillow refuses a PNG whose text or profile exceeds the limit
LARGE_CHUNK_ERRORS = ("Decompressed data too large", "Too much memory used in text chunks")


def main() -> None:
    """Process pictures until stdin is closed; `probe` instead tries which rights are left."""
    prepare_decoders()
    os.nice(5)  # the bot's event loop comes first
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the bot's end closes stdin
    detector = FaceDetector.load() if sys.argv[1:] == ["faces"] else None
    limit_resources()
    give_up_rights()
    if sys.argv[1:] == ["probe"]:
        send_message(sys.stdout.buffer, json.dumps(try_attempts()).encode())
        return
    try:
        with contextlib.suppress(EOFError, BrokenPipeError):
            while True:
                content = receive_message(sys.stdin.buffer)
                extend_cpu_limit(MAX_CPU_SECONDS)
                head, body = process_picture(content, detector)
                send_message(sys.stdout.buffer, json.dumps(head).encode())
                send_message(sys.stdout.buffer, body)
    except MemoryError:  # the heap may be broken; the parent starts a new child
        raise SystemExit(MEMORY_EXIT_CODE) from None


def prepare_decoders() -> None:
    """Register the decoders, and set their limits."""
    Image.preinit()
    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = DECODE_THREADS
    AvifImagePlugin.DEFAULT_MAX_THREADS = DECODE_THREADS
    Image.MAX_IMAGE_PIXELS = None  # `check_size` is stricter and comes first
    load_font(1)  # imports what draws letters
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_CHUNK_BYTES


def process_picture(
    content: bytes, detector: FaceDetector | None = None
) -> tuple[dict[str, Any], bytes]:
    """Return both messages for a picture: JSON, and the bytes of pixels and preview."""
    try:
        if content.startswith(TILE_MARK):
            return {}, draw_marked(content.removeprefix(TILE_MARK))
        if content.startswith(STRIP_MARK):
            return {}, strip_marked(content.removeprefix(STRIP_MARK))
        if content.startswith(FRAMING_MARK):
            return frame_marked(content.removeprefix(FRAMING_MARK), detector), b""
        checked = asdict(check_marked(content, detector))
    except UserError as error:
        return {"code": error.code, "facts": error.facts}, b""
    except (ImportError, MemoryError):
        raise  # ours, not the picture's: nothing can be imported any more
    except Exception as error:  # noqa: BLE001 - decoders raise anything when a file is broken
        return explain_failure(content, error), b""
    pixels, preview = checked.pop("pixels"), checked.pop("preview")
    return checked | {"cut": len(pixels)}, pixels + preview


def draw_marked(content: bytes) -> bytes:
    """Draw a preview as a tile; before it stand its number and what is kept of it."""
    number, *kept = TILE_HEAD.unpack_from(content)
    drawn: bytes = draw_tile(content[TILE_HEAD.size :], number, Box(*kept))
    return drawn


def strip_marked(content: bytes) -> bytes:
    """Draw a preview in variations; before it stands JSON that says how."""
    (length,) = STRIP_HEAD.unpack_from(content)
    told, preview = content[STRIP_HEAD.size :][:length], content[STRIP_HEAD.size + length :]
    asked = json.loads(told)
    variations = [each and Variation.from_json(each) for each in asked["variations"]]
    size = (int(asked["size"][0]), int(asked["size"][1]))
    return draw_strip(preview, size, Framing.from_json(asked["framing"]), variations)


def check_marked(content: bytes, detector: FaceDetector | None) -> CheckedPhoto:
    """Return a picture, or one of ours behind a mark, with its measures."""
    if content.startswith(CUT_MARK):
        return cut_marked(content.removeprefix(CUT_MARK), detector)
    if content.startswith(MASK_MARK):
        return mask_marked(content.removeprefix(MASK_MARK), detector)
    return check_picture(content, detector)


def cut_marked(content: bytes, detector: FaceDetector | None) -> CheckedPhoto:
    """Return a stored photo without its bars; before it stands how wide they are."""
    left, top, right, bottom, masked = CUT_HEAD.unpack_from(content)
    with Image.open(BytesIO(content[CUT_HEAD.size :]), formats=("PNG",)) as opened:
        box = (left, top, opened.width - right, opened.height - bottom)
        check_size(box[2] - left, box[3] - top)
        return measure_picture(opened.crop(box), detector, masked=masked)


def mask_marked(content: bytes, detector: FaceDetector | None) -> CheckedPhoto:
    """Return a checked photo with its mask; before them stand lengths and the mask's name."""
    named, length = MASK_HEAD.unpack_from(content)
    name, pictures = content[MASK_HEAD.size :][:named], content[MASK_HEAD.size + named :]
    photo, mask = (
        Image.open(BytesIO(png), formats=("PNG",))
        for png in (pictures[:length], pictures[length:])
    )
    return measure_picture(join_mask(photo, mask, name.decode()), detector, masked=True)


def frame_marked(preview: bytes, detector: FaceDetector | None) -> dict[str, Any]:
    """Return the framing of a preview, as JSON."""
    with Image.open(BytesIO(preview), formats=("WEBP",)) as opened:
        return find_framing(opened.convert("RGB"), detector).to_json()


def explain_failure(content: bytes, error: Exception) -> dict[str, Any]:
    """Return the code and facts of what a decoder could not do."""
    if str(error).startswith(LARGE_CHUNK_ERRORS):
        return {"code": "photo_memory", "facts": {}}
    if codec := name_unknown_codec(content):
        return {"code": "photo_codec", "facts": {"codec": codec}}
    return {"code": "photo_damaged", "facts": {}}


def limit_resources() -> None:
    """Limit address space and forbid writing files and core dumps, where the system can."""
    limits = (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit address space
            resource.setrlimit(kind, (most, most))


def extend_cpu_limit(seconds: int) -> None:
    """Allow this process some more CPU seconds; the system kills it once they are used up."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


if __name__ == "__main__":
    main()
