"""The darkroom: decodes strangers' pictures in child processes with little memory and time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Self

from storage.crops import Box, Framing, Size
from storage.errors import UserError
from storage.measurements import PhotoMeasures
from storage.photos.formats import detect_format
from storage.records import CheckedPhoto
from storage.variations import Variation

MAX_KEPT_SIDE = 1536  #: pixels; larger pictures are scaled down
MIB = 1 << 20
MAX_FILE_BYTES = 25 * MIB
MAX_CHILDREN = 2
TIMEOUT_SECONDS = 20.0  #: for one picture; 12 megapixels take 0.2
#: begin a message with a preview of ours; no picture begins so
TILE_MARK, FRAMING_MARK, STRIP_MARK = b"tile", b"framing", b"strip"
CUT_MARK, MASK_MARK = b"cut", b"mask"  #: begin a message with pixels of ours
STRIP_HEAD = struct.Struct(">I")  #: the length of the JSON that comes next, then the preview
#: pixels to cut off at the left, top, right and bottom; whether the alpha channel is a mask
CUT_HEAD = struct.Struct(">4I?")
#: the lengths of a mask's name and of a photo, which come next, then the mask
MASK_HEAD = struct.Struct(">2I")
TILE_HEAD = struct.Struct(">I4f")  #: a number, and the box that is kept; the preview comes next
CHILD_MODULE = "storage.photos.child"
MEMORY_EXIT_CODE = 77  #: of a child without memory left
INHERITED_VARIABLES = ("LD_LIBRARY_PATH",)  #: of the environment; some Pythons need it
#: glibc gives large blocks back at once; to get them anew takes a sixth of a photo's time
KEPT_BLOCKS = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(32 * MIB),  # its maximum
    "MALLOC_TRIM_THRESHOLD_": str(64 * MIB),
}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  #: numpy's would cost memory
#: with which a decoder crashes on a damaged picture
CRASH_SIGNALS = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP")


class Darkroom:
    """Checks pictures without decoding them in this process.

    With `faces`, they are framed by the faces in them, if the extra `faces` is installed.
    """

    def __init__(
        self,
        seconds: float = TIMEOUT_SECONDS,
        children: int = MAX_CHILDREN,
        *,
        faces: bool = False,
    ) -> None:
        self._seconds, self._faces = seconds, faces
        self._slots = asyncio.Semaphore(children)
        self._idle: list[Child] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._idle:
            await asyncio.to_thread(self._idle.pop().close)

    async def check(self, content: bytes) -> CheckedPhoto:
        """Return a picture's pixels and measures; raise UserError if it is not accepted."""
        if not content:
            raise UserError("photo_empty")
        if len(content) > MAX_FILE_BYTES:
            raise UserError("photo_heavy", megabytes=round(len(content) / MIB, 1))
        if detect_format(content) is None:
            raise UserError("photo_unknown")
        return await self._check(content)

    async def cut(
        self, pixels: bytes, bars: tuple[int, int, int, int], *, masked: bool = False
    ) -> CheckedPhoto:
        """Return a stored photo without its bars; raise UserError if too little is left."""
        return await self._check(CUT_MARK + CUT_HEAD.pack(*bars, masked) + pixels)

    async def join_mask(self, photo: bytes, mask: bytes, file: str) -> CheckedPhoto:
        """Return a photo with its mask as alpha channel; both are PNGs of the darkroom.

        Raises UserError "mask_shape" or "mask_dark", which name the mask's file.
        """
        name = file.encode()
        head = MASK_MARK + MASK_HEAD.pack(len(name), len(photo)) + name
        return await self._check(head + photo + mask)

    async def _check(self, content: bytes) -> CheckedPhoto:
        head, body = await self._process(content)
        cut = head.pop("cut")
        head["warnings"] = tuple(head["warnings"])
        head["framing"] = Framing.from_json(head["framing"])
        head["measures"] = PhotoMeasures.from_json(head["measures"])
        return CheckedPhoto(**head, pixels=body[:cut], preview=body[cut:])

    async def draw_tile(self, preview: bytes, number: int, kept: Box) -> bytes:
        """Return a preview as a numbered square, dark where it is not kept, for contact sheets.

        Raises UserError if it is damaged.
        """
        _, body = await self._process(TILE_MARK + TILE_HEAD.pack(number, *kept) + preview)
        return body

    async def draw_strip(
        self, preview: bytes, size: Size, framing: Framing, variations: Sequence[Variation | None]
    ) -> bytes:
        """Return a WebP of a photo in variations, side by side, each cut to a size in pixels.

        Raises UserError if its preview is damaged.
        """
        asked = {
            "size": size,
            "framing": framing.to_json(),
            "variations": [each and each.to_json() for each in variations],
        }
        told = json.dumps(asked).encode()
        _, body = await self._process(STRIP_MARK + STRIP_HEAD.pack(len(told)) + told + preview)
        return body

    async def find_framing(self, preview: bytes) -> Framing:
        """Return what is to be kept of a photo; raise UserError if its preview is damaged."""
        head, _ = await self._process(FRAMING_MARK + preview)
        return Framing.from_json(head)

    async def _process(self, content: bytes) -> tuple[dict[str, Any], bytes]:
        async with self._slots:
            return await self._ask(content)

    async def _ask(self, content: bytes) -> tuple[dict[str, Any], bytes]:
        child = self._idle.pop() if self._idle else Child(self._seconds, faces=self._faces)
        try:
            head, body = await asyncio.to_thread(child.process, content)
        except BaseException:
            # also if cancelled: else the next picture would get this one's answer
            child.kill()
            asyncio.get_running_loop().run_in_executor(None, child.close)
            raise
        self._idle.append(child)
        if "code" in head:
            raise UserError(head["code"], **head["facts"])
        return head, body


class Child:
    """A decoding process, started for its first picture. Its methods block."""

    def __init__(self, seconds: float, *, faces: bool = False, module: str = CHILD_MODULE) -> None:
        self._seconds, self._module, self._arguments = seconds, module, ["faces"] if faces else []
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._lock = threading.Lock()

    def process(self, content: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a picture and return both messages of the answer (see `storage.photos.child`)."""
        with self._lock:
            process, late = self._ensure_started(), threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            alarm = threading.Timer(self._seconds, stop)
            alarm.start()
            try:
                send_message(process.stdin, content)
                return json.loads(receive_message(process.stdout)), receive_message(process.stdout)
            except (OSError, EOFError) as error:
                code = process.wait()
                raise UserError("photo_slow") if late.is_set() else explain_end(code) from error
            finally:
                alarm.cancel()

    def kill(self) -> None:
        """Kill the process, from any thread; `close` frees its pipes."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Kill the process and close its pipes."""
        self.kill()
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                _close_child(process)

    def _ensure_started(self) -> subprocess.Popen[bytes]:
        """Return the process; start one if there is none or it died while idle."""
        if self._process is not None and self._process.poll() is not None:
            _close_child(self._process)
            self._process = None
        if self._process is None:
            self._process = _start_child(*self._arguments, module=self._module)
        if self._killed:
            self._process.kill()
        return self._process


def explain_end(code: int) -> Exception:
    """Return the error for a child's exit code (negative: a signal) in the middle of a picture."""
    name = signal.Signals(-code).name if code < 0 else ""
    if name == "SIGXCPU":
        return UserError("photo_slow")
    if name == "SIGKILL" or code == MEMORY_EXIT_CODE:  # the system kills when it has no memory
        return UserError("photo_memory")
    if name in CRASH_SIGNALS:
        return UserError("photo_crashed")
    return RuntimeError(f"the process that opens pictures ended with {name or code}")


def try_rights() -> dict[str, bool]:
    """Let a child try what it must not do, and return what it could do. It blocks."""
    child = _start_child("probe")
    try:
        output, _ = child.communicate(timeout=TIMEOUT_SECONDS)
    finally:
        _close_child(child)
    rights: dict[str, bool] = json.loads(receive_message(BytesIO(output)))
    return rights


def send_message(stream: IO[bytes] | None, content: bytes) -> None:
    """Write one message to a pipe."""
    if stream is None:
        raise EOFError
    stream.write(len(content).to_bytes(8, "big") + content)
    stream.flush()


def receive_message(stream: IO[bytes] | None) -> bytes:
    """Read one message from a pipe."""
    size = b"" if stream is None else stream.read(8)
    content = b"" if stream is None else stream.read(int.from_bytes(size, "big"))
    if len(size) < 8 or len(content) < int.from_bytes(size, "big"):
        raise EOFError
    return content


def _start_child(*arguments: str, module: str = CHILD_MODULE) -> subprocess.Popen[bytes]:
    """Start a child without our environment, files and folder; Ctrl-C does not reach it."""
    kept = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**kept, "PYTHONPATH": root, **KEPT_BLOCKS, **ONE_THREAD},
        cwd="/",
        start_new_session=True,
    )


def _close_child(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # closing flushes, and there is no reader any more
            if pipe is not None:
                pipe.close()
    process.wait()
