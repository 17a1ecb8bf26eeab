"""Captions are checked, and each finding is put right by a press."""

from __future__ import annotations

import pytest

from bot import wording
from bot.wording import caption_audit
from storage.records import Kind

CAPTIONS = (
    "mydog, a red collar, on grass", "mydog, a red collar, indoors, outdoors",
    "mydog in a red collar", "red collar, asleep", "mydog, red collar, asleep", "",
)  # fmt: skip


@pytest.fixture
async def alice(kit):
    """A member with six photos, whose captions have every fault."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=6)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    for photo, text in zip(photos, CAPTIONS, strict=True):
        if text:
            await kit.store.photos.set_generated_caption(photo.id, text)
    return alice


async def list_captions(kit, who):
    """Return the stored captions."""
    (dataset,) = await kit.store.datasets.list_for(who.id)
    return [photo.caption for photo in await kit.store.photos.list_for(dataset.id, who.id)]


async def check_captions(kit, who):
    """Open the captions, and press the button of their check."""
    card = (await who.slash(kit.channel, "dataset captions", name="my dog")).response
    return (await who.click(card, label=caption_audit.CHECK)).followups[-1]


async def test_findings(kit, alice):
    """Each finding says which photos have it, with a button; nothing is changed yet."""
    card = await check_captions(kit, alice)

    assert kit.says(card, caption_audit.EMPTY, photos="photo 6", trigger="mydog")
    facts = {"words": "red collar", "trigger": "mydog", "count": 5, "captions": "5 captions"}
    assert kit.says(card, caption_audit.FUSED, **facts)
    both = {"one": "indoors", "other": "outdoors"}
    assert kit.says(card, caption_audit.CONTRADICTION, photos="photo 2", **both)
    assert kit.says(card, caption_audit.SAME, photos="photos 4 and 5")
    assert kit.labels(card) == [
        caption_audit.WRITE, caption_audit.REMOVE, caption_audit.REMOVE_BOTH,
        caption_audit.WRITE_ANEW, caption_audit.CHECK_AGAIN, wording.captions.UNDO,
    ]  # fmt: skip
    assert await list_captions(kit, alice) == list(CAPTIONS)


async def test_words_are_removed_by_a_press(kit, alice):
    """What fuses with the trigger or contradicts itself is taken out, until it is undone."""
    card = await check_captions(kit, alice)
    await alice.click(card, label=caption_audit.REMOVE)
    card = await check_captions(kit, alice)
    await alice.click(card, label=caption_audit.REMOVE_BOTH)

    assert await list_captions(kit, alice) == [
        "mydog, on grass", "mydog", "mydog", "asleep", "mydog, asleep", "",
    ]  # fmt: skip
    card = await check_captions(kit, alice)
    assert caption_audit.REMOVE not in kit.labels(card)
    await alice.click(card, label=wording.captions.UNDO)
    assert (await list_captions(kit, alice))[1] == "mydog, indoors, outdoors"


@pytest.mark.parametrize(
    ("label", "described"), [(caption_audit.WRITE, [5]), (caption_audit.WRITE_ANEW, [4, 5])]
)
async def test_the_captioner_writes_what_is_missing(kit, alice, label, described):
    """Missing captions are queued; of repeated ones, all but the first are cleared before."""
    await alice.click(await check_captions(kit, alice), label=label)

    (job,) = await kit.store.jobs.list_for(alice.id)
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    assert job.kind is Kind.CAPTION
    assert job.request["photos"] == [photos[at].id for at in described]
    assert [not photo.caption for photo in photos] == [at in described for at in range(6)]


async def test_an_older_card_changes_nothing_else(kit, alice):
    """A button whose words are no longer found leaves the captions alone."""
    card = await check_captions(kit, alice)
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    await kit.store.captions.change(dataset.id, alice.id, lambda photo, _: f"photo {photo.id}")
    before = await list_captions(kit, alice)

    await alice.click(card, label=caption_audit.REMOVE)

    assert await list_captions(kit, alice) == before


async def test_nothing_to_improve(kit):
    """Good captions are called so; of few ones it is said that shared words cannot be told."""
    bob = kit.add_member("bob")
    dataset = await kit.add_dataset(bob, photos=3)
    await kit.store.captions.change(
        dataset.id, bob.id, lambda photo, _: f"mydog at place{photo.id}"
    )

    card = await check_captions(kit, bob)

    assert kit.says(card, caption_audit.GOOD, trigger="mydog")
    assert kit.says(card, caption_audit.FEW, least=4)
