"""Captions of a dataset that are changed together, and Undo."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.photosets.edits import add_word, replace_text
from storage.records import CheckedPhoto, Concept, Dataset, Kind, NewJob, Photo
from storage.store import Store
from storage.tables.captions import MAX_UNDOS

ALICE, BOB, GUILD = 1001, 1002, 77


@pytest.fixture
async def dog(store: Store, make_photo: Callable[..., CheckedPhoto]) -> Dataset:
    """Alice's dataset: a caption of hers, one of a captioner, and none."""
    dog = await store.datasets.create(ALICE, GUILD, "my dog", Concept.SUBJECT)
    first, second, _ = [await store.photos.add(dog, make_photo(at)) for at in (1, 2, 3)]
    await store.photos.set_caption(first.id, ALICE, "a cat on grass")
    await store.photos.set_generated_caption(second.id, "mydog, a cat")
    return dog


async def list_captions(store: Store, dog: Dataset) -> list[tuple[str, bool]]:
    """Return all captions, and whether their owner wrote them."""
    photos = await store.photos.list_for(dog.id, ALICE)
    return [(photo.caption, photo.written) for photo in photos]


def to_dog(photo: Photo, trigger: str) -> str:
    """Replace cat with dog."""
    return replace_text(photo.caption, trigger, "cat", "dog")


async def undo(store: Store, dog: Dataset) -> int:
    """Undo the newest change."""
    newest = await store.captions.find_newest_edit(dog.id, ALICE)
    assert newest is not None
    return await store.captions.undo(dog.id, ALICE, newest)


async def test_change(store: Store, dog: Dataset) -> None:
    """What is changed together counts as its owner's: no captioner replaces it. Undo undoes it."""
    before = await list_captions(store, dog)
    count = await store.captions.change(dog.id, ALICE, to_dog)
    for photo in await store.photos.list_for(dog.id, ALICE):
        await store.photos.set_generated_caption(photo.id, "mydog, a horse")
    changed = await list_captions(store, dog)

    undone = await undo(store, dog)

    assert (count, undone) == (2, 2)
    assert changed == [("a dog on grass", True), ("mydog, a dog", True), ("mydog, a horse", False)]
    assert await list_captions(store, dog) == [*before[:2], ("mydog, a horse", False)]
    assert await store.captions.find_newest_edit(dog.id, ALICE) is None


async def test_nothing_changed(store: Store, dog: Dataset) -> None:
    """What changes no caption needs no undoing, and makes none its owner's."""
    before = await list_captions(store, dog)

    assert await store.captions.change(dog.id, ALICE, lambda photo, _: photo.caption) == 0
    assert await store.captions.find_newest_edit(dog.id, ALICE) is None
    assert await list_captions(store, dog) == before


async def test_undo_keeps_newer(store: Store, dog: Dataset) -> None:
    """Undo leaves alone what was written since, and removed photos."""
    first, second, _ = await store.photos.list_for(dog.id, ALICE)
    await store.captions.change(dog.id, ALICE, to_dog)
    await store.photos.set_caption(first.id, ALICE, "Rex")
    await store.photos.remove(second.id, ALICE)

    assert await undo(store, dog) == 0
    assert await list_captions(store, dog) == [("Rex", True), ("", False)]


async def test_undo_one_by_one(store: Store, dog: Dataset) -> None:
    """Changes are undone from the newest on, each once; of many, the oldest are forgotten."""
    first = await list_captions(store, dog)
    for number in range(MAX_UNDOS + 2):
        if number == 2:
            first = await list_captions(store, dog)

        def add(photo: Photo, trigger: str, word: str = f"w{number}") -> str:
            return add_word(photo.caption, trigger, word)

        await store.captions.change(dog.id, ALICE, add)
    newest = await store.captions.find_newest_edit(dog.id, ALICE)
    assert newest is not None

    for _ in range(MAX_UNDOS):
        await undo(store, dog)

    assert await list_captions(store, dog) == first
    assert await store.captions.find_newest_edit(dog.id, ALICE) is None
    with pytest.raises(UserError, match=r"^edit_gone$"):
        await store.captions.undo(dog.id, ALICE, newest)


async def test_rename_trigger(store: Store, dog: Dataset) -> None:
    """The trigger is renamed in the captions, whose writers stay; Undo renames newer ones back."""
    before = await list_captions(store, dog)
    count = await store.captions.rename_trigger(dog.id, ALICE, "rex")
    renamed = await list_captions(store, dog)
    photos = await store.photos.list_for(dog.id, ALICE)
    await store.photos.set_generated_caption(photos[2].id, "rex, a dog")
    trigger = (await store.datasets.get(dog.id, ALICE)).trigger

    await undo(store, dog)

    assert (count, trigger) == (1, "rex")
    assert renamed == [("a cat on grass", True), ("rex, a cat", False), ("", False)]
    assert await list_captions(store, dog) == [*before[:2], ("mydog, a dog", False)]
    assert (await store.datasets.get(dog.id, ALICE)).trigger == "mydog"


@pytest.mark.parametrize("kind", [Kind.CAPTION, Kind.TRAIN])
async def test_rename_busy(
    store: Store, dog: Dataset, make_job: Callable[..., NewJob], kind: Kind
) -> None:
    """The trigger stays while an open job was given it, be it by Undo."""
    await store.captions.rename_trigger(dog.id, ALICE, "rex")
    job = await store.jobs.queue(make_job(kind, dataset=dog.id))

    for attempt in (store.captions.rename_trigger(dog.id, ALICE, "max"), undo(store, dog)):
        with pytest.raises(UserError, match=r"^trigger_busy") as caught:
            await attempt
        assert caught.value.facts == {"job": job.id}

    assert (await store.datasets.get(dog.id, ALICE)).trigger == "rex"
    assert await store.captions.change(dog.id, ALICE, to_dog) == 2


async def test_refused(store: Store, dog: Dataset) -> None:
    """Captions that would get too long, a bad trigger and others' datasets change nothing."""
    before = await list_captions(store, dog)
    attempts = {
        store.captions.change(dog.id, ALICE, lambda *_: "x" * 501): "captions_long",
        store.captions.rename_trigger(dog.id, ALICE, "two words"): "trigger_bad",
        store.captions.change(dog.id, BOB, to_dog): "dataset_unknown",
        store.captions.rename_trigger(dog.id, BOB, "rex"): "dataset_unknown",
        store.captions.undo(dog.id, BOB, 1): "dataset_unknown",
        store.captions.undo(dog.id, ALICE, 1): "edit_gone",
    }
    for attempt, code in attempts.items():
        with pytest.raises(UserError, match=f"^{code}"):
            await attempt

    assert await store.captions.find_newest_edit(dog.id, BOB) is None
    assert await list_captions(store, dog) == before
