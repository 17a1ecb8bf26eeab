"""Ending a process kindly: what it does when the machine or a person tells it to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STOPS = (signal.SIGINT, signal.SIGTERM)


def heed(stop: Callable[[], object], numbers: tuple[signal.Signals, ...] = STOPS) -> None:
    """Call `stop` in the running loop when a signal comes; Windows has no handlers there."""
    for number in numbers:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop)
