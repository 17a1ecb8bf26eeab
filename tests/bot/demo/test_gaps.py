"""What simcord lacks and the demo shows."""

from __future__ import annotations

import asyncio

from simcord.preview._media import MediaWorker

from bot.demo.gaps import filling_gaps
from tests.fakes.discord import draw_photo


async def test_many_pictures_at_once():
    """A page that asks for more pictures than a dataset's card has gets all of them."""
    pictures = [draw_photo(seed, (32, 32)) for seed in range(12)]

    with filling_gaps():
        worker = MediaWorker()
        shown = await asyncio.gather(
            *(worker.validate(str(at), each) for at, each in enumerate(pictures))
        )
        await worker.close()

    assert [(each.width, each.height) for each in shown] == [(32, 32)] * 12
