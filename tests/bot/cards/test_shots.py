"""Photos of the same shot are kept or removed by a press, and by nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ImageOps

from bot import wording
from bot.wording import fill
from storage.planning.features import pack_features
from storage.planning.readiness import rate_readiness
from storage.planning.verdicts import judge_photos
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
    """Photos of a shot count as one, also for what is missing; a press keeps the best alone."""
    card = await kit.open_dataset(shots)
    assert kit.says(card, wording.dataset.SAME_SHOTS, same="1 photo")
    said = kit.text(card)
    assert "same shot as photo 2" in said
    (dataset,) = await kit.store.datasets.list_for(shots.id)
    ready = rate_readiness(await kit.store.photos.list_for(dataset.id, shots.id))
    assert (ready.advice, ready.missing) == ("few", 1)
    assert wording.verdicts.explain_readiness(ready) in said
    assert "\n".join(wording.verdicts.draw_grid(ready)) in said

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


async def test_views(kit):
    """Once features are known, the card asks for another side of what is seen from one alone."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    for number in range(4):
        picture = draw_scene(number, (640, 600)).point(
            [level >> number % 2 for level in range(256)] * 3
        )
        picture.save(file := io.BytesIO(), "PNG")
        photo = await kit.store.photos.add(dataset, await kit.bot.darkroom.check(file.getvalue()))
        await kit.store.photos.set_features(photo.id, pack_features(np.ones(64) / 8))

    said = kit.text(await kit.open_dataset(alice))

    assert fill(wording.verdicts.NEXT["one_view"], different=4, missing=2) in said


async def test_keep_anyway(kit):
    """What is wrong with a photo is told with why and what to do, until its owner keeps it so."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice)
    draw_scene(1, (200, 180)).save(file := io.BytesIO(), "PNG")
    await kit.send_photos(alice, [("small.png", file.getvalue())])
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    card = await kit.open_dataset(alice)
    assert "⚠️ small" in kit.text(card)
    assert kit.says(card, wording.verdicts.NOT_CHECKED)

    await alice.select(card, [str(photo.id)])
    (verdict,) = judge_photos([photo], ["photo 1"])
    unchecked = wording.verdicts.name_unchecked(verdict.unchecked)
    assert wording.verdicts.explain_verdict(verdict) in kit.text(card)
    assert wording.verdicts.ADVICE["tiny"] in kit.text(card)
    assert wording.verdicts.LOOKS["content"] in unchecked
    assert unchecked in kit.text(card)
    await alice.click(card, label=wording.verdicts.ACCEPT)

    assert kit.says(card, wording.verdicts.ACCEPTED, names="small")
    assert wording.verdicts.ACCEPT not in kit.labels(card)
    assert "⚠️" not in kit.text(await kit.open_dataset(alice))
