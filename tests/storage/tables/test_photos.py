"""The photos of a dataset and their bytes."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator

import pytest

from storage import folders
from storage.errors import UserError
from storage.folders import Home
from storage.records import CheckedPhoto, Concept, Dataset
from storage.store import Store

ALICE, BOB, GUILD = 1001, 1002, 77


@pytest.fixture
async def dog(store: Store) -> Dataset:
    """Return Alice's dataset."""
    return await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)


async def test_add(
    store: Store, home: Home, dog: Dataset, checked: Callable[..., CheckedPhoto]
) -> None:
    """A photo's bytes are on disk when its row is there."""
    photo = await store.photos.add(dog, checked(5, phash=2**64 - 1, warnings=("tiny",)))

    assert await store.photos.list_for(dog.id, ALICE) == [photo]
    assert await store.photos.get(photo.id, ALICE) == photo
    assert (photo.phash, photo.warnings, photo.caption) == (2**64 - 1, ("tiny",), "")
    assert home.photo_file(photo.digest).read_bytes() == b"pixels of 5"
    assert home.preview_file(photo.digest).read_bytes() == b"preview of 5"


async def test_twice(store: Store, dog: Dataset, checked: Callable[..., CheckedPhoto]) -> None:
    """The same picture is once in a dataset, and may be in another one."""
    cat = await store.datasets.create(ALICE, GUILD, "cat", Concept.SUBJECT)
    photo = await store.photos.add(dog, checked())

    with pytest.raises(UserError) as caught:
        await store.photos.add(dog, checked())
    await store.photos.add(cat, checked())

    assert (caught.value.code, caught.value.facts) == ("photo_twice", {"photo": photo.id})
    assert len(await store.photos.list_for(dog.id, ALICE)) == 1


@pytest.mark.parametrize(("bits", "warned"), [(5, True), (6, False)])
async def test_near(
    store: Store, dog: Dataset, checked: Callable[..., CheckedPhoto], bits: int, *, warned: bool
) -> None:
    """A near duplicate is taken with a warning."""
    await store.photos.add(dog, checked(1, phash=0))

    photo = await store.photos.add(dog, checked(2, phash=(1 << bits) - 1, warnings=("tiny",)))

    assert photo.warnings == (("tiny", "duplicate") if warned else ("tiny",))


async def test_many(store: Store, dog: Dataset, checked: Callable[..., CheckedPhoto]) -> None:
    """A dataset holds 200 photos and says so at the next."""
    for number in range(200):
        await store.photos.add(dog, checked(number))

    with pytest.raises(UserError) as caught:
        await store.photos.add(dog, checked(200))

    assert (caught.value.code, caught.value.facts) == ("photos_full", {"most": 200})


async def test_counted(
    store: Store, home: Home, dog: Dataset, checked: Callable[..., CheckedPhoto]
) -> None:
    """Bytes stay until the last row that has them is gone."""
    theirs = await store.datasets.create(BOB, GUILD, "dog", Concept.SUBJECT)
    first = await store.photos.add(dog, checked())
    other = await store.photos.add(theirs, checked())

    await store.photos.remove(first.id, ALICE)
    kept = home.photo_file(first.digest).exists()
    await store.photos.remove(other.id, BOB)

    assert kept
    assert not home.photo_file(first.digest).exists()
    assert not home.preview_file(first.digest).exists()


async def test_foreign(store: Store, dog: Dataset, checked: Callable[..., CheckedPhoto]) -> None:
    """Nobody sees, removes, describes or adds to what is another member's."""
    photo = await store.photos.add(dog, checked())
    posing = Dataset(dog.id, BOB, GUILD, "dog", Concept.SUBJECT, "dog", 0.0)

    for deed in (
        store.photos.get(photo.id, BOB),
        store.photos.remove(photo.id, BOB),
        store.photos.set_caption(photo.id, BOB, "mine"),
    ):
        with pytest.raises(UserError, match="photo_gone"):
            await deed
    with pytest.raises(UserError, match="dataset_unknown"):
        await store.photos.add(posing, checked(9))

    assert await store.photos.list_for(dog.id, BOB) == []
    assert await store.photos.list_for(dog.id, ALICE) == [photo]


async def test_caption(store: Store, dog: Dataset, checked: Callable[..., CheckedPhoto]) -> None:
    """A job's caption never replaces the member's own; without one it is taken anew."""
    photo = await store.photos.add(dog, checked())
    told = []

    await store.photos.set_generated_caption(photo.id, "a dog")
    told.append((await store.photos.get(photo.id, ALICE)).caption)
    await store.photos.set_caption(photo.id, ALICE, "  my\n dog ")
    await store.photos.set_generated_caption(photo.id, "a cat")
    told.append((await store.photos.get(photo.id, ALICE)).caption)
    await store.photos.set_caption(photo.id, ALICE, "")
    await store.photos.set_generated_caption(photo.id, "a cat")
    told.append((await store.photos.get(photo.id, ALICE)).caption)

    assert told == ["a dog", "my dog", "a cat"]


async def test_long(store: Store, dog: Dataset, checked: Callable[..., CheckedPhoto]) -> None:
    """A caption of 5,000 characters is refused; a job's is cut."""
    photo = await store.photos.add(dog, checked())

    with pytest.raises(UserError) as caught:
        await store.photos.set_caption(photo.id, ALICE, "x" * 5000)
    await store.photos.set_generated_caption(photo.id, "y" * 5000)

    assert caught.value.facts == {"length": 5000, "most": 500}
    assert (await store.photos.get(photo.id, ALICE)).caption == "y" * 500


@pytest.fixture
def cramped() -> Iterator[None]:
    """Allow files of one MiB only, as a disk does that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("cramped")
async def test_disk(
    store: Store, home: Home, dog: Dataset, checked: Callable[..., CheckedPhoto]
) -> None:
    """When the disk takes no more, the member is told and nothing of the photo stays."""
    with pytest.raises(UserError, match="disk_full"):
        await store.photos.add(dog, checked(pixels=b"x" * (2 << 20)))

    assert await store.photos.list_for(dog.id, ALICE) == []
    assert [path for path in home.path.glob("p*/*/*") if path.is_file()] == []


async def test_crash(home: Home, checked: Callable[..., CheckedPhoto]) -> None:
    """Bytes that were written for a row that never came are gone at the next start."""
    path = home.photo_file(checked().digest)
    async with await Store.open(home) as store:
        await store._database.execute(
            "INSERT INTO trash VALUES ('photo', :digest)", digest=checked().digest
        )
        folders.write_whole(path, b"pixels")

    async with await Store.open(home):
        left = path.exists()

    assert not left
