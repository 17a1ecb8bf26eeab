"""Folders and photos that belong to no row."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from storage.folders import ASIDE_DAYS, Home, write_json, write_whole
from storage.records import CheckedPhoto, Concept, Job, Kind, NewJob, Style
from storage.store import Store

ALICE, GUILD = 1001, 77
Made = Callable[..., NewJob]


def list_files(home: Home) -> list[str]:
    """List the files in the data folder but for the database and the dates of the quarantine."""
    found = (path.relative_to(home.path) for path in home.path.rglob("*") if path.is_file())
    kept = [path for path in found if not path.name.startswith("safelight")]
    return sorted(
        str(path if path.parts[0] != "quarantine" else Path("quarantine", *path.parts[2:]))
        for path in kept
    )


async def add_old_job(store: Store, make_job: Made, **request: Any) -> Job:
    """Add a job as it is after the migration that brought keys, with its folder of before."""
    job = await store.jobs.queue(make_job(request=request))
    sql = "UPDATE jobs SET key = printf('%014x', CAST(created * 1000000 AS INTEGER))"
    await store._database.execute(sql)
    recipe = {"kind": "train", "recipe": {"name": "my dog", "seed": 1, "trigger": "x"}}
    write_json(store.home.runs / str(job.id) / "job.json", recipe)
    return await store.jobs.get(job.id)


async def add_style(store: Store, make_job: Made, content: bytes) -> Style:
    """Add a style with a key and, if it has content, the file of before there were keys."""
    await store.jobs.queue(make_job())
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    write_whole(file := store.home.path / "x", b"weights")
    facts = {"method": "lora", "family": "sd1", "trigger": "x"}
    style = await store.styles.add(job, file, concept=Concept.LOOK, **facts)
    file.unlink()
    sql = "UPDATE styles SET key = printf('%014x', CAST(created * 1000000 AS INTEGER))"
    await store._database.execute(sql)
    store.styles.file(style).parent.rename(store.home.styles / "1")
    write_whole(store.home.styles / "1" / "my dog.safetensors", content)
    [style] = await store.styles.list_for(ALICE)
    return style


async def test_another_row(store: Store, home: Home, make_job: Made) -> None:
    """A folder with the id of a job, but not its key, is not its folder."""
    job = await store.jobs.queue(make_job())
    write_json(home.job_folder("1-0123456789abcdef").request_file, {})
    write_json(home.job_folder("2").request_file, {})
    write_json(home.job_folder(job.folder).request_file, {})

    assert [path.name for path in await store.orphans.find_runs()] == ["1-0123456789abcdef", "2"]
    assert await store.orphans.sort() == 2
    assert list_files(home) == [
        "quarantine/runs/1-0123456789abcdef/job.json",
        "quarantine/runs/2/job.json",
        f"runs/{job.folder}/job.json",
    ]


@pytest.mark.parametrize(
    ("request_", "found"),
    [({"trigger": "x"}, True), ({"trigger": "y"}, False), ({"seed": 2}, False)],
)
async def test_old_jobs(
    store: Store, home: Home, make_job: Made, request_: dict[str, Any], *, found: bool
) -> None:
    """A folder of before there were keys is taken over if its recipe is the job's."""
    job = await add_old_job(store, make_job, **request_)

    assert store.orphans.has_old()
    assert await store.orphans.sort() == (not found)
    assert not store.orphans.has_old()
    assert home.job_folder(job.folder).request_file.exists() == found
    assert await store.orphans.sort() == 0


async def test_empty(store: Store, home: Home) -> None:
    """An empty folder, whose maker died before its row was there, is removed without a word."""
    folders = [home.runs / "7-ab", home.styles / "7-ab"]
    for folder in folders:
        folder.mkdir(parents=True)

    assert await store.orphans.sort() == 0
    assert not any(folder.exists() for folder in folders)
    assert not home.quarantine.exists()


async def test_new_jobs(store: Store, home: Home, make_job: Made) -> None:
    """A job that was made with a key never gets a folder of before."""
    await add_old_job(store, make_job)
    await store._database.execute("UPDATE jobs SET key = '0123456789abcdef'")

    assert await store.orphans.sort() == 1
    assert list_files(home) == ["quarantine/runs/1/job.json"]


@pytest.mark.parametrize(("content", "found"), [(b"weights", True), (b"another's", False)])
async def test_old_styles(
    store: Store, home: Home, make_job: Made, content: bytes, *, found: bool
) -> None:
    """A style's folder of before is taken over if the file has the style's digest."""
    style = await add_style(store, make_job, content)

    await store.orphans.sort()

    assert style.digest == sha256(b"weights").hexdigest()
    assert store.styles.file(style).exists() == found
    assert not (home.styles / "1").exists()


async def test_photos(store: Store, home: Home, make_photo: Callable[..., CheckedPhoto]) -> None:
    """Photos without a row are moved, return with their row, and go when their member's go."""
    dog = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    mine, other = make_photo(1), make_photo(2)
    await store.photos.add(dog, mine)
    for path in (home.photo_file(other.digest), home.preview_file(other.digest)):
        write_whole(path, b"of another database")

    assert await store.orphans.sort() == 2
    assert not home.photo_file(other.digest).exists()
    assert home.photo_file(mine.digest).exists()

    await store._database.execute("UPDATE photos SET digest = :digest", digest=other.digest)
    assert await store.orphans.sort() == 2
    assert home.photo_file(other.digest).read_bytes() == b"of another database"
    assert not home.photo_file(mine.digest).exists()

    sql = "INSERT INTO trash VALUES ('photo', :digest)"
    await store._database.execute(sql, digest=mine.digest)
    await store.members.erase(ALICE, keep_styles=False)
    assert list_files(home) == []


async def test_clock(store: Store, home: Home) -> None:
    """What was written later than now, by a clock that is not set yet, counts from then on."""
    folder, later = home.job_folder("7-ab").path, datetime.now(UTC) + timedelta(days=90)
    write_whole(folder / "log.txt", b"x")
    os.utime(folder, (later.timestamp(), later.timestamp()))

    await store.orphans.sort()

    assert [path.name for path in home.quarantine.iterdir()] == [later.date().isoformat()]


@pytest.mark.parametrize("jumped", [False, True])
async def test_expiry(store: Store, home: Home, *, jumped: bool) -> None:
    """What nobody missed is deleted after two weeks, and nothing else that lies there.

    A clock that was right a moment ago, and is a month ahead now, makes nothing old.
    """
    now = datetime.now(UTC)
    young, old = (
        (now - timedelta(days=days)).date().isoformat() for days in (ASIDE_DAYS - 1, ASIDE_DAYS)
    )
    for day in (young, old):
        write_whole(home.quarantine / day / "runs" / "1" / "log.txt", b"")
    write_whole(home.quarantine / "notes.txt", b"the operator's")
    if jumped:
        known = json.loads(home.careful_time_file.read_bytes())
        write_json(home.careful_time_file, known | {"time": known["time"] - 30 * 86400})

    await store.orphans.expire()

    left = [old, young] if jumped else [young]
    assert sorted(path.name for path in home.quarantine.iterdir()) == [*left, "notes.txt"]
