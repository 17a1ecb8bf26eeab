"""`safelight run`: run the bot and the scheduler, restart them if they die, stop them together."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping, Sequence

from storage.signals import call_on_stop, stop_process

log = logging.getLogger(__name__)

PROCESSES = {"bot": (sys.executable, "-m", "bot"), "scheduler": (sys.executable, "-m", "training")}
REFUSED_EXIT_CODE = 2  #: of a process that cannot start with its settings: not restarted
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
                *self.command, start_new_session=True
            )
            code = await self.process.wait()
            if code in {0, REFUSED_EXIT_CODE}:
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
