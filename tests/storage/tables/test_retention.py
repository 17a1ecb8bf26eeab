"""Datasets that nobody uses: first a warning, then they are deleted."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from storage.records import CheckedPhoto, Concept, Dataset, NewJob
from storage.store import Store
from storage.tables.posts import PostKind
from storage.tables.retention import DAY_SECONDS, notice_days

ALICE, BOB, GUILD, DAYS = 1001, 1002, 77, 90


@pytest.fixture
async def dog(store: Store, make_photo: Callable[..., CheckedPhoto]) -> Dataset:
    """Alice's dataset with a photo of hers and one of Bob's."""
    dataset = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    await store.contributors.invite(dataset.id, ALICE, BOB)
    await store.contributors.join(dataset.id, BOB)
    await store.photos.add(dataset, make_photo(1))
    await store.photos.add(dataset, make_photo(2), BOB)
    return dataset


def after(days: float) -> float:
    """Return a time to come."""
    return time.time() + days * DAY_SECONDS


async def pass_night(store: Store, days: float) -> tuple[list[int], int]:
    """Return the ids of datasets that a night deletes, and how many it warns of."""
    deleted = await store.retention.delete(DAYS, after(days))
    return [each.id for each in deleted], await store.retention.warn(DAYS, after(days))


async def test_nights(store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]) -> None:
    """Members are warned two weeks before, once; then the dataset goes with its photos."""
    nights = [await pass_night(store, days) for days in (75, 76.1, 77, 89.9)]
    waiting = await store.posts.list_waiting()
    last = await pass_night(store, 90.2)

    assert nights == [([], 0), ([], 1), ([], 0), ([], 0)]
    assert {(post.kind, post.member, post.dataset) for post in waiting} == {
        (PostKind.UNUSED, ALICE, dog.id),
        (PostKind.UNUSED, BOB, dog.id),
    }
    assert last == ([dog.id], 0)
    assert await store.datasets.list_for(ALICE) == []
    assert not store.home.photo_file(make_photo(2).digest).exists()
    assert await store.posts.list_waiting() == []


async def test_late_warning(store: Store, dog: Dataset) -> None:
    """Nothing is deleted sooner after its warning than promised, however old it is."""
    assert await pass_night(store, 400) == ([], 1)
    assert await pass_night(store, 413.9) == ([], 0)
    assert await pass_night(store, 414.1) == ([dog.id], 0)


@pytest.mark.parametrize("use", ["photo", "training", "other", "captions", "keep", "open"])
async def test_used(
    store: Store,
    dog: Dataset,
    make_photo: Callable[..., CheckedPhoto],
    make_job: Callable[..., NewJob],
    use: str,
) -> None:
    """Whatever uses a dataset after the warning keeps it, and it can be warned of anew."""
    back = "UPDATE {} SET {} = :then"
    then = time.time() - 80 * DAY_SECONDS
    for table in ("datasets", "photos"):
        await store._database.execute(back.format(table, "created"), then=then)
    warned = await store.retention.warn(DAYS, time.time())
    found = await store.retention.find(dog.id)
    if use == "photo":
        await store.photos.add(dog, make_photo(9))
    elif use == "training":
        job = await store.jobs.queue(make_job(dataset=dog.id))
        await store._database.execute("UPDATE jobs SET status = 'cancelled' WHERE id = 1")
    elif use == "other":
        other = {"dataset": dog.id, "trigger": "x", "concept": "subject"}
        await store.jobs.queue(make_job(request={"other_datasets": [other]}))
        await store._database.execute("UPDATE jobs SET status = 'cancelled' WHERE id = 1")
    elif use == "captions":
        await store.captions.change(dog.id, ALICE, lambda *_: "a dog")
    elif use == "keep":
        await store.retention.keep(dog.id, ALICE)
    else:
        job = await store.jobs.queue(make_job(dataset=dog.id))
        await store._database.execute("UPDATE jobs SET created = :then", then=then)
        assert job.dataset == dog.id

    assert (warned, found is not None) == (1, True)
    assert await store.retention.find(dog.id) is None
    assert await pass_night(store, 20) == ([], 0)
    if use != "open":
        assert await pass_night(store, 77) == ([], 1)


async def test_empty(store: Store) -> None:
    """A dataset without photos has nothing to be deleted for."""
    await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)

    assert await pass_night(store, 400) == ([], 0)


def test_notice() -> None:
    """The warning comes two weeks before, with short settings half of them."""
    assert [notice_days(days) for days in (1, 2, 10, 28, 365)] == [1, 1, 5, 14, 14]
