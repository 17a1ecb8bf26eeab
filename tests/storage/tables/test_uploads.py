"""Uploaded files are known by their digests, to their owner, as long as their photo is there."""

from __future__ import annotations

from collections.abc import Callable

from storage.records import CheckedPhoto, Concept
from storage.store import Store

ALICE, BOB, GUILD = 1001, 1002, 77
FILE, OTHER = "ab" * 32, "cd" * 32


async def test_find(store: Store, make_photo: Callable[..., CheckedPhoto]) -> None:
    """A file is known in the dataset that it was added to, noted twice or not, nowhere else."""
    dog = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    cat = await store.datasets.create(ALICE, GUILD, "cat", Concept.SUBJECT)
    photo = await store.photos.add(dog, make_photo(1))
    await store.uploads.add(FILE, photo)
    await store.uploads.add(FILE, photo)

    assert await store.uploads.find(dog, [FILE, OTHER]) == {FILE: photo}
    assert await store.uploads.find(cat, [FILE]) == {}
    assert await store.uploads.find(dog, []) == {}


async def test_forgotten(store: Store, make_photo: Callable[..., CheckedPhoto]) -> None:
    """A file is forgotten with its photo, and never noted for a photo of somebody else."""
    dog = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    photo = await store.photos.add(dog, make_photo(1))
    await store.uploads.add(FILE, photo)
    await store.photos.remove(photo.id, ALICE)
    await store.uploads.add(OTHER, photo)

    assert await store.uploads.find(dog, [FILE, OTHER]) == {}
    assert (await store.members.export(ALICE))["uploads"] == []
