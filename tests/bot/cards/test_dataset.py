"""The dataset card says what became of the captions."""

from __future__ import annotations

import pytest

from bot import wording
from bot.actions.export import list_packed
from bot.wording import fill, say
from storage.crops import Box, Framing, crop_at
from storage.events import Note
from storage.photos.tile import draw_tile
from storage.records import Kind, Status
from tests.fakes.discord import draw_photo


@pytest.mark.parametrize("failed", [False, True])
async def test_what_became_of_the_captions(kit, scheduler, failed):
    """Photos that are gone, or that the captioner does not know; a failure has its reason."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=2)
    await alice.click(await kit.open_dataset(alice), label="Caption again")
    job = await scheduler.claim(Kind.CAPTION)
    if failed:
        error = {"code": "captioner_missing", "captioner": "blip"}
        await kit.store.jobs.end_run(job.id, job.fence, Status.FAILED, error)
    else:
        await scheduler.add_event(job, Note("photos_gone", {"photos": 1}))
        await scheduler.add_event(job, Note("captions_unknown", {"unknown": 1, "photos": 2}))
        await kit.store.jobs.end_run(job.id, job.fence, Status.DONE)

    said = kit.text(await kit.open_dataset(alice))

    assert wording.dataset.CAPTIONS_PENDING not in said
    assert (fill(wording.dataset.CAPTIONS_FAILED, why="").strip() in said) is failed
    notes = [
        say(wording.job.NOTES["photos_gone"], photos=1),
        say(wording.job.NOTES["captions_unknown"], unknown=1, photos=2),
    ]
    assert [note in said for note in notes] == [not failed] * 2


async def test_what_is_kept_of_a_photo_is_chosen_by_a_press(kit, scheduler):
    """The card of a photo that is cut has a press for each part; each press can be undone."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=0)
    checked = await kit.bot.darkroom.check(draw_photo(1, (900, 300)))
    photo = await kit.store.photos.add(dataset, checked)
    await scheduler.publish_catalog()

    async def read() -> Framing:
        return (await kit.store.photos.get(photo.id, alice.id)).framing

    card = await kit.open_dataset(alice)
    assert kit.says(kit.text(card), wording.dataset.CROPPED)
    kept = crop_at((900, 300), 512, checked.framing)
    whole, cut = (draw_tile(checked.preview, 1, box) for box in (Box(0, 0, 1, 1), kept))
    assert await card.attachments[0].read() == cut != whole
    card = (await alice.select(card, [str(photo.id)])).response
    said = kit.text(card)
    assert kit.says(said, wording.dataset.CROP, base="Stable Diffusion", share="about a third")
    await alice.click(card, label="Keep right")
    assert (await read()).x == 1
    assert crop_at((900, 300), 512, await read()).left == pytest.approx(1 - 704 / 384 / 3)
    await alice.click(card, label="Keep all")
    assert (await read()).whole
    await alice.click(card, label=wording.dataset.UNDO_CROP)
    assert ((await read()).x, (await read()).whole) == (1, False)
    await alice.click(card, label="Choose for me")
    assert await read() == checked.framing


async def test_a_photo_counts_twice(kit):
    """A press lets a photo count twice, and another one once; an export takes that along."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    card = await kit.open_dataset(alice)
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    card = (await alice.select(card, [str(photo.id)])).response

    await alice.click(card, label="Count it twice")
    (twice,) = await kit.store.photos.list_for(dataset.id, alice.id)
    (packed,) = list_packed(kit.store, dataset, [twice])
    assert kit.says(await kit.open_dataset(alice), wording.dataset.REPEATED, repeats="2")
    await alice.click(card, label="Count it once")

    assert (twice.repeats, packed.treatment.repeats) == (2, 2)
    (once,) = await kit.store.photos.list_for(dataset.id, alice.id)
    assert once.repeats == 1


async def test_a_photo_belongs_to_two_datasets(kit):
    """On its card, a photo is put into another dataset, too."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=1)
    cat = await kit.add_dataset(alice, name="my cat")
    card = await kit.open_dataset(alice)
    (photo,) = await kit.store.photos.list_for(cat.id - 1, alice.id)
    card = (await alice.select(card, [str(photo.id)])).response

    answer = await alice.select(card, [str(cat.id)])

    (copied,) = await kit.store.photos.list_for(cat.id, alice.id)
    assert copied.digest == photo.digest
    assert kit.says(answer, wording.dataset.ALSO_ADDED, name="my cat")
    shown = await alice.select(await kit.open_dataset(alice), [str(photo.id)])
    assert kit.says(shown, wording.dataset.ALSO_HERE, names="my cat")
    assert wording.dataset.ALSO_IN not in kit.text(shown)
