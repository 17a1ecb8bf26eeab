"""The data folder: created where it may be, and held by one process of each kind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.folders import Home, write_json, write_whole
from storage.homefolder import Program, create_home, find_leftover, hold_home
from storage.process import this_process
from storage.signals import SUPERVISED

HOLD = """
import sys
from pathlib import Path
from storage.folders import Home
from storage.homefolder import Program, hold_home
with hold_home(Home(Path(sys.argv[1])), Program.BOT):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holding(home: Home, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Hold a data folder as the bot, in another process."""
    command = [sys.executable, "-c", HOLD, str(home.path)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.getcwd()} | environment,  # noqa: PTH109
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        try:
            yield child
        finally:
            child.kill()


def test_one_at_a_time(home: Home) -> None:
    """A second bot is refused with the number of the first; a scheduler is not."""
    with holding(home) as first:
        with hold_home(home, Program.SCHEDULER):
            pass
        with pytest.raises(UserError, match="home_taken") as refused, hold_home(home, Program.BOT):
            pass
        first.kill()
        first.wait()
        with hold_home(home, Program.BOT):
            pass

    assert refused.value.facts["process"] == str(first.pid)
    assert refused.value.facts["program"] == "bot"


def test_leftovers(home: Home) -> None:
    """What `safelight run` started may be ended by the next one; what a person started may not."""
    create_home(home)
    free = find_leftover(home, Program.BOT)
    with holding(home, **{SUPERVISED: "1"}) as ours:
        found = find_leftover(home, Program.BOT)
        write_json(home.path / "bot.json", this_process() | {"supervised": True, "born": "7"})
        with pytest.raises(UserError, match="home_taken"):  # its number is another's now
            find_leftover(home, Program.BOT, patience=0.1)
    with holding(home) as theirs, pytest.raises(UserError, match=str(theirs.pid)):
        find_leftover(home, Program.BOT)

    assert free is None
    assert found is not None
    assert found["pid"] == ours.pid


def test_left_alone(home: Home) -> None:
    """A child whose `safelight run` was killed before it held the folder leaves it to the next."""
    ran = subprocess.run(
        [sys.executable, "-c", HOLD, str(home.path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.getcwd(), SUPERVISED: "1"},  # noqa: PTH109
    )

    assert b"run_gone" in ran.stderr
    assert not home.path.exists()


def test_nowhere(tmp_path: Path) -> None:
    """A data folder is not made below a folder that is missing: its disk may not be mounted."""
    with pytest.raises(UserError, match="home_missing"):
        create_home(Home(tmp_path / "mount" / "safelight"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["home", "home/runs"])
def test_closed(tmp_path: Path, path: str) -> None:
    """What keeps the data folder from being made is named."""
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(b"a file")

    with pytest.raises(UserError, match="home_closed") as refused:
        create_home(Home(tmp_path / "home"))

    assert refused.value.facts["reason"] == "File exists"


def test_empty(home: Home) -> None:
    """An empty database is new in an empty folder; beside members' files it lost its content."""
    create_home(home)
    home.database_file.touch()
    create_home(home)
    home.job_folder("1-ab").path.mkdir()

    with pytest.raises(UserError, match="database_empty"):
        create_home(home)


def test_parts(home: Home) -> None:
    """What was being written when its process died goes at the next start; the rest stays."""
    create_home(home)
    dead, alive = 4_194_304, os.getppid()  # above the largest number Linux gives
    folders = ("photos/ab", "previews/ab", "runs/1-ab/samples", "styles/1-ab", "workers/cpu", ".")
    for folder in folders:
        (home.path / folder).mkdir(parents=True, exist_ok=True)
        for process in (dead, alive):
            (home.path / folder / f".x.png.{process}.part").touch()
            (home.path / folder / f".x.png.{process}.part-journal").touch()
        (home.path / folder / ".hidden.part").touch()
    export = home.exports / "tmp1" / "safelight-1.zip"
    write_whole(export, b"a member's photos")
    reused = home.path / f".before-the-process.{alive}.part"
    reused.touch()
    os.utime(reused, (1, 1))

    with hold_home(home, Program.BOT):
        pass
    with hold_home(home, Program.SCHEDULER):
        pass

    left = {path.relative_to(home.path) for path in home.path.rglob(".x.*")}
    kept = {Path(folder, f".x.png.{alive}.part") for folder in folders[2:]}
    assert left == kept | {path.with_name(f"{path.name}-journal") for path in kept}
    assert not reused.exists()
    assert not export.exists()
    assert len(list(home.path.rglob(".hidden.part"))) == len(folders)
