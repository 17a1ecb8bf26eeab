"""Read what a page sends: never too much, too slowly, too often or too many at once."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from storage.errors import UserError
from storage.photos.sandbox import MIB

MAX_BODIES = 8  #: files that are in memory at once, of all members
MAX_MEMBER_BODIES = 8  #: that one member sends at once: two pages with three each, and some spare
MAX_REQUESTS, WINDOW_SECONDS = 900, 60.0  #: of one member
STALL_SECONDS = 30.0  #: without a byte, after which a file is given up


class Intake:
    """Limits how often and how much each member sends."""

    def __init__(self) -> None:
        self._bodies = asyncio.Semaphore(MAX_BODIES)
        self._sending: Counter[int] = Counter()
        self._requests: dict[int, deque[float]] = {}

    def count_request(self, member: int) -> None:
        """Count a member's request; raise UserError("upload_busy") if there were too many."""
        now = time.monotonic()
        for each in [each for each, times in self._requests.items() if is_past(times[-1], now)]:
            del self._requests[each]
        times = self._requests.setdefault(member, deque())
        while times and is_past(times[0], now):
            times.popleft()
        if len(times) >= MAX_REQUESTS:
            raise UserError("upload_busy")
        times.append(now)

    def is_receiving(self, member: int) -> bool:
        """Return whether a file of a member is on its way."""
        return member in self._sending

    @asynccontextmanager
    async def receiving(self, member: int) -> AsyncIterator[None]:
        """Take one file of a member at a time; raise UserError("upload_busy") for too many."""
        if self._sending[member] >= MAX_MEMBER_BODIES:
            raise UserError("upload_busy")
        self._sending[member] += 1
        try:
            async with self._bodies:
                yield
        finally:
            self._sending[member] -= 1
            if not self._sending[member]:
                del self._sending[member]


def is_past(moment: float, now: float) -> bool:
    """Return whether a moment counts no more."""
    return now - moment > WINDOW_SECONDS


def check_size(request: web.Request, code: str, most: int) -> None:
    """Raise UserError of this code if a request says that it is larger than `most` bytes."""
    size = request.content_length or 0
    if size > most:
        raise UserError(code, megabytes=round(size / MIB, 1), most=most // MIB)


async def read_body(
    request: web.Request, most: int, write: Callable[[bytes], object], code: str
) -> None:
    """Hand the body of a request on, piece by piece.

    Raises UserError with `code` if it has more than `most` bytes, "upload_torn" if its digest is
    not the one in the address, or TimeoutError if it stalls.
    """
    size, digest = 0, hashlib.sha256()
    while not request.content.at_eof():
        async with asyncio.timeout(STALL_SECONDS):
            piece = await request.content.readany()
        size += len(piece)
        if size > most:
            raise UserError(code, megabytes=round(size / MIB, 1), most=most // MIB)
        digest.update(piece)
        write(piece)
    if digest.hexdigest() != request.match_info["digest"]:
        raise UserError("upload_torn")
