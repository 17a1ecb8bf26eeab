"""Handling of stop signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from storage.signals import STOPS, SUPERVISED, call_on_stop


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


async def test_what_was_ignored_at_the_start_stays_ignored():
    """A bot that a script started with `&` lives on when Ctrl+C ends the script."""
    before, loop = signal.signal(signal.SIGINT, signal.SIG_IGN), asyncio.get_running_loop()
    try:
        call_on_stop(lambda: None)
        signal.raise_signal(signal.SIGINT)
        assert not loop.remove_signal_handler(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
        loop.remove_signal_handler(signal.SIGTERM)


async def test_a_child_stops_when_its_supervisor_is_gone():
    """A child of `safelight run` stops at the end of its standard input; others do not read it."""
    code = (
        "import asyncio\nfrom storage.signals import call_on_stop\n"
        "async def run():\n"
        "    stop = asyncio.Event()\n    call_on_stop(stop.set)\n    print('up', flush=True)\n"
        "    await asyncio.wait_for(stop.wait(), WAIT)\n"
        "asyncio.run(run())"
    )
    ended = []
    for environment, wait in (({SUPERVISED: "1"}, "60"), ({}, "0.2")):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code.replace("WAIT", wait)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | environment,
        )
        await child.stdout.readline()
        child.stdin.close()
        ended.append(await child.wait())

    assert ended == [0, 1]
