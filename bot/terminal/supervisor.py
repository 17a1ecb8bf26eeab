"""`safelight run`: run the bot and the scheduler, restart them if they die, stop them together.

If it is killed, their standard input ends and they stop, too; the next `safelight run` ends those
that could not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from storage.errors import UserError
from storage.folders import Home
from storage.homefolder import Program, find_leftover, hold_home
from storage.process import is_alive
from storage.refusals import DATABASE_UNUSABLE, HOME_TAKEN, WRONG_SETTING
from storage.signals import SUPERVISED, call_on_stop, stop_process
from storage.store import Store

log = logging.getLogger(__name__)

PROCESSES = {"bot": (sys.executable, "-m", "bot"), "scheduler": (sys.executable, "-m", "training")}
#: of a process that ended as it was told, or that a restart would not help
FINAL_EXIT_CODES = {0, WRONG_SETTING, HOME_TAKEN, DATABASE_UNUSABLE}
FIRST_DELAY_SECONDS = 1.0  #: before a process that died is restarted; doubles each time
MAX_DELAY_SECONDS = 60.0
STEADY_SECONDS = 60.0  #: alive so long, a process that dies starts over with the first delay
STOP_SECONDS = 15.0  #: that a process has to end after SIGTERM, before it is killed


class Child:
    """A process that is restarted when it dies."""

    def __init__(
        self, name: str, command: Sequence[str], first_delay: float = FIRST_DELAY_SECONDS
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.first_delay = first_delay
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> int:
        """Keep the process running; return its exit code when restarting would not help."""
        pause = self.first_delay
        while True:
            began = time.monotonic()
            # In its own session, so that Ctrl-C reaches it only through us.
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                start_new_session=True,
                stdin=subprocess.PIPE,  # ends when we do, however that is
                env=os.environ | {SUPERVISED: "1"},
            )
            code = await self.process.wait()
            if code in FINAL_EXIT_CODES:
                return code
            if time.monotonic() - began > STEADY_SECONDS:
                pause = self.first_delay
            log.warning(
                "The %s died (exit code %s); restarting it in %.0f s", self.name, code, pause
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_DELAY_SECONDS)

    async def stop(self) -> None:
        """Terminate the process; kill it if it does not end in time."""
        if self.process is not None:
            await stop_process(self.process, STOP_SECONDS)


@contextmanager
def holding(home: Home) -> Iterator[None]:
    """Hold the data folder for `safelight run`, after ending what a killed one left.

    Raises UserError as `Store.open` does: once, before two processes would say the same.
    """
    with hold_home(home, Program.RUN):
        for program in (Program.BOT, Program.SCHEDULER):
            end_leftover(home, program)
        try:
            asyncio.run(Store.check(home))
        except UserError as error:
            if error.code != "disk_full":  # they are started until there is room
                raise
        yield


def end_leftover(home: Home, program: Program, patience: float = STOP_SECONDS) -> None:
    """End the child of a `safelight run` that was killed; kill it after so many seconds.

    Raises UserError("home_taken") if the process is none.
    """
    began, asked = time.monotonic(), signal.SIGTERM
    while (process := find_leftover(home, program)) is not None:
        if time.monotonic() - began > patience:
            asked = signal.SIGKILL
        log.warning("Ending the %s of an earlier run (process %s)", program, process["pid"])
        with suppress(ProcessLookupError):
            os.kill(process["pid"], asked)
        until = time.monotonic() + patience
        while is_alive(process) and time.monotonic() < until:
            time.sleep(0.1)


async def supervise(
    commands: Mapping[str, Sequence[str]], first_delay: float = FIRST_DELAY_SECONDS
) -> int:
    """Run processes until one cannot be restarted or a signal stops them; return its code."""
    children = [Child(name, command, first_delay) for name, command in commands.items()]
    runs = [asyncio.create_task(child.run()) for child in children]
    enough = asyncio.Event()
    call_on_stop(enough.set)
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait([*runs, waiting], return_when=asyncio.FIRST_COMPLETED)
    code = next((run.result() for run in runs if run.done()), 0)
    for task in (*runs, waiting):
        task.cancel()
    await asyncio.gather(*(child.stop() for child in children))
    await asyncio.gather(*runs, waiting, return_exceptions=True)
    return code
