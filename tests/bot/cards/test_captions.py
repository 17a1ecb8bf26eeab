"""Captions are edited five at a time, or all at once."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot import wording
from bot.wording import captions
from bot.wording.errors import ERRORS
from storage.crops import Box
from storage.photos.tile import draw_tile
from storage.records import Kind


@pytest.fixture
async def alice(kit):
    """A member with a dataset of six photos: two captions of hers, two of a captioner."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=6)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    for photo, text in zip(photos, ("a cat on grass", "mydog asleep"), strict=False):
        await kit.store.photos.set_caption(photo.id, alice.id, text)
    for photo in photos[2:4]:
        await kit.store.photos.set_generated_caption(photo.id, "mydog, a cat")
    return alice


async def list_captions(kit, who):
    """Return the stored captions, and whether their owner wrote them."""
    (dataset,) = await kit.store.datasets.list_for(who.id)
    photos = await kit.store.photos.list_for(dataset.id, who.id)
    return [(photo.caption, photo.written) for photo in photos]


async def open_captions(kit, who):
    """Open the captions with their command."""
    return (await who.slash(kit.channel, "dataset captions", name="my dog")).response


async def fill_in(who, card, label, **values):
    """Press a button and fill in its form."""
    return await who.submit_modal(await who.click(card, label=label), values)


async def test_card(kit, alice):
    """Each line shows the trigger, who wrote it, and the number that stands on its thumbnail."""
    dataset_card = await kit.open_dataset(alice)
    answer = await alice.click(dataset_card, label=captions.OPEN)

    parts = kit.components(answer)
    sections = [part for part in parts if part["type"] == 9]
    lines = [part["components"][0]["content"].splitlines() for part in sections]
    assert [line[0] for line in lines] == [
        "**1** · mydog, a cat on grass", "**2** · mydog asleep", "**3** · mydog, a cat",
        "**4** · mydog, a cat",
        f"**5** · {wording.dataset.UNCAPTIONED}",
    ]  # fmt: skip
    by = [captions.BY_OWNER, captions.BY_OWNER, captions.BY_CAPTIONER, captions.BY_CAPTIONER]
    assert [line[1] for line in lines[:4]] == by
    assert [part["accessory"]["description"][:9] for part in sections] == [
        f"Photo {number} o" for number in range(1, 6)
    ]
    assert "**1** · mydog, a cat on grass" in kit.text(dataset_card)


async def test_numbers(kit, alice):
    """The thumbnails have their numbers drawn on them, on both cards."""
    card, page = await kit.open_dataset(alice), await open_captions(kit, alice)
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)

    for shown, count in ((card, 6), (page, 5)):
        assert [file.filename for file in shown.attachments] == [
            f"photo-{number}.webp" for number in range(1, count + 1)
        ]
        pictures = [Image.open(io.BytesIO(await file.read())) for file in shown.attachments]
        for picture, photo in zip(pictures, photos, strict=False):
            preview = kit.store.home.preview_file(photo.digest).read_bytes()
            numbered, another = (
                Image.open(io.BytesIO(draw_tile(preview, number, Box(0, 0, 1, 1))))
                for number in (photos.index(photo) + 1, 9)
            )
            assert picture.tobytes() == numbered.tobytes() != another.tobytes()


async def test_edit(kit, alice):
    """Five captions are edited in one form; those that stay as they were keep their writer."""
    card = await open_captions(kit, alice)
    shown = {"caption1": "a dog on grass", "caption3": "mydog, a cat", "caption5": ""}
    shown |= {"caption2": "mydog asleep", "caption4": "mydog, on a  sofa"}
    await fill_in(alice, card, captions.EDIT_PAGE, **shown)

    assert kit.says(card, captions.SAVED, captions="2 captions")
    assert await list_captions(kit, alice) == [
        ("a dog on grass", True), ("mydog asleep", True), ("mydog, a cat", False),
        ("mydog, on a sofa", True), ("", False), ("", False),
    ]  # fmt: skip
    await alice.click(card, label=wording.dataset.LATER)
    await fill_in(alice, card, captions.EDIT_PAGE, caption6="the last")
    assert "**6** · mydog, the last" in kit.text(card)
    await alice.click(card, label=wording.dataset.EARLIER)
    assert "**1** · mydog, a dog on grass" in kit.text(card)


CHANGES = [
    (captions.REPLACE, {"find": "cat", "words": "fox"}, captions.REPLACED, "a fox on grass"),
    (captions.REPLACE, {"find": "cat", "words": ""}, captions.REMOVED, "a on grass"),
    (captions.REPLACE, {"find": "cow", "words": ""}, captions.NOT_FOUND, "a cat on grass"),
    (captions.ADD_WORD, {"words": "wet"}, captions.ADDED, "a cat on grass, wet"),
    (captions.REMOVE_WORD, {"words": "a cat"}, captions.REMOVED, "on grass"),
    (captions.REMOVE_WORD, {"words": "mydog"}, captions.NOT_FOUND, "a cat on grass"),
    (captions.RENAME, {"trigger": "mydog"}, wording.dataset.UNCHANGED, "a cat on grass"),
    (captions.RENAME, {"trigger": "rex"}, captions.RENAMED, "a cat on grass"),
]


async def test_change_all(kit, alice):
    """A word is replaced, added or removed in all captions, or the trigger renamed; Undo works."""
    before = await list_captions(kit, alice)
    card = await open_captions(kit, alice)

    for label, values, said, first in CHANGES:
        await fill_in(alice, card, label, **values)
        after = await list_captions(kit, alice)
        assert kit.says(card, said), label
        assert after[0] == (first, True)
        undo = next(part for part in kit.components(card) if part.get("label") == captions.UNDO)
        assert bool(undo.get("disabled")) is (after == before)
        if after != before:
            if label == captions.RENAME:
                await kit.restart()
            await alice.click(card, label=captions.UNDO)
            undone = captions.UNDONE_TRIGGER if label == captions.RENAME else captions.UNDONE
            assert kit.says(card, undone)
        assert await list_captions(kit, alice) == before


async def test_rename(kit, alice):
    """All lines have the new trigger; where the old one stays further on, that is said."""
    card = await open_captions(kit, alice)
    shown = {
        f"caption{number}": "mydog, with mydog" if number == 1 else "" for number in range(1, 6)
    }
    await fill_in(alice, card, captions.EDIT_PAGE, **shown)
    await fill_in(alice, card, captions.RENAME, trigger="rex")

    assert kit.says(
        card, captions.RENAMED_PARTLY, trigger="rex", captions="1 caption", old="mydog"
    )
    assert "**1** · rex, with mydog" in kit.text(card)


async def test_captioner_keeps_edits(kit, alice):
    """What was changed in bulk is not changed by captioning again; the trigger waits for it."""
    card = await open_captions(kit, alice)
    await fill_in(alice, card, captions.REPLACE, find="cat", words="fox")
    await alice.click(await kit.open_dataset(alice), label=wording.dataset.CAPTION_AGAIN)
    (job,) = await kit.store.jobs.list_for(alice.id)
    for photo in job.request["photos"]:
        await kit.store.photos.set_generated_caption(photo, "mydog, a horse")

    refused = await fill_in(alice, card, captions.RENAME, trigger="rex")

    assert job.kind is Kind.CAPTION
    assert [text for text, _ in await list_captions(kit, alice)] == [
        "a fox on grass", "mydog asleep", "mydog, a fox", "mydog, a fox", "mydog, a horse",
        "mydog, a horse",
    ]  # fmt: skip
    assert kit.says(refused, ERRORS["trigger_busy"], job=job.id)


async def test_refused(kit, alice):
    """Blank words, a bad trigger and a second Undo of the same change are refused."""
    card, stale = await open_captions(kit, alice), await open_captions(kit, alice)
    blank = await fill_in(alice, card, captions.REPLACE, find="  ", words="x")
    bad = await fill_in(alice, card, captions.RENAME, trigger="two words")
    await fill_in(alice, card, captions.ADD_WORD, words="wet")
    stale = await open_captions(kit, alice)
    await alice.click(card, label=captions.UNDO)
    late = await alice.click(stale, label=captions.UNDO)

    assert kit.says(blank, ERRORS["caption_words_missing"])
    assert kit.says(bad, ERRORS["trigger_bad"])
    assert kit.says(late, ERRORS["edit_gone"])


async def test_empty(kit):
    """A dataset without photos has no captions to edit."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)
    card = await open_captions(kit, alice)

    disabled = {part["label"] for part in kit.components(card) if part.get("disabled")}

    assert {captions.EDIT_PAGE, captions.REPLACE, captions.UNDO} <= disabled
    assert captions.RENAME not in disabled


@pytest.mark.usefixtures("scheduler")
async def test_long_captions(kit, alice):
    """Captions that a base does not read to their end are told here, and before a training."""
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    first, *_ = await kit.store.photos.list_for(dataset.id, alice.id)
    long = "a cat " * 40 + "on a beach"
    await kit.store.photos.set_caption(first.id, alice.id, long)

    card = await open_captions(kit, alice)
    training = await alice.slash(kit.channel, "train lora", dataset="my dog")

    told = {"cut": 1, "captions": "4 captions"}
    ignored = "a cat a cat a cat a cat on a beach"
    assert kit.says(card, captions.CUT, **told, base="Stable Diffusion", words=ignored)
    assert kit.says(training, captions.CUT, **told, base="Safelight emoji", words=ignored)
    lines = [
        each["components"][0]["content"] for each in kit.components(card) if each["type"] == 9
    ]
    assert [captions.CUT_HERE[:4] in line for line in lines] == [True, *[False] * 4]


async def test_caption_one_or_some_again(kit, alice):
    """A photo's card asks for its caption, a page for all of its five but those of the owner."""
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    ids = [photo.id for photo in await kit.store.photos.list_for(dataset.id, alice.id)]

    await alice.click(await open_captions(kit, alice), label=captions.CAPTION_THESE)
    shown = await kit.open_dataset(alice)
    await alice.select(shown, values=[str(ids[3])])
    answer = await alice.click(shown, label=wording.dataset.CAPTION_AGAIN)
    written = await alice.select(await kit.open_dataset(alice), values=[str(ids[0])])

    jobs = await kit.store.jobs.list_for(alice.id)
    assert sorted(job.request["photos"] for job in jobs) == [ids[2:5], ids[3:4]]
    assert kit.says(answer.followups[-1], captions.QUEUED, photos="1 photo")
    again = [each for each in kit.components(written) if each.get("label") == "Caption again"]
    assert [each["disabled"] for each in again] == [True]
