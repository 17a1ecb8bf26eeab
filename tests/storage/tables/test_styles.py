"""Finished styles, their sharing and their files."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage.errors import JobError, UserError
from storage.folders import Home
from storage.records import Concept, Job, Kind, NewJob, Status, Style
from storage.store import Store

ALICE, BOB, GUILD, ELSEWHERE = 1001, 1002, 77, 78


@pytest.fixture
async def job(store: Store, make_job: Callable[..., NewJob]) -> Job:
    """A running training."""
    await store.jobs.queue(make_job())
    claimed = await store.jobs.claim("w", [Kind.TRAIN])
    assert claimed is not None
    return claimed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A training's result."""
    path = tmp_path / "result.safetensors"
    path.write_bytes(b"weights")
    return path


async def add(store: Store, job: Job, file: Path) -> Style:
    """Store a result as a style."""
    return await store.styles.add(
        job, file, method="lora", family="sd1", trigger="mydog", concept=Concept.SUBJECT
    )


async def test_add(store: Store, job: Job, file: Path) -> None:
    """A style has its own copy of the job's file, and the job names the style."""
    style = await add(store, job, file)
    await asyncio.to_thread(file.unlink)

    path = store.styles.file(style)

    assert path.read_bytes() == b"weights"
    assert path.name == "my dog.safetensors"
    assert style.digest == hashlib.sha256(b"weights").hexdigest()
    assert (style.bytes, style.owner, style.base, style.shared) == (7, ALICE, "embedded", ())
    assert (await store.jobs.get(job.id)).style == style.id
    assert await store.styles.list_for(ALICE) == [style]


async def test_power_cut(store: Store, job: Job, file: Path, disk_calls: list[str]) -> None:
    """The file and the names that lead to it are on the disk before the row: none outlives it."""
    style = await add(store, job, file)

    assert disk_calls == [
        f"fsync .my dog.safetensors.{os.getpid()}.part", "replace my dog.safetensors",
        f"fsync {style.folder}", "fsync styles",
    ]  # fmt: skip


async def test_add_again(store: Store, job: Job, file: Path) -> None:
    """Adding the result of a job again returns the same style."""
    first = await add(store, job, file)

    assert await add(store, job, file) == first


async def test_fence(store: Store, job: Job, file: Path) -> None:
    """An old claim cannot add a style."""
    with pytest.raises(JobError, match="lease_lost"):
        await add(store, replace(job, fence=job.fence - 1), file)

    assert await store.styles.list_for(ALICE) == []


async def test_missing(store: Store, home: Home, job: Job, tmp_path: Path) -> None:
    """A result that cannot be read leaves no row and no folder."""
    with pytest.raises(FileNotFoundError):
        await add(store, job, tmp_path / "nothing")

    assert await store.styles.list_for(ALICE) == []
    assert list((home.path / "styles").iterdir()) == []


async def test_share(store: Store, job: Job, file: Path) -> None:
    """Members of a server can use a style while it is shared there."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    await store.styles.share(style.id, ALICE, GUILD)
    await store.styles.share(style.id, ALICE, ELSEWHERE)

    shared = await store.styles.get(style.id, BOB, GUILD)
    await store.styles.unshare(style.id, ALICE, GUILD)

    assert shared.shared == (GUILD, ELSEWHERE)
    assert await store.styles.list_usable(BOB, GUILD) == []
    assert [each.id for each in await store.styles.list_usable(BOB, ELSEWHERE)] == [style.id]
    assert [each.id for each in await store.styles.list_usable(ALICE, 1)] == [style.id]


async def test_others_styles(store: Store, job: Job, file: Path) -> None:
    """Nobody can use, share, unshare or delete another member's style."""
    style = await add(store, job, file)

    for attempt in (
        store.styles.get(style.id, BOB, GUILD),
        store.styles.share(style.id, BOB, GUILD),
        store.styles.unshare(style.id, BOB, GUILD),
        store.styles.delete(style.id, BOB),
    ):
        with pytest.raises(UserError, match=r"^style_unknown$"):
            await attempt

    assert store.styles.file(style).exists()


async def test_withdraw(store: Store, job: Job, file: Path) -> None:
    """A moderator can remove any style from a server; its owner and other servers keep it."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    await store.styles.share(style.id, ALICE, ELSEWHERE)

    await store.styles.withdraw(style.id, GUILD)

    assert [each.shared for each in await store.styles.list_for(ALICE)] == [(ELSEWHERE,)]
    with pytest.raises(UserError, match=r"^style_unknown$"):
        await store.styles.withdraw(style.id, GUILD)


async def test_withdraw_last_share(store: Store, job: Job, file: Path) -> None:
    """A style without an owner is deleted, with its file, with its last share."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    await store.styles.share(style.id, ALICE, ELSEWHERE)
    await store.members.erase(ALICE, keep_styles=True)

    await store.styles.withdraw(style.id, GUILD)
    before = store.styles.file(style).exists()
    await store.styles.withdraw(style.id, ELSEWHERE)

    assert before
    assert not store.styles.file(style).parent.exists()


async def test_delete(store: Store, home: Home, job: Job, file: Path) -> None:
    """A deleted style takes its file, the job's result and its shares along; the job stays."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    folder = home.job_folder(job.folder)
    folder.result.mkdir(parents=True)
    (folder.result / "my.safetensors").hardlink_to(store.styles.file(style))
    folder.log_file.write_text("kept")

    await store.styles.delete(style.id, ALICE)

    assert not store.styles.file(style).parent.exists()
    assert [path.name for path in folder.path.iterdir()] == ["log.txt"]
    assert await store.styles.list_usable(BOB, GUILD) == []
    assert (await store.jobs.get(job.id)).style is None


async def test_waiting(
    store: Store, job: Job, file: Path, make_job: Callable[..., NewJob]
) -> None:
    """A queued sample of a deleted style fails instead of drawing with the base alone."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    waiting = await store.jobs.queue(make_job(Kind.SAMPLE, BOB, style=style.id))

    await store.styles.delete(style.id, ALICE)
    sample = await store.jobs.get(waiting.id)

    assert (sample.status, sample.error) == (Status.FAILED, {"code": "style_unknown"})
    assert await store.jobs.claim("w", [Kind.SAMPLE]) is None


async def test_old_full_models(store: Store, job: Job, file: Path) -> None:
    """An old full model loses its file and keeps its row."""
    model = await store.styles.add(
        job, file, method="finetune", family="sd1", trigger="my", concept=Concept.LOOK, whole=True
    )
    used = await store.styles.sum_bytes(ALICE)

    early = await store.styles.remove_full_models(model.created - 1)
    gone = await store.styles.remove_full_models(model.created + 1)
    again = await store.styles.remove_full_models(model.created + 1)

    assert (model.whole, model.removed, used) == (True, None, 7)
    assert (early, [one.id for one in gone], again) == ([], [model.id], [])
    assert not store.styles.file(model).exists()
    (row,) = await store.styles.list_for(ALICE)
    assert row.removed
    assert await store.styles.sum_bytes(ALICE) == 0


async def test_other_styles_stay(store: Store, job: Job, file: Path) -> None:
    """Other styles are never removed by age."""
    style = await add(store, job, file)

    assert await store.styles.remove_full_models(style.created + 1) == []
    assert store.styles.file(style).exists()
