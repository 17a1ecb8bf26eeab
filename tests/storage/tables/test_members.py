"""Consent, export and deletion of members."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from storage.events import LogEntry, Note
from storage.folders import Home
from storage.records import (
    CheckedPhoto,
    Concept,
    Dataset,
    Job,
    JobCommand,
    Kind,
    NewJob,
    Status,
    Style,
)
from storage.store import Store
from storage.tables.consents import Terms
from storage.tables.posts import NewPost, PostKind
from storage.tables.servers import Decision

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88
NAME = "verysecretname"


async def train(store: Store, job: Job) -> Style:
    """Run a job to its end and add its style."""
    run = await store.jobs.claim("w", [job.kind])
    assert run is not None
    folder = store.home.job_folder(run.folder)
    folder.photos.mkdir(parents=True)
    (folder.photos / "0.png").write_bytes(b"pixels")
    folder.result.mkdir()
    file = folder.result / "x.safetensors"
    file.write_bytes(b"weights")
    style = await store.styles.add(
        run, file, method="lora", family="sd1", trigger="x", concept=Concept.SUBJECT
    )
    await store.jobs.end_run(run.id, run.fence, Status.DONE)
    return style


@pytest.fixture
async def dog(store: Store) -> Dataset:
    """Alice's dataset."""
    return await store.datasets.create(ALICE, GUILD, NAME, Concept.SUBJECT)


async def test_export(
    store: Store,
    dog: Dataset,
    make_photo: Callable[..., CheckedPhoto],
    make_job: Callable[..., NewJob],
) -> None:
    """An export has every row about a member, none about others, and is JSON."""
    await store.consents.add(ALICE, Terms(1), "form")
    await store.datasets.set_collecting(ALICE, CHANNEL, dog.id)
    photo = await store.photos.add(dog, make_photo(1, warnings=("tiny",)))
    await store.uploads.add("ab" * 32, photo)
    await store.captions.change(dog.id, ALICE, lambda *_: "a dog")
    theirs = await store.jobs.queue(make_job(owner=BOB))
    await store.jobs.send_command(theirs.id, JobCommand.CANCEL, ALICE)
    await store.jobs.add_watcher(theirs.id, ALICE)
    await store.likes.set(theirs.id, ALICE, liked=True)
    report = await store.reports.add(GUILD, ALICE, theirs.id, (8, 5), "rude")
    await store.reports.decide(report.id, Decision.KEEP, ALICE)
    await store.servers.block(GUILD, ALICE)
    await store.drafts.add(ALICE, {"dataset": dog.id})
    await store.posts.add(NewPost(PostKind.WATCHED, ALICE, GUILD, theirs.id))
    style = await train(store, await store.jobs.queue(make_job(dataset=dog.id)))
    await store.styles.share(style.id, ALICE, GUILD)

    export = json.loads(json.dumps(await store.members.export(ALICE)))
    other = await store.members.export(BOB)

    assert {
        name: len(rows) for name, rows in export.items() if name not in {"member", "events"}
    } == {
        "consents": 1,
        "datasets": 1,
        "collecting": 1,
        "photos": 1,
        "uploads": 1,
        "edited_captions": 1,
        "caption_edits": 1,
        "jobs": 1,
        "commands": 1,
        "stays_home": 0,
        "watching": 1,
        "likes": 1,
        "studies": 0,
        "study_sides": 0,
        "comparisons": 0,
        "comparison_entries": 0,
        "votes": 0,
        "styles": 1,
        "shares": 1,
        "posts": 1,
        "blocked": 1,
        "decisions": 1,
        "reports": 1,
        "drafts": 1,
        "contributing": 0,
        "contributors": 0,
        "contributed_styles": 1,
        "photos_of_others": 0,
    }
    assert export["photos"][0]["warnings"] == ["tiny"]
    assert export["jobs"][0]["request"]["steps"] == 100
    assert (export["styles"][0]["whole"], export["styles"][0]["removed"]) == (0, None)
    assert [event["facts"]["status"] for event in export["events"]] == [
        "queued",
        "running",
        "done",
    ]
    assert {name for name, rows in other.items() if rows} == {"member", "jobs", "events"}


async def test_shared(
    store: Store, home: Home, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """An erased member's files go unless others have the same picture."""
    theirs = await store.datasets.create(BOB, GUILD, "dog", Concept.SUBJECT)
    await store.photos.add(dog, make_photo(1))
    await store.photos.add(dog, make_photo(2))
    kept = await store.photos.add(theirs, make_photo(1))

    photos = await store.members.erase(ALICE, keep_styles=False)

    assert photos == 2
    assert await store.photos.list_for(theirs.id, BOB) == [kept]
    assert home.photo_file(make_photo(1).digest).exists()
    assert home.preview_file(make_photo(1).digest).exists()
    assert not home.photo_file(make_photo(2).digest).exists()
    assert not home.preview_file(make_photo(2).digest).exists()


async def test_everything(
    store: Store,
    home: Home,
    dog: Dataset,
    make_photo: Callable[..., CheckedPhoto],
    make_job: Callable[..., NewJob],
) -> None:
    """Nothing is left of an erased member: no row, no folder, no byte in the database."""
    await store.consents.add(ALICE, Terms(1), "form")
    await store.photos.add(dog, make_photo())
    await store.datasets.set_collecting(ALICE, CHANNEL, dog.id)
    theirs = await store.jobs.queue(make_job(owner=BOB))
    await store.jobs.add_watcher(theirs.id, ALICE)
    await store.likes.set(theirs.id, ALICE, liked=True)
    await store.jobs.send_command(theirs.id, JobCommand.PAUSE, ALICE)
    await store.reports.add(GUILD, ALICE, theirs.id, (8, 5), NAME)
    report = await store.reports.add(GUILD, BOB, theirs.id, (8, 6), "rude")
    await store.reports.decide(report.id, Decision.KEEP, ALICE)
    await store.drafts.add(ALICE, {"class_word": NAME})
    await store.posts.add(NewPost(PostKind.WATCHED, ALICE, GUILD, theirs.id))
    await train(store, await store.jobs.queue(make_job(request={"name": NAME})))
    paused = await store.jobs.queue(make_job(dataset=dog.id))
    await store.jobs.send_command(paused.id, JobCommand.PAUSE, ALICE)
    home.job_folder(paused.folder).photos.mkdir(parents=True)
    snapshot = home.path / "safelight.db.before-2"
    await store._database.execute("VACUUM INTO :path", path=str(snapshot))
    assert NAME.encode() in snapshot.read_bytes()

    await store.members.erase(ALICE, keep_styles=False)
    left = await store.members.export(ALICE)
    files = [path for path in home.path.rglob("*") if path.is_file()]
    contents = b"".join(path.read_bytes() for path in files)

    assert {name for name, rows in left.items() if rows} == {"member"}
    assert {path.name.split(".")[0] for path in files} == {"safelight"}
    assert NAME.encode() not in contents
    assert list((home.path / "runs").iterdir()) == []
    assert (await store.jobs.get(theirs.id)).requested_by is None
    assert all("by" not in entry.to_json() for entry in await store.events.list_for_job(theirs.id))


@pytest.mark.parametrize("keep", [True, False])
async def test_styles(
    store: Store, home: Home, make_job: Callable[..., NewJob], *, keep: bool
) -> None:
    """Shared styles go or stay without an owner, as chosen; others always go."""
    shared, own = [
        await train(store, await store.jobs.queue(make_job(request={"steps": steps})))
        for steps in (1, 2)
    ]
    await store.styles.share(shared.id, ALICE, GUILD)

    await store.members.erase(ALICE, keep_styles=keep)
    usable = await store.styles.list_usable(BOB, GUILD)

    assert [style.id for style in usable] == ([shared.id] if keep else [])
    assert all(style.owner is None and style.job is None for style in usable)
    assert store.styles.file(shared).exists() == keep
    assert not store.styles.file(own).exists()
    assert await store.styles.list_for(ALICE) == []
    assert list((home.path / "runs").iterdir()) == []


async def test_running(
    store: Store, home: Home, dog: Dataset, make_job: Callable[..., NewJob]
) -> None:
    """A running job is cancelled, and purged after it has ended."""
    job = await store.jobs.queue(make_job(dataset=dog.id))
    run = await store.jobs.claim("w", [Kind.TRAIN])
    assert run is not None
    home.job_folder(job.folder).photos.mkdir(parents=True)

    await store.members.erase(ALICE, keep_styles=False)
    running = await store.jobs.get(job.id)
    early = await store.jobs.purge(job.id)
    before = await store.jobs.list_purgeable()
    await store.jobs.end_run(run.id, run.fence, Status.CANCELLED)
    after = await store.jobs.list_purgeable()
    late = await store.jobs.purge(job.id)

    assert (running.status, running.requested) == (Status.RUNNING, JobCommand.CANCEL)
    assert (early, before, [each.id for each in after], late) == (False, [], [job.id], True)
    assert await store.jobs.list_for(ALICE) == []
    assert not home.job_folder(job.folder).path.exists()
    assert await store.events.list_since(0) == []


async def test_late(store: Store, make_job: Callable[..., NewJob]) -> None:
    """A style that is finished after its member left is purged with its job."""
    job = await store.jobs.queue(make_job())
    run = await store.jobs.claim("w", [Kind.TRAIN])
    assert run is not None
    await store.members.erase(ALICE, keep_styles=True)
    file = store.home.path / "x.safetensors"
    file.write_bytes(b"weights")
    style = await store.styles.add(
        run, file, method="lora", family="sd1", trigger="x", concept=Concept.LOOK
    )
    await store.jobs.end_run(run.id, run.fence, Status.DONE)

    purged = await store.jobs.purge(job.id)

    assert purged
    assert not store.styles.file(style).exists()
    assert await store.styles.list_for(ALICE) == []


async def test_stays(store: Store, make_job: Callable[..., NewJob]) -> None:
    """A job of a member who is still here is never purged."""
    job = await store.jobs.queue(make_job())
    await store.events.append(job.id, [LogEntry(Note("x"), 0.0)])

    assert not await store.jobs.purge(job.id)
    assert await store.jobs.purge(999)
