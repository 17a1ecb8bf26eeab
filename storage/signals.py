"""Stop this process cleanly on SIGINT or SIGTERM, and end others."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

STOPS = (signal.SIGINT, signal.SIGTERM)


def call_on_stop(stop: Callable[[], object], numbers: tuple[signal.Signals, ...] = STOPS) -> None:
    """Call `stop` in the running loop on a signal; does nothing on Windows."""
    for number in numbers:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop)


async def stop_process(process: asyncio.subprocess.Process, seconds: float) -> None:
    """Terminate a process; kill it if it does not end in so many seconds."""
    for ask in (process.terminate, process.kill):
        with suppress(ProcessLookupError):
            ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
            return
