"""Photos of the same shot are kept or removed by a press, and by nothing else."""

from __future__ import annotations

import io

import pytest
from PIL import ImageOps

from bot import wording
from tests.storage.photos.scenes import draw_scene


@pytest.fixture
async def shots(kit):
    """Return alice with a dataset of a photo, its smaller mirror and another photo."""
    alice, first = kit.add_member("alice"), draw_scene(1, (640, 600))
    await kit.add_dataset(alice)
    files = []
    for picture in (ImageOps.mirror(first).resize((320, 300)), first, draw_scene(2)):
        picture.save(file := io.BytesIO(), "PNG")
        files.append((f"{len(files)}.png", file.getvalue()))
    await kit.send_photos(alice, files)
    return alice


async def count_photos(kit, alice):
    """Return how many photos alice has, and how many of them she keeps anyway."""
    (dataset,) = await kit.store.datasets.list_for(alice.id)
    photos = await kit.store.photos.list_for(dataset.id, alice.id)
    return len(photos), sum(photo.accepted for photo in photos)


async def test_best(kit, shots):
    """Keep the best removes the other photos of a shot, which count as one until then."""
    card = await kit.open_dataset(shots)
    assert kit.says(card, wording.dataset.SAME_SHOTS, same="1 photo")
    assert "same shot as photo 2" in kit.text(card)

    opened = await shots.click(card, label=wording.verdicts.OPEN_SHOTS)
    assert kit.says(opened, wording.verdicts.SHOT, photos="Photos 1 and 2", best="photo 2")
    assert await count_photos(kit, shots) == (3, 0)
    await shots.click(opened.followups[-1], label=wording.verdicts.KEEP_BEST)

    assert await count_photos(kit, shots) == (2, 0)
    assert wording.verdicts.OPEN_SHOTS not in kit.labels(await kit.open_dataset(shots))


async def test_all(kit, shots):
    """Keep all keeps them, and nothing more is said of them."""
    opened = await shots.click(await kit.open_dataset(shots), label=wording.verdicts.OPEN_SHOTS)

    await shots.click(opened.followups[-1], label=wording.verdicts.KEEP_ALL)

    assert await count_photos(kit, shots) == (3, 1)
    assert wording.verdicts.OPEN_SHOTS not in kit.labels(await kit.open_dataset(shots))


async def test_keep_anyway(kit):
    """A photo with something wrong is kept against advice, which is then no warning any more."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    draw_scene(1, (200, 180)).save(file := io.BytesIO(), "PNG")
    await kit.send_photos(alice, [("small.png", file.getvalue())])
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    card = await kit.open_dataset(alice)
    assert "⚠️ small" in kit.text(card)

    await alice.select(card, [str(photo.id)])
    await alice.click(card, label=wording.verdicts.ACCEPT)

    assert kit.says(card, wording.verdicts.ACCEPTED, names="small")
    assert wording.verdicts.ACCEPT not in kit.labels(card)
    assert "⚠️" not in kit.text(await kit.open_dataset(alice))
