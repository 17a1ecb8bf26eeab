"""The darkroom's child process: decodes pictures under limits of memory and time.

python -P -m storage.photos.child [probe]

A message is its length (8 bytes, big-endian) and its content. For each picture on stdin there are
two messages on stdout: JSON with the fields of `CheckedPhoto` or an error, then the pixels (PNG)
and the preview (WebP) one after the other; `cut` in the JSON is where the preview begins. For a
preview with a number before it, JSON has at most an error, and the preview has the number on it.
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

from storage.errors import UserError
from storage.photos.confine import give_up_rights, try_attempts
from storage.photos.number import draw_number, load_font
from storage.photos.pixels import check_picture
from storage.photos.sandbox import (
    MEMORY_EXIT_CODE,
    MIB,
    NUMBER_BYTES,
    NUMBER_MARK,
    receive_message,
    send_message,
)

MAX_MEMORY_BYTES = 1 << 30  #: of address space
MAX_CPU_SECONDS = 10  #: for one picture
MAX_CHUNK_BYTES = 64 * MIB  #: of a PNG's text or colour profile, unpacked; Pillow's own is 1 MiB
DECODE_THREADS = 2
PREVIEW_AT = len(NUMBER_MARK) + NUMBER_BYTES
#: modules that Pillow imports when it first meets a file; later it could not
NEEDED_PLUGINS = (AvifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
#: with which Pillow refuses a PNG whose text or profile exceeds the limit
LARGE_CHUNK_ERRORS = ("Decompressed data too large", "Too much memory used in text chunks")


def main() -> None:
    """Process pictures until stdin is closed; `probe` instead tries which rights are left."""
    prepare_decoders()
    os.nice(5)  # the bot's event loop comes first
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the bot's end closes stdin
    limit_resources()
    give_up_rights()
    if sys.argv[1:] == ["probe"]:
        send_message(sys.stdout.buffer, json.dumps(try_attempts()).encode())
        return
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            content = receive_message(sys.stdin.buffer)
            extend_cpu_limit(MAX_CPU_SECONDS)
            head, body = process_picture(content)
            send_message(sys.stdout.buffer, json.dumps(head).encode())
            send_message(sys.stdout.buffer, body)


def prepare_decoders() -> None:
    """Register the decoders, and set their limits."""
    Image.preinit()
    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = DECODE_THREADS
    AvifImagePlugin.DEFAULT_MAX_THREADS = DECODE_THREADS
    Image.MAX_IMAGE_PIXELS = None  # `check_size` is stricter and comes first
    load_font(1)  # imports what draws letters
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_CHUNK_BYTES


def process_picture(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return both messages for a picture: JSON, and the bytes of pixels and preview."""
    try:
        if content.startswith(NUMBER_MARK):
            number, preview = content[len(NUMBER_MARK) :][:NUMBER_BYTES], content[PREVIEW_AT:]
            return {}, draw_number(preview, int.from_bytes(number, "big"))
        checked = asdict(check_picture(content))
    except UserError as error:
        return {"code": error.code, "facts": error.facts}, b""
    except MemoryError:  # the heap may be broken; the parent starts a new child
        raise SystemExit(MEMORY_EXIT_CODE) from None
    except ImportError:
        raise  # ours, not the picture's: nothing can be imported any more
    except Exception as error:  # noqa: BLE001 - decoders raise anything when a file is broken
        large = str(error).startswith(LARGE_CHUNK_ERRORS)
        return {"code": "photo_memory" if large else "photo_damaged", "facts": {}}, b""
    pixels, preview = checked.pop("pixels"), checked.pop("preview")
    return checked | {"cut": len(pixels)}, pixels + preview


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
