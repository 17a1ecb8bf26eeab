"""Stop this process cleanly on the signals that ask for it, and end others."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress

SUPERVISED = "SAFELIGHT_SUPERVISED"  #: set for the children of `safelight run`
STOPS = (signal.SIGINT, signal.SIGTERM)
HANGUP = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  #: nothing on Windows


def list_heeded(*numbers: signal.Signals) -> list[signal.Signals]:
    """List those of these signals that were not ignored when this process was started.

    `nohup` starts programs that ignore SIGHUP; a script that uses `&`, some that ignore SIGINT.
    """
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def call_on_stop(stop: Callable[[], object], numbers: tuple[signal.Signals, ...] = STOPS) -> None:
    """Call `stop` in the running loop on a signal; does nothing on Windows.

    A child of `safelight run` also stops when that process is gone: its standard input ends then.
    """
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):
        for number in list_heeded(*numbers):
            loop.add_signal_handler(number, stop)
        if SUPERVISED in os.environ:
            loop.add_reader(0, call_at_end_of_input, stop)


def is_left_alone() -> bool:
    """Return whether the `safelight run` that started this process is gone."""
    if SUPERVISED in os.environ:
        with suppress(OSError):  # Windows waits for no pipe
            return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 1)
    return False


def call_at_end_of_input(stop: Callable[[], object]) -> None:
    """Call `stop` if standard input has ended; nobody writes to it."""
    if not os.read(0, 1):
        asyncio.get_running_loop().remove_reader(0)
        stop()


async def stop_process(process: asyncio.subprocess.Process, seconds: float) -> None:
    """Terminate a process; kill it if it does not end in so many seconds."""
    for ask in (process.terminate, process.kill):
        with suppress(ProcessLookupError):
            ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
            return
