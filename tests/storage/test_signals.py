"""Handling of stop signals."""

from __future__ import annotations

import asyncio
import signal

from storage.signals import STOPS, call_on_stop


async def test_each_signal_to_stop_is_heeded_and_ends_nothing_else():
    """A signal calls the handler once, and the process lives on."""
    told, loop = [], asyncio.get_running_loop()
    call_on_stop(lambda: told.append("stop"))
    try:
        for number in STOPS:
            signal.raise_signal(number)
        while len(told) < len(STOPS):
            await asyncio.sleep(0)
        assert told == ["stop", "stop"]
    finally:
        assert all(loop.remove_signal_handler(number) for number in STOPS)


async def test_a_signal_that_is_not_named_is_left_alone():
    """Handling one signal leaves Ctrl-C unchanged."""
    loop = asyncio.get_running_loop()
    call_on_stop(lambda: None, (signal.SIGTERM,))
    assert not loop.remove_signal_handler(signal.SIGINT)
    assert loop.remove_signal_handler(signal.SIGTERM)
