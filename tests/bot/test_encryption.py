"""A bot whose operator encrypts photos: members notice nothing, the disk has none in the clear."""

from __future__ import annotations

import io
import zipfile

from PIL import Image

from bot import wording
from storage.photofiles import PhotoKeys, new_key, using_keys
from storage.rekey import PLAIN, count_keys
from tests.bot.upload.conftest import serving

STARTS = (b"\x89PNG", b"RIFF")


async def test_members(tmp_path):
    """Cards, the upload page and both exports show photos that are encrypted on the disk."""
    with using_keys(keys := PhotoKeys.parse(new_key())):
        async with serving(tmp_path / "home") as kit:
            alice = kit.add_member("alice")
            dataset = await kit.add_dataset(alice, photos=2)
            (photo, _) = await kit.store.photos.list_for(dataset.id, alice.id)

            card = await kit.open_dataset(alice)
            await alice.select(card, [str(photo.id)])
            asked = await alice.slash(kit.channel, "dataset export", name="my dog")
            exported = await alice.click(asked.response, label=wording.dataset.FORMS["plain"])
            mine = (await alice.slash(kit.channel, "me")).response
            everything = await alice.click(mine, label="Export")
            visit = await kit.visit(dataset)
            async with visit.session.get(
                f"{visit.page}/previews/{photo.id}", headers=visit.headers
            ) as answer:
                preview = await answer.read()

            shown = [await each.read() for each in card.attachments]
            stored = [*kit.home.glob("photos/*/*"), *kit.home.glob("previews/*/*")]

    assert count_keys(kit.store.home) == {keys.current: 4}
    assert len(stored) == 4
    assert not any(path.read_bytes().startswith(STARTS) for path in stored)
    assert PLAIN not in count_keys(kit.store.home)
    for content in (*shown, preview, *await unpack(exported), *await unpack(everything)):
        Image.open(io.BytesIO(content)).verify()


async def unpack(answer):
    """Return the photos in the zip that was sent."""
    (attached,) = answer.response.attachments
    packed = zipfile.ZipFile(io.BytesIO(await attached.read()))
    names = [name for name in packed.namelist() if name.endswith(".png")]
    assert len(names) == 2
    return [packed.read(name) for name in names]
