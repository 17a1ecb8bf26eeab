"""Databases of older versions open unchanged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.planning.durations import TimingKey
from storage.records import Concept, JobCommand, Status, Timing
from storage.requests import OtherDataset, TrainRequest
from storage.store import Store
from storage.tables.database import MIGRATIONS, Database

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88
REQUEST: dict[str, Any] = {
    "method": "lora", "base": "embedded", "name": "my dog", "trigger": "mydog",
    "concept": "subject", "dial": "quick", "steps": 60, "rank": 8, "rate": 1e-3, "batch": 4,
    "seed": 7, "word": "dog", "optimizer": "adamw", "shuffle": False, "masked": False,
    "dropout": 0.0, "offset": 0.05, "silence": 0.0, "further": [], "prior": 0, "keep": 1.0,
    "most": 20_000_000, "bytes": 900_000,
}  # fmt: skip
CATALOG = {
    "bases": [{
        "name": "sd15", "title": "SD 1.5", "family": "sd1", "source": "a/b", "resolution": 512,
        "licence": "RAIL", "good": "", "present": True, "small": False, "memory": 3500,
        "domain": "general", "weak": "", "prediction": "", "skip": 2, "commercial": "yes",
        "terms": "", "seen": "", "known": True,
    }],
    "methods": [
        {"name": "embedding", "ranks": [1, 16], "dropout": False, "word": True, "paces": False}
    ],
    "captioner": "blip",
    "rules": [{
        "method": "embedding", "base": "sd15", "concept": "look", "dial": "quick", "steps": 500,
        "photo": 40, "least": 400, "most": 2000, "rank": 4, "rate": 5e-3, "batch": 4,
        "bytes": 9000, "reason": "word", "prior": 0, "memory": 6000,
    }],
    "device": "H200", "memory": 80_000, "published": 1.0,
}  # fmt: skip
OTHER = {"dataset": 2, "trigger": "tom", "concept": "subject", "word": "cat"}
DATASET = """
INSERT INTO datasets (owner, guild, name, key, concept, "trigger", created)
VALUES (:owner, 77, :name, :name, 'subject', :name, 0)
"""
JOB = """
INSERT INTO jobs (kind, owner, guild, channel, request, base, dataset, private, created, status,
  wish, wished_by, fence, started)
VALUES (:kind, :owner, 77, 88, :request, 'embedded', :dataset, 0, 1.0, :status, :wish, :by, 2, 1.0)
"""
TIME = """
INSERT INTO paces (device, base, resolution, method, concept, batch, options, step, photo, picture,
  around, runs)
VALUES ('GPU', 'sd15', 512, 'lora', 'look', 4, 'prior prodigy', 0.5, 0.25, 2.0, 10.0, 3)
"""


@pytest.fixture
async def version4(home: Home, tmp_path: Path) -> Database:
    """Return a database with the tables that version 0.1 had."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for number in range(1, 5):
        file = next(MIGRATIONS.glob(f"{number:04}_*.sql"))
        shutil.copy(file, folder)
    home.path.mkdir()
    return await Database.open(home.database_file, folder)


async def add_job(database: Database, **changes: Any) -> None:
    """Add a job as 0.1 wrote it."""
    row = {"kind": "train", "owner": ALICE, "dataset": 1, "status": "queued"}
    row |= {"wish": None, "by": None, "request": REQUEST} | changes
    await database.execute(JOB, **row | {"request": json.dumps(row["request"], sort_keys=True)})


async def test_jobs(home: Home, version4: Database) -> None:
    """A queued training keeps its meaning, and its datasets stay busy."""
    for name in ("my dog", "tom"):
        await version4.execute(DATASET, owner=ALICE, name=name)
    await add_job(version4, request=REQUEST | {"further": [OTHER]})
    await version4.close()

    async with await Store.open(home) as store:
        job = await store.jobs.get(1)
        request = TrainRequest.from_json(job.request)
        with pytest.raises(UserError, match="dataset_busy"):
            await store.datasets.delete(2, ALICE)

    assert (job.status, job.requested, job.base) == (Status.QUEUED, None, "embedded")
    assert (request.learning_rate, request.batch_size, request.class_word) == (1e-3, 4, "dog")
    assert (request.max_file_bytes, request.file_bytes) == (20_000_000, 900_000)
    assert request.other_datasets == (OtherDataset(2, "tom", Concept.SUBJECT, "cat"),)
    assert request.options == {"noise_offset": 0.05}


async def test_commands(home: Home, version4: Database) -> None:
    """Commands to a running job, and who gave them, are kept and obeyed."""
    await add_job(version4, dataset=None, status="running", wish="cancel", by=BOB)
    await version4.close()

    async with await Store.open(home) as store:
        before = await store.jobs.get(1)
        await store.jobs.release(1, before.fence)
        after = await store.jobs.get(1)
        rows = await store._database.execute("SELECT facts FROM events ORDER BY id")

    assert (before.requested, before.requested_by) == (JobCommand.CANCEL, BOB)
    assert after.status is Status.CANCELLED
    assert json.loads(rows[-1]["facts"]) == {"status": "cancelled", "by": BOB}


async def test_planned_bytes(home: Home, version4: Database) -> None:
    """Expected sizes of old and new requests add up; captions and samples have none."""
    await add_job(version4, dataset=None)
    await add_job(version4, dataset=None, status="paused", request=REQUEST | {"bytes": 100_000})
    for kind in ("caption", "sample"):
        await add_job(version4, kind=kind, dataset=None, request={"trigger": "x", "photos": [1]})
    await version4.close()

    async with await Store.open(home) as store:
        assert await store.jobs.sum_planned_bytes(ALICE) == 1_000_000
        assert (await store.jobs.get(3)).request == {"trigger": "x", "photos": [1]}


async def test_durations(home: Home, version4: Database) -> None:
    """Past timings are kept, and the next run joins their mean."""
    await version4.execute(TIME)
    await version4.close()
    key = TimingKey("GPU", "sd15", 512, "lora", Concept.LOOK, 4, "prior prodigy")

    async with await Store.open(home) as store:
        known = await store.durations.read_all()
        await store.durations.add_run(key, Timing(0.9, 0.25, 2.0, 10.0))
        mean = (await store.durations.read_all())[key]

    assert known == {key: Timing(0.5, 0.25, 2.0, 10.0, runs=3)}
    assert (mean.step, mean.runs) == (pytest.approx(0.6), 4)


async def test_catalog(home: Home, version4: Database) -> None:
    """The catalog that an older scheduler published is still read."""
    await version4.execute("INSERT INTO catalog VALUES (1, :body)", body=json.dumps(CATALOG))
    await version4.close()

    async with await Store.open(home) as store:
        catalog = await store.catalog.read()

    assert (catalog.memory_mib, catalog.find_base("sd15").clip_skip) == (80_000, 2)
    assert catalog.methods[0].learns_word
    assert (catalog.rules[0].steps_per_photo, catalog.rules[0].learning_rate) == (40, 5e-3)
