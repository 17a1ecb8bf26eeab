"""A backup beside a training and posting, and the restore of a large data folder.

The longest stall is that of a post's write to the database, timed from when it should have begun,
so that a blocked event loop counts. The training's bytes are those of its tensors.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import safe_open

from benchmarks import machine, table
from benchmarks.speed.service import Service, list_mascot_photos, running_service
from storage.backup.restore import restore
from storage.events import LogEntry, Note
from storage.folders import Home
from storage.records import CheckedPhoto, Concept, Dataset, Job, Kind, NewJob, Status, Style
from storage.store import Store
from storage.tables.photos import MAX_PHOTOS

BACKUP = (sys.executable, "-m", "bot.terminal.cli", "backup")
POST_SECONDS = 0.02  #: between two posts
PHOTO_BYTES, PREVIEW_BYTES, STYLE_BYTES = 60_000, 8_000, 200_000
OWNER, GUILD = 9, 2


@dataclass(slots=True)
class Poster:
    """Writes as the bot does after each post, and how late each write was done, in seconds."""

    store: Store
    job: int
    late: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Write again and again, until cancelled."""
        while True:
            due = time.perf_counter() + POST_SECONDS
            await asyncio.sleep(POST_SECONDS)
            entry = LogEntry(Note("disk_low"), time.time())
            await self.store.events.append(self.job, [entry], ("benchmark", len(self.late)))
            self.late.append(time.perf_counter() - due)


@asynccontextmanager
async def posting(store: Store, job: Job) -> AsyncIterator[list[float]]:
    """Post while the block runs; yield the lateness of every post, in seconds."""
    poster = Poster(store, job.id)
    task = asyncio.create_task(poster.run())
    try:
        yield poster.late
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def fill_home(store: Store, photos: int, styles: int) -> None:
    """Add photos and styles of random bytes."""
    draw = random.Random(0).randbytes  # noqa: S311 (not for secrets)
    for number in range(photos):
        if number % MAX_PHOTOS == 0:
            dataset = await store.datasets.create(OWNER, GUILD, f"set {number}", Concept.SUBJECT)
        pixels = draw(PHOTO_BYTES)
        checked = CheckedPhoto(
            hashlib.sha256(pixels).hexdigest(), number << 32 | number, 512, 512, pixels,
            draw(PREVIEW_BYTES), (),
        )  # fmt: skip
        await store.photos.add(dataset, checked)
    for number in range(styles):
        await add_style(store, number, draw(STYLE_BYTES))


async def add_style(store: Store, number: int, weights: bytes) -> Style:
    """Add a finished training."""
    request = {"name": f"style {number}", "seed": number}
    await store.jobs.queue(NewJob(Kind.TRAIN, OWNER, GUILD, 3, request, "none"))
    job = await store.jobs.claim("filler", [Kind.TRAIN], ["none"])
    if job is None:
        raise RuntimeError("the job that was just queued is gone")
    file = store.home.job_folder(job.folder).result / "style.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(weights)
    style = await store.styles.add(
        job, file, method="lora", family="sd1", trigger="x", concept=Concept.SUBJECT
    )
    await store.jobs.end_run(job.id, job.fence, Status.DONE)
    return style


async def run_backup(home: Home, folder: Path, *more: str) -> float:
    """Run `safelight backup` and return its seconds."""
    known = os.environ | {"SAFELIGHT_HOME": str(home.path)}
    began = time.perf_counter()
    child = await asyncio.create_subprocess_exec(
        *BACKUP, str(folder), *more, env=known, stdout=asyncio.subprocess.DEVNULL
    )
    if await child.wait():
        raise RuntimeError("the backup did not work")
    return time.perf_counter() - began


async def train(service: Service, dataset: Dataset, steps: int) -> tuple[Job, asyncio.Task[Job]]:
    """Queue a training; return it with a task that waits for its end."""
    job = await service.queue_training(dataset, 1, steps)
    return job, asyncio.create_task(service.wait_until_ended(job))


async def hash_style(store: Store, job: Job) -> str:
    """Return a digest of all tensors of a training's style."""
    done = await store.jobs.get(job.id)
    (style,) = [each for each in await store.styles.list_for(job.owner) if each.id == done.style]
    hashed = hashlib.sha256()
    with safe_open(store.styles.file(style), framework="pt") as opened:
        for name in sorted(opened.keys()):
            hashed.update(name.encode() + opened.get_tensor(name).numpy().tobytes())
    return hashed.hexdigest()


async def measure_training(place: Path, photos: int, styles: int, steps: int) -> list[table.Row]:
    """Train twice with the same seed, the second time beside backups."""
    home, backups = Home(place / "home"), 0
    home.path.mkdir()
    async with running_service(home.path) as service:
        await fill_home(service.store, photos, styles)
        dataset = await service.add_dataset("glim", list_mascot_photos()[:4])
        job, ended = await train(service, dataset, steps)
        async with posting(service.store, job) as alone:
            await ended
        alone_digest = await hash_style(service.store, job)
        job, ended = await train(service, dataset, steps)
        async with posting(service.store, job) as beside:
            while not ended.done():
                await run_backup(home, place / f"backups {backups}")
                backups += 1
        same = alone_digest == await hash_style(service.store, job)
    size = f", {backups} backups of {photos:,} photos and {styles} styles"
    stall = "longest stall of a post beside a training"
    p99 = [f"{table.quantile(late, 0.99) * 1e3:.1f}" for late in (alone, beside)]
    what = "posts' 99th percentile, alone and with it"
    bytes_ = "the same" if same else "others"
    return [
        table.figure(f"{stall} alone", max(alone) * 1e3, "ms"),
        table.at_most(f"{stall} and a backup", max(beside) * 1e3, 100, "ms", size),
        table.figure(what, " and ".join(p99), more=" ms"),
        table.Row("training beside a backup: its bytes", bytes_, "the same", same),
    ]


async def measure_restore(place: Path, photos: int, styles: int) -> list[table.Row]:
    """Back up a large data folder, and restore it."""
    home, back, new = Home(place / "large"), place / "back", Home(place / "new")
    async with await Store.open(home) as store:
        await fill_home(store, photos, styles)
    first, again = await run_backup(home, back), await run_backup(home, back)
    verified = await run_backup(home, back, "--verify")
    began = time.perf_counter()
    manifest = await asyncio.to_thread(restore, back, new)
    seconds = time.perf_counter() - began
    wrong = count_differing(home.path, new.path)
    what = f"restore of {photos:,} photos and {styles} styles"
    return [
        table.at_most(f"{what}: differing digests", wrong, 0, "", f" of {len(manifest.files):,}"),
        table.figure(f"{what}: {manifest.bytes >> 20} MiB", seconds, "s"),
        table.figure("first backup, the next one, its verification",
                     f"{first:.1f}, {again:.1f} and {verified:.1f} s"),
    ]  # fmt: skip


def count_differing(one: Path, other: Path) -> int:
    """Count the files of photos, previews, styles and jobs that are not the same in both."""
    first, second = dict(hash_files(one)), dict(hash_files(other))
    return sum(first.get(path) != second.get(path) for path in {*first, *second})


def hash_files(home: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the digest of every file that a backup has, but the database's."""
    for room in ("photos", "previews", "styles", "runs"):
        for path in (home / room).rglob("*"):
            if path.is_file():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                yield path.relative_to(home).as_posix(), digest


async def measure(*, quick: bool) -> list[table.Row]:
    """Return all rows."""
    part = 10 if quick else 1
    with tempfile.TemporaryDirectory(prefix="safelight-") as folder:
        place = Path(folder)
        rows = await measure_training(place, 2000 // part, 60 // part, 400 // part)
        return [*rows, *await measure_restore(place, 10_000 // part, 300 // part)]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    return table.print_table(asyncio.run(measure(quick=arguments.quick)))


if __name__ == "__main__":
    sys.exit(main())
