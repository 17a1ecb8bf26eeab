"""How long an event loop is kept from its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BEAT_SECONDS = 0.005  #: between two looks at the clock


class Stalls:
    """How long the event loop was kept from its work at most: by the clock, and of computing."""

    def __init__(self) -> None:
        self.longest = self.computed = 0.0  #: seconds

    async def watch(self) -> None:
        """Look at the clock until cancelled."""
        while True:
            began, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(BEAT_SECONDS)
            self.longest = max(self.longest, time.perf_counter() - began - BEAT_SECONDS)
            self.computed = max(self.computed, time.thread_time() - busy)


@asynccontextmanager
async def watching_stalls() -> AsyncIterator[Stalls]:
    """Watch the event loop inside the block."""
    stalls = Stalls()
    task = asyncio.create_task(stalls.watch())
    try:
        yield stalls
    finally:
        task.cancel()
