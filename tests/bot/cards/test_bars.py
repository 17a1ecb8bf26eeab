"""A photo with bars can be added without them."""

from __future__ import annotations

import io

from PIL import ImageOps

from bot import wording
from tests.storage.photos.scenes import draw_scene


async def test_cut(kit):
    """The photo without bars has the same caption; the one with them stays, and is the worse."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    barred = ImageOps.expand(draw_scene(1, (640, 400)), (0, 60, 0, 60), "black")
    barred.save(file := io.BytesIO(), "PNG")
    await kit.send_photos(alice, [("film.png", file.getvalue())])
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    await kit.store.photos.set_caption(photo.id, alice.id, "a dog")
    card = await kit.open_dataset(alice)
    await alice.select(card, [str(photo.id)])

    done = await alice.click(card, label=wording.verdicts.CUT_BARS)

    assert kit.says(done.followups[-1], wording.verdicts.BARS_CUT, number=2)
    kept, cut = await kit.store.photos.list_for(dataset.id, alice.id)
    assert kept.digest == photo.digest
    assert ((cut.width, cut.height), cut.warnings, cut.caption) == ((640, 400), (), "a dog")
    assert "photo 2 is the best" in kit.text(
        (
            await alice.click(await kit.open_dataset(alice), label=wording.verdicts.OPEN_SHOTS)
        ).followups[-1]
    )
