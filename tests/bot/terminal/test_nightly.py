"""The nightly backup: when it is due, and what is run."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime

import pytest

from bot.settings import BotSettings
from bot.terminal.nightly import is_due, nightly_backups
from storage.backup.status import BackupStatus
from storage.folders import Home


@pytest.mark.parametrize(
    ("now", "made", "due"),
    [
        ("2026-11-30 03:00", "2026-11-29 03:00", True),
        ("2026-11-30 02:59", "2026-11-29 03:00", False),
        ("2026-11-30 14:00", "2026-11-30 03:01", False),
        ("2026-11-30 14:00", "2026-11-29 22:00", True),  # the machine was off at night
        ("2026-11-30 02:00", "2026-11-28 03:01", True),
        ("2026-11-30 14:00", "1970-01-02 00:00", True),
    ],
)
def test_a_missed_night_is_made_up(now, made, due):
    """A backup is due once a night at three; a missed one at once."""
    times = [datetime.fromisoformat(text).astimezone() for text in (now, made)]
    assert is_due(times[0], times[1].timestamp()) == due


async def run_until(settings, program, log, lines):
    """Run nights until so many lines are logged."""
    async with nightly_backups(settings, program, 0.02):
        while not log.exists() or log.read_text().count("\n") < lines:
            await asyncio.sleep(0.02)
    return log.read_text().splitlines()


@pytest.fixture
def settings(tmp_path):
    """Settings with a folder for backups."""
    (tmp_path / "home").mkdir()
    return BotSettings(_env_file=None, home=tmp_path / "home", backup=tmp_path / "there")


def make_program(log, code):
    """Return a program that notes its arguments, and ends with a code."""
    text = f"import sys; print(*sys.argv[1:], file=open({str(log)!r}, 'a')); sys.exit({code})"
    return (sys.executable, "-c", text)


async def test_a_night_is_backed_up_and_verified(settings, tmp_path):
    """At the start after a missed night, a backup is made, thinned out and verified."""
    there = str(settings.backup)

    log = tmp_path / "log"
    ran = await run_until(settings, make_program(log, 0), log, 2)

    assert ran[:2] == [f"backup {there} --keep 7d,4w,6m", f"backup {there} --verify"]


async def test_a_fresh_backup_is_left_alone(settings, tmp_path):
    """Nothing is run while the last night is backed up; without a folder, nothing ever."""
    now = time.time()
    BackupStatus("x", made=now, verified=now).write(Home(settings.home))
    log = tmp_path / "log"
    for each in (settings, settings.model_copy(update={"backup": None})):
        async with nightly_backups(each, make_program(log, 0), 0.01):
            await asyncio.sleep(0.1)
    assert not log.exists()


async def test_a_failure_waits(settings, tmp_path):
    """A backup that failed is not verified, and not tried again at once."""
    log = tmp_path / "log"
    ran = await run_until(settings, make_program(log, 2), log, 1)
    assert len(ran) == 1
