"""All photos of a data folder are encrypted, under another key, or decrypted again."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.photofiles import PhotoKeys, new_key, read_photo, using_keys
from storage.records import CheckedPhoto, Concept, Dataset
from storage.rekey import PLAIN, count_keys, list_photo_files, rekey_photos
from storage.store import Store

ALICE, GUILD = 1001, 77
OLD, NEW = new_key(), new_key()


@pytest.fixture
async def dog(store: Store, make_photo: Callable[..., CheckedPhoto]) -> Dataset:
    """A dataset of two photos, of which a training and a quarantined one have copies."""
    dataset = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
    home = store.home
    aside = home.quarantine / "2026-11-30" / "runs" / "9-x" / "photos"
    for number in (1, 2):
        photo = make_photo(number)
        await store.photos.add(dataset, photo)
        for folder in (home.runs / "1-x" / "photos", aside):
            folder.mkdir(parents=True, exist_ok=True)
            os.link(home.photo_file(photo.digest), folder / f"{number:04}.png")
    return dataset


def contents(home: Home) -> dict[str, bytes]:
    """Return what every file of a photo holds."""
    return {str(path): read_photo(path) for path in list_photo_files(home)}


@pytest.mark.usefixtures("dog")
async def test_rotation(store: Store) -> None:
    """Keys are set, changed and taken away, and every photo stays what it is."""
    home, first, both = store.home, PhotoKeys.parse(OLD), PhotoKeys.parse(f"{NEW},{OLD}")
    before, plain = contents(home), count_keys(home)
    with using_keys(first):
        encrypted = len([*rekey_photos(home, first)])
        known, again = contents(home), [*rekey_photos(home, first)]
        one, two = count_keys(home), len({path.stat().st_ino for path in list_photo_files(home)})
    with using_keys(both):
        rotated, changed = len([*rekey_photos(home, both)]), contents(home)
        three = count_keys(home)
        decrypted = len([*rekey_photos(home, PhotoKeys())])

    assert (plain, one, three) == ({PLAIN: 8}, {first.current: 8}, {both.current: 8})
    assert (encrypted, again, rotated, decrypted) == (8, [], 8, 8)
    assert known == changed == contents(home) == before
    assert two == 4  # copies in job folders are links, as before
    assert [path.name for path in home.path.rglob(".*.part")] == []


@pytest.mark.usefixtures("dog")
async def test_missing_key(store: Store) -> None:
    """Without the key nothing is written anew, and all is as it was."""
    with using_keys(PhotoKeys.parse(OLD)):
        list(rekey_photos(store.home, PhotoKeys.parse(OLD)))
    stored = [path.read_bytes() for path in list_photo_files(store.home)]

    with using_keys(PhotoKeys.parse(NEW)), pytest.raises(UserError, match="photo_key_missing"):
        list(rekey_photos(store.home, PhotoKeys.parse(NEW)))

    assert [path.read_bytes() for path in list_photo_files(store.home)] == stored


async def test_removed(store: Store, dog: Dataset) -> None:
    """A photo that is removed takes copies in the quarantine along, also under another key."""
    (first, _) = await store.photos.list_for(dog.id, ALICE)
    aside = store.home.quarantine / "2026-11-30" / "runs" / "9-x" / "photos"
    with using_keys(PhotoKeys.parse(OLD)):
        list(rekey_photos(store.home, PhotoKeys.parse(OLD)))
    with using_keys(both := PhotoKeys.parse(f"{NEW},{OLD}")):
        for path in rekey_photos(store.home, both):
            if path == store.home.photo_file(first.digest):
                break
        assert len(count_keys(store.home)) == 2

    await store.photos.remove(first.id, ALICE)

    assert [path.name for path in aside.iterdir()] == ["0002.png"]


async def test_gone_meanwhile(store: Store, dog: Dataset) -> None:
    """A photo that is deleted while others are written anew stops nothing."""
    (first, second) = await store.photos.list_for(dog.id, ALICE)
    with using_keys(keys := PhotoKeys.parse(OLD)):
        writing = rekey_photos(store.home, keys)
        done = next(writing)
        other = second if done.stem == first.digest else first
        store.home.photo_file(other.digest).unlink()
        rest = [*writing]

    assert store.home.photo_file(other.digest) not in [done, *rest]
    assert not store.home.photo_file(other.digest).exists()
