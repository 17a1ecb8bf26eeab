"""The bot and the scheduler are restarted when they die, and stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from bot.terminal.supervisor import supervise


def script(text):
    """Return a command that runs a few lines of Python."""
    return [sys.executable, "-c", text]


LASTING = script("import time; time.sleep(60)")


async def test_what_dies_is_started_again(tmp_path):
    """A process that dies is restarted; the others are not touched."""
    log = tmp_path / "log"
    dying = script(f"open({str(log)!r}, 'a').write('x'); raise SystemExit(1)")
    running = asyncio.create_task(supervise({"one": dying, "two": LASTING}, first_delay=0.01))
    while not log.exists() or len(log.read_text()) < 3:
        await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0


async def test_what_cannot_start_ends_all():
    """Exit code 2 (a wrong setting) is not retried: everything stops."""
    began = time.monotonic()
    assert await supervise({"one": script("raise SystemExit(2)"), "two": LASTING}) == 2
    assert time.monotonic() - began < 10


async def test_ctrl_c_lets_each_end_in_its_own_way(tmp_path):
    """On Ctrl+C each process is asked once to end and may finish its work."""
    log = tmp_path / "log"
    polite = script(
        "import signal, sys, time\n"
        f"log = open({str(log)!r}, 'a', buffering=1)\n"
        "def leave(number, frame): log.write('left\\n'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "log.write('up\\n'); time.sleep(60)"
    )
    running = asyncio.create_task(supervise({"one": polite}))
    while not log.exists() or "up" not in log.read_text():
        await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
    assert await running == 0
    assert log.read_text() == "up\nleft\n"
