"""A data folder with two members' photos, a style and a training that runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.backup.write import BackupReport, back_up
from storage.folders import Home, JobFolder
from storage.records import CheckedPhoto, Concept, Dataset, Job, Kind, NewJob, Status, Style
from storage.store import Store
from storage.tables.consents import Terms

ALICE, BOB, GUILD = 1001, 1002, 77


@dataclass
class Filled:
    """A data folder with something of everything, and where its backups go."""

    store: Store
    folder: Path
    alices: Dataset
    bobs: Dataset
    style: Style  #: Alice's
    running: Job  #: Alice's training

    @property
    def home(self) -> Home:
        """The data folder."""
        return self.store.home

    @property
    def run(self) -> JobFolder:
        """The folder of the training that runs."""
        return self.home.job_folder(self.running.folder)

    async def back_up(self, **more: Any) -> BackupReport:
        """Take a snapshot, as the command does."""
        return await asyncio.to_thread(back_up, self.home, self.folder, **more)

    def search(self, words: bytes) -> list[Path]:
        """Return the files of the backups that have these bytes.

        Four digits also stand in other numbers and digests by chance; those do not count.
        """
        sought = re.escape(words)
        if words.isdigit():
            sought = rb"(?<![0-9a-f.])" + sought + rb"(?![0-9a-f])"
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return [path for path in files if re.search(sought, path.read_bytes())]


@pytest.fixture
async def filled(
    store: Store,
    tmp_path: Path,
    make_photo: Callable[..., CheckedPhoto],
    make_job: Callable[..., NewJob],
) -> AsyncIterator[Filled]:
    """Fill a data folder: photo 1 is both members', 2 and the style are Alice's, 3 is Bob's."""
    datasets = []
    for owner, numbers in ((ALICE, (1, 2)), (BOB, (1, 3))):
        dataset = await store.datasets.create(owner, GUILD, "dog", Concept.SUBJECT)
        await store.consents.add(owner, Terms(1), "form")
        for number in numbers:
            photo = await store.photos.add(dataset, make_photo(number))
            await store.photos.set_caption(photo.id, owner, f"caption {number} of {owner}")
        datasets.append(dataset)
    await store.jobs.queue(make_job(dataset=datasets[0].id))
    done = await store.jobs.claim("w", [Kind.TRAIN])
    style = await add_style(store, done, b"weights of alice")
    await store.jobs.end_run(done.id, done.fence, Status.DONE)
    await store.jobs.queue(make_job(dataset=datasets[0].id, request={"steps": 9}))
    running = await store.jobs.claim("w", [Kind.TRAIN])
    made = Filled(store, tmp_path / "backups", *datasets, style, running)
    fill_run(made.run)
    return made


async def add_style(store: Store, job: Job, weights: bytes) -> Style:
    """Store a training's result."""
    folder = store.home.job_folder(job.folder)
    folder.result.mkdir(parents=True, exist_ok=True)
    file = folder.result / "my dog.safetensors"
    file.write_bytes(weights)
    known = {"method": "lora", "family": "sd1", "trigger": "x", "concept": Concept.SUBJECT}
    return await store.styles.add(job, file, **known)


def fill_run(run: JobFolder) -> None:
    """Write what a worker has in its folder in the middle of a training."""
    for folder in (run.photos, run.checkpoints, run.samples):
        folder.mkdir(parents=True)
    (run.photos / "0001.png").write_bytes(b"pixels of 2")
    (run.checkpoints / "step-000004.safetensors").write_bytes(b"checkpoint with alice's words")
    (run.checkpoints / ".step-000005.safetensors.7.part").write_bytes(b"half a checkpoint")
    (run.samples / "0.png").write_bytes(b"sample")
    run.request_file.write_text('{"recipe": {"captions": ["caption 2 of 1001"]}}')
    run.log_file.write_text("log")
    run.style_file.write_bytes(b"a style to sample with")
    run.result.mkdir()
    (run.result / run.style_file.name).write_bytes(b"a result of that name")
    run.events_file.write_bytes(
        b'{"at": 1, "kind": "served", "job": 1, "seconds": 2}\n{"at": 2, "ki'
    )
