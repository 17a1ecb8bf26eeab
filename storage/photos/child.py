"""The darkroom's child process: decodes pictures under limits of memory and time.

python -m storage.photos.child

A message is its length (8 bytes, big-endian) and its content. For each picture on stdin there are
two messages on stdout: JSON with the fields of `CheckedPhoto` or an error, then the pixels (PNG)
and the preview (WebP) one after the other; `cut` in the JSON is where the preview begins.
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

MAX_MEMORY_BYTES = 1 << 30  #: of address space
MAX_CPU_SECONDS = 10  #: for one picture


def main() -> None:
    """Process pictures until stdin is closed."""
    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = 2
    Image.MAX_IMAGE_PIXELS = None  # `check_size` is stricter and comes first
    os.nice(5)  # the bot's event loop comes first
    limit_resources()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            content = receive_message(sys.stdin.buffer)
            extend_cpu_limit(MAX_CPU_SECONDS)
            head, body = process_picture(content)
            send_message(sys.stdout.buffer, json.dumps(head).encode())
            send_message(sys.stdout.buffer, body)


def process_picture(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return both messages for a picture: JSON, and the bytes of pixels and preview."""
    try:
        checked = asdict(check_picture(content))
    except UserError as error:
        return {"code": error.code, "facts": error.facts}, b""
    except MemoryError:
        raise SystemExit(1) from None  # the heap may be broken; the parent starts a new child
    except Exception:  # noqa: BLE001 - decoders raise anything when a file is broken
        return {"code": "photo_truncated", "facts": {}}, b""
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
