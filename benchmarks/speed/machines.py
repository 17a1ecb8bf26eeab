"""A job on another machine: what cuts and deaths lose, and how fast its files travel.

Two data folders are two machines, and a fake wire between them is cut at random: see `wire.py`.
Ray has no part in this.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.speed.wire import Wire, Wired
from storage.folders import Home, write_json
from training.scheduler.ferry.dock import BoxDock
from training.scheduler.ferry.ferry import Ferry
from training.scheduler.ferry.remote import CHUNK_BYTES, LostConnection, StaleMessageError
from training.worker.folder import WorkerFolder
from training.worker.inbox import Command, Request

CASES, QUICK_CASES = 500, 20
TURNS = 50  #: of each case
CUT_SHARE = 0.4  #: of the messages
FOLDER, JOB = "7-ab", 7
CHUNK = 500  #: bytes of a case's messages
LARGE_BYTES, QUICK_BYTES = 500 << 20, 40 << 20
LINK = 100e6  #: bytes a second, about a gigabit
MIN_LINK_PERCENT = 80
HOUR = 3600.0


class TwoMachines:
    """This machine and a box, with one job that was claimed here."""

    def __init__(self, path: Path, wire: Wire, chunk_bytes: int = CHUNK) -> None:
        self.here, self.box = Home(path / "here"), Home(path / "box")
        self.dock, self.wire, self.chunk_bytes = BoxDock(self.box, "cuda0"), wire, chunk_bytes
        self.folder, self.there = self.here.job_folder(FOLDER), self.box.job_folder(FOLDER)
        self.inbox = WorkerFolder(self.here.workers / "cuda0").inbox
        self.asked: list[Request] = []  #: of the worker
        self.fence = 0
        self.start_worker()

    def start_worker(self) -> None:
        """Start a session, as the worker's first or next start does."""
        self.session = self.dock.begin_session()
        self.ferry = self.make_ferry()

    def make_ferry(self) -> Ferry:
        """Return a ferry that knows nothing yet, as another scheduler's does."""
        dock = Wired(self.dock, self.wire)
        return Ferry(self.here, "cuda0", dock, self.session, self.chunk_bytes)

    def claim(self, photos: Sequence[bytes] = (b"0" * 1000, b"1" * 1000)) -> None:
        """Claim the job under the next fence, and ask the worker for it."""
        self.fence += 1
        self.folder.photos.mkdir(parents=True, exist_ok=True)
        for number, photo in enumerate(photos):
            (self.folder.photos / f"{number}.png").write_bytes(photo)
        write_json(self.folder.request_file, {"kind": "train", "fence": self.fence})
        self.ask()

    def ask(self) -> None:
        """Ask the worker for the job, perhaps once more."""
        self.inbox.send(Request(Command.RUN, JOB, self.fence, FOLDER))

    def carry(self, turns: int = 1) -> None:
        """Take turns of the ferry until so many were not cut."""
        while turns:
            try:
                self.ferry.run_turn()
                turns -= 1
            except LostConnection:
                continue
        self.asked += self.dock.worker.inbox.take()

    def write(self, path: str, content: bytes) -> None:
        """Write a file there as a worker does, whole, then the event that names it."""
        target = self.there.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        line = json.dumps({"file": path, "fence": self.fence, "bytes": len(content)})
        with self.there.events_file.open("ab") as events:
            events.write(line.encode() + b"\n")

    def list_events(self) -> list[dict[str, object]]:
        """Return the events that were published here."""
        if not self.folder.events_file.exists():
            return []
        return [json.loads(line) for line in self.folder.events_file.read_bytes().splitlines()]


def read_tree(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Return the content of the whole files below some names of a folder."""
    found = [each for name in names for each in (path / name, *(path / name).rglob("*"))]
    return {
        str(each.relative_to(path)): each.read_bytes()
        for each in found
        if each.is_file() and not each.name.startswith(".")
    }


@dataclass
class Losses:
    """What went wrong in random cases."""

    lost: int = 0  #: files or events that differ in the end, or events before their files
    doubled: int = 0  #: events that were published twice
    foreign: int = 0  #: events of a session or claim that was over


def run_case(path: Path, seed: int, clock: float = 0.0) -> Losses:
    """Cut the wire, the scheduler and the box at random; return what that did.

    `clock` seconds are the box's clock ahead of this one's.
    """
    chance, found = random.Random(seed), Losses()  # noqa: S311 - to be repeated
    two = TwoMachines(path, Wire(CUT_SHARE, seed))
    two.claim()
    for turn in range(TURNS):
        carry_or_break(two, chance)
        if (two.there.path / "job.json").exists() and chance.random() < 0.3:
            two.write(f"checkpoints/{turn}-{two.fence}.bin", bytes(chance.randrange(3000)))
        if clock:
            for file in filter(Path.is_file, two.box.path.rglob("*")):
                os.utime(file, (time.time() + clock, time.time() + clock))
        if chance.random() < 0.05:
            found.foreign += kill_box(two)
        check_events(two, found)
    two.wire.cut_share = 0.0
    two.ask()
    two.carry(2)
    written = ("photos", "checkpoints", "events.jsonl", "job.json")
    here, there = (read_tree(each.path, written) for each in (two.folder, two.there))
    found.lost += here != there
    return found


def carry_or_break(two: TwoMachines, chance: random.Random) -> None:
    """Take a turn of the ferry; where it is cut, the scheduler may die, too."""
    try:
        two.ferry.run_turn()
    except LostConnection:
        if chance.random() < 0.3:
            two.ferry = two.make_ferry()
            two.ask()


def kill_box(two: TwoMachines) -> int:
    """Kill the box and claim its job anew; return how many events its ghost published.

    The ferry of the session before goes on for a turn, as if its messages had been late.
    """
    ghost, before = two.ferry, two.list_events()
    two.inbox.clear()
    two.start_worker()
    two.claim()
    with suppress(LostConnection, StaleMessageError):
        ghost.run_turn()
    return len(two.list_events()) - len(before)


def check_events(two: TwoMachines, found: Losses) -> None:
    """Count events here that are doubled, or whose files are not whole."""
    events = two.list_events()
    names = [str(event["file"]) for event in events]
    found.doubled += len(names) - len(set(names))
    for event in events:
        file = two.folder.path / str(event["file"])
        found.lost += not file.is_file() or file.stat().st_size != event["bytes"]


def measure_cases(place: Path, cases: int) -> Iterator[table.Row]:
    """Yield what random cuts and kills do, with clocks that agree and that do not."""
    for title, clocks in (("", (0.0,)), (", clocks an hour apart", (HOUR, -HOUR))):
        count = cases if len(clocks) == 1 else cases // 5
        ended = [
            run_case(place / f"{seed}-{clock}", seed, clock)
            for seed in range(count)
            for clock in clocks
        ]
        for name in ("lost", "doubled", "foreign"):
            total = sum(getattr(each, name) for each in ended)
            what = f"{len(ended)} jobs over a fake wire, cut and killed at random{title}: {name}"
            yield table.at_most(what, total, 0)


def measure_large(place: Path, size: int) -> Iterator[table.Row]:
    """Yield how fast a large file travels, and what a cut in its middle costs."""
    content = random.Random(0).randbytes(1 << 20) * (size >> 20)  # noqa: S311 - to be repeated
    two = TwoMachines(place / "fast", Wire(bytes_a_second=LINK), CHUNK_BYTES)
    two.claim((content,))
    began = time.perf_counter()
    two.carry()
    share = 100 * size / LINK / (time.perf_counter() - began)
    yield table.at_least(
        f"{size >> 20} MiB over a fake link of {LINK / 1e6:.0f} MB/s, of its speed", share,
        MIN_LINK_PERCENT, "%",
    )  # fmt: skip
    cut = TwoMachines(place / "cut", Wire(), CHUNK_BYTES)
    cut.wire.cut_at = size // CHUNK_BYTES // 2
    cut.claim((content,))
    cut.carry()
    again = (cut.wire.sent_bytes - two.wire.sent_bytes) / CHUNK_BYTES
    yield table.at_most("the same, cut in the middle: sent again, chunks of 4 MiB", again, 1)


def main() -> int:
    """Print the table; return 1 if a bar is missed."""
    quick = machine.parse_arguments(__doc__ or "").quick
    with TemporaryDirectory() as place:
        rows = [
            *measure_cases(Path(place), QUICK_CASES if quick else CASES),
            *measure_large(Path(place), QUICK_BYTES if quick else LARGE_BYTES),
        ]
    return table.print_table(rows)


if __name__ == "__main__":
    sys.exit(main())
