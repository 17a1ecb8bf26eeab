"""A dataset is exported in the form that its owner picks, and can be added again."""

from __future__ import annotations

import pytest

from bot import wording
from bot.actions.export import pack_dataset
from bot.wording.errors import ERRORS
from storage.photosets.edits import put_trigger
from storage.photosets.pack import PackedPhoto, SetForm
from storage.photosets.reader import open_set


async def press(kit, who, form):
    """Ask for a form of the dataset and return the answer."""
    asked = await who.slash(kit.channel, "dataset export", name="my dog")
    return await who.click(asked.response, label=wording.dataset.FORMS[form])


@pytest.mark.parametrize("form", SetForm)
async def test_round_trip(kit, form):
    """What is exported becomes the same dataset again: pixels, captions, order.

    All captions have the trigger then, and added to its own dataset the zip changes nothing.
    """
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    dataset, other = await kit.add_dataset(alice, photos=3), await kit.add_dataset(bob)
    for photo in await kit.store.photos.list_for(dataset.id, alice.id):
        await kit.store.photos.set_caption(
            photo.id, alice.id, f"a dog, asleep in bed, no {photo.id}"
        )

    answer = await press(kit, alice, form)
    (attached,) = answer.response.attachments
    packed = (attached.filename, await attached.read())
    await bob.slash(kit.channel, "dataset add", name="my dog", photo1=packed)
    again = await alice.slash(kit.channel, "dataset add", name="my dog", photo1=packed)

    assert answer.response.ephemeral
    assert attached.filename == f"my_dog_{form}.zip"
    sent, kept = [
        [
            (each.digest, put_trigger(each.caption, one.trigger))
            for each in await kit.store.photos.list_for(one.id, one.owner)
        ]
        for one in (dataset, other)
    ]
    assert kept == sent
    assert kept[0][1].startswith("mydog, a dog")
    assert kit.text(again).splitlines()[0] == "### No new photos, 3 you had already. My dog has 3."
    assert not kit.says(again, wording.captions.RECAPTIONED)
    assert list(kit.store.home.exports.iterdir()) == []


async def test_empty(kit):
    """A dataset without photos is answered with a sentence."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice)

    assert kit.says(await press(kit, alice, "kohya"), ERRORS["dataset_empty"])


async def test_parts(kit, tmp_path):
    """A dataset larger than one upload is split, and each part is whole in its form."""
    dataset = await kit.add_dataset(kit.add_member("alice"))
    photos = []
    for number in range(5):
        file = tmp_path / f"{number}.png"
        file.write_bytes(kit.draw_photo(number))
        photos.append(PackedPhoto(f"{number:03}", file, f"a dog, number {number}"))
    (tmp_path / "zips").mkdir()
    most = 3 * max(photo.file.stat().st_size for photo in photos)

    zips = pack_dataset(dataset, photos, SetForm.HUB, tmp_path / "zips", most)

    captions = []
    for path in zips:
        assert path.stat().st_size <= most
        with open_set(path) as found:
            captions += [photo.caption for photo in found.photos]
    assert len(zips) > 1
    assert captions == [photo.caption for photo in photos]
