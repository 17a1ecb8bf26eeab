"""`safelight backup` and `restore` as typed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bot.settings import BotSettings
from bot.terminal.doctor import OK, WARN, check_backup
from storage.backup.status import BackupStatus
from storage.folders import Home
from storage.records import Concept
from storage.store import Store

pytestmark = pytest.mark.slow(4)


@pytest.fixture
async def home(tmp_path):
    """A data folder with one dataset."""
    home = Home(tmp_path / "home")
    async with await Store.open(home) as store:
        await store.datasets.create(1, 2, "glim", Concept.SUBJECT)
    (home.bases / "own").mkdir()
    return home


@pytest.fixture
def safelight(tmp_path, home):
    """Run a command on the data folder."""
    known = {n: v for n, v in os.environ.items() if not n.startswith(("SAFELIGHT", "DISCORD"))}

    def typed(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "bot.terminal.cli", *map(str, arguments)],
            check=False,
            cwd=tmp_path,
            env=known | {"SAFELIGHT_HOME": str(home.path)},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return typed


async def test_there_and_back(safelight, home, tmp_path):
    """A backup is made, verified and restored; each says what it did, and the doctor knows."""
    made = safelight("backup", "there", "--keep", "7d")
    verified = safelight("backup", "--verify", "there")
    status = BackupStatus.read(home)
    home.path.rename(tmp_path / "aside")
    restored = safelight("restore", "there")

    assert (made.returncode, made.stderr) == (0, "")
    assert "there" in made.stdout
    assert (verified.returncode, verified.stderr) == (0, "")
    assert status.verified > status.made > 0
    assert (restored.returncode, restored.stderr) == (0, "")
    assert str(home.path) in restored.stdout
    assert "own" in restored.stdout  # the bases that were left out
    async with await Store.open(home) as store:
        assert [each.name for each in await store.datasets.list_for(1)] == ["glim"]


def test_refusals_are_sentences(safelight, home):
    """What cannot be done is a sentence with exit code 1, or 2 where it was typed wrong."""
    for arguments in (
        ("backup", home.path / "in"), ("backup", "there", "--keep", "often"), ("restore", "there"),
        ("backup", "--verify", "there"),
    ):  # fmt: skip
        said = safelight(*arguments)
        code = 2 if "--keep" in arguments else 1
        assert (said.returncode, said.stdout) == (code, ""), said.stderr
        assert "Traceback" not in said.stderr
        assert said.stderr.count("\n") == 1
    error = BackupStatus.read(home).error
    assert error is not None
    assert error.code == "backup_unknown"


DAY = 86400.0


@pytest.mark.parametrize(
    ("made", "verified", "failed", "mark"),
    [(0.0, 0.0, 0.0, WARN), (1.0, 6.0, 0.0, OK), (8.0, 6.0, 0.0, WARN), (1.0, 8.0, 0.0, WARN),
     (1.0, 1.0, 0.5, WARN)],
)  # fmt: skip
def test_the_doctor_warns_after_a_week(tmp_path, made, verified, failed, mark):
    """No backup, an old one, one not verified for a week and a failed one are warnings."""
    now, home = time.time(), Home(tmp_path)
    times = [days and now - days * DAY for days in (made, verified, failed)]
    BackupStatus("/b", *times, "backup_busy" if failed else "", {"folder": "/b"}).write(home)

    assert check_backup(BotSettings(_env_file=None, home=tmp_path)).mark == mark
