"""A mask that comes beside its photo stays with it, and nothing of it outlives the photo."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from bot import wording
from bot.actions.export import export_member, list_packed, pack_dataset
from bot.actions.order import TrainingOrder
from bot.actions.training import preview_training
from bot.wording.errors import ERRORS
from storage.errors import UserError
from storage.photosets.pack import SetForm
from storage.records import Photo
from tests.fakes.discord import draw_mask


async def list_photos(kit, dataset) -> list[Photo]:
    """Return the photos of a dataset."""
    return await kit.store.photos.list_for(dataset.id, dataset.owner)


def count_files(kit) -> int:
    """Return how many files there are of photos, with their previews."""
    return sum(path.is_file() for kind in ("photos", "previews")
               for path in (kit.home / kind).rglob("*"))  # fmt: skip


async def test_attachments(kit):
    """A mask is paired by its name; its photo keeps its own colours, and the card says it."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    sent = [("B-masklabel.png", draw_mask()), ("a.png", kit.draw_photo(1)),
            ("b.png", kit.draw_photo(2)), ("c.mask.png", draw_mask())]  # fmt: skip

    said = kit.text(await kit.send_photos(alice, sent))
    photos = await list_photos(kit, dataset)
    card = kit.text(await kit.open_dataset(alice))

    assert "2 new photos, 1 not added. My dog has 2." in said
    assert kit.says(said, wording.dataset.PHOTOS_MASKED, photos="1 photo")
    assert ERRORS["photo_mask"] in said
    assert [photo.masked for photo in photos] == [False, True]
    with Image.open(kit.store.home.photo_file(photos[1].digest)) as kept:
        alpha = [kept.getchannel("A").getpixel((x, 150)) for x in (20, 300)]
        with Image.open(io.BytesIO(kit.draw_photo(2))) as drawn:
            assert kept.convert("RGB").tobytes() == drawn.tobytes()
    assert alpha == [255, 0]
    assert "Photos with a mask: 1." in card


async def test_later(kit):
    """A photo that comes again with a mask gets that; without one, it stays as it is."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    (before,) = await list_photos(kit, dataset)
    await kit.store.photos.set_caption(before.id, alice.id, "a dog")
    photo = ("a.png", kit.draw_photo(0))

    answer = await kit.send_photos(alice, [photo, ("a.mask.png", draw_mask())])
    (masked,) = await list_photos(kit, dataset)
    await kit.send_photos(alice, [photo, ("a.mask.png", draw_mask(painted="gray"))])
    (other,) = await list_photos(kit, dataset)
    await kit.send_photos(alice, [photo])

    assert "No new photos, 1 you had already" in kit.text(answer)
    assert (masked.id, masked.caption, masked.phash) == (before.id, "a dog", before.phash)
    assert masked.plain_digest == before.digest == other.plain_digest
    assert len({before.digest, masked.digest, other.digest}) == 3
    assert await list_photos(kit, dataset) == [other]
    assert count_files(kit) == 2
    await kit.store.datasets.delete(dataset.id, alice.id)
    assert count_files(kit) == 0


@pytest.mark.parametrize(
    ("mask", "code"),
    [(draw_mask((320, 200)), "mask_shape"), (draw_mask(painted="black"), "mask_dark"),
     (b"x", "photo_unknown")],
)  # fmt: skip
async def test_refused(kit, mask, code):
    """A photo whose mask is of no use is not added without it."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)

    answer = await kit.send_photos(alice, [("a.png", kit.draw_photo(1)), ("a.mask.png", mask)])

    assert kit.says(answer, ERRORS[code])
    assert await list_photos(kit, dataset) == []


async def test_export(kit, tmp_path):
    """A zip has photo and mask side by side, and brings both back as they were."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    await kit.send_photos(alice, [("a.png", kit.draw_photo(1)), ("a.mask.png", draw_mask())])
    photos = await list_photos(kit, dataset)

    packed = list_packed(kit.store, dataset, photos)
    (zipped,) = pack_dataset(dataset, packed, SetForm.PLAIN, tmp_path, 10**8)
    (own,) = await export_member(kit.store, alice.id, tmp_path, 10**8)
    await kit.store.datasets.delete(dataset.id, alice.id)
    again = await kit.add_dataset(alice)
    await kit.send_photos(alice, [("my.zip", zipped.read_bytes())])

    with zipfile.ZipFile(zipped) as opened:
        assert opened.namelist() == ["001.mask.png", "001.png"]
    with zipfile.ZipFile(own) as opened:
        assert f"photos/my dog/{photos[0].id}.mask.png" in opened.namelist()
    assert [each.digest for each in await list_photos(kit, again)] == [photos[0].digest]


async def test_training(kit, scheduler):
    """A mask says where to learn; it makes no photo transparent."""
    alice = kit.add_member("alice")
    dataset = await scheduler.add_dataset(alice)
    await kit.send_photos(alice, [("a.png", kit.draw_photo(90)), ("a.mask.png", draw_mask())])
    masked, filled = (
        TrainingOrder(dataset.id, "lora", "embedded", options={name: value})
        for name, value in (("masked_loss", True), ("random_backgrounds", 4))
    )

    preview = await preview_training(kit.bot, masked, alice.id, kit.guild.id)
    with pytest.raises(UserError, match="transparent_missing"):
        await preview_training(kit.bot, filled, alice.id, kit.guild.id)

    assert preview.order == masked
