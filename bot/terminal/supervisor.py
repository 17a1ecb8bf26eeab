"""`safelight run`: the bot and the scheduler, started again when they die, stopped together."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from storage.signals import call_on_stop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

PROCESSES = {"bot": (sys.executable, "-m", "bot"), "scheduler": (sys.executable, "-m", "training")}
REFUSED = 2  #: exit code of a process that cannot start as things are set: no use in trying again
FIRST, LONGEST = 1.0, 60.0  #: seconds before a process that died is started again
STEADY = 60.0  #: seconds alive after which a death counts as the first
PATIENCE = 15.0  #: seconds a process has to end when it is asked to


class Child:
    """One process that is started again when it dies."""

    def __init__(self, name: str, command: Sequence[str], first: float = FIRST) -> None:
        self.name = name
        self.command = tuple(command)
        self.first = first
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> int:
        """Keep it running; return when starting it again would be no use."""
        pause = self.first
        while True:
            began = time.monotonic()
            # In a session of its own, so that Ctrl-C reaches it through us alone.
            self.process = await asyncio.create_subprocess_exec(
                *self.command, start_new_session=True
            )
            code = await self.process.wait()
            if code in {0, REFUSED}:
                return code
            if time.monotonic() - began > STEADY:
                pause = self.first
            log.warning("The %s died (%s); starting it again in %.0f s", self.name, code, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process is None:
            return
        for ask in (self.process.terminate, self.process.kill):
            with suppress(ProcessLookupError):
                ask()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self.process.wait()
                return


async def supervise(commands: Mapping[str, Sequence[str]], first: float = FIRST) -> int:
    """Run processes until one cannot go on or the person has had enough."""
    children = [Child(name, command, first) for name, command in commands.items()]
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
