"""The pre-flight card shows what a small base sees of a photograph."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bot import wording
from storage.crops import Framing
from tests.fakes.discord import draw_photo


async def open_preflight(kit, who, command="train lora"):
    """Return the pre-flight card's message."""
    return (await who.slash(kit.channel, command, dataset="my dog")).response


@pytest.mark.parametrize("command", ["train lora", "train auto"])
async def test_a_large_photo_is_shown_as_the_base_sees_it(kit, scheduler, command):
    """The first picture has 64 pixels a side, drawn as squares; the second keeps the detail."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=3)
    embedded, *_ = (await kit.store.catalog.read()).bases
    await scheduler.publish_catalog(bases=(embedded,))

    card = await open_preflight(kit, alice, command)
    small, whole = [np.asarray(Image.open(io.BytesIO(await a.read()))) for a in card.attachments]

    assert small.shape == whole.shape == (256, 256, 3)
    assert (small == small[::4, ::4].repeat(4, 0).repeat(4, 1)).all()
    assert not (whole == whole[::4, ::4].repeat(4, 0).repeat(4, 1)).all()
    assert kit.says(kit.text(card), wording.training.SMALL, base="Safelight emoji", side="64")


async def test_small_and_transparent_photos_are_not(kit, scheduler):
    """What the base draws anyway, emoji and see-through pictures, needs no warning."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    await scheduler.add_dataset(alice)
    dataset = await kit.add_dataset(bob)
    for seed in range(3):
        file = io.BytesIO()
        with Image.open(io.BytesIO(draw_photo(seed))) as picture:
            picture.putalpha(200)
            picture.save(file, "PNG")
        await kit.store.photos.add(dataset, await kit.bot.darkroom.check(file.getvalue()))

    for who in (alice, bob):
        card = await open_preflight(kit, who)
        assert not card.attachments
        assert "Train my dog?" in kit.text(card)


async def test_photos_of_which_much_is_cut_away_are_told(kit, scheduler):
    """Long photos are counted before a training on squares; those kept whole are not."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    await scheduler.publish_catalog()
    for seed in range(2):
        checked = await kit.bot.darkroom.check(draw_photo(seed + 5, (900, 300)))
        photo = await kit.store.photos.add(dataset, checked)
    await kit.store.photos.set_framing(photo.id, alice.id, Framing(whole=True))

    card = (
        await alice.slash(kit.channel, "train lora", dataset="my dog", base="embedded")
    ).response

    assert kit.says(card, wording.training.PHOTOS_CUT, photos="1 photo")


async def test_variations_are_previewed(kit, scheduler):
    """Chosen in the form, augmentations are on the card with a picture, and in the job."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=3)
    await scheduler.publish_catalog()
    card = await alice.slash(kit.channel, "train lora", dataset="my dog", base="sd15")
    form = await alice.click(card.response, label="More options")

    again = await alice.submit_modal(
        form, {"switches": ["flip_aug", "rotate_aug"], "optimizer": ["adamw"]}
    )
    said, shown = kit.text(again), again.response or card.response
    pictures = [await each.read() for each in shown.attachments if "variations" in each.filename]
    await alice.click(shown, label="Start")

    assert kit.says(said, wording.training.VARIED)
    assert [Image.open(io.BytesIO(each)).width for each in pictures] == [4 * 240 + 3 * 4]
    (job,) = await kit.store.jobs.list_open()
    assert job.request["options"] == {"flip_aug": True, "rotate_aug": True}
