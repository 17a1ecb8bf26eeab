"""Members' datasets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.records import CheckedPhoto, Concept, Dataset, JobCommand, Kind, NewJob, Status
from storage.store import Store

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88


@pytest.fixture
async def dog(store: Store) -> Dataset:
    """Alice's dataset."""
    return await store.datasets.create(ALICE, GUILD, "My Dog", Concept.SUBJECT)


async def test_new(store: Store, dog: Dataset) -> None:
    """A dataset's trigger is made of its name unless one is given."""
    look = await store.datasets.create(ALICE, GUILD, "water", Concept.LOOK, "aqua")

    assert (dog.trigger, dog.concept, look.trigger) == ("mydog", Concept.SUBJECT, "aqua")
    assert await store.datasets.list_for(ALICE) == [look, dog]
    assert await store.datasets.get(dog.id, ALICE) == dog


async def test_taken(store: Store, dog: Dataset) -> None:
    """A member's names differ by more than case; another member may use the same."""
    with pytest.raises(UserError, match="name_taken"):
        await store.datasets.create(ALICE, GUILD, "my dog", Concept.LOOK)
    theirs = await store.datasets.create(BOB, GUILD, "my dog", Concept.LOOK)

    assert theirs.id != dog.id


async def test_foreign(store: Store, dog: Dataset) -> None:
    """Another member's dataset is unknown, like one that does not exist."""
    attempts = (
        store.datasets.get(dog.id, BOB),
        store.datasets.get(999, ALICE),
        store.datasets.delete(dog.id, BOB),
        store.datasets.set_collecting(BOB, CHANNEL, dog.id),
    )
    for attempt in attempts:
        with pytest.raises(UserError, match=r"^dataset_unknown$"):
            await attempt

    with pytest.raises(UserError, match=r"^datasets_none$"):
        await store.datasets.get_by_name(BOB, dog.name)
    assert await store.datasets.list_for(BOB) == []
    assert await store.datasets.list_for(ALICE) == [dog]


async def test_named(store: Store, dog: Dataset) -> None:
    """A dataset is found by its name, in any case."""
    assert await store.datasets.get_by_name(ALICE, " MY DOG ") == dog


async def test_delete(
    store: Store, home: Home, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A deleted dataset takes its photos and their files along."""
    photo = await store.photos.add(dog, make_photo())

    await store.datasets.delete(dog.id, ALICE)

    assert not home.photo_file(photo.digest).exists()
    assert not home.preview_file(photo.digest).exists()
    assert await store.datasets.list_for(ALICE) == []


async def test_busy(store: Store, dog: Dataset, make_job: Callable[..., NewJob]) -> None:
    """A dataset stays while a job trains on it, and can go when that has ended."""
    job = await store.jobs.queue(make_job(dataset=dog.id))

    with pytest.raises(UserError) as caught:
        await store.datasets.delete(dog.id, ALICE)
    await store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)
    await store.datasets.delete(dog.id, ALICE)

    assert caught.value.facts == {"name": "My Dog", "job": job.id}
    assert (await store.jobs.get(job.id)).dataset is None


async def test_busy_beside(store: Store, dog: Dataset, make_job: Callable[..., NewJob]) -> None:
    """A dataset that a job trains on beside its own one stays, too."""
    own = await store.datasets.create(ALICE, GUILD, "water", Concept.LOOK)
    request = {"other_datasets": [{"dataset": dog.id, "trigger": "mydog", "concept": "subject"}]}
    job = await store.jobs.queue(make_job(dataset=own.id, request=request))

    with pytest.raises(UserError) as caught:
        await store.datasets.delete(dog.id, ALICE)
    await store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)
    await store.datasets.delete(dog.id, ALICE)

    assert (caught.value.code, caught.value.facts["job"]) == ("dataset_busy", job.id)


async def test_captions(store: Store, dog: Dataset, make_job: Callable[..., NewJob]) -> None:
    """Captions for a dataset that goes are not made any more, and those that were made go."""
    for number in range(3):
        new = make_job(Kind.CAPTION, dataset=dog.id, request={"photos": [number]})
        await store.jobs.queue(new)
    done = await store.jobs.claim("w", [Kind.CAPTION])
    await store.jobs.end_run(done.id, done.fence, Status.DONE)
    running = await store.jobs.claim("w", [Kind.CAPTION])

    await store.datasets.delete(dog.id, ALICE)
    left = await store.jobs.list_for(ALICE)
    await store.jobs.end_run(running.id, running.fence, Status.CANCELLED)
    await store.jobs.purge(running.id)

    assert [(job.id, job.requested) for job in left] == [(running.id, JobCommand.CANCEL)]
    assert await store.jobs.list_for(ALICE) == []


async def test_collect(home: Home) -> None:
    """Collecting goes on after a restart, in that channel alone, until it is stopped."""
    async with await Store.open(home) as store:
        dog = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
        cat = await store.datasets.create(ALICE, GUILD, "cat", Concept.SUBJECT)
        await store.datasets.set_collecting(ALICE, CHANNEL, dog.id)
        await store.datasets.set_collecting(ALICE, CHANNEL, cat.id)
    async with await Store.open(home) as store:
        found = await store.datasets.get_collecting(ALICE, CHANNEL)
        elsewhere = await store.datasets.get_collecting(ALICE, CHANNEL + 1)
        other = await store.datasets.get_collecting(BOB, CHANNEL)
        await store.datasets.set_collecting(ALICE, CHANNEL, None)
        stopped = await store.datasets.get_collecting(ALICE, CHANNEL)

    assert (found, elsewhere, other, stopped) == (cat, None, None, None)


@pytest.mark.parametrize("delete", [True, False])
async def test_styles(
    store: Store, dog: Dataset, make_job: Callable[..., NewJob], make_photo, *, delete: bool
) -> None:
    """The styles that its owner trained on a deleted dataset go or stay, as chosen."""
    await store.photos.add(dog, make_photo())
    await store.jobs.queue(make_job(dataset=dog.id))
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None
    file = store.home.path / "x.safetensors"
    file.write_bytes(b"weights")
    known = {"method": "lora", "family": "sd1", "trigger": "x", "concept": Concept.SUBJECT}
    style = await store.styles.add(job, file, **known)
    await store.jobs.end_run(job.id, job.fence, Status.DONE)
    counted = await store.datasets.count_styles(dog.id, ALICE)

    await store.datasets.delete(dog.id, ALICE, delete_styles=delete)

    assert counted == 1
    assert await store.styles.list_for(ALICE) == ([] if delete else [style])
    assert make_photo().digest.encode() not in store.home.database_file.read_bytes()
