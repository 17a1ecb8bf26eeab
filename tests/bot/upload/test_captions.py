"""Captions of the photos that are sent to the upload page."""

from __future__ import annotations

import pytest

from bot import wording
from storage.records import Kind
from tests.bot.upload.conftest import until


@pytest.mark.usefixtures("scheduler")
async def test_captions(site, monkeypatch):
    """Photos are captioned some at a time, and the rest after a pause, in one job each."""
    alice = site.add_member("alice")
    visit = await site.visit(await site.add_dataset(alice))
    monkeypatch.setattr("bot.upload.captions.PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("bot.upload.captions.BATCH", 2)
    for seed in range(3):
        assert (await visit.put(site.draw_photo(seed, (160, 160))))[0] == 200
    before = (await visit.ask("GET", "photos"))[1]["busy"]

    async def list_asked():
        jobs = await site.store.jobs.list_for(alice.id)
        return [len(job.request["photos"]) for job in jobs if job.kind is Kind.CAPTION]

    asked = await until(list_asked, lambda asked: sum(asked) == 3)
    assert asked == [1, 2]
    assert before == wording.upload.CAPTIONING
