"""Finished styles, their sharing and their files."""

from __future__ import annotations

import asyncio
import hashlib
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
async def job(store: Store, asked: Callable[..., NewJob]) -> Job:
    """Return a running training."""
    await store.jobs.queue(asked())
    claimed = await store.jobs.claim("w", [Kind.TRAIN])
    assert claimed is not None
    return claimed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a job's result."""
    path = tmp_path / "result.safetensors"
    path.write_bytes(b"weights")
    return path


async def add(store: Store, job: Job, file: Path) -> Style:
    """Keep a result as a style."""
    return await store.styles.add(
        job, file, method="lora", family="sd1", trigger="mydog", concept=Concept.SUBJECT
    )


async def test_add(store: Store, job: Job, file: Path) -> None:
    """A style has a file of its own, which outlives the job's, and the job names it."""
    style = await add(store, job, file)
    await asyncio.to_thread(file.unlink)

    kept = store.styles.file(style)

    assert kept.read_bytes() == b"weights"
    assert kept.name == "my dog.safetensors"
    assert style.digest == hashlib.sha256(b"weights").hexdigest()
    assert (style.bytes, style.owner, style.base, style.shared) == (7, ALICE, "embedded", ())
    assert (await store.jobs.get(job.id)).style == style.id
    assert await store.styles.list_for(ALICE) == [style]


async def test_once(store: Store, job: Job, file: Path) -> None:
    """A trainer that comes back and keeps the same result again gets the same style."""
    first = await add(store, job, file)

    assert await add(store, job, file) == first


async def test_fence(store: Store, job: Job, file: Path) -> None:
    """A worker that was given up publishes nothing."""
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
    """A shared style can be used by that server's members, until it is taken back."""
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


async def test_foreign(store: Store, job: Job, file: Path) -> None:
    """Nobody uses, shares, takes back or deletes what is another member's."""
    style = await add(store, job, file)

    for deed in (
        store.styles.get(style.id, BOB, GUILD),
        store.styles.share(style.id, BOB, GUILD),
        store.styles.unshare(style.id, BOB, GUILD),
        store.styles.delete(style.id, BOB),
    ):
        with pytest.raises(UserError, match=r"^style_unknown$"):
            await deed

    assert store.styles.file(style).exists()


async def test_withdraw(store: Store, job: Job, file: Path) -> None:
    """A server gives a style up whoever's it is; the owner and other servers keep it."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    await store.styles.share(style.id, ALICE, ELSEWHERE)

    await store.styles.withdraw(style.id, GUILD)

    assert [each.shared for each in await store.styles.list_for(ALICE)] == [(ELSEWHERE,)]
    with pytest.raises(UserError, match=r"^style_unknown$"):
        await store.styles.withdraw(style.id, GUILD)


async def test_nobodys(store: Store, job: Job, file: Path) -> None:
    """A style that nobody owns goes with its file when its last server gives it up."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    await store.styles.share(style.id, ALICE, ELSEWHERE)
    await store.members.erase(ALICE, keep_styles=True)

    await store.styles.withdraw(style.id, GUILD)
    kept = store.styles.file(style).exists()
    await store.styles.withdraw(style.id, ELSEWHERE)

    assert kept
    assert not store.styles.file(style).parent.exists()


async def test_delete(store: Store, home: Home, job: Job, file: Path) -> None:
    """A style goes with its file, by both of its names, and its shares; its job stays."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    folder = home.job_folder(job.id)
    folder.result.mkdir(parents=True)
    (folder.result / "my.safetensors").hardlink_to(store.styles.file(style))
    folder.log_file.write_text("kept")

    await store.styles.delete(style.id, ALICE)

    assert not store.styles.file(style).parent.exists()
    assert [path.name for path in folder.path.iterdir()] == ["log.txt"]
    assert await store.styles.list_usable(BOB, GUILD) == []
    assert (await store.jobs.get(job.id)).style is None


async def test_waiting(store: Store, job: Job, file: Path, asked: Callable[..., NewJob]) -> None:
    """A picture that was asked of a style which goes is not drawn by the bare base instead."""
    style = await add(store, job, file)
    await store.styles.share(style.id, ALICE, GUILD)
    waiting = await store.jobs.queue(asked(Kind.SAMPLE, BOB, style=style.id))

    await store.styles.delete(style.id, ALICE)
    told = await store.jobs.get(waiting.id)

    assert (told.status, told.error) == (Status.FAILED, {"code": "style_unknown"})
    assert await store.jobs.claim("w", [Kind.SAMPLE]) is None


async def test_whole_models_expire(store: Store, job: Job, file: Path) -> None:
    """An old model loses its file and keeps its row; what is no whole model stays."""
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
    (kept,) = await store.styles.list_for(ALICE)
    assert kept.removed
    assert await store.styles.sum_bytes(ALICE) == 0


async def test_styles_do_not_expire(store: Store, job: Job, file: Path) -> None:
    """Only whole models are removed by age."""
    style = await add(store, job, file)

    assert await store.styles.remove_full_models(style.created + 1) == []
    assert store.styles.file(style).exists()
