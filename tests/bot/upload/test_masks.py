"""Masks that are sent to the upload page find their photos, in whatever order they come."""

from __future__ import annotations

import pytest

from bot.upload.intake import Intake
from bot.upload.masks import SentMasks
from bot.upload.visit import Visit
from bot.wording.errors import ERRORS
from tests.bot.upload.conftest import digest_of
from tests.fakes.discord import draw_mask


async def send(visit, name: str, content: bytes) -> tuple[int, dict]:
    """Send a file under its name, as the page does: it asks before whether that is known."""
    await visit.ask("POST", "known", {"digests": [[digest_of(content), name], 7, ["x"]]})
    visit.headers["X-Name"] = name
    return await visit.put(content)


async def find_masked(site, dataset) -> list[bool]:
    """Return which photos of a dataset have a mask."""
    photos = await site.store.photos.list_for(dataset.id, dataset.owner)
    return [photo.masked for photo in photos]


@pytest.mark.parametrize("first", ["photo", "mask"])
async def test_order(site, first):
    """A mask waits for its photo, and is no photo itself."""
    dataset = await site.add_dataset(site.add_member("alice"))
    visit, mask = await site.visit(dataset), draw_mask()
    files = [("a.JPG", site.draw_photo(1)), ("A.mask.png", mask)]

    answers = [await send(visit, *each) for each in (files if first == "photo" else files[::-1])]
    await send(visit, "b.png", site.draw_photo(2))
    _, state = await visit.ask("GET", "photos")

    assert sorted(status for status, _ in answers) == [200, 202]
    assert await find_masked(site, dataset) == [True, False]
    assert state["zips"] == {digest_of(mask): []}
    assert "Photos with a mask: 1." in state["status"]


async def test_equal_masks(site):
    """Two photos whose masks have the same bytes both get theirs; what is wrong names each."""
    dataset = await site.add_dataset(site.add_member("alice"))
    visit, mask = await site.visit(dataset), draw_mask()

    for name in ("a.mask.png", "b.mask.png", "c.mask.png"):
        await send(visit, name, mask)
    for seed, name in enumerate(("a.png", "b.png")):
        await send(visit, name, site.draw_photo(seed))
    _, waiting = await visit.ask("GET", "photos")
    await send(visit, "c.png", site.draw_photo(2, (100, 300)))
    _, state = await visit.ask("GET", "photos")

    assert await find_masked(site, dataset) == [True, True, False]
    assert waiting["zips"] == {digest_of(mask): None}
    (line,) = state["zips"][digest_of(mask)]
    assert "c.mask.png" in line


async def test_known(site):
    """A photo that is there already, and is not sent again, gets the mask that comes now."""
    dataset = await site.add_dataset(site.add_member("alice"))
    photo, (before, after) = site.draw_photo(1), [await site.visit(dataset) for _ in range(2)]
    await before.put(photo)

    await after.ask("POST", "known", {"digests": [[digest_of(photo), "a.png"]]})
    await send(after, "a-masklabel.png", draw_mask())

    assert await find_masked(site, dataset) == [True]


async def test_refused(site):
    """A mask of another shape says so, and its photo stays as it was."""
    dataset = await site.add_dataset(site.add_member("alice"))
    visit, mask = await site.visit(dataset), draw_mask((100, 300))

    await send(visit, "a.png", site.draw_photo(1))
    await send(visit, "a.mask.png", mask)
    _, state = await visit.ask("GET", "photos")

    (line,) = state["zips"][digest_of(mask)]
    assert "a.mask.png" in line
    assert line.endswith("Make both the same width and height.")
    assert await find_masked(site, dataset) == [False]


async def test_orphan(site):
    """A mask whose photo does not come is named when its member sends nothing any more."""
    alice = site.add_member("alice")
    dataset = await site.add_dataset(alice)
    visit, intake = Visit(site.bot, None, dataset, None, alice.id, agreed=True), Intake()
    patient, hasty = SentMasks(site.bot, intake), SentMasks(site.bot, intake, patience=0.0)
    for masks in (patient, hasty):
        await masks.add(visit, "x", "a.mask.png", draw_mask())

    async with intake.receiving(alice.id):
        waiting = hasty.list_lines(visit)
    (line,) = hasty.list_lines(visit)["x"]

    assert waiting == patient.list_lines(visit) == {"x": None}
    assert ERRORS["photo_mask"] in line


async def test_forgotten(site):
    """What a member sent long ago is kept in no memory once somebody else sends something."""
    alice, bob = site.add_member("alice"), site.add_member("bob")
    hers, his = [
        Visit(site.bot, None, await site.add_dataset(each), None, each.id, agreed=True)
        for each in (alice, bob)
    ]
    masks = SentMasks(site.bot, Intake(), memory=0.0)

    await masks.add(hers, "x", "a.mask.png", draw_mask())
    kept = masks.list_lines(hers)
    masks.list_lines(his)

    assert (kept, masks.list_lines(hers)) == ({"x": None}, {})
