"""The darkroom's child: one picture in, its clean pixels out, under limits of memory and time.

python -m storage.photos.child      messages of 8 bytes length and content, on stdin and stdout
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from dataclasses import asdict
from typing import Any

import pi_heif
from PIL import Image

from storage.errors import UserError
from storage.photos.pixels import check_picture
from storage.photos.sandbox import receive_message, send_message

MAX_MEMORY_BYTES = 1 << 30  #: bytes of address space
MAX_CPU_SECONDS = 10  #: of processor time for one picture


def main() -> None:
    """Develop pictures until nobody asks any more."""
    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = 2
    Image.MAX_IMAGE_PIXELS = None  # ours is stricter, and is asked before
    os.nice(5)
    limit_resources()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            content = receive_message(sys.stdin.buffer)
            extend_cpu_limit(MAX_CPU_SECONDS)
            head, body = process_picture(content)
            send_message(sys.stdout.buffer, json.dumps(head).encode())
            send_message(sys.stdout.buffer, body)


def process_picture(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what is known of a picture and its bytes, or what is wrong with it."""
    try:
        checked = asdict(check_picture(content))
    except UserError as error:
        return {"code": error.code, "facts": error.facts}, b""
    except MemoryError:
        raise SystemExit(1) from None  # a child that has run out of memory is not used again
    except Exception:  # noqa: BLE001 - decoders raise anything when a file is broken
        return {"code": "photo_truncated", "facts": {}}, b""
    pixels, preview = checked.pop("pixels"), checked.pop("preview")
    return checked | {"cut": len(pixels)}, pixels + preview


def limit_resources() -> None:
    """Take from this process what decoding does not need, as far as the system can."""
    limits = (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit address space
            resource.setrlimit(kind, (most, most))


def extend_cpu_limit(seconds: int) -> None:
    """Allow this process so much more processor time; it is killed when that is used up."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


if __name__ == "__main__":
    main()
