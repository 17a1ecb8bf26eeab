"""Create the data folder, and hold it for one bot, one scheduler and one `safelight run`."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import cast

import psutil
from filelock import FileLock, Timeout

from storage.disk import DISK_FULL_ERRORS, retry_until_room
from storage.errors import UserError
from storage.folders import Home, list_parts, write_json
from storage.process import Process, is_alive, read_birth, this_process
from storage.settings import default_home
from storage.signals import SUPERVISED, is_left_alone

log = logging.getLogger(__name__)


class Program(StrEnum):
    """What there may be only one of; as people call it."""

    RUN = "safelight run"
    BOT = "bot"
    SCHEDULER = "scheduler"


#: Names of the lock files; versions before 0.2 hold one of the scheduler's name, too.
LOCKS = {Program.RUN: "run", Program.BOT: "bot", Program.SCHEDULER: "trainer"}


def create_home(home: Home) -> None:
    """Create the data folder, readable by its owner alone: it holds people's photos."""
    check_parent(home)
    with explaining_closed(home):
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("photos", "previews", "styles", "bases", "workers", "runs"):
            (home.path / name).mkdir(exist_ok=True)
    check_not_empty(home)


@contextmanager
def explaining_closed(home: Home) -> Iterator[None]:
    """Turn what keeps the data folder from being written to into a UserError."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL_ERRORS:
            raise UserError("disk_full") from error
        reason = error.strerror or str(error)
        raise UserError("home_closed", folder=str(home.path), reason=reason) from error


def check_parent(home: Home) -> None:
    """Raise UserError("home_missing") if the folder around the data folder is missing.

    Its disk is not mounted, then. The default place is made with all above it.
    """
    parent = home.path.absolute().parent
    if not parent.exists() and home.path != default_home():
        raise UserError("home_missing", folder=str(parent), path=str(home.path))


def check_not_empty(home: Home) -> None:
    """Raise UserError("database_empty") if the database lost its content, but not the folder."""
    file = home.database_file
    if file.exists() and not file.stat().st_size and any_data(home):
        raise UserError("database_empty", path=str(file), folder=str(home.path))


def any_data(home: Home) -> bool:
    """Return whether there are photos, styles or jobs in the data folder."""
    folders = (home.path / name for name in ("photos", "styles", "runs"))
    return any(True for folder in folders if folder.exists() for _ in folder.iterdir())


@contextmanager
def hold_home(home: Home, program: Program) -> Iterator[None]:
    """Create and hold the data folder until the block ends, or the process, however it does.

    Waits for room on a full disk. Raises UserError("home_taken") with the number of the process
    that holds it, UserError("run_gone") in a child of a `safelight run` that was killed meanwhile,
    or what `create_home` raises.
    """
    if is_left_alone():  # else it would keep out what the next `safelight run` starts
        raise UserError("run_gone")
    retry_until_room(home.path, partial(create_home, home))
    lock = make_lock(home, program)
    try:
        retry_until_room(home.path, partial(take_lock, home, program, lock))
        remove_parts(home, program)
        yield
    finally:
        lock.release(force=True)


def take_lock(home: Home, program: Program, lock: FileLock) -> None:
    """Take a program's lock and note who has it; raise UserError("home_taken") if another has."""
    with explaining_closed(home):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise home_taken(home, program) from None
        process = this_process() | {"supervised": SUPERVISED in os.environ}
        write_json(home.path / f"{LOCKS[program]}.json", process)


def remove_parts(home: Home, program: Program) -> None:
    """Remove the files that a program which died was just writing: they may be people's photos.

    The bot alone writes photos and exports, so none that is found at its start is still needed.
    """
    parts = list_parts(home.path, "")  # such as a copy of the database
    if program is Program.SCHEDULER:
        folders = (home.runs, home.styles, home.workers)
        parts += [part for folder in folders for part in list_parts(folder)]
    gone = [path for path, pid in parts if is_abandoned(path, pid)]
    if program is Program.BOT:
        photos = [*list_parts(home.path / "photos"), *list_parts(home.path / "previews")]
        gone += [path for path, _ in photos]
        shutil.rmtree(home.exports, ignore_errors=True)
    for path in gone:
        log.info("Removing %s, which a process that died left behind", path)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)  # SQLite's
        path.unlink(missing_ok=True)


def is_abandoned(part: Path, pid: int) -> bool:
    """Return whether the process that wrote a file is gone; its number may be another's now."""
    if pid == os.getpid() or read_birth(pid) is None:  # we have begun nothing yet
        return True
    with suppress(OSError, psutil.Error):
        return bool(part.stat().st_mtime < psutil.Process(pid).create_time() - 1)
    return False


def find_leftover(home: Home, program: Program, patience: float = 2.0) -> Process | None:
    """Return the child of a `safelight run` that was killed, if it still holds the data folder.

    Call it while holding the folder as `Program.RUN`: then no other one can have children.
    Raises UserError("home_taken") for a process that was started in another way.
    """
    until = time.monotonic() + patience
    while True:
        try:
            with make_lock(home, program).acquire(blocking=False):
                return None
        except Timeout:
            holder = read_holder(home, program)
        if holder is not None and is_alive(holder):
            if holder.get("supervised"):
                return holder
            raise home_taken(home, program)
        if time.monotonic() > until:
            raise home_taken(home, program)
        time.sleep(0.05)  # it has yet to write down who it is


def make_lock(home: Home, program: Program) -> FileLock:
    """Return the lock of a program, not yet held."""
    return FileLock(home.path / f"{LOCKS[program]}.lock", thread_local=False)


def read_holder(home: Home, program: Program) -> Process | None:
    """Return the process that held the data folder last."""
    try:
        content = json.loads((home.path / f"{LOCKS[program]}.json").read_bytes())
    except (OSError, ValueError):
        return None
    return cast("Process", content)


def home_taken(home: Home, program: Program) -> UserError:
    """Return the error of a data folder that is held."""
    holder = read_holder(home, program) or {"pid": "?"}
    facts = {"program": str(program), "process": str(holder["pid"]), "folder": str(home.path)}
    return UserError("home_taken", **facts)
