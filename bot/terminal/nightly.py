"""The nightly backup of `safelight run`: a command of its own, started when a night is due."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot import wording
from bot.settings import BotSettings
from storage.backup.status import BackupStatus
from storage.folders import Home
from storage.signals import stop_process

log = logging.getLogger(__name__)

PROGRAM = (sys.executable, "-m", "bot.terminal.cli")
HOUR = 3  #: of the night, in this machine's time
VERIFY_SECONDS = 6 * 86400.0  #: between two verifications: the doctor warns after a week
LOOK_SECONDS = 300.0  #: between two looks at the clock, which may be set or stand still
RETRY_SECONDS = 3600.0  #: after a failure
STOP_SECONDS = 15.0  #: that a backup has to end; the next one goes on with what it copied


@asynccontextmanager
async def nightly_backups(
    settings: BotSettings, program: Sequence[str] = PROGRAM, look_seconds: float = LOOK_SECONDS
) -> AsyncIterator[None]:
    """Back up every night while the block runs, if a folder is set."""
    if settings.backup is None:
        yield
        return
    task = asyncio.create_task(run_nightly(settings, program, look_seconds))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run_nightly(
    settings: BotSettings, program: Sequence[str], look_seconds: float = LOOK_SECONDS
) -> None:
    """Back up whenever a night is due, at once if the last one was missed."""
    while True:
        status = BackupStatus.read(Home(settings.home))
        worked = True
        if is_due(datetime.now().astimezone(), status.made):
            worked = await run_command(program, str(settings.backup), "--keep", settings.keep)
            if worked and time.time() - status.verified > VERIFY_SECONDS:
                worked = await run_command(program, str(settings.backup), "--verify")
        if not worked:
            log.warning(wording.backup.NIGHTLY_FAILED)
        await asyncio.sleep(look_seconds if worked else max(look_seconds, RETRY_SECONDS))


def is_due(now: datetime, made: float) -> bool:
    """Return whether no backup was made since the last night."""
    night = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    last = night if now >= night else night - timedelta(days=1)
    return made < last.timestamp()


async def run_command(program: Sequence[str], *arguments: str) -> bool:
    """Run `safelight backup`; return whether it worked. Its sentences go into our log."""
    child = await asyncio.create_subprocess_exec(
        *program, "backup", *arguments, start_new_session=True
    )
    try:
        return await child.wait() == 0
    finally:
        if child.returncode is None:
            await stop_process(child, STOP_SECONDS)
