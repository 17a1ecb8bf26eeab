"""Whatever starts on a data folder that cannot be used names the fault, and leaves it as it is."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bot.__main__
import training.__main__
from bot.settings import BotSettings
from bot.terminal import cli, doctor
from storage.backup.write import back_up
from storage.folders import Home
from storage.homefolder import Program, hold_home
from storage.store import Store


def run_doctor() -> int:
    """Print the doctor's lines on the data folder; return exit code 1 if one fails."""
    lines = doctor.check_home(BotSettings(_env_file=None))
    sys.stderr.write("\n".join(line.text for line in lines))
    return int(any(line.mark == doctor.FAIL for line in lines))


STARTS: dict[str, Callable[[], int]] = {
    "bot": bot.__main__.main,
    "scheduler": training.__main__.main,
    "run": lambda: cli.main(["run"]),
    "doctor": run_doctor,
}


def cut(path: Path, size: int) -> None:
    """Keep the beginning of a database."""
    path.write_bytes(path.read_bytes()[:size])


def renumber(path: Path) -> None:
    """Let a database be of a version to come."""
    content = bytearray(path.read_bytes())
    content[60:64] = (999).to_bytes(4, "big")  # user_version, SQLite's file format, 1.3
    path.write_bytes(content)


def empty(path: Path) -> None:
    """Empty the database beside a member's job."""
    cut(path, 0)
    (path.parent / "runs" / "1-ab").mkdir()


def vanish(path: Path) -> None:
    """Leave the mount point without the folder around the data folder."""
    path.parent.rename(path.parent.parent.with_name("gone"))
    path.parent.parent.rmdir()


def block(path: Path) -> None:
    """Put a file where a folder should be."""
    (path.parent / "runs").rmdir()
    (path.parent / "runs").touch()


#: what is done to a database; the exit code of bot, scheduler and run; words of the sentence
FAULTS: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "newer": (renumber, 4, "database version 999"),
    "half": (lambda path: cut(path, path.stat().st_size // 2), 4, "is damaged"),
    "a piece": (lambda path: cut(path, 50), 4, "is damaged"),
    "another": (lambda path: path.write_bytes(b"no database" * 99), 4, "is damaged"),
    "empty": (empty, 4, "is empty, but"),
    "vanished": (vanish, 1, "Mount its disk"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), 1, "can't be used"),
    "blocked": (block, 1, "can't be used"),
}
#: mounts a folder read-only for a program alone
MOUNT = 'mount --bind $0 $0 && mount -o remount,ro,bind $0 && exec "$@"'
RUN_ALL = """
import sys
from tests.bot.terminal.test_starts import STARTS
for name, start in STARTS.items():
    print(name, start(), flush=True)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A data folder with a database."""
    folder = tmp_path_factory.mktemp("made") / "safelight"
    asyncio.run(Store.check(Home(folder)))
    return folder


@pytest.fixture
def home(made, tmp_path, monkeypatch) -> Home:
    """A data folder with a database, in the environment's settings."""
    found = Home(tmp_path / "mount" / "safelight")
    shutil.copytree(made, found.path)
    monkeypatch.setenv("SAFELIGHT_HOME", str(found.path))
    monkeypatch.setenv("SAFELIGHT_DISK_MB", "0")
    monkeypatch.setenv("DISCORD_TOKEN", "a.b.c")
    monkeypatch.setattr(sys, "argv", ["training"])
    return found


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("start", STARTS)
def test_fault(start, fault, home, capsys):
    """Bot, scheduler, run and doctor say the same, and do not touch the database."""
    spoil, code, words = FAULTS[fault]
    file = home.database_file
    spoil(file)
    before = file.read_bytes() if file.is_file() else None

    given = STARTS[start]()

    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert given == (1 if start == "doctor" else code)
    assert (file.read_bytes() if file.is_file() else None) == before


def test_read_only(home):
    """On a disk that became read-only, each says so."""
    mount = [shutil.which("unshare") or "false", "-rm", "sh", "-c", MOUNT, str(home.path)]
    tried = subprocess.run([*mount, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this system lets a test mount nothing: {tried.stderr}")
    command, known = [*mount, sys.executable, "-c", RUN_ALL], {"PYTHONPATH": str(Path.cwd())}
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | known
    )

    assert ran.stdout.split() == ["bot", "1", "scheduler", "1", "run", "1", "doctor", "1"]
    assert ran.stderr.count("Read-only file system") == 4
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("program", Program)
def test_taken(program, home, capsys):
    """What another process holds is refused with its number."""
    name = "run" if program is Program.RUN else str(program)
    with hold_home(home, program):
        code = STARTS[name]()

    assert code == 3
    assert f"Another {program} (process {os.getpid()})" in capsys.readouterr().err


def test_an_empty_mount_point(home, tmp_path, monkeypatch, capsys):
    """Where backups show that there was a data folder, an empty one is not taken for a new one."""
    backups = tmp_path / "backups"
    back_up(home, backups)
    monkeypatch.setenv("SAFELIGHT_BACKUP", str(backups))
    home.path.rename(tmp_path / "elsewhere")
    home.path.mkdir()

    codes = [STARTS[name]() for name in ("bot", "run", "doctor")]

    assert codes == [1, 1, 1]
    assert capsys.readouterr().err.count(f"safelight restore {backups}") == 3
    assert list(home.path.iterdir()) == []
