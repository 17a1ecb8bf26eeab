"""This machine's side: a worker elsewhere looks to the scheduler like one that runs here.

Requests and what a job reads go there; what the worker writes comes back. An event is published
only after the files that were there when it was read, so what it names is whole. Everything is
asked again after a lost connection, and goes on where it was cut.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path

from storage.eventlines import read_line
from storage.events import Ending
from storage.folders import Home, JobFolder, write_whole
from training.scheduler.ferry.paths import GROWING, Digests, join, walk
from training.scheduler.ferry.remote import (
    CHUNK_BYTES,
    DamagedFileError,
    Dock,
    FileState,
    StaleMessageError,
    Trip,
)
from training.scheduler.layout import read_fence
from training.worker.folder import WorkerFolder
from training.worker.inbox import Command

log = logging.getLogger(__name__)

REQUEST = "job.json"  #: sent last, so that a job folder with it is whole
EVENTS = "events.jsonl"
#: folders that a job writes
WRITTEN = ("checkpoints", "samples", "result", "kept", "classes", "tensorboard")


class Ferry:
    """Mirrors one worker's folder and the folders of its jobs."""

    def __init__(
        self, home: Home, worker: str, dock: Dock, session: int, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        self.home, self.folder = home, WorkerFolder(home.workers / worker)
        self.dock, self.session, self.chunk_bytes = dock, session, chunk_bytes
        self.versions: dict[str, str] = {}  #: of the worker's files, as they are here
        self.mirrors: dict[str, JobMirror] = {}  #: by job folder

    def run_turn(self) -> None:
        """Carry what is due, once; raise LostConnection if the other machine is away."""
        self.dock.greet(self.session)
        self.fetch_worker()
        self.send_requests()
        for name, mirror in list(self.mirrors.items()):
            if mirror.is_over:
                self.dock.remove(mirror.trip, ())
                mirror.remove_parts()
                del self.mirrors[name]
                continue
            try:
                mirror.fetch()
            except (DamagedFileError, StaleMessageError, FileNotFoundError) as fault:
                log.info("Job folder %s is fetched again: %s", name, fault)

    def fetch_worker(self) -> None:
        """Write here what the worker has changed of its small files."""
        for name, (version, content) in self.dock.read_worker(self.session, self.versions).items():
            path = self.folder.path / Path(name).name
            if version:
                write_whole(path, content)
            else:
                path.unlink(missing_ok=True)
            self.versions[name] = version

    def send_requests(self) -> None:
        """Send the requests in their order, each after the files of its job."""
        for file in sorted(self.folder.inbox.path.glob("[0-9]*.json")):
            content = file.read_bytes()
            with suppress(ValueError, KeyError, TypeError):  # the worker says it is broken
                asked = json.loads(content)
                if asked["verb"] == Command.RUN and not self.send_job(asked):
                    return
            self.dock.send_request(self.session, file.name, content)
            file.unlink()

    def send_job(self, asked: dict[str, object]) -> bool:
        """Send the folder of a job; return False while the worker holds an older claim of it."""
        trip = Trip(self.session, str(asked["folder"]), int(str(asked["fence"])))
        known = self.mirrors.get(trip.folder)
        if known is None or known.trip != trip:
            if known is not None and self.holds(int(str(asked["job"]))):
                return False
            folder = self.home.job_folder(trip.folder)
            mirror = JobMirror(folder, self.dock, trip, self.chunk_bytes)
            mirror.send()
            self.mirrors[trip.folder] = mirror
        return True

    def holds(self, job: int) -> bool:
        """Return whether the worker said that it holds a job."""
        held = (self.folder.read_state() or {}).get("held", ())
        return any(each["job"] == job for each in held)


class JobMirror:
    """One claim's folder, here and there."""

    def __init__(self, folder: JobFolder, dock: Dock, trip: Trip, chunk_bytes: int) -> None:
        self.folder, self.dock, self.trip = folder, dock, trip
        self.chunk_bytes = chunk_bytes
        self.digests = Digests()
        self.has_ended = False  #: its last event is here, and with it all that it wrote

    @property
    def is_over(self) -> bool:
        """Whether the job has ended here, or was claimed anew: then nothing is published."""
        return read_fence(self.folder) != self.trip.fence

    def remove_parts(self) -> None:
        """Remove here what was cut off while it was fetched."""
        for part in self.folder.path.rglob(".*.part"):
            part.unlink(missing_ok=True)

    # there --------------------------------------------------------------------------------------

    def send(self) -> None:
        """Make the folder there as it is here, unless all of this claim's has arrived already."""
        request = FileState(REQUEST, *self._measure(self.folder.request_file))
        try:
            there = {file.path: file for file in self.dock.list_files(self.trip)}
        except StaleMessageError:
            self.dock.remove(self.trip, (REQUEST,))
            there = {file.path: file for file in self.dock.list_files(self.trip)}
        if there.get(REQUEST) == request:
            return
        here = [
            FileState(path, *self._measure(file))
            for path, file in walk(self.folder.path)
            if path != REQUEST
        ]
        strange = there.keys() - {file.path for file in here}
        if gone := sorted(strange | {path for path in there if path in GROWING}):
            self.dock.remove(self.trip, gone)
        for file in (*here, request):
            if there.get(file.path) != file:
                self._send_file(file)

    def _send_file(self, file: FileState) -> None:
        arrived = self.dock.offer(self.trip, file)
        with join(self.folder.path, file.path).open("rb") as opened:
            while arrived < file.size:
                opened.seek(arrived)
                arrived = self.dock.write(self.trip, file, arrived, opened.read(self.chunk_bytes))

    def _measure(self, path: Path) -> tuple[int, str]:
        return path.stat().st_size, self.digests.digest(path)

    # back ---------------------------------------------------------------------------------------

    def fetch(self) -> None:
        """Fetch what the job has written since the last call, its events last.

        After the last one nothing is: what the scheduler removes then would come back.
        """
        if self.has_ended:
            return
        events = self._read_growing(EVENTS)
        there = self.dock.list_files(self.trip)
        written = [file for file in there if file.path.partition("/")[0] in WRITTEN]
        for file in written:
            if not self._has(file):
                self._fetch_file(file)
        for file in there:
            if file.path in GROWING and file.path != EVENTS:
                self._append(file.path, self._read_growing(file.path))
        whole = events[: events.rfind(b"\n") + 1]
        if self._append(EVENTS, whole):
            self._remove_gone({file.path for file in written})
            self.has_ended = any(ends_run(line, self.trip.fence) for line in whole.splitlines())

    def _has(self, file: FileState) -> bool:
        """Return whether a file is here as it is there."""
        path = join(self.folder.path, file.path)
        return path.is_file() and self._measure(path) == (file.size, file.digest)

    def _fetch_file(self, file: FileState) -> None:
        """Fetch a file, from where it was cut; it is whole before it has its name."""
        path = join(self.folder.path, file.path)
        if self.is_over:
            raise StaleMessageError(f"{self.trip.folder} is over")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{file.digest[:16]}.part")
        with part.open("ab") as opened:
            while (arrived := opened.tell()) < file.size:
                wanted = min(self.chunk_bytes, file.size - arrived)  # it may have grown since
                chunk = self.dock.read(self.trip, file.path, arrived, wanted)
                if not chunk:
                    break
                opened.write(chunk)
            opened.flush()
            os.fsync(opened.fileno())  # else a power cut may keep its name without its content
        if self.digests.digest(part) != file.digest:
            part.unlink()
            raise DamagedFileError(f"{file.path} has changed while it was fetched")
        if self.is_over:
            part.unlink()
            raise StaleMessageError(f"{self.trip.folder} was claimed anew")
        part.replace(path)

    def _read_growing(self, path: str) -> bytes:
        """Return what was appended to a file since it was last fetched."""
        here, found = join(self.folder.path, path), b""
        offset = here.stat().st_size if here.exists() else 0
        with suppress(FileNotFoundError):
            while chunk := self.dock.read(self.trip, path, offset + len(found), self.chunk_bytes):
                found += chunk
        return found

    def _append(self, path: str, content: bytes) -> bool:
        """Append what was fetched, unless the job was claimed anew; return whether it was not."""
        if self.is_over:
            return False
        if content:
            with join(self.folder.path, path).open("ab") as opened:
                opened.write(content)
        return True

    def _remove_gone(self, there: set[str]) -> None:
        """Remove the checkpoints that the job has replaced."""
        for path, file in list(walk(self.folder.path)):
            if path.startswith("checkpoints/") and path not in there:
                file.unlink(missing_ok=True)


def ends_run(line: bytes, fence: int) -> bool:
    """Return whether a line is the event that ends the run under a fence."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        entry = read_line(json.loads(line))
        return isinstance(entry.event, Ending) and entry.fence == fence
    return False
