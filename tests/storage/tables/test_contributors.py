"""Members who add photos to another's dataset."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.records import CheckedPhoto, Concept, Dataset, Kind, NewJob, Status
from storage.store import Store
from storage.tables.consents import Terms
from storage.tables.contributors import MAX_CONTRIBUTORS, Contribution

ALICE, BOB, CAROL, GUILD = 1001, 1002, 1003, 77


@pytest.fixture
async def dog(store: Store) -> Dataset:
    """Alice's dataset, to which Bob is invited."""
    dataset = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    await store.contributors.invite(dataset.id, ALICE, BOB)
    return dataset


async def states(store: Store, dataset: Dataset) -> list[Contribution]:
    """Return how far the members of a dataset are."""
    return [each.state for each in await store.contributors.list_for(dataset.id)]


async def test_join(store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]) -> None:
    """Who joined may add photos, which the owner sees as theirs; who was only invited may not."""
    with pytest.raises(UserError, match="dataset_unknown"):
        await store.photos.add(dog, make_photo(), BOB)
    await store.contributors.join(dog.id, BOB)
    await store.photos.add(dog, make_photo(), BOB)

    (photo,) = await store.photos.list_for(dog.id, ALICE)
    (bob,) = await store.contributors.list_for(dog.id)

    assert (photo.owner, photo.contributor) == (ALICE, BOB)
    assert (bob.member, bob.state, bob.photos) == (BOB, Contribution.JOINED, 1)
    assert await store.contributors.list_joined(BOB) == [dog]
    assert await store.contributors.find_joined(BOB, " DOG ") == dog
    assert await store.contributors.list_joined(ALICE) == []


async def test_refusals(store: Store, dog: Dataset) -> None:
    """Only the owner invites, each member once, and never a crowd; nobody joins uninvited."""
    for owner, member, code in (
        (BOB, CAROL, "dataset_unknown"),
        (ALICE, ALICE, "invite_self"),
        (ALICE, BOB, "invite_again"),
    ):
        with pytest.raises(UserError, match=code):
            await store.contributors.invite(dog.id, owner, member)
    with pytest.raises(UserError, match="invite_unknown"):
        await store.contributors.join(dog.id, CAROL)
    with pytest.raises(UserError, match="dataset_unknown"):
        await store.contributors.get_open(dog.id, CAROL)
    for member in range(2000, 2000 + MAX_CONTRIBUTORS - 1):
        await store.contributors.invite(dog.id, ALICE, member)
    with pytest.raises(UserError, match="contributors_full"):
        await store.contributors.invite(dog.id, ALICE, CAROL)


async def test_decline(store: Store, dog: Dataset) -> None:
    """Who declined can still join; who joined takes photos back instead of declining."""
    await store.contributors.decline(dog.id, BOB)
    declined = await states(store, dog)
    await store.contributors.join(dog.id, BOB)
    await store.contributors.decline(dog.id, BOB)
    joined = await states(store, dog)
    await store.withdrawals.withdraw(BOB, dog.id, delete_styles=False)

    assert declined == [Contribution.DECLINED]
    assert joined == [Contribution.JOINED]
    assert await states(store, dog) == [Contribution.LEFT]


async def test_originals(store: Store, dog: Dataset) -> None:
    """The owner may export originals of those alone whose newest valid receipt says so."""
    terms = Terms(1, dataset=dog.id)
    for member, originals in ((BOB, (True,)), (CAROL, (True, False)), (1004, (False,))):
        for each in originals:
            await store.consents.add(member, terms, "form", originals=each)
    before = await store.contributors.list_releasing(dog.id)
    await store.withdrawals.withdraw(BOB, dog.id, delete_styles=False)

    assert before == {BOB}
    assert await store.contributors.list_releasing(dog.id) == set()


async def test_remove(
    store: Store,
    dog: Dataset,
    make_photo: Callable[..., CheckedPhoto],
    make_job: Callable[..., NewJob],
) -> None:
    """The owner takes a member out with their photos, not during a training; nobody else does."""
    await store.contributors.join(dog.id, BOB)
    await store.consents.add(BOB, Terms(1, dataset=dog.id), "form")
    await store.photos.add(dog, make_photo(1), BOB)
    kept = await store.photos.add(dog, make_photo(2))
    await store.jobs.queue(make_job(dataset=dog.id))
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None

    for owner, member, code in (
        (BOB, BOB, "dataset_unknown"),
        (ALICE, CAROL, "contributor_unknown"),
        (ALICE, BOB, "dataset_busy"),
    ):
        with pytest.raises(UserError, match=code):
            await store.contributors.remove(dog.id, owner, member)
    await store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
    removed = await store.contributors.remove(dog.id, ALICE, BOB)

    assert removed == 1
    assert await store.photos.list_for(dog.id, ALICE) == [kept]
    assert not store.home.photo_file(make_photo(1).digest).exists()
    assert not await store.consents.has(BOB, Terms(1, dataset=dog.id))
    with pytest.raises(UserError, match="invite_unknown"):
        await store.contributors.join(dog.id, BOB)
    await store.contributors.invite(dog.id, ALICE, BOB)
