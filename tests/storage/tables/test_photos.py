"""Photos of datasets, and their files."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator

import pytest

from storage import folders
from storage.crops import FramedBy, Framing
from storage.errors import UserError
from storage.folders import Home
from storage.measurements import Examination, FoundText, PhotoMeasures
from storage.records import CheckedPhoto, Concept, Dataset, Kind, NewJob, Status
from storage.store import Store
from storage.tables.photos import MAX_PHOTOS

ALICE, BOB, GUILD = 1001, 1002, 77


@pytest.fixture
async def dog(store: Store) -> Dataset:
    """Alice's dataset."""
    return await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)


async def test_add(
    store: Store, home: Home, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A photo that was added has its files on disk."""
    photo = await store.photos.add(dog, make_photo(5, phash=2**64 - 1, warnings=("tiny",)))

    assert await store.photos.list_for(dog.id, ALICE) == [photo]
    assert await store.photos.get(photo.id, ALICE) == photo
    assert (photo.phash, photo.warnings, photo.caption) == (2**64 - 1, ("tiny",), "")
    assert home.photo_file(photo.digest).read_bytes() == b"pixels of 5"
    assert home.preview_file(photo.digest).read_bytes() == b"preview of 5"


async def test_same_picture(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A dataset has the same picture once; another one may have it, too."""
    cat = await store.datasets.create(ALICE, GUILD, "cat", Concept.SUBJECT)
    photo = await store.photos.add(dog, make_photo())

    with pytest.raises(UserError) as caught:
        await store.photos.add(dog, make_photo())
    await store.photos.add(cat, make_photo())

    assert (caught.value.code, caught.value.facts) == ("photo_twice", {"photo": photo.id})
    assert len(await store.photos.list_for(dog.id, ALICE)) == 1


async def test_copy(
    store: Store, home: Home, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A photo in two datasets has one file, which goes with the last of them."""
    cat = await store.datasets.create(ALICE, GUILD, "cat", Concept.SUBJECT)
    theirs = await store.datasets.create(BOB, GUILD, "theirs", Concept.SUBJECT)
    photo = await store.photos.add(dog, make_photo())
    await store.photos.set_caption(photo.id, ALICE, "dog, with a cat")

    copied = await store.photos.copy(photo.id, cat)
    for dataset, code in ((cat, "photo_twice"), (theirs, "photo_gone")):
        with pytest.raises(UserError, match=code):
            await store.photos.copy(photo.id, dataset)
    await store.photos.remove(photo.id, ALICE)

    assert (copied.dataset, copied.caption, copied.written) == (cat.id, "with a cat", True)
    assert copied.digest == photo.digest
    assert home.photo_file(photo.digest).exists()
    await store.photos.remove(copied.id, ALICE)
    assert not home.photo_file(photo.digest).exists()


async def test_framing(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A member's choice goes before what was found, which stays for when it is taken back."""
    found = Framing(0.25, 0.75, by=FramedBy.FACE)
    photo = await store.photos.add(dog, make_photo(framing=found))

    chosen = await store.photos.set_framing(photo.id, ALICE, Framing(1.0, 0.5, whole=True))
    await store.photos.set_found_framing(photo.id, Framing(0.0, 0.0, by=FramedBy.CONTRAST))
    again = await store.photos.set_framing(photo.id, ALICE, None)

    assert (photo.framing, again.framing) == (found, found)
    assert chosen.framing == Framing(1.0, 0.5, whole=True, by=FramedBy.MEMBER)
    with pytest.raises(UserError, match="photo_gone"):
        await store.photos.set_framing(photo.id, BOB, None)
    rows = (await store.members.export(ALICE))["photos"]
    assert [(row["found_framing"], row["chosen_framing"]) for row in rows] == [
        (found.to_json(), None)
    ]


async def test_same_shot(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """Photos of the same shot are all kept, and have its number; one may join two shots."""
    hashes = (0b0, 0xFF << 40, 0b1_1111_1111, 0b1_1111)
    for at, phash in enumerate(hashes):
        await store.photos.add(dog, make_photo(at, phash=phash))

    photos = await store.photos.list_for(dog.id, ALICE)

    first = photos[0].id
    assert [photo.shot for photo in photos] == [first, 0, first, first]


async def test_measures(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """What was measured on a photo is stored with it, and that its owner keeps it anyway."""
    measures = PhotoMeasures(1.0, (0, 9, 0, 9), True, 0.5, 0.0, 40.0, "AA==", "AA==")
    photo = await store.photos.add(dog, make_photo(1, measures=measures))

    kept = await store.photos.accept(photo.id, ALICE)

    assert (photo.measures, photo.accepted, kept.accepted) == (measures, False, True)
    with pytest.raises(UserError) as caught:
        await store.photos.accept(photo.id, BOB)
    assert caught.value.code == "photo_gone"


async def test_examination(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """The newest picture that was not examined comes first, and what is found is stored once."""
    for number in (1, 2):
        await store.photos.add(dog, make_photo(number))
    found = Examination(0.25, (FoundText("Herschel", 0.5, 0.4),))

    digests = []
    while digest := await store.photos.find_unexamined():
        digests.append(digest)
        await store.photos.set_examination(digest, found)

    photos = await store.photos.list_for(dog.id, ALICE)
    assert digests == [photo.digest for photo in reversed(photos)]
    assert [photo.examination for photo in photos] == [found, found]


async def test_features(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """What a network sees is stored with the photo and its copies; a deleted one is no error."""
    photo = await store.photos.add(dog, make_photo(1))
    other = await store.datasets.create(ALICE, 7, "other", Concept.SUBJECT)

    await store.photos.set_features(photo.id, "AAEC")
    await store.photos.set_features(99, "AAEC")

    copied = await store.photos.copy(photo.id, other)
    assert [photo.features, copied.features] == ["", "AAEC"]
    assert (await store.photos.get(photo.id, ALICE)).features == "AAEC"


async def test_full_dataset(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A dataset has at most 1,000 photos."""
    await store.photos.add(dog, make_photo(0))
    sql = """
    INSERT INTO photos
      (dataset, owner, contributor, digest, phash, width, height, warnings, created)
    SELECT dataset, owner, contributor, value, phash, width, height, warnings, created
    FROM photos, json_each(:digests)
    """
    digests = json.dumps([f"digest {number}" for number in range(MAX_PHOTOS - 1)])
    await store.photos._database.execute(sql, digests=digests)

    with pytest.raises(UserError) as caught:
        await store.photos.add(dog, make_photo(200))

    assert (caught.value.code, caught.value.facts) == ("photos_full", {"most": MAX_PHOTOS})


async def test_shared_files(
    store: Store, home: Home, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """Files stay until the last photo with the same picture is removed."""
    theirs = await store.datasets.create(BOB, GUILD, "dog", Concept.SUBJECT)
    first = await store.photos.add(dog, make_photo())
    other = await store.photos.add(theirs, make_photo())

    await store.photos.remove(first.id, ALICE)
    before = home.photo_file(first.digest).exists()
    await store.photos.remove(other.id, BOB)

    assert before
    assert not home.photo_file(first.digest).exists()
    assert not home.preview_file(first.digest).exists()


async def test_others_photos(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """Nobody can see, remove, caption or add photos of another member."""
    photo = await store.photos.add(dog, make_photo())
    posing = Dataset(dog.id, BOB, GUILD, "dog", Concept.SUBJECT, "dog", 0.0)

    for attempt in (
        store.photos.get(photo.id, BOB),
        store.photos.remove(photo.id, BOB),
        store.photos.set_caption(photo.id, BOB, "mine"),
    ):
        with pytest.raises(UserError, match="photo_gone"):
            await attempt
    with pytest.raises(UserError, match="dataset_unknown"):
        await store.photos.add(posing, make_photo(9))

    assert await store.photos.list_for(dog.id, BOB) == []
    assert await store.photos.list_for(dog.id, ALICE) == [photo]


async def test_caption(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A generated caption never replaces a member's own; an emptied one is replaced."""
    photo = await store.photos.add(dog, make_photo())
    captions = []

    await store.photos.set_generated_caption(photo.id, "a dog")
    captions.append((await store.photos.get(photo.id, ALICE)).caption)
    await store.photos.set_caption(photo.id, ALICE, "  my\n dog ")
    await store.photos.set_generated_caption(photo.id, "a cat")
    captions.append((await store.photos.get(photo.id, ALICE)).caption)
    await store.photos.set_caption(photo.id, ALICE, "")
    await store.photos.set_generated_caption(photo.id, "a cat")
    captions.append((await store.photos.get(photo.id, ALICE)).caption)

    assert captions == ["a dog", "my dog", "a cat"]


async def test_long_caption(
    store: Store, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """A caption that is too long is refused; a generated one is cut."""
    photo = await store.photos.add(dog, make_photo())

    with pytest.raises(UserError) as caught:
        await store.photos.set_caption(photo.id, ALICE, "x" * 5000)
    await store.photos.set_generated_caption(photo.id, "y" * 5000)

    assert caught.value.facts == {"length": 5000, "most": 500}
    assert (await store.photos.get(photo.id, ALICE)).caption == "y" * 500


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Allow files of one MiB only, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
async def test_full_disk(
    store: Store, home: Home, dog: Dataset, make_photo: Callable[..., CheckedPhoto]
) -> None:
    """On a full disk the photo is refused, and none of its files stays."""
    with pytest.raises(UserError, match="disk_full"):
        await store.photos.add(dog, make_photo(pixels=b"x" * (2 << 20)))

    assert await store.photos.list_for(dog.id, ALICE) == []
    assert [path for path in home.path.glob("p*/*/*") if path.is_file()] == []


async def test_crash(home: Home, make_photo: Callable[..., CheckedPhoto]) -> None:
    """Files whose photo was never committed are removed at the next start."""
    path = home.photo_file(make_photo().digest)
    async with await Store.open(home) as store:
        await store._database.execute(
            "INSERT INTO trash VALUES ('photo', :digest)", digest=make_photo().digest
        )
        folders.write_whole(path, b"pixels")

    async with await Store.open(home):
        left = path.exists()

    assert not left


async def test_busy(
    store: Store,
    dog: Dataset,
    make_photo: Callable[..., CheckedPhoto],
    make_job: Callable[..., NewJob],
) -> None:
    """A photo that a training has copies of is removed once that has ended, not before."""
    photo = await store.photos.add(dog, make_photo(1))
    await store.contributors.invite(dog.id, ALICE, BOB)
    await store.contributors.join(dog.id, BOB)
    bobs = await store.photos.add(dog, make_photo(2), BOB)
    await store.jobs.queue(make_job(dataset=dog.id))
    job = await store.jobs.claim("w", [Kind.TRAIN])
    assert job is not None

    for number, member, code in (
        (photo.id, ALICE, "photo_busy"),
        (bobs.id, BOB, "photo_busy_shared"),
    ):
        with pytest.raises(UserError) as refused:
            await store.photos.remove(number, member)
        assert refused.value.code == code
    await store.jobs.end_run(job.id, job.fence, Status.CANCELLED)
    await store.photos.remove(photo.id, ALICE)
    await store.photos.remove(bobs.id, BOB)

    assert await store.photos.list_for(dog.id, ALICE) == []
