"""Withdrawals: photos go with their copies and what was made of them; the disk is searched."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from storage.errors import JobError, UserError
from storage.events import LogEntry, PhotoCaptioned
from storage.folders import Home
from storage.measurements import PhotoMeasures
from storage.records import CheckedPhoto, Concept, Dataset, Job, Kind, NewJob, Photo, Status, Style
from storage.store import Store
from storage.tables.consents import Terms
from storage.tables.withdrawal import Loss

ALICE, BOB, CAROL, GUILD = 1001, 1002, 1003, 77
PICTURE_BYTES, FEATURES = (32 * 32, 8 * 8 * 3), 256  #: of thumbnail and colours; in number


def search(home: Home, *words: str | bytes) -> set[str]:
    """Return the files of a data folder that have any of these words, or are named by them."""
    sought = [each.encode() if isinstance(each, str) else each for each in words]
    files = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    return {
        path.relative_to(home.path).as_posix()
        for path, content in files.items()
        if any(each in content or each in path.name.encode() for each in sought)
    }


def draw_noise(photo: CheckedPhoto, size: int) -> str:
    """Return bytes that no other photo or size has, as the database keeps pictures."""
    return base64.b64encode(random.Random(f"{photo.digest} {size}").randbytes(size)).decode()


def traces(photo: CheckedPhoto) -> tuple[str | bytes, ...]:
    """Return by what a photo is found on a disk."""
    found = (draw_noise(photo, size) for size in (*PICTURE_BYTES, FEATURES))
    return photo.digest, photo.pixels, photo.preview, *found


async def claim(store: Store) -> Job:
    """Claim the next training, and fill its folder as a worker does."""
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    run = store.home.job_folder(job.folder)
    for folder in (run.photos, run.checkpoints, run.class_images, run.samples, run.result):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"made of photos")
    for number, photo in enumerate(await store.photos.list_for(job.dataset or 0, ALICE)):
        file = run.photos / f"{number}.png"
        file.write_bytes(store.home.photo_file(photo.digest).read_bytes())
    return job


async def finish(store: Store, job: Job) -> Style:
    """End a training with a style."""
    file = store.home.job_folder(job.folder).result / "x.safetensors"
    file.write_bytes(b"weights")
    known = {"method": "lora", "family": "sd1", "trigger": "x"}
    style = await store.styles.add(job, file, concept=Concept.SUBJECT, **known)
    await store.jobs.end_run(job.id, job.fence, Status.DONE)
    return style


@pytest.fixture
async def shared(store: Store, make_photo: Callable[..., CheckedPhoto]) -> Dataset:
    """Alice's dataset with two photos of hers (1, 2) and one of Bob's (3)."""
    dataset = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    await store.consents.add(ALICE, Terms(1), "form")
    for member in (BOB, CAROL):
        await store.contributors.invite(dataset.id, ALICE, member)
        await store.consents.add(member, Terms(1, dataset=dataset.id), "form")
        await store.contributors.join(dataset.id, member)
    for number, member in ((1, ALICE), (2, ALICE), (3, BOB)):
        photo = make_photo(number)
        thumbnail, colours = (draw_noise(photo, size) for size in PICTURE_BYTES)
        measures = PhotoMeasures(1.0, (0, 0, 0, 0), True, 0.1, 0.1, 40.0, thumbnail, colours)
        added = await store.photos.add(dataset, replace(photo, measures=measures), member)
        await store.photos.set_features(added.id, draw_noise(photo, FEATURES))
    return dataset


async def members_of(store: Store, dataset: Dataset) -> list[int]:
    """Return whose the photos of a dataset are."""
    photos: list[Photo] = await store.photos.list_for(dataset.id, ALICE)
    return [photo.contributor for photo in photos]


async def test_photos(
    store: Store, home: Home, shared: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A withdrawal removes the member's photos from disk and database, and no one else's."""
    loss = await store.withdrawals.withdraw(BOB, delete_styles=False)

    assert loss == Loss(photos=1, left=2, styles=0, jobs=0)
    assert await members_of(store, shared) == [ALICE, ALICE]
    assert search(home, *traces(make_photo(3))) == set()
    assert all(search(home, each) for each in traces(make_photo(1)))
    (bob,), (alice,) = [await store.consents.list_for(each) for each in (BOB, ALICE)]
    assert bob.withdrawn is not None
    assert alice.withdrawn is None
    assert not await store.consents.has(BOB, Terms(1, dataset=shared.id))


async def test_one_dataset(
    store: Store, shared: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A withdrawal for one dataset leaves the member's photos and consents for others."""
    own = await store.datasets.create(BOB, GUILD, "cat", Concept.SUBJECT)
    await store.consents.add(BOB, Terms(1), "form")
    await store.photos.add(own, make_photo(3))

    loss = await store.withdrawals.withdraw(BOB, shared.id, delete_styles=False)

    assert (loss.photos, loss.left) == (1, 2)
    assert len(await store.photos.list_for(own.id, BOB)) == 1
    assert await store.consents.has(BOB, Terms(1))
    assert not await store.consents.has(BOB, Terms(1, dataset=shared.id))


@pytest.mark.parametrize("delete", [True, False])
async def test_styles(
    store: Store, home: Home, shared: Dataset, make_job: Callable[..., NewJob], *, delete: bool
) -> None:
    """A style trained on the photos goes if asked, with its previews, whoever owns it."""
    await store.jobs.queue(make_job(dataset=shared.id))
    job = await claim(store)
    style = await finish(store, job)
    before = await store.withdrawals.preview(BOB)

    await store.withdrawals.withdraw(BOB, delete_styles=delete)

    assert before.styles == 1
    assert await store.styles.list_for(ALICE) == ([] if delete else [style])
    assert (search(home, b"weights", b"made of photos") == set()) == delete


async def test_late_photo(
    store: Store,
    shared: Dataset,
    make_job: Callable[..., NewJob],
    make_photo: Callable[..., CheckedPhoto],
) -> None:
    """Whose photos came after a training began has no say in its style."""
    await store.jobs.queue(make_job(dataset=shared.id))
    job = await claim(store)
    await store.photos.add(shared, make_photo(9), CAROL)
    await finish(store, job)

    assert [(await store.withdrawals.preview(who)).styles for who in (BOB, CAROL)] == [1, 0]


@pytest.mark.parametrize("before", ["waiting", "running", "paused"])
async def test_trainings(
    store: Store, home: Home, shared: Dataset, make_job: Callable[..., NewJob], before: str
) -> None:
    """A training that has the photos ends and loses its folder; one that waits goes on."""
    queued = await store.jobs.queue(make_job(dataset=shared.id))
    if before != "waiting":
        job = await claim(store)
        if before == "paused":
            await store.jobs.end_run(job.id, job.fence, Status.PAUSED)

    loss = await store.withdrawals.withdraw(BOB, delete_styles=False)
    at_once = await store.jobs.get(queued.id)
    copies = [*home.job_folder(queued.folder).photos.glob("*")]
    if before == "running":
        await store.jobs.end_run(queued.id, job.fence, Status.CANCELLED)
    after = await store.jobs.get(queued.id)

    assert loss.jobs == (before != "waiting")
    assert copies == []
    if before == "waiting":
        assert (after.status, after.requested) == (Status.QUEUED, None)
        return
    assert at_once.status is (Status.RUNNING if before == "running" else Status.FAILED)
    assert (after.status, after.error) == (Status.FAILED, {"code": "photos_withdrawn"})
    assert not home.job_folder(queued.folder).path.exists()


async def test_captions(
    store: Store, home: Home, shared: Dataset, make_job: Callable[..., NewJob]
) -> None:
    """What a captioner wrote of the photos goes, too, from its events and its folder."""
    await store.jobs.queue(make_job(Kind.CAPTION, dataset=shared.id))
    job = await store.jobs.claim("w", [Kind.CAPTION])
    assert job is not None
    told = PhotoCaptioned(3, "0003.png", "bob on a very secret sofa")
    await store.events.append(job.id, [LogEntry(told, 1.0)])
    home.job_folder(job.folder).result.mkdir(parents=True)
    (home.job_folder(job.folder).result / "captions.json").write_text(told.caption)
    await store.jobs.end_run(job.id, job.fence, Status.DONE)

    await store.withdrawals.withdraw(BOB, delete_styles=False)

    assert search(home, "very secret sofa") == set()


async def test_own_trainings(
    store: Store, shared: Dataset, make_job: Callable[..., NewJob]
) -> None:
    """A member who takes back their own consent has no training left that waits for photos."""
    queued = await store.jobs.queue(make_job(dataset=shared.id))

    await store.withdrawals.withdraw(ALICE, delete_styles=False)

    assert (await store.jobs.get(queued.id)).status is Status.FAILED


async def test_late_style(
    store: Store, home: Home, shared: Dataset, make_job: Callable[..., NewJob]
) -> None:
    """A training that finishes just after the withdrawal leaves no style."""
    await store.jobs.queue(make_job(dataset=shared.id))
    job = await claim(store)
    await store.withdrawals.withdraw(BOB, delete_styles=False)

    with pytest.raises(JobError, match="photos_withdrawn"):
        await finish(store, job)
    await store.jobs.end_run(job.id, job.fence, Status.DONE)

    assert await store.styles.list_for(ALICE) == []
    assert search(home, b"weights", b"made of photos") == set()


@pytest.mark.parametrize("keep", [True, False])
async def test_erased_contributor(
    store: Store,
    home: Home,
    shared: Dataset,
    make_job: Callable[..., NewJob],
    make_photo: Callable[..., CheckedPhoto],
    *,
    keep: bool,
) -> None:
    """An erased member takes photos, and if wished styles, from others' datasets."""
    await store.jobs.queue(make_job(dataset=shared.id))
    await finish(store, await claim(store))

    await store.members.erase(BOB, keep_styles=keep)

    assert await members_of(store, shared) == [ALICE, ALICE]
    assert search(home, *traces(make_photo(3))) == set()
    assert len(await store.styles.list_for(ALICE)) == keep


async def test_upload_meanwhile(
    store: Store, shared: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A photo that is still on its way when consent is withdrawn is refused."""
    await store.withdrawals.withdraw(BOB, delete_styles=False)
    await store.withdrawals.withdraw(ALICE, delete_styles=False)

    for member, code in ((BOB, "dataset_unknown"), (ALICE, "consent_needed")):
        with pytest.raises(UserError, match=code):
            await store.photos.add(shared, make_photo(8), member)


@pytest.mark.parametrize("running", [False, True])
async def test_reports(
    store: Store, home: Home, shared: Dataset, make_job: Callable[..., NewJob], *, running: bool
) -> None:
    """What a report says of the photos goes with them; one that is drawn ends."""
    await store.jobs.queue(make_job(Kind.GRADE, dataset=shared.id))
    job = await store.jobs.claim("w", [Kind.GRADE])
    assert job is not None
    file = home.job_folder(job.folder).report_file
    file.parent.mkdir(parents=True)
    file.write_text("bob in numbers")
    if not running:
        await store.jobs.end_run(job.id, job.fence, Status.DONE)

    await store.withdrawals.withdraw(BOB, delete_styles=False)
    if running:
        assert (await store.jobs.get(job.id)).requested is not None
        await store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
        await store.jobs.purge(job.id)

    assert search(home, "bob in numbers") == set()
