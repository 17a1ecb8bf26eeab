"""Queue captions for photos that arrive one by one: some at a time, the rest after a pause."""

from __future__ import annotations

import asyncio
import logging

from bot.actions.photos import queue_captions
from bot.bot import Bot
from storage.errors import UserError
from storage.records import Photo

log = logging.getLogger(__name__)

BATCH = 20  #: photos of one job
PAUSE_SECONDS = 3.0  #: without another photo, after which the rest is queued
NO_CHANNEL = 0  #: captions have no card


class CaptionBatches:
    """Photos that wait for a job to caption them."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._photos: dict[int, list[Photo]] = {}  #: by their dataset
        self._timers: dict[int, asyncio.Task[None]] = {}

    async def add(self, photo: Photo) -> None:
        """Let a new photo wait, unless it has a caption."""
        if photo.caption:
            return
        waiting = self._photos.setdefault(photo.dataset, [])
        waiting.append(photo)
        self._stop_timer(photo.dataset)
        if len(waiting) >= BATCH:
            await self._queue(photo.dataset)
        else:
            later = self._queue_later(photo.dataset)
            self._timers[photo.dataset] = asyncio.create_task(later)

    def is_waiting(self, dataset: int) -> bool:
        """Return whether photos of a dataset wait."""
        return dataset in self._photos

    async def close(self) -> None:
        """Queue what waits."""
        timers = [*self._timers.values()]
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)
        for dataset in [*self._photos]:
            await self._queue(dataset)

    def _stop_timer(self, dataset: int) -> None:
        timer = self._timers.pop(dataset, None)
        if timer is not None:
            timer.cancel()

    async def _queue_later(self, dataset: int) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        self._timers.pop(dataset, None)  # from here on, nobody may cancel it
        await self._queue(dataset)

    async def _queue(self, dataset: int) -> None:
        photos = self._photos.pop(dataset)
        try:
            known = await self._bot.store.datasets.get(dataset, photos[0].owner)
            await queue_captions(self._bot, known, NO_CHANNEL, photos)
        except UserError as refused:  # the dataset was deleted meanwhile
            log.info("No captions for uploaded photos: %s", refused.code)
