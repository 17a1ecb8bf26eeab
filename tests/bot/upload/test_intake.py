"""How much the upload page takes of one member at a time."""

from __future__ import annotations

import asyncio

from tests.bot.upload.conftest import digest_of


async def test_limits(site, monkeypatch):
    """Too many requests of one member are put off; a full dataset takes no more."""
    dataset = await site.add_dataset(site.add_member("alice"))
    visit = await site.visit(dataset)
    monkeypatch.setattr("bot.upload.intake.MAX_REQUESTS", 3)
    monkeypatch.setattr("storage.tables.photos.MAX_PHOTOS", 0)

    full = await visit.put(site.draw_photo(1))
    busy = [await visit.ask("GET", "photos") for _ in range(3)][-1]

    assert (full[0], full[1]["code"]) == (422, "photos_full")
    assert (busy[0], busy[1]["code"]) == (429, "upload_busy")


async def test_a_stalled_file(site, monkeypatch):
    """A file of which nothing comes any more is given up, and another takes its place."""
    visit = await site.visit(await site.add_dataset(site.add_member("alice")))
    monkeypatch.setattr("bot.upload.intake.STALL_SECONDS", 0.05)
    monkeypatch.setattr("bot.upload.intake.MAX_MEMBER_BODIES", 1)
    photo = site.draw_photo(1)

    async def send_half():
        yield photo[:1000]
        await asyncio.sleep(0.5)

    address = f"{visit.page}/photos/{digest_of(photo)}"
    async with visit.session.put(address, data=send_half(), headers=visit.headers) as answer:
        assert answer.status == 503

    assert (await visit.put(photo))[0] == 200
