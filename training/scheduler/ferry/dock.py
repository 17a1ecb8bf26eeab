"""The other machine's side of the ferry: a worker's files, below a data folder of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import wraps
from pathlib import Path
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from storage.folders import Home, write_whole
from training.scheduler.ferry.paths import GROWING, Arrival, Digests, check_name, join, walk
from training.scheduler.ferry.remote import DamagedFileError, FileState, StaleMessageError, Trip
from training.worker.counter import count_up
from training.worker.folder import WorkerFolder

SMALL_FILES = ("state.json", "catalog.json", "advancing", "heartbeat")
P = ParamSpec("P")
T = TypeVar("T")
ARRIVING = ".arriving"  #: the folder of files that are not whole yet, below `runs`


def alone(method: Callable[Concatenate[BoxDock, P], T]) -> Callable[Concatenate[BoxDock, P], T]:
    """Return a method of the dock that waits until no other one runs."""

    @wraps(method)
    def locked(dock: BoxDock, /, *values: P.args, **named: P.kwargs) -> T:
        with dock.lock:
            return method(dock, *values, **named)

    return locked


class BoxDock:
    """Answers for one place. Nothing outside its worker's folder and `runs` is read or written."""

    def __init__(self, home: Home, worker: str) -> None:
        self.home, self.worker = home, WorkerFolder(home.workers / check_name(worker))
        self.digests = Digests()
        self.arrivals: dict[Path, Arrival] = {}
        self.writer = ThreadPoolExecutor(1, "ferry")
        self.lock = RLock()  #: a call whose answer was lost may still run when it is repeated

    @property
    def arriving(self) -> Path:
        """Where files are until they are whole."""
        return self.home.runs / ARRIVING

    @property
    def session(self) -> int:
        """The session that messages must name; 0 before the first."""
        with suppress(OSError, ValueError):
            return int((self.worker.path / "session").read_bytes())
        return 0

    @alone
    def begin_session(self) -> int:
        """Remove every job's files, and count the session up: older messages are refused."""
        session = self.session + 1
        self.worker.path.mkdir(parents=True, exist_ok=True)
        write_whole(self.worker.path / "session", str(session).encode())
        (self.worker.path / "requests").unlink(missing_ok=True)
        self.sweep()
        return session

    @alone
    def sweep(self) -> None:
        """Remove every job's files: no byte of a member's stays."""
        shutil.rmtree(self.home.runs, ignore_errors=True)
        self.home.runs.mkdir(parents=True, exist_ok=True)
        self.digests, self.arrivals = Digests(), {}

    # the worker ---------------------------------------------------------------------------------

    @alone
    def greet(self, session: int) -> None:
        """Count the scheduler's heartbeat up, which the worker listens to."""
        self._check_session(session)
        count_up(self.worker.scheduler_heartbeat)

    @alone
    def read_worker(self, session: int, known: Mapping[str, str]) -> dict[str, tuple[str, bytes]]:
        """Return the worker's small files that have changed; their versions are digests."""
        self._check_session(session)
        found = dict[str, tuple[str, bytes]]()
        for name in SMALL_FILES:
            version, content = "", b""
            with suppress(FileNotFoundError):
                path = self.worker.path / name
                content = path.read_bytes()
                version = hashlib.sha256(content).hexdigest()
            if version != known.get(name, ""):
                found[name] = version, content
        return found

    @alone
    def send_request(self, session: int, name: str, content: bytes) -> None:
        """Put a request into the worker's inbox, once."""
        self._check_session(session)
        taken = self.worker.path / "requests"
        number = int(check_name(name).removesuffix(".json"))
        with suppress(OSError, ValueError):
            if int(taken.read_bytes()) >= number:
                return
        write_whole(self.worker.inbox.path / name, content)
        write_whole(taken, str(number).encode())

    # a job's files ------------------------------------------------------------------------------

    @alone
    def list_files(self, trip: Trip) -> list[FileState]:
        """List the whole files of a job folder."""
        folder, found = self._find(trip), list[FileState]()
        for path, file in walk(folder):
            with suppress(FileNotFoundError):
                digest = "" if path in GROWING else self.digests.digest(file)
                found.append(FileState(path, file.stat().st_size, digest))
        return found

    @alone
    def read(self, trip: Trip, path: str, offset: int, size: int) -> bytes:
        """Return a part of a file."""
        with join(self._find(trip), path).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    @alone
    def offer(self, trip: Trip, file: FileState) -> int:
        """Return how many bytes of a file have arrived; put it into its place if all have."""
        return self.write(trip, file, 0, b"")

    @alone
    def write(self, trip: Trip, file: FileState, offset: int, chunk: bytes) -> int:
        """Append a chunk, unless another end of the file was meant."""
        self._check_session(trip.session)
        folder = check_name(trip.folder)
        path = join(self.home.runs / folder, file.path)
        if path.exists() and self.digests.digest(path) == file.digest:
            return file.size
        part = self.arriving / folder / check_name(file.digest)
        arrival = self.arrivals.setdefault(part, Arrival(part, self.writer))
        if arrival.append(offset, chunk[: file.size - offset]) < file.size:
            return arrival.size
        del self.arrivals[part]
        if arrival.finish() != file.digest:
            part.unlink()
            raise DamagedFileError(f"{file.path} arrived damaged")
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
        self.digests.note(path, file.digest)
        return file.size

    @alone
    def remove(self, trip: Trip, paths: Sequence[str]) -> None:
        """Remove files of a job folder, or the folder."""
        self._check_session(trip.session)
        folder = self.home.runs / check_name(trip.folder)
        for path in paths:
            join(folder, path).unlink(missing_ok=True)
        if not paths:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self.arriving / folder.name, ignore_errors=True)

    def _check_session(self, session: int) -> None:
        if session != self.session:
            raise StaleMessageError(f"session {session} is over")

    def _find(self, trip: Trip) -> Path:
        """Return the folder of a claim; raise StaleMessageError if the box has another claim."""
        self._check_session(trip.session)
        folder = self.home.runs / check_name(trip.folder)
        try:
            fence = int(json.loads((folder / "job.json").read_bytes())["fence"])
        except (OSError, ValueError, KeyError, TypeError):
            fence = trip.fence  # it has not arrived yet
        if fence != trip.fence:
            raise StaleMessageError(f"{trip.folder} is under fence {fence}, not {trip.fence}")
        return folder
