"""The bot and the scheduler are restarted when they die, and stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.terminal.supervisor import end_leftover, supervise
from storage.folders import Home
from storage.homefolder import Program, create_home, find_leftover, read_holder
from storage.process import is_alive
from storage.signals import SUPERVISED


def script(text):
    """Return a command that runs a few lines of Python."""
    return [sys.executable, "-c", text]


TIMEOUT_SECONDS = 120  #: generous, as nothing is measured: it only ends a hang
CHILDREN = (Program.BOT, Program.SCHEDULER)
LASTING = script("import time; time.sleep(60)")


async def test_what_dies_is_started_again(tmp_path):
    """A process that dies is restarted; the others are not touched."""
    log = tmp_path / "log"
    dying = script(f"open({str(log)!r}, 'a').write('x'); raise SystemExit(1)")
    running = asyncio.create_task(supervise({"one": dying, "two": LASTING}, first_delay=0.01))
    async with asyncio.timeout(TIMEOUT_SECONDS):
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
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not log.exists() or "up" not in log.read_text():
            await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
    assert await running == 0
    assert log.read_text() == "up\nleft\n"


#: a child that stays: it does not hear the end of its input nor, if deaf, SIGTERM
DEAF = """
import signal, sys, time
from pathlib import Path
from storage.folders import Home
from storage.homefolder import Program, hold_home
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[2] == "deaf" else signal.SIG_DFL)
with hold_home(Home(Path(sys.argv[1])), Program(sys.argv[3])):
    time.sleep(60)
"""
#: `safelight run` with these children
RUN = f"""
import asyncio, sys
from pathlib import Path
from bot.terminal.supervisor import holding, supervise
from storage.folders import Home
with holding(Home(Path(sys.argv[1]))):
    child = (sys.executable, "-c", {DEAF!r}, sys.argv[1], "hears")
    asyncio.run(supervise({{name: (*child, name) for name in ("bot", "scheduler")}}))
"""


@contextmanager
def running(text, home, *arguments):
    """Run lines of Python on a data folder; kill it in the end."""
    known = os.environ | {"SAFELIGHT_HOME": str(home.path), "PYTHONPATH": str(Path.cwd())}
    command = [*script(text), str(home.path), *arguments]
    with subprocess.Popen(command, env=known | {SUPERVISED: "1"}, stdin=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_for_holder(home, program, before=None):
    """Return the living process that holds the data folder, once it is another than before."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until:
        holder = read_holder(home, program)
        if holder is not None and holder != before and is_alive(holder):
            return holder
        time.sleep(0.02)
    raise TimeoutError


@pytest.mark.parametrize("ears", ["hears", "deaf"])
def test_a_child_that_stayed_is_ended(tmp_path, ears):
    """What a killed `safelight run` left is asked to end, and killed if it does not."""
    home = Home(tmp_path / "home")
    create_home(home)
    with running(DEAF, home, ears, "bot") as child:
        wait_for_holder(home, Program.BOT)
        end_leftover(home, Program.BOT, patience=0.3)
        code = child.wait()
    assert find_leftover(home, Program.BOT) is None
    assert -code == (signal.SIGTERM if ears == "hears" else signal.SIGKILL)


def test_the_next_run_takes_over(tmp_path):
    """After kill -9 of `safelight run`, the next one replaces the children that it left."""
    home = Home(tmp_path / "home")
    with running(RUN, home) as killed:
        old = {program: wait_for_holder(home, program) for program in CHILDREN}
        killed.kill()
    with running(RUN, home) as second:
        new = {program: wait_for_holder(home, program, old[program]) for program in CHILDREN}
        alive = [is_alive(process) for process in old.values()]
        second.terminate()
        code = second.wait()
    assert (alive, code) == ([False, False], 0)
    assert not any(is_alive(process) for process in new.values())
